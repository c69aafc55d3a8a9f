// What the C++ tests share: a disc that moves to the right, and a check that tells where it failed.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

// Wide and odd on purpose: swapped axes can't pass.
constexpr std::uint32_t WIDTH = 161, HEIGHT = 119;
constexpr float START_X = 52, START_Y = 55, RADIUS = 27;

#define CHECK(what)                                                      \
  do {                                                                   \
    if (!(what)) {                                                       \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);    \
      std::exit(1);                                                      \
    }                                                                    \
  } while (0)

inline bool in_disc(std::uint64_t frame, std::uint32_t x, std::uint32_t y) {
  const float moved = START_X + 3 * static_cast<float>(frame);
  return std::hypot(static_cast<float>(x) - moved, static_cast<float>(y) - START_Y) < RADIUS;
}

/// RGBA, packed, the top row first.
inline std::vector<std::uint8_t> picture(std::uint64_t frame) {
  std::vector<std::uint8_t> rgba;
  for (std::uint32_t y = 0; y < HEIGHT; ++y) {
    for (std::uint32_t x = 0; x < WIDTH; ++x) {
      const bool in = in_disc(frame, x, y);
      const auto uneven = static_cast<std::uint8_t>((x * 7 + y * 13) % 13);
      const int red = in ? 235 : 25, green = in ? 205 : 40, blue = in ? 80 : 60;
      for (int channel : {red, green, blue}) rgba.push_back(static_cast<std::uint8_t>(channel + uneven));
      rgba.push_back(255);
    }
  }
  return rgba;
}

/// The same with the bottom row first in memory.
inline std::vector<std::uint8_t> bottom_up(const std::vector<std::uint8_t>& rgba) {
  std::vector<std::uint8_t> turned;
  constexpr std::ptrdiff_t row = WIDTH * 4;
  for (std::ptrdiff_t y = HEIGHT - 1; y >= 0; --y) {
    turned.insert(turned.end(), rgba.begin() + y * row, rgba.begin() + (y + 1) * row);
  }
  return turned;
}

/// Intersection over union with the disc of a frame.
template <class Mask>
double overlap(const Mask& mask, std::uint64_t frame) {
  CHECK(mask.width() == WIDTH && mask.height() == HEIGHT);
  int both = 0, either = 0;
  for (std::uint32_t y = 0; y < HEIGHT; ++y) {
    for (std::uint32_t x = 0; x < WIDTH; ++x) {
      const bool found = mask.at(x, y) == 255, wanted = in_disc(frame, x, y);
      both += found && wanted;
      either += found || wanted;
    }
  }
  return either == 0 ? 0 : static_cast<double>(both) / either;
}
