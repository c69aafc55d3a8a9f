// Masks to finished frames. Part of rotomask.hpp.
#ifndef ROTOMASK_MATTE_HPP
#define ROTOMASK_MATTE_HPP

#include "session.hpp"

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// Where mattes are finished.
enum class Gpu : rotomask_gpu {
  /// On a hardware adapter if there is one, otherwise on the CPU.
  automatic = ROTOMASK_GPU_AUTO,
  off = ROTOMASK_GPU_OFF,
  /// On a software adapter, for tests.
  software = ROTOMASK_GPU_SOFTWARE,
  /// On the one that MatteOptions names.
  adapter = ROTOMASK_GPU_ADAPTER
};

/// What the status view's badge tells of a frame.
enum class Badge : rotomask_badge {
  untracked = ROTOMASK_BADGE_UNTRACKED,
  prompted = ROTOMASK_BADGE_PROMPTED,
  tracked = ROTOMASK_BADGE_TRACKED,
  review = ROTOMASK_BADGE_REVIEW,
  missing = ROTOMASK_BADGE_MISSING
};

/// What an object does to those before it.
enum class Combine : rotomask_combine {
  add = ROTOMASK_COMBINE_ADD,
  subtract = ROTOMASK_COMBINE_SUBTRACT,
  intersect = ROTOMASK_COMBINE_INTERSECT,
  min = ROTOMASK_COMBINE_MIN,
  max = ROTOMASK_COMBINE_MAX,
  multiply = ROTOMASK_COMBINE_MULTIPLY
};

/// How a matte chain is opened. Made with the defaults.
struct MatteOptions {
  Gpu gpu;
  std::uint64_t host_memory_bytes, device_memory_bytes;
  /// With Gpu::adapter: its place among the adapters that info() lists, or a part of its name.
  std::string adapter;

  MatteOptions() {
    rotomask_matte_options c{};
    rotomask_matte_options_init(&c, sizeof c);
    gpu = static_cast<Gpu>(c.gpu);
    host_memory_bytes = c.host_memory_bytes;
    device_memory_bytes = c.device_memory_bytes;
  }

  /// What C takes; it points into this object.
  rotomask_matte_options c() const noexcept {
    rotomask_matte_options c{};
    rotomask_matte_options_init(&c, sizeof c);
    c.gpu = static_cast<rotomask_gpu>(gpu);
    c.host_memory_bytes = host_memory_bytes;
    c.device_memory_bytes = device_memory_bytes;
    c.adapter = detail::or_null(adapter);
    return c;
  }
};

/// How mattes are finished and shown, frame by frame.
class MatteSettings : public detail::Handle<rotomask_matte_settings, rotomask_matte_settings_close> {
 public:
  using Handle::Handle;

  /// Of a preset's text, JSON; "" for every parameter's default. Gives MatteSettings.
  static result<MatteSettings> open(const std::string& preset = {}) {
    rotomask_matte_settings* made = nullptr;
    const rotomask_status status = rotomask_matte_settings_open(detail::or_null(preset), &made);
    return detail::give(status, MatteSettings(made));
  }

  /// The table of parameters as JSON. Gives a string.
  static result<std::string> parameters() {
    return detail::text([](char* buffer, std::size_t* size) { return rotomask_matte_parameters(buffer, size); });
  }

  /// Sets a parameter for all frames: `set("view", "cutout")`, `set("grow_px", -1.5)`, `set("invert", true)`.
  result<void> set(const std::string& id, const Value& value) {
    return detail::done(rotomask_matte_settings_set(get(), id.c_str(), value.c_str()));
  }
  /// Sets a parameter's keyframe.
  result<void> set_at(std::uint64_t frame, const std::string& id, const Value& value) {
    return detail::done(rotomask_matte_settings_set_at(get(), frame, id.c_str(), value.c_str()));
  }
  /// A parameter's value on a frame, as set() takes it, by `rotomask_matte_settings_get`. Gives a string.
  result<std::string> value(std::uint64_t frame, const std::string& id) const {
    return detail::text([&](char* buffer, std::size_t* size) {
      return rotomask_matte_settings_get(get(), frame, id.c_str(), buffer, size);
    });
  }
  /// The settings as a preset's text. Gives a string.
  result<std::string> preset() const {
    return detail::text([this](char* buffer, std::size_t* size) {
      return rotomask_matte_settings_preset(get(), buffer, size);
    });
  }
};

/// An object's mask on a frame near the one that is finished.
struct Neighbour {
  /// How many frames later: -2 to 2, and not 0.
  std::int32_t offset;
  /// Of the same kind as the layer's own.
  Frame mask;
};

/// One object of a frame that is finished.
struct Layer {
  /// Its mask: logits, or coverage.
  Frame mask;
  MaskKind kind = MaskKind::logits;
  /// Its masks on frames around this one: at most 4.
  std::vector<Neighbour> neighbours = {};
  /// How its edge is finished; null: as the job's settings say.
  const MatteSettings* settings = nullptr;
  Combine combine = Combine::add;
  /// Whether no later object takes anything of this one away.
  bool keep = false;
};

/// A part of a frame, in pixels.
struct Window {
  std::uint32_t x, y, width, height;
};

/// One frame to finish. Views and settings in it must be valid when it is rendered.
struct MatteJob {
  explicit MatteJob(const Frame& plate) : plate(plate) {}

