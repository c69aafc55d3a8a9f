// Follows one thing through a video and cuts it out: click on it in the first frame, get a video with alpha.
//
//   c++ -std=c++17 host-examples/cpp/track.cpp $(pkg-config --cflags --libs rotomask) -o track
//   ./track clip.mp4 X Y cutout.mov [NAME=VALUE ...]
//
// X and Y are pixels from the top left corner of the first frame. What follows are options of the library, such as
// provider=cuda, gpu=off or session_file=shot.rotosession, and parameters of the matte, such as matte.feather_outer_px=3:
// `rotomask::Options::table` and `rotomask::MatteSettings::parameters` list them.
// Ctrl-C stops after the frame that is being done, and completes the output with what there is.
#include <rotomask.hpp>

#include "ffmpeg.hpp"

#include <csignal>
#include <exception>

namespace {

constexpr std::uint32_t object = 1;
volatile std::sig_atomic_t stop = 0;

/// Takes NAME=VALUE to the option, or to the matte's parameter, that it names.
void set(rotomask::Options& options, rotomask::MatteSettings& settings, const std::string& word) {
  const auto at = word.find('=');
  if (at == std::string::npos) throw std::runtime_error(word + ": expected NAME=VALUE");
  const std::string name = word.substr(0, at), value = word.substr(at + 1);
  const std::string matte = "matte.";
  if (name.compare(0, matte.size(), matte) == 0) {
    settings.set(name.substr(matte.size()), value);
  } else {
    options.set(name, value);
  }
}

/// The number of frames that are done.
std::uint64_t track(const ffmpeg::Clip& clip, rotomask::Point click, const std::string& path,
                    const rotomask::Options& options, const rotomask::MatteSettings& settings) {
  const auto model = rotomask::Model::open(options);
  auto session = rotomask::Session::open(model, clip.width, clip.height, options);
  auto matte = rotomask::Matte::open(options);
  session.click(object, 0, click);

  ffmpeg::Reader reader(clip);
  std::optional<ffmpeg::Writer> writer;
  std::vector<std::uint8_t> plate(std::size_t{4} * clip.width * clip.height), cutout(plate.size());
  const auto frame = rotomask::Frame::rgba8(plate.data(), clip.width, clip.height);
  std::uint64_t done = 0;
  for (; !stop && reader.next(plate); ++done) {
    session.push(done, frame);
    const auto logits = session.logits(object);
    rotomask::MatteJob job(frame);
    job.settings = &settings;
    job.frame = done;
    job.layers.push_back({logits.frame()});
    matte.render(job, rotomask::Canvas::rgba8(cutout.data(), clip.width, clip.height));
    if (!writer) writer.emplace(path, clip);  // only now: a job that fails at once leaves no file
    writer->write(cutout);
    const auto answer = session.answer(object);
    std::fprintf(stderr, "\rframe %llu: predicted IoU %.3f, %s ", static_cast<unsigned long long>(done),
                 static_cast<double>(answer.predicted_iou), answer.seen ? "seen" : "not seen");
  }
  if (done > 0) std::fputc('\n', stderr);
  if (!reader.finish() && !stop) throw std::runtime_error(clip.path + ": ffmpeg failed");
  if (!stop && done == 0) throw std::runtime_error(clip.path + ": no frame can be read");
  if (writer) writer->finish();
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s CLIP X Y CUTOUT [NAME=VALUE ...]\n", argc > 0 ? argv[0] : "track");
    return 2;
  }
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) { stop = 1; };
  interrupt.sa_flags = SA_RESTART;  // a frame that is being read is read to its end
  sigaction(SIGINT, &interrupt, nullptr);
  sigaction(SIGTERM, &interrupt, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // an encoder that ends is told by fwrite
  try {
    auto options = rotomask::Options::open();
    auto settings = rotomask::MatteSettings::open();
    settings.set("view", "cutout");
    for (int word = 5; word < argc; ++word) set(options, settings, argv[word]);
    const ffmpeg::Clip clip = ffmpeg::probe(argv[1]);
    const auto done = track(clip, {std::stof(argv[2]), std::stof(argv[3])}, argv[4], options, settings);
    std::fprintf(stderr, "%llu frames in %s%s\n", static_cast<unsigned long long>(done), argv[4],
                 stop ? ", stopped" : "");
    return stop ? 130 : 0;
  } catch (const rotomask::Error& error) {
    std::fprintf(stderr, "rotomask: %s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
