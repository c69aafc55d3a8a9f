// How things are opened: options by name, and as structs. Part of rotomask.hpp.
#ifndef ROTOMASK_OPTIONS_HPP
#define ROTOMASK_OPTIONS_HPP

#include "error.hpp"

#include <locale>
#include <sstream>
#include <type_traits>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// What an option or a matte's parameter is set to: a text, a number, or a switch.
class Value {
 public:
  Value(std::string text) : text_(std::move(text)) {}
  Value(const char* text) : text_(text ? text : "") {}
  template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>>
  Value(N number) {
    if constexpr (std::is_same_v<N, bool>) {
      text_ = number ? "on" : "off";
    } else if constexpr (std::is_integral_v<N>) {
      text_ = std::to_string(number);
    } else {
      std::ostringstream out;
      out.imbue(std::locale::classic());  // a point, whatever the host's language
      out.precision(9);
      out << number;
      text_ = out.str();
    }
  }

  const char* c_str() const noexcept { return text_.c_str(); }

 private:
  std::string text_;
};

/// Options by name, for everything that is opened: what a host takes from its own settings.
class Options : public detail::Handle<rotomask_options, rotomask_options_close> {
 public:
  using Handle::Handle;

  /// Each with its default. Gives Options.
  static result<Options> open() {
    rotomask_options* made = nullptr;
    const rotomask_status status = rotomask_options_open(&made);
    return detail::give(status, Options(made));
  }

  /// The table of options as JSON. Gives a string.
  static result<std::string> table() {
    return detail::text([](char* buffer, std::size_t* size) { return rotomask_options_table(buffer, size); });
  }

  /// Sets an option, for what is opened afterwards: `set("provider", "cuda,cpu")`, `set("threads", 2)`.
  result<void> set(const std::string& name, const Value& value) {
    return detail::done(rotomask_option_set(get(), name.c_str(), value.c_str()));
  }

  /// An option's value, as set() takes it, by `rotomask_option_get`. Gives a string.
  result<std::string> value(const std::string& name) const {
    return detail::text([&](char* buffer, std::size_t* size) {
      return rotomask_option_get(get(), name.c_str(), buffer, size);
    });
  }
};

/// What places are counted in.
enum class Units : rotomask_units {
  /// (0, 0) is the middle of the frame's first pixel; a box goes from edge to edge.
  pixels = ROTOMASK_UNITS_PIXELS,
  /// Shares of the frame's width and height.
  normalised = ROTOMASK_UNITS_NORMALISED
};

/// What a session keeps of frames that were answered.
enum class Keep : rotomask_keep {
  /// What tracking on needs.
  window = ROTOMASK_KEEP_WINDOW,
  /// Every answer, in a temporary file.
  temporary = ROTOMASK_KEEP_TEMPORARY,
  /// Every answer, in the file of `path`. One that is there is gone on with.
  file = ROTOMASK_KEEP_FILE
};

/// How a model is opened. Made with the defaults; `rotomask_model_options` tells what each means.
struct ModelOptions {
  std::uint32_t threads, device;
  bool deterministic;
  std::uint64_t device_memory_bytes;
  /// "" for the library's own search.
  std::string onnxruntime;
  /// "" for the CPU alone.
  std::string providers;

  ModelOptions() {
    rotomask_model_options c{};
    rotomask_model_options_init(&c, sizeof c);
    threads = c.threads;
    device = c.device;
    deterministic = c.deterministic != 0;
    device_memory_bytes = c.device_memory_bytes;
  }

  /// Valid as long as this is, and isn't changed.
  rotomask_model_options c() const noexcept {
    rotomask_model_options c{};
    rotomask_model_options_init(&c, sizeof c);
    c.threads = threads;
    c.onnxruntime = detail::or_null(onnxruntime);
    c.providers = detail::or_null(providers);
    c.device = device;
    c.deterministic = deterministic;
    c.device_memory_bytes = device_memory_bytes;
    return c;
  }
};

/// How a session behaves. Made with the defaults; `rotomask_session_options` tells what each means.
struct SessionOptions {
  Keep keep;
  /// With Keep::file the file.
  std::string path;
  bool half_precision, non_overlap_masks;
  std::uint64_t memory_ceiling;
  std::int32_t fill_hole_area;
  bool add_all_frames_to_correct_as_cond, clear_non_cond_mem_around_input;
  std::int32_t max_cond_frames_in_attn;
  std::uint32_t memory_temporal_stride_for_eval;
  bool detect_cuts;
  Units units;

  SessionOptions() {
    rotomask_session_options c{};
    rotomask_session_options_init(&c, sizeof c);
    keep = static_cast<Keep>(c.keep);
    half_precision = c.half_precision != 0;
    non_overlap_masks = c.non_overlap_masks != 0;
    memory_ceiling = c.memory_ceiling;
    fill_hole_area = c.fill_hole_area;
    add_all_frames_to_correct_as_cond = c.add_all_frames_to_correct_as_cond != 0;
    clear_non_cond_mem_around_input = c.clear_non_cond_mem_around_input != 0;
    max_cond_frames_in_attn = c.max_cond_frames_in_attn;
    memory_temporal_stride_for_eval = c.memory_temporal_stride_for_eval;
    detect_cuts = c.detect_cuts != 0;
    units = static_cast<Units>(c.units);
  }

  /// The defaults, with every answer kept in a file, and what is in it gone on with.
  static SessionOptions in_file(std::string path) {
    SessionOptions options;
    options.keep = Keep::file;
    options.path = std::move(path);
    return options;
  }

  /// Valid as long as this is, and isn't changed.
  rotomask_session_options c() const noexcept {
    rotomask_session_options c{};
    rotomask_session_options_init(&c, sizeof c);
    c.keep = static_cast<rotomask_keep>(keep);
    c.path = detail::or_null(path);
    c.half_precision = half_precision;
    c.non_overlap_masks = non_overlap_masks;
    c.memory_ceiling = memory_ceiling;
    c.fill_hole_area = fill_hole_area;
    c.add_all_frames_to_correct_as_cond = add_all_frames_to_correct_as_cond;
    c.clear_non_cond_mem_around_input = clear_non_cond_mem_around_input;
    c.max_cond_frames_in_attn = max_cond_frames_in_attn;
    c.memory_temporal_stride_for_eval = memory_temporal_stride_for_eval;
    c.detect_cuts = detect_cuts;
    c.units = static_cast<rotomask_units>(units);
    return c;
  }
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_OPTIONS_HPP
