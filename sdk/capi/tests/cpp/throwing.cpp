// rotomask.hpp with exceptions: what it promises beyond the C header. Takes a folder to write to.
#define ROTOMASK_HPP_DRAFT 1
#include <rotomask.hpp>

#include "disc.hpp"

#include <algorithm>
#include <string>
#include <thread>

namespace {

using rotomask::Error, rotomask::Flow, rotomask::Frame, rotomask::StatusCode;

Frame view(const std::vector<std::uint8_t>& rgba) { return Frame::rgba8(rgba.data(), WIDTH, HEIGHT); }

/// The status of what `work` throws; ok if it doesn't.
template <class Work>
StatusCode status_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(!std::string(error.what()).empty());
    return error.status();
  }
  return StatusCode::ok;
}

rotomask::Session fresh(const rotomask::Model& model) {
  auto session = rotomask::Session::open(model, WIDTH, HEIGHT);
  session.click(1, 0, {START_X, START_Y});
  return session;
}

/// Frames 0 to `count` - 1, one buffer for all: what is asked for stays valid until the next.
struct Shot {
  std::uint64_t count;
  std::vector<std::uint8_t> rgba = {};

  rotomask::Read operator()(std::uint64_t frame) {
    if (frame >= count) return std::nullopt;
    rgba = picture(frame);
    return view(rgba);
  }
};

void errors_have_a_status_and_a_sentence(const rotomask::Model& model) {
  CHECK(status_of([] { rotomask::Model::open("no/such.rotomodel"); }) == StatusCode::model);
  CHECK(status_of([&] { rotomask::Session::open(model, 0, HEIGHT); }) == StatusCode::frame);
  auto session = rotomask::Session::open(model, WIDTH, HEIGHT);
  CHECK(status_of([&] { session.binary(1); }) == StatusCode::state);
  CHECK(status_of([&] { session.click(1, 0, {WIDTH + 1.0f, 3}); }) == StatusCode::prompt);
  CHECK(session.last_error() == rotomask::last_error());
  CHECK(status_of([&] { session.undo(); }) == StatusCode::state);
  const std::vector<std::uint8_t> small(16);
  CHECK(status_of([&] { session.push(0, Frame::rgba8(small.data(), 2, 2)); }) == StatusCode::frame);
}

void handles_move_and_an_empty_one_only_fails(const rotomask::Model& model) {
  static_assert(!std::is_copy_constructible_v<rotomask::Session> && std::is_move_assignable_v<rotomask::Session>);
  auto session = fresh(model);
  int told = 0;
  session.set_progress([&](rotomask::Stage, float) { ++told; });
  rotomask::Session moved(std::move(session));
  CHECK(!session && moved && status_of([&] { session.refine(); }) == StatusCode::null);
  auto other = fresh(model);
  other = std::move(moved);
  CHECK(other.width() == WIDTH && other.height() == HEIGHT);
  other.push(0, view(picture(0)));
  CHECK(told > 0);  // the callback has moved along
  other.clear_progress();
  told = 0;
  other.push(1, view(picture(1)));
  CHECK(told == 0);
  auto& same = other;
  other = std::move(same);
  CHECK(other);
  rotomask::Model empty;
  CHECK(status_of([&] { empty.describe(); }) == StatusCode::null);
}

void rows_that_lie_bottom_first_give_the_same_mask(const rotomask::Model& model) {
  const auto rgba = picture(0), turned = bottom_up(rgba);
  auto up = fresh(model), down = fresh(model);
  up.push(0, view(rgba));
  down.push(0, view(turned).flipped());
  const auto wanted = up.binary(1);
  CHECK(overlap(wanted, 0) > 0.8);
  // By hand: the top row is the last in memory, and a row's way down is a way back.
  const std::int64_t row = WIDTH * 4;
  auto by_hand = fresh(model);
  by_hand.push(0, Frame::rgba8(turned.data() + row * (HEIGHT - 1), WIDTH, HEIGHT, -row));
  rotomask::Plane<std::uint8_t> written(WIDTH, HEIGHT);
  by_hand.binary(1, written.canvas().flipped());
  const auto flipped = down.binary(1);
  for (std::uint32_t y = 0; y < HEIGHT; ++y) {
    for (std::uint32_t x = 0; x < WIDTH; ++x) {
      CHECK(flipped.at(x, y) == wanted.at(x, y));
      CHECK(written.at(x, HEIGHT - 1 - y) == wanted.at(x, y));
    }
  }
  CHECK(status_of([&] { up.binary(1, rotomask::Canvas::gray8(written.data(), WIDTH, HEIGHT - 1)); }) == StatusCode::frame);
}

