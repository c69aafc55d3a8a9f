// rotomask.hpp without exceptions: what fails is told by rotomask::expected.
#define ROTOMASK_HPP_EXPECTED 1
#include <rotomask.hpp>

#include "disc.hpp"

#include <string>

using rotomask::Frame, rotomask::StatusCode;

int main() {
  const auto none = rotomask::Model::open("no/such.rotomodel");
  CHECK(!none && none.error().status() == StatusCode::model && std::string(none.error().what()).size() > 10);

  const auto model = rotomask::Model::open();
  CHECK(model);
  auto opened = rotomask::Session::open(*model, WIDTH, HEIGHT);
  CHECK(opened.has_value());
  rotomask::Session session = *std::move(opened);
  const auto outside = session.click(1, 0, {-1, 5});
  CHECK(!outside && outside.error().status() == StatusCode::prompt);
  CHECK(session.binary(1).error().status() == StatusCode::state);

  CHECK(session.click(1, 0, {START_X, START_Y}));
  std::vector<std::uint8_t> rgba;
  std::uint64_t finished = 0;
  const auto shot = [&](std::uint64_t frame) -> rotomask::Read {
    if (frame == 3) return rotomask::Unreadable();
    rgba = picture(frame);
    return Frame::rgba8(rgba.data(), WIDTH, HEIGHT);
  };
  const auto report = session.track({}, shot, [&](std::uint64_t) { ++finished; });
  CHECK(!report && report.error().status() == StatusCode::frame && finished == 2);
  const auto mask = session.binary(1);
  CHECK(mask && overlap(*mask, 2) > 0.8);
  CHECK(session.describe().value_or("").find("objects") != std::string::npos);
  CHECK(rotomask::Model().describe().value_or("empty") == "empty");

  rotomask::TrackRequest again;
  again.overwrite = true;
  const auto stopped = session.track(again, shot, [](std::uint64_t) { return rotomask::Flow::stop; });
  CHECK(stopped && stopped->stopped == rotomask::Stopped::by_caller);
  std::puts("all of it");
}
