// The calls of rotomask_draft.h, which may change with any release. Part of rotomask.hpp.
#ifndef ROTOMASK_DRAFT_HPP
#define ROTOMASK_DRAFT_HPP

#include "../rotomask_draft.h"
#include "view.hpp"

#include <vector>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// A language for a GPU's programs.
enum class Language : rotomask_language {
  wgsl = ROTOMASK_LANGUAGE_WGSL,
  spirv = ROTOMASK_LANGUAGE_SPIRV,
  glsl = ROTOMASK_LANGUAGE_GLSL,
  hlsl = ROTOMASK_LANGUAGE_HLSL,
  msl = ROTOMASK_LANGUAGE_MSL
};

/// The matte chain's kernels as JSON. Gives a string.
inline result<std::string> kernels() {
  return detail::text([](char* buffer, std::size_t* size) { return rotomask_kernels(buffer, size); });
}

/// A kernel in a language: a text without a NUL, or SPIR-V's words. Gives bytes.
inline result<std::vector<std::uint8_t>> kernel_code(const std::string& name, std::uint32_t variant,
                                                     Language language) {
  const auto c = static_cast<rotomask_language>(language);
  std::size_t size = 0;
  std::vector<std::uint8_t> code;
  rotomask_status status = rotomask_kernel_code(name.c_str(), variant, c, nullptr, &size);
  if (status == ROTOMASK_OK) {
    code.resize(size);
    status = rotomask_kernel_code(name.c_str(), variant, c, code.data(), &size);
  }
  return detail::give(status, std::move(code));
}

/// What a file of splines is for.
enum class SplineFormat : rotomask_spline_format {
  nuke = ROTOMASK_SPLINE_NUKE,
  after_effects = ROTOMASK_SPLINE_AFTER_EFFECTS,
  mlt_json = ROTOMASK_SPLINE_MLT_JSON,
  mlt = ROTOMASK_SPLINE_MLT,
  svg = ROTOMASK_SPLINE_SVG,
  json = ROTOMASK_SPLINE_JSON
};

/// How closely splines follow the matte: the header's defaults until something is set.
class SplineOptions {
 public:
  SplineOptions() noexcept { rotomask_spline_options_init(&c_, sizeof c_); }

  /// How far a curve may be from its contour, as a root mean square in pixels.
  SplineOptions& tolerance_px(double px) noexcept { return c_.tolerance_px = px, *this; }
  /// How far it may be between keyframes, in pixels.
  SplineOptions& key_tolerance_px(double px) noexcept { return c_.key_tolerance_px = px, *this; }
  /// Contours that enclose less are left out, in square pixels.
  SplineOptions& min_area_px2(double px2) noexcept { return c_.min_area_px2 = px2, *this; }
  /// For formats that count in seconds.
  SplineOptions& frames_per_second(double rate) noexcept { return c_.frames_per_second = rate, *this; }

  const rotomask_spline_options* get() const noexcept { return &c_; }

 private:
  rotomask_spline_options c_;
};

/// A shot whose coverage becomes animated splines of one object.
class Splines : public detail::Handle<rotomask_spline, rotomask_spline_close> {
 public:
  using Handle::Handle;

  /// Begins a shot of frames of one size. Gives Splines.
  static result<Splines> open(std::uint32_t width_px, std::uint32_t height_px, const SplineOptions& options = {}) {
    rotomask_spline* made = nullptr;
    const rotomask_status status = rotomask_spline_open(width_px, height_px, options.get(), &made);
    return detail::give(status, Splines(made));
  }

  /// Adds a frame's coverage; frames come in rising order.
  result<void> add(std::uint64_t frame, const Frame& coverage) {
    return detail::done(rotomask_spline_add(get(), frame, coverage.get()));
  }

  /// How well the splines follow the contours, as JSON. Ends the shot. Gives a string.
  result<std::string> describe() {
    return detail::text(
        [this](char* buffer, std::size_t* size) { return rotomask_spline_describe(get(), buffer, size); });
  }

  /// A file's text. Ends the shot. Gives a string.
  result<std::string> write(SplineFormat format) {
    const auto c = static_cast<rotomask_spline_format>(format);
    return detail::text(
        [this, c](char* buffer, std::size_t* size) { return rotomask_spline_write(get(), c, buffer, size); });
  }
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_DRAFT_HPP