void what_a_callback_throws_stops_tracking_and_comes_out(const rotomask::Model& model) {
  struct Mine {};
  auto session = fresh(model);
  int told = 0;
  bool out = false;
  try {
    session.track({}, Shot{6}, [&](std::uint64_t frame) {
      ++told;
      if (frame == 1) throw Mine();
    });
  } catch (const Mine&) {
    out = true;
  }
  CHECK(out && told == 1);
  CHECK(overlap(session.binary(1), 1) > 0.8);  // finished frames stay

  out = false;
  try {
    session.track({}, [](std::uint64_t) -> rotomask::Read { throw Mine(); });
  } catch (const Mine&) {
    out = true;
  }
  CHECK(out);

  out = false;
  auto other = fresh(model);
  other.set_progress([](rotomask::Stage stage, float) {
    if (stage == rotomask::Stage::mask_decoder) throw Mine();
  });
  try {
    other.push(0, view(picture(0)));
  } catch (const Mine&) {
    out = true;
  }
  CHECK(out && status_of([&] { other.answer(1); }) == StatusCode::state);
  other.set_progress([](rotomask::Stage, float) { return Flow::stop; });
  CHECK(status_of([&] { other.push(0, view(picture(0))); }) == StatusCode::cancelled);
  other.clear_progress();
  other.push(0, view(picture(0)));

  out = false;
  rotomask::AutomaticOptions few;
  few.points_per_side = 2;
  try {
    rotomask::Automatic::generate(model, view(picture(0)), few, [](std::uint64_t, std::uint64_t) { throw Mine(); });
  } catch (const Mine&) {
    out = true;
  }
  CHECK(out);
}

void a_shot_that_is_asked_for_is_tracked_to_its_end(const rotomask::Model& model) {
  auto session = fresh(model);
  std::vector<std::uint64_t> told;
  Shot shot{5};
  rotomask::TrackRequest request;
  const auto report = session.track(request, shot, [&](std::uint64_t frame) { told.push_back(frame); });
  CHECK((told == std::vector<std::uint64_t>{1, 2, 3, 4}));
  // The frame with the prompt is answered before tracking begins, and then holds.
  CHECK(report.kept == 1 && report.stopped == rotomask::Stopped::done && report.stretches.size() == report.stretch_count);
  CHECK(report.stretches.front().object == 1 && report.stretches.back().last == 4);
  CHECK(overlap(session.binary(1), 4) > 0.8);
  request.overwrite = true;
  const auto stopped = session.track(request, shot, [](std::uint64_t) { return Flow::stop; });
  CHECK(stopped.stopped == rotomask::Stopped::by_caller);
  CHECK(status_of([&] {
          session.track(request, [](std::uint64_t) { return rotomask::Read(rotomask::Unreadable()); });
        }) == StatusCode::frame);
}

void a_session_file_is_gone_on_with(const rotomask::Model& model, const std::string& folder) {
  const std::string path = folder + "/shot.rotosession";
  {
    auto session = rotomask::Session::open(model, WIDTH, HEIGHT, rotomask::SessionOptions::in_file(path));
    session.add_object(7, "Disc");
    session.click(7, 0, {START_X, START_Y});
    session.track({}, Shot{3});
    // One process writes; another session of the same file is refused, and says so.
    CHECK(status_of([&] { rotomask::Session::open(model, WIDTH, HEIGHT, rotomask::SessionOptions::in_file(path)); }) ==
          StatusCode::session);
  }
  rotomask::Options options = rotomask::Options::open();
  options.set("session_file", path);
  auto again = rotomask::Session::open(model, WIDTH, HEIGHT, options);
  CHECK(again.describe().find("Disc") != std::string::npos);
  const auto report = again.track({}, Shot{5});
  CHECK(report.kept == 3);
  CHECK(overlap(again.binary(7, 2), 2) > 0.8);
  CHECK(!again.answer(7, 4).prompted && again.answer(7, 0).prompted);
  CHECK(again.rle(7, 2).find("counts") != std::string::npos && again.review(7).front() == '[');
  CHECK(again.logits(7, 1).width() == again.answer(7, 1).logits_width);

  const auto file = rotomask::SessionFile::open(path);
  CHECK(file.check() == "[]" && file.describe().find("Disc") != std::string::npos);
  rotomask::Plane<std::uint8_t> mask(WIDTH, HEIGHT);
  file.binary(7, 2, mask.canvas());
  CHECK(overlap(mask, 2) > 0.8);
  CHECK(status_of([&] { rotomask::SessionFile::open(folder + "/none.rotosession"); }) == StatusCode::session);
  CHECK(rotomask::SessionFile::salvage(path, folder + "/fresh.rotosession").objects == 1);
}

