// Cuts one thing out of one picture: click on it, get a mask.
//
//   c++ -std=c++17 host-examples/cpp/segment.cpp $(pkg-config --cflags --libs rotomask) -o segment
//   ./segment picture.ppm X Y mask.pgm
//
// The picture is a binary PPM (P6, 8 bits, no comments), X and Y are pixels from its top left corner. A click can mean three
// things, a part, a whole, or more; the mask is of the one that the model is surest of: a binary PGM, 255 where it is.
#include <rotomask.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Picture {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

Picture read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": it can't be opened");
  std::string kind;
  Picture picture;
  unsigned most = 0;
  file >> kind >> picture.width >> picture.height >> most;
  file.get();  // one character after the last number
  const auto side_fits = [](std::uint32_t side) { return side >= 1 && side <= 16384; };
  if (!file || kind != "P6" || most != 255 || !side_fits(picture.width) || !side_fits(picture.height)) {
    throw std::runtime_error(path + ": expected a binary PPM with sides from 1 to 16384 pixels and values up to 255");
  }
  picture.rgb.resize(std::size_t{3} * picture.width * picture.height);
  file.read(reinterpret_cast<char*>(picture.rgb.data()), static_cast<std::streamsize>(picture.rgb.size()));
  if (!file) throw std::runtime_error(path + ": it ends before its last pixel");
  return picture;
}

void write_pgm(const std::string& path, const rotomask::Plane<std::uint8_t>& mask) {
  std::ofstream file(path, std::ios::binary);
  file << "P5\n" << mask.width() << ' ' << mask.height() << "\n255\n";
  file.write(reinterpret_cast<const char*>(mask.data()), static_cast<std::streamsize>(mask.size()));
  if (!file.flush()) throw std::runtime_error(path + ": it can't be written");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s PICTURE.ppm X Y MASK.pgm\n", argc > 0 ? argv[0] : "segment");
    return 2;
  }
  try {
    const Picture picture = read_ppm(argv[1]);
    const rotomask::Point click{std::stof(argv[2]), std::stof(argv[3])};
    const auto model = rotomask::Model::open();  // the one that is built in
    auto image = rotomask::Image::open(model);
    image.set(rotomask::Frame::rgb8(picture.rgb.data(), picture.width, picture.height));
    const auto candidates = image.predict(rotomask::ImagePrompts().click(click));
    const auto best = std::max_element(candidates.begin(), candidates.end(), [](const auto& one, const auto& other) {
      return one.predicted_iou < other.predicted_iou;
    });
    std::printf("predicted IoU %.3f, %llu pixels\n", static_cast<double>(best->predicted_iou),
                static_cast<unsigned long long>(best->area_px));
    write_pgm(argv[4], image.binary(static_cast<std::uint32_t>(best - candidates.begin())));
    return 0;
  } catch (const rotomask::Error& error) {
    std::fprintf(stderr, "rotomask: %s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
