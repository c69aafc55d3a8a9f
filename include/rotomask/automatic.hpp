// Every mask of a picture. Part of rotomask.hpp.
#ifndef ROTOMASK_AUTOMATIC_HPP
#define ROTOMASK_AUTOMATIC_HPP

#include "callback.hpp"
#include "model.hpp"
#include "view.hpp"

#include <algorithm>
#include <array>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// What is known of one mask of a picture.
using AutomaticMask = rotomask_automatic_mask;

/// How masks are looked for. Made with the defaults; `rotomask_automatic_options` tells what each means.
struct AutomaticOptions {
  std::uint32_t points_per_side, points_per_batch, crop_n_layers, crop_n_points_downscale_factor, min_mask_region_area;
  bool use_m2m, multimask_output;
  float pred_iou_thresh, stability_score_thresh, stability_score_offset, mask_threshold, box_nms_thresh,
      crop_nms_thresh;
  double crop_overlap_ratio;
  /// Points in place of grids, each x and y from 0 to 1: a list for the whole picture and one for each layer of crops.
  /// Layers without a list have no points; lists beyond the layers aren't looked at. Empty for grids.
  std::vector<std::vector<std::array<double, 2>>> point_grids;

  AutomaticOptions() {
    rotomask_automatic_options c{};
    rotomask_automatic_options_init(&c, sizeof c);
    points_per_side = c.points_per_side;
    points_per_batch = c.points_per_batch;
    crop_n_layers = c.crop_n_layers;
    crop_n_points_downscale_factor = c.crop_n_points_downscale_factor;
    min_mask_region_area = c.min_mask_region_area;
    use_m2m = c.use_m2m != 0;
    multimask_output = c.multimask_output != 0;
    pred_iou_thresh = c.pred_iou_thresh;
    stability_score_thresh = c.stability_score_thresh;
    stability_score_offset = c.stability_score_offset;
    mask_threshold = c.mask_threshold;
    box_nms_thresh = c.box_nms_thresh;
    crop_nms_thresh = c.crop_nms_thresh;
    crop_overlap_ratio = c.crop_overlap_ratio;
  }
};

/// Which masks become objects. Made with the defaults; `rotomask_object_options` tells what each means.
struct ObjectOptions {
  std::uint32_t max_objects;
  float min_area, max_area, min_uncovered, size_weight, iou_threshold;

  ObjectOptions() {
    rotomask_object_options c{};
    rotomask_object_options_init(&c, sizeof c);
    max_objects = c.max_objects;
    min_area = c.min_area;
    max_area = c.max_area;
    min_uncovered = c.min_uncovered;
    size_weight = c.size_weight;
    iou_threshold = c.iou_threshold;
  }

  rotomask_object_options c() const noexcept {
    rotomask_object_options c{};
    rotomask_object_options_init(&c, sizeof c);
    c.max_objects = max_objects;
    c.min_area = min_area;
    c.max_area = max_area;
    c.min_uncovered = min_uncovered;
    c.size_weight = size_weight;
    c.iou_threshold = iou_threshold;
    return c;
  }
};

namespace detail {

/// Options as C takes them, with the memory that they point to.
class AutomaticC {
 public:
  explicit AutomaticC(const AutomaticOptions& options) {
    rotomask_automatic_options_init(&c_, sizeof c_);
    c_.points_per_side = options.points_per_side;
    c_.points_per_batch = options.points_per_batch;
    c_.crop_n_layers = options.crop_n_layers;
    c_.crop_n_points_downscale_factor = options.crop_n_points_downscale_factor;
    c_.min_mask_region_area = options.min_mask_region_area;
    c_.use_m2m = options.use_m2m;
    c_.multimask_output = options.multimask_output;
    c_.pred_iou_thresh = options.pred_iou_thresh;
    c_.stability_score_thresh = options.stability_score_thresh;
    c_.stability_score_offset = options.stability_score_offset;
    c_.mask_threshold = options.mask_threshold;
    c_.box_nms_thresh = options.box_nms_thresh;
    c_.crop_nms_thresh = options.crop_nms_thresh;
    c_.crop_overlap_ratio = options.crop_overlap_ratio;
    if (options.point_grids.empty()) return;
    // A number for each layer, however many lists there are; the library reads no more than 65 and takes 6.
    counts_.resize(static_cast<std::size_t>(std::min<std::uint32_t>(options.crop_n_layers, 64)) + 1);
    for (std::size_t layer = 0; layer < counts_.size() && layer < options.point_grids.size(); ++layer) {
      const auto& grid = options.point_grids[layer];
      counts_[layer] = static_cast<std::uint32_t>(std::min<std::size_t>(grid.size(), UINT32_MAX));
      for (const auto& point : grid) points_.insert(points_.end(), point.begin(), point.end());
    }
    points_.push_back(0);  // so that its address isn't null
    c_.point_grids = points_.data();
    c_.point_counts = counts_.data();
  }
  AutomaticC(const AutomaticC&) = delete;
  AutomaticC& operator=(const AutomaticC&) = delete;