void options_by_name_are_refused_by_name() {
  auto options = rotomask::Options::open();
  options.set("threads", 1);
  options.set("deterministic", true);
  options.set("mask_threshold", 0.5);
  CHECK(options.value("threads") == "1" && options.value("deterministic") == "on");
  CHECK(options.value("mask_threshold") == "0.5");
  CHECK(status_of([&] { options.set("thread", 1); }) == StatusCode::argument);
  CHECK(status_of([&] { options.set("threads", "many"); }) == StatusCode::argument);
  const auto model = rotomask::Model::open(options);
  CHECK(model.describe().find("rotomask-nano") != std::string::npos);
  CHECK(rotomask::Options::table().find("session_file") != std::string::npos);
}

void another_thread_cancels(const rotomask::Model& model) {
  auto session = fresh(model);
  std::thread other;
  session.set_progress([&](rotomask::Stage stage, float) {
    if (stage != rotomask::Stage::image_encoder || other.joinable()) return;
    other = std::thread([&] { session.cancel(); });
    other.join();
    other = std::thread();
  });
  CHECK(status_of([&] { session.push(0, view(picture(0))); }) == StatusCode::cancelled);
  session.clear_progress();
  session.push(0, view(picture(0)));  // as if nothing had happened
  CHECK(overlap(session.binary(1), 0) > 0.8);
}

void pictures_and_every_mask_of_one(const rotomask::Model& model) {
  auto image = rotomask::Image::open(model);
  CHECK(status_of([&] { image.predict(rotomask::ImagePrompts().click({5, 5})); }) == StatusCode::state);
  const auto rgba = picture(0);
  image.set(view(rgba));
  const auto candidates = image.predict(rotomask::ImagePrompts().click({START_X, START_Y}));
  CHECK(candidates.size() == 3);
  const auto logits = image.logits(0);
  auto again = rotomask::ImagePrompts().click({START_X, START_Y}).click({3, 3}, false);
  again.mask_input = logits.frame();
  again.multimask_output = false;
  CHECK(image.predict(again).size() == 1);
  CHECK(overlap(image.binary(0), 0) > 0.7 && image.coverage(0).size() == WIDTH * HEIGHT);
  CHECK(status_of([&] { image.binary(4); }) != StatusCode::ok && !image.last_error().empty());

  rotomask::AutomaticOptions search;
  search.pred_iou_thresh = search.stability_score_thresh = 0;
  search.point_grids = {{{START_X / WIDTH, START_Y / HEIGHT}, {0.9, 0.9}}};
  std::uint64_t asked = 0;
  const auto masks = rotomask::Automatic::generate(model, view(rgba), search,
                                                   [&](std::uint64_t, std::uint64_t total) { asked = total; });
  CHECK(asked == 2 && masks.count() > 0);
  std::uint64_t run = 0;
  for (std::uint32_t length : masks.run_lengths(0)) run += length;
  CHECK(run == WIDTH * HEIGHT && !masks.rle(0).empty());
  CHECK(masks.binary(0).size() == WIDTH * HEIGHT && masks.describe(0).width_px == WIDTH);
  search.crop_n_layers = 4000000000u;  // a list for the first layer alone is no reason to read further
  CHECK(status_of([&] { rotomask::Automatic::generate(model, view(rgba), search); }) == StatusCode::argument);
  CHECK(masks.objects().count() <= masks.count());

  auto session = rotomask::Session::open(model, WIDTH, HEIGHT);
  search.crop_n_layers = 0;
  rotomask::ObjectOptions any;
  any.max_area = 1;
  const auto added = session.add_automatic(0, view(rgba), search, any);
  CHECK(!added.empty() && session.answer(added.front()).prompted);
}