  /// The picture, in colour, of any depth.
  Frame plate;
  /// The objects, combined in this order.
  std::vector<Layer> layers;
  /// How to finish and show it; null: the defaults.
  const MatteSettings* settings = nullptr;
  /// The frame's number, at which keyframes are read.
  std::uint64_t frame = 0;
  Badge badge = Badge::untracked;
  /// What is dropped, what stands before the subject, and what the background "picture" shows: of the plate's size.
  std::optional<Frame> garbage, holdout, background;
  /// For the transfer "curve": linear light at even steps of the code from 0 to 1, rising.
  span<const float> curve;
  /// The part of the plate that the result is.
  std::optional<Window> window;
  /// The plate's columns and rows in one of the full-resolution frame: 1, or below for a proxy.
  double scale_x = 1, scale_y = 1;
};

namespace detail {

inline const rotomask_frame* or_null(const std::optional<Frame>& frame) noexcept {
  return frame ? frame->get() : nullptr;
}
inline const rotomask_matte_settings* or_null(const MatteSettings* settings) noexcept {
  return settings ? settings->get() : nullptr;
}

/// A job as C takes it, with the memory that it points to. The job must be valid as long.
class MatteJobC {
 public:
  explicit MatteJobC(const MatteJob& job) {
    std::size_t count = 0;
    for (const Layer& layer : job.layers) count += layer.neighbours.size();
    neighbours_.reserve(count);  // so that what was pointed to stays where it is
    layers_.reserve(job.layers.size());
    for (const Layer& layer : job.layers) add(layer);

    rotomask_matte_job_init(&c_, sizeof c_);
    c_.badge = static_cast<rotomask_badge>(job.badge);
    c_.settings = or_null(job.settings);
    c_.frame = job.frame;
    c_.plate = job.plate.get();
    c_.layers = layers_.empty() ? nullptr : layers_.data();
    c_.layer_count = layers_.size();
    c_.garbage = or_null(job.garbage);
    c_.holdout = or_null(job.holdout);
    c_.background = or_null(job.background);
    c_.curve = job.curve.empty() ? nullptr : job.curve.data();
    c_.curve_count = job.curve.size();
    if (job.window) {
      rotomask_window_init(&window_, sizeof window_);
      window_.x_px = job.window->x;
      window_.y_px = job.window->y;
      window_.width_px = job.window->width;
      window_.height_px = job.window->height;
      c_.window = &window_;
    }
    c_.scale_x = job.scale_x;
    c_.scale_y = job.scale_y;
  }
  MatteJobC(const MatteJobC&) = delete;
  MatteJobC& operator=(const MatteJobC&) = delete;

  const rotomask_matte_job* get() const noexcept { return &c_; }

 private:
  void add(const Layer& layer) {
    const std::size_t first = neighbours_.size();
    for (const Neighbour& neighbour : layer.neighbours) {
      rotomask_neighbour c{};
      rotomask_neighbour_init(&c, sizeof c);
      c.offset = neighbour.offset;
      c.mask = neighbour.mask.get();
      neighbours_.push_back(c);
    }
    rotomask_layer c{};
    rotomask_layer_init(&c, sizeof c);
    c.kind = static_cast<rotomask_mask>(layer.kind);
    c.mask = layer.mask.get();
    c.neighbours = layer.neighbours.empty() ? nullptr : neighbours_.data() + first;
    c.neighbour_count = layer.neighbours.size();
    c.settings = or_null(layer.settings);
    c.combine = static_cast<rotomask_combine>(layer.combine);
    c.keep = layer.keep;
    layers_.push_back(c);
  }

  rotomask_matte_job c_{};
  rotomask_window window_{};
  std::vector<rotomask_neighbour> neighbours_;
  std::vector<rotomask_layer> layers_;
};

}  // namespace detail

/// A matte chain with its device.
class Matte : public detail::Handle<rotomask_matte, rotomask_matte_close> {
 public:
  using Handle::Handle;

  /// Gives Matte.
  static result<Matte> open(const MatteOptions& options = {}) {
    const rotomask_matte_options c = options.c();
    rotomask_matte* made = nullptr;
    const rotomask_status status = rotomask_matte_open(&c, &made);
    return detail::give(status, Matte(made));
  }
  static result<Matte> open(const Options& options) {
    rotomask_matte* made = nullptr;
    const rotomask_status status = rotomask_matte_open_options(options.get(), &made);
    return detail::give(status, Matte(made));
  }

  /// Finishes one frame, or the job's window of it, into a canvas of that size.
  result<void> render(const MatteJob& job, const Canvas& canvas) {
    const detail::MatteJobC c(job);
    return detail::done(rotomask_matte_render(get(), c.get(), canvas.get()));
  }

  /// What the chain runs on, as JSON. Gives a string.
  result<std::string> describe() const {
    return detail::text([this](char* buffer, std::size_t* size) {
      return rotomask_matte_describe(get(), buffer, size);
    });
  }

  /// The sentence of the last call on it that failed, whichever thread made it. Gives a string.
  result<std::string> last_error() const {
    return detail::text([this](char* buffer, std::size_t* size) {
      return rotomask_matte_last_error(get(), buffer, size);
    });
  }
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_MATTE_HPP