  const rotomask_automatic_options* get() const noexcept { return &c_; }

 private:
  rotomask_automatic_options c_{};
  std::vector<double> points_;
  std::vector<std::uint32_t> counts_;
};

/// A callback that is told how far the search is.
template <class Tell>
struct Searching {
  Tell& progress;
  Thrown thrown{};

  static std::int32_t tell(void* user, std::uint64_t done, std::uint64_t total) {
    auto& self = *static_cast<Searching*>(user);
    if constexpr (std::is_same_v<std::remove_const_t<Tell>, Nobody>) {
      return 0;
    } else {
      return self.thrown.flow(self.progress, done, total);
    }
  }
};

}  // namespace detail

/// Masks of one picture, or the objects chosen among them. They never change: any number of threads may read them.
class Automatic : public detail::Handle<rotomask_automatic, rotomask_automatic_close> {
 public:
  using Handle::Handle;

  /// Finds the masks of a picture. `progress` takes how many points were asked about and of how many, and returns a Flow
  /// or nothing. Gives Automatic.
  template <class Tell = detail::Nobody>
  static result<Automatic> generate(const Model& model, const Frame& picture, const AutomaticOptions& options = {},
                                    Tell&& progress = {}) {
    const detail::AutomaticC c(options);
    using Search = detail::Searching<std::remove_reference_t<Tell>>;
    Search search{progress};
    rotomask_automatic* made = nullptr;
    const rotomask_status status =
        rotomask_automatic_generate(model.get(), picture.get(), c.get(), Search::tell, &search, &made);
    Automatic masks(made);
    search.thrown.rethrow();
    return detail::give(status, std::move(masks));
  }

  /// How many there are. Gives a number.
  result<std::uint32_t> count() const {
    std::uint32_t count = 0;
    const rotomask_status status = rotomask_automatic_count(get(), &count);
    return detail::give(status, count);
  }

  /// What is known of a mask. Gives AutomaticMask.
  result<AutomaticMask> describe(std::uint32_t index) const {
    auto mask = detail::sized<AutomaticMask>();
    const rotomask_status status = rotomask_automatic_describe(get(), index, &mask);
    return detail::give(status, mask);
  }

  /// A mask as COCO's compressed run lengths. Gives a string.
  result<std::string> rle(std::uint32_t index) const {
    return detail::text([&](char* buffer, std::size_t* size) {
      return rotomask_automatic_rle(get(), index, buffer, size);
    });
  }

  /// A mask's run lengths: background, object, background and so on, column by column. Gives numbers.
  result<std::vector<std::uint32_t>> run_lengths(std::uint32_t index) const {
    std::size_t count = 0;
    std::vector<std::uint32_t> counts;
    rotomask_status status = rotomask_automatic_run_lengths(get(), index, nullptr, &count);
    if (status == ROTOMASK_OK && count > 0) {
      counts.resize(count);
      status = rotomask_automatic_run_lengths(get(), index, counts.data(), &count);
    }
    return detail::give(status, std::move(counts));
  }

  /// Writes which pixels are the mask's, of the picture's size.
  result<void> binary(std::uint32_t index, const Canvas& canvas) const {
    return detail::done(rotomask_automatic_binary(get(), index, canvas.get()));
  }
  /// The same on a plane of its own: 0 or 255. Gives Plane<std::uint8_t>.
  result<Plane<std::uint8_t>> binary(std::uint32_t index) const {
    auto mask = detail::sized<AutomaticMask>();
    rotomask_status status = rotomask_automatic_describe(get(), index, &mask);
    Plane<std::uint8_t> plane(mask.width_px, mask.height_px);
    if (status == ROTOMASK_OK) status = rotomask_automatic_binary(get(), index, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }

  /// Chooses objects that can be followed: none covers another, the best first. Gives Automatic.
  result<Automatic> objects(const ObjectOptions& options = {}) const {
    const rotomask_object_options c = options.c();
    rotomask_automatic* made = nullptr;
    const rotomask_status status = rotomask_automatic_objects(get(), &c, &made);
    return detail::give(status, Automatic(made));
  }
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_AUTOMATIC_HPP