void a_matte_is_finished(const rotomask::Model& model) {
  auto session = fresh(model);
  const auto rgba = picture(0);
  session.push(0, view(rgba));
  const auto logits = session.logits(1);
  auto settings = rotomask::MatteSettings::open(R"({"rotomask_preset": 1, "view": "matte"})");
  settings.set("grow_px", 2.5);
  settings.set_at(4, "invert", true);
  CHECK(settings.value(0, "grow_px") == "2.5" && settings.value(4, "invert") == "on");
  CHECK(settings.preset().find("grow_px") != std::string::npos);
  CHECK(status_of([&] { settings.set("grow", 1); }) == StatusCode::argument);
  CHECK(rotomask::MatteSettings::parameters().find("feather_inner_px") != std::string::npos);
  settings.set_at(0, "invert", false);

  rotomask::MatteOptions options;
  options.gpu = rotomask::Gpu::off;
  auto matte = rotomask::Matte::open(options);
  rotomask::MatteJob job(view(rgba));
  job.settings = &settings;
  job.layers.push_back({logits.frame()});
  job.layers.back().neighbours = {{-1, logits.frame()}, {1, logits.frame()}};
  rotomask::Plane<std::uint8_t> whole(WIDTH, HEIGHT), part(20, 10);
  matte.render(job, whole.canvas());
  CHECK(whole.at(std::uint32_t(START_X), std::uint32_t(START_Y)) == 255 && whole.at(150, 110) == 0);
  job.window = rotomask::Window{60, 40, 20, 10};
  matte.render(job, part.canvas());
  for (std::uint32_t y = 0; y < 10; ++y) {
    for (std::uint32_t x = 0; x < 20; ++x) CHECK(part.at(x, y) == whole.at(60 + x, 40 + y));
  }
  job.window->x = WIDTH;
  CHECK(status_of([&] { matte.render(job, part.canvas()); }) == StatusCode::frame && !matte.last_error().empty());
  CHECK(matte.describe().front() == '{');
}

void what_the_library_says_reaches_the_host(const rotomask::Model& model) {
  std::string said;
  rotomask::set_log([&](rotomask::Level, std::string_view message) { said += message; throw 1; },
                    rotomask::Level::debug);
  auto options = rotomask::Options::open();
  options.set("gpu", "off");
  auto matte = rotomask::Matte::open(options);
  auto session = fresh(model);
  session.push(0, view(picture(0)));
  rotomask::set_log({});
  CHECK(status_of([] { rotomask::set_log({}, static_cast<rotomask::Level>(9)); }) == StatusCode::argument);
}

void drafts() {
  CHECK(rotomask::kernels().front() == '[');
  const std::string name = "composite";
  CHECK(!rotomask::kernel_code(name, 0, rotomask::Language::wgsl).empty());
  CHECK(rotomask::kernel_code(name, 0, rotomask::Language::spirv)[3] == 0x07);  // SPIR-V's magic number
  CHECK(status_of([] { rotomask::kernel_code("none", 0, rotomask::Language::wgsl); }) == StatusCode::argument);

  std::vector<std::uint8_t> block(40 * 30);
  for (int y = 8; y < 22; y++) std::fill_n(block.begin() + 40 * y + 10, 16, std::uint8_t{255});
  auto splines = rotomask::Splines::open(40, 30, rotomask::SplineOptions().min_area_px2(16).key_tolerance_px(0));
  splines.add(3, Frame::gray8(block.data(), 40, 30));
  CHECK(status_of([&] { splines.add(3, Frame::gray8(block.data(), 40, 30)); }) == StatusCode::state);
  CHECK(splines.describe().find("\"shapes\":1") != std::string::npos);
  CHECK(splines.write(rotomask::SplineFormat::svg).find("<svg") != std::string::npos);
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 2 && rotomask::abi_matches() && !rotomask::version().empty());
  CHECK(rotomask::info().find("onnxruntime") != std::string::npos);
  const auto model = rotomask::Model::open();
  errors_have_a_status_and_a_sentence(model);
  handles_move_and_an_empty_one_only_fails(model);
  rows_that_lie_bottom_first_give_the_same_mask(model);
  what_a_callback_throws_stops_tracking_and_comes_out(model);
  a_shot_that_is_asked_for_is_tracked_to_its_end(model);
  a_session_file_is_gone_on_with(model, argv[1]);
  options_by_name_are_refused_by_name();
  another_thread_cancels(model);
  pictures_and_every_mask_of_one(model);
  a_matte_is_finished(model);
  what_the_library_says_reaches_the_host(model);
  drafts();
  std::puts("all of it");
}
