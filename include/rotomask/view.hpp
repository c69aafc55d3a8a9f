// Pixels: views of the caller's, and planes that own theirs. Part of rotomask.hpp.
#ifndef ROTOMASK_VIEW_HPP
#define ROTOMASK_VIEW_HPP

#include "error.hpp"

#include <type_traits>
#include <vector>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// Several values side by side that are somebody else's: C++20's std::span, as far as it is needed here.
template <class T>
class span {
 public:
  constexpr span() noexcept = default;
  constexpr span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr span(T (&array)[N]) noexcept : data_(array), size_(N) {}
  /// Of anything that has data() and size(): a vector, an array, a string, a std::span.
  template <class C, class = std::enable_if_t<
                         std::is_convertible_v<decltype(std::declval<C&>().data()), T*> &&
                         std::is_convertible_v<decltype(std::declval<C&>().size()), std::size_t>>>
  constexpr span(C&& container) noexcept : data_(container.data()), size_(container.size()) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T* begin() const noexcept { return data_; }
  constexpr T* end() const noexcept { return data_ + size_; }
  constexpr T& operator[](std::size_t index) const noexcept { return data_[index]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// How a pixel lies in memory, by the order of its channels and what each is. Alpha is straight.
enum class Format : rotomask_format {
  rgba8 = ROTOMASK_FORMAT_RGBA8,
  bgra8 = ROTOMASK_FORMAT_BGRA8,
  rgb8 = ROTOMASK_FORMAT_RGB8,
  gray8 = ROTOMASK_FORMAT_GRAY8,
  gray_f32 = ROTOMASK_FORMAT_GRAY_F32,
  rgba16 = ROTOMASK_FORMAT_RGBA16,
  bgra16 = ROTOMASK_FORMAT_BGRA16,
  rgb16 = ROTOMASK_FORMAT_RGB16,
  gray16 = ROTOMASK_FORMAT_GRAY16,
  rgba_f16 = ROTOMASK_FORMAT_RGBA_F16,
  bgra_f16 = ROTOMASK_FORMAT_BGRA_F16,
  rgb_f16 = ROTOMASK_FORMAT_RGB_F16,
  gray_f16 = ROTOMASK_FORMAT_GRAY_F16,
  rgba_f32 = ROTOMASK_FORMAT_RGBA_F32,
  bgra_f32 = ROTOMASK_FORMAT_BGRA_F32,
  rgb_f32 = ROTOMASK_FORMAT_RGB_F32
};

/// Bytes of a pixel; 0 for a number that is no format.
constexpr std::int64_t pixel_bytes(Format format) noexcept {
  switch (format) {
    case Format::gray8: return 1;
    case Format::gray16:
    case Format::gray_f16: return 2;
    case Format::rgb8: return 3;
    case Format::rgba8:
    case Format::bgra8:
    case Format::gray_f32: return 4;
    case Format::rgb16:
    case Format::rgb_f16: return 6;
    case Format::rgba16:
    case Format::bgra16:
    case Format::rgba_f16:
    case Format::bgra_f16: return 8;
    case Format::rgb_f32: return 12;
    case Format::rgba_f32:
    case Format::bgra_f32: return 16;
  }
  return 0;
}

namespace detail {

/// A view of pixels. C is the C library's struct, P a pointer to void, const or not, `Self` the class that it becomes.
///
/// The makers take the first pixel of the top row, the sides in pixels, 1 to 16384, and the bytes from a row to the one
/// below it: 0 for rows without a gap, negative where the bottom row lies first in memory.
template <class Self, class C, class P>
class View {
  template <class T>
  using Pointer = std::conditional_t<std::is_const_v<std::remove_pointer_t<P>>, const T*, T*>;

 public:
  /// Pixels of any format.
  View(Format format, P pixels, std::uint32_t width, std::uint32_t height, std::int64_t stride = 0) noexcept
      : raw_(sized<C>()) {
    raw_.format = static_cast<rotomask_format>(format);
    raw_.width_px = width;
    raw_.height_px = height;
    raw_.stride_bytes = stride != 0 ? stride : pixel_bytes(format) * static_cast<std::int64_t>(width);
    raw_.pixels = pixels;
  }

#define ROTOMASK_HPP_MAKER(format, T)                                                                        \
  static Self format(Pointer<T> pixels, std::uint32_t width, std::uint32_t height, std::int64_t stride = 0) { \
    return Self(Format::format, pixels, width, height, stride);                                              \
  }
  ROTOMASK_HPP_MAKER(rgba8, std::uint8_t)
  ROTOMASK_HPP_MAKER(bgra8, std::uint8_t)
  ROTOMASK_HPP_MAKER(rgb8, std::uint8_t)
  ROTOMASK_HPP_MAKER(gray8, std::uint8_t)
  ROTOMASK_HPP_MAKER(rgba16, std::uint16_t)
  ROTOMASK_HPP_MAKER(bgra16, std::uint16_t)
  ROTOMASK_HPP_MAKER(rgb16, std::uint16_t)
  ROTOMASK_HPP_MAKER(gray16, std::uint16_t)
  // C++17 has no half; any type of 16 bits is one.
  ROTOMASK_HPP_MAKER(rgba_f16, void)
  ROTOMASK_HPP_MAKER(bgra_f16, void)
  ROTOMASK_HPP_MAKER(rgb_f16, void)
  ROTOMASK_HPP_MAKER(gray_f16, void)
  ROTOMASK_HPP_MAKER(rgba_f32, float)
  ROTOMASK_HPP_MAKER(bgra_f32, float)
  ROTOMASK_HPP_MAKER(rgb_f32, float)
  ROTOMASK_HPP_MAKER(gray_f32, float)
#undef ROTOMASK_HPP_MAKER

  /// The same memory, whose first row is taken as the bottom one: for OpenGL's and OpenFX's way of storing rows.
  Self flipped() const noexcept {
    Self flipped(static_cast<const Self&>(*this));
    if (raw_.height_px == 0) return flipped;
    const std::int64_t down = raw_.stride_bytes * (static_cast<std::int64_t>(raw_.height_px) - 1);
    flipped.raw_.pixels = static_cast<Pointer<unsigned char>>(raw_.pixels) + down;
    flipped.raw_.stride_bytes = -raw_.stride_bytes;
    return flipped;
  }

  /// What the view was made of.
  Format format() const noexcept { return static_cast<Format>(raw_.format); }
  std::uint32_t width() const noexcept { return raw_.width_px; }
  std::uint32_t height() const noexcept { return raw_.height_px; }
  std::int64_t stride() const noexcept { return raw_.stride_bytes; }
  P pixels() const noexcept { return raw_.pixels; }
  /// What the C library's functions take.
  const C* get() const noexcept { return &raw_; }

 private:
  C raw_;
};

}  // namespace detail

/// Pixels to read.
class Frame : public detail::View<Frame, rotomask_frame, const void*> {
 public:
  using View::View;
};

/// Pixels to write: untouched on error, and never between rows.
class Canvas : public detail::View<Canvas, rotomask_canvas, void*> {
 public:
  using View::View;
};

/// Grey pixels of its own, rows without gaps: what a mask is given as. T is std::uint8_t or float.
template <class T>
class Plane {
  static_assert(std::is_same_v<T, std::uint8_t> || std::is_same_v<T, float>, "masks are bytes or floats");
  static constexpr Format format_of = std::is_same_v<T, float> ? Format::gray_f32 : Format::gray8;

 public:
  /// Without pixels.
  Plane() = default;
  /// Of a size in pixels, all 0.
  Plane(std::uint32_t width, std::uint32_t height)
      : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * height) {}

  /// Sides in pixels; all pixels, row by row from the top; and how many.
  std::uint32_t width() const noexcept { return width_; }
  std::uint32_t height() const noexcept { return height_; }
  T* data() noexcept { return pixels_.data(); }
  const T* data() const noexcept { return pixels_.data(); }
  std::size_t size() const noexcept { return pixels_.size(); }
  /// A pixel; the place must be inside.
  T& at(std::uint32_t x, std::uint32_t y) { return pixels_[static_cast<std::size_t>(y) * width_ + x]; }
  const T& at(std::uint32_t x, std::uint32_t y) const { return pixels_[static_cast<std::size_t>(y) * width_ + x]; }

  /// To be read; valid as long as the plane.
  Frame frame() const noexcept { return Frame(format_of, pixels_.data(), width_, height_); }
  /// To be written; valid as long as the plane.
  Canvas canvas() noexcept { return Canvas(format_of, pixels_.data(), width_, height_); }

 private:
  std::uint32_t width_ = 0, height_ = 0;
  std::vector<T> pixels_;
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_VIEW_HPP
