// Questions about one picture, without memory. Part of rotomask.hpp.
#ifndef ROTOMASK_IMAGE_HPP
#define ROTOMASK_IMAGE_HPP

#include "model.hpp"
#include "view.hpp"

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// A place, in the units of what it is said to.
struct Point {
  float x, y;
};

/// A box's edges, in the units of what it is said to.
struct Box {
  float left, top, right, bottom;
};

/// One of the masks that prompts can mean.
using Candidate = rotomask_candidate;

/// How masks of a picture are made of logits. Made with the reference's defaults.
struct ImageOptions {
  std::uint32_t max_hole_area, max_sprinkle_area;
  float mask_threshold;
  Units units;

  ImageOptions() {
    rotomask_image_options c{};
    rotomask_image_options_init(&c, sizeof c);
    max_hole_area = c.max_hole_area;
    max_sprinkle_area = c.max_sprinkle_area;
    mask_threshold = c.mask_threshold;
    units = static_cast<Units>(c.units);
  }

  rotomask_image_options c() const noexcept {
    rotomask_image_options c{};
    rotomask_image_options_init(&c, sizeof c);
    c.max_hole_area = max_hole_area;
    c.max_sprinkle_area = max_sprinkle_area;
    c.mask_threshold = mask_threshold;
    c.units = static_cast<rotomask_units>(units);
    return c;
  }
};

/// What is said about the one thing that is looked for. Calls can be chained: `ImagePrompts().click({x, y})`.
struct ImagePrompts {
  std::vector<rotomask_point> points;
  std::optional<Box> bounds;
  /// Logits of an earlier answer, as Image::logits gave them.
  std::optional<Frame> mask_input;
  /// Three candidates, or one.
  bool multimask_output = true;

  ImagePrompts& click(Point at, bool positive = true) {
    points.push_back({at.x, at.y, positive});
    return *this;
  }
  ImagePrompts& box(const Box& around) {
    bounds = around;
    return *this;
  }

  /// Valid as long as this is, and isn't changed.
  rotomask_image_prompts c() const noexcept {
    rotomask_image_prompts c{};
    rotomask_image_prompts_init(&c, sizeof c);
    c.points = points.empty() ? nullptr : points.data();
    // More than the library takes is refused, never cut short.
    c.point_count = points.size() < UINT32_MAX ? static_cast<std::uint32_t>(points.size()) : UINT32_MAX;
    c.mask_input = mask_input ? mask_input->get() : nullptr;
    c.has_box = bounds.has_value();
    if (bounds) {
      c.bounds[0] = bounds->left;
      c.bounds[1] = bounds->top;
      c.bounds[2] = bounds->right;
      c.bounds[3] = bounds->bottom;
    }
    c.multimask_output = multimask_output;
    return c;
  }
};

/// A picture that was looked at, and the last answer about it.
class Image : public detail::Handle<rotomask_image, rotomask_image_close> {
 public:
  using Handle::Handle;

  /// A place for pictures, of any size and one after the other. Gives Image.
  static result<Image> open(const Model& model, const ImageOptions& options = {}) {
    const rotomask_image_options c = options.c();
    rotomask_image* made = nullptr;
    const rotomask_status status = rotomask_image_open(model.get(), &c, &made);
    return detail::give(status, Image(made));
  }
  static result<Image> open(const Model& model, const Options& options) {
    rotomask_image* made = nullptr;
    const rotomask_status status = rotomask_image_open_options(model.get(), options.get(), &made);
    return detail::give(status, Image(made));
  }

  /// Looks at a picture, once for all questions about it.
  result<void> set(const Frame& picture) {
    const rotomask_status status = rotomask_image_set(get(), picture.get());
    if (status == ROTOMASK_OK) {
      width_ = picture.width();
      height_ = picture.height();
    }
    return detail::done(status);
  }

  /// Answers a question about the picture: three candidates or one, in the decoder's order and not by quality.
  /// Gives Candidates.
  result<std::vector<Candidate>> predict(const ImagePrompts& prompts) {
    const rotomask_image_prompts c = prompts.c();
    std::uint32_t count = 0;
    std::vector<Candidate> candidates;
    rotomask_status status = rotomask_image_predict(get(), &c, &count);
    for (std::uint32_t index = 0; index < count && status == ROTOMASK_OK; ++index) {
      candidates.push_back(detail::sized<Candidate>());
      status = rotomask_image_candidate(get(), index, &candidates.back());
    }
    return detail::give(status, std::move(candidates));
  }

  /// Writes a candidate's logits, clamped to 32 either sign: a `mask_input` for the next question.
  result<void> logits(std::uint32_t index, const Canvas& canvas) const {
    return detail::done(rotomask_image_logits(get(), index, canvas.get()));
  }
  /// The same on a plane of its own. Gives Plane<float>.
  result<Plane<float>> logits(std::uint32_t index) const {
    auto candidate = detail::sized<Candidate>();
    rotomask_status status = rotomask_image_candidate(get(), index, &candidate);
    Plane<float> plane(candidate.logits_width, candidate.logits_height);
    if (status == ROTOMASK_OK) status = rotomask_image_logits(get(), index, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }

  /// Writes how likely each pixel is the object's, of the picture's size.
  result<void> coverage(std::uint32_t index, const Canvas& canvas) const {
    return detail::done(rotomask_image_coverage(get(), index, canvas.get()));
  }
  /// The same on a plane of its own, 0 to 255. Gives Plane<std::uint8_t>.
  result<Plane<std::uint8_t>> coverage(std::uint32_t index) const {
    Plane<std::uint8_t> plane(width_, height_);
    const rotomask_status status = rotomask_image_coverage(get(), index, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }

  /// Writes which pixels are the object's, of the picture's size.
  result<void> binary(std::uint32_t index, const Canvas& canvas) const {
    return detail::done(rotomask_image_binary(get(), index, canvas.get()));
  }
  /// The same on a plane of its own, 0 or 255. Gives Plane<std::uint8_t>.
  result<Plane<std::uint8_t>> binary(std::uint32_t index) const {
    Plane<std::uint8_t> plane(width_, height_);
    const rotomask_status status = rotomask_image_binary(get(), index, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }

  /// Stops what runs on it, or what runs next if nothing does. For other threads.
  result<void> cancel() const { return detail::done(rotomask_image_cancel(get())); }

  /// The sentence of the last call on it that failed, whichever thread made it. Gives a string.
  result<std::string> last_error() const {
    return detail::text([this](char* buffer, std::size_t* size) {
      return rotomask_image_last_error(get(), buffer, size);
    });
  }

 private:
  std::uint32_t width_ = 0, height_ = 0;
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_IMAGE_HPP
