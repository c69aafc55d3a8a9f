// Models. Part of rotomask.hpp.
#ifndef ROTOMASK_MODEL_HPP
#define ROTOMASK_MODEL_HPP

#include "options.hpp"

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// A loaded model. What was opened with it keeps what it needs of it: it may be closed first.
class Model : public detail::Handle<rotomask_model, rotomask_model_close> {
 public:
  using Handle::Handle;

  /// The model that is part of the library. Gives Model.
  static result<Model> open(const ModelOptions& options = {}) { return open(std::string(), options); }
  static result<Model> open(const Options& options) { return open(std::string(), options); }

  /// A NAME.rotomodel folder; "" for the model that is part of the library. Gives Model.
  static result<Model> open(const std::string& folder, const ModelOptions& options = {}) {
    const rotomask_model_options c = options.c();
    rotomask_model* made = nullptr;
    const rotomask_status status = rotomask_model_open(detail::or_null(folder), &c, &made);
    return detail::give(status, Model(made));
  }
  static result<Model> open(const std::string& folder, const Options& options) {
    rotomask_model* made = nullptr;
    const rotomask_status status = rotomask_model_open_options(detail::or_null(folder), options.get(), &made);
    return detail::give(status, Model(made));
  }

  /// Name, version, licence, provenance and sizes, and who computes it, as JSON. Gives a string.
  result<std::string> describe() const {
    return detail::text(
        [this](char* buffer, std::size_t* size) { return rotomask_model_describe(get(), buffer, size); });
  }
};

/// Versions, ONNX Runtime with its providers, and GPU adapters, as JSON. `onnxruntime` is as in ModelOptions.
/// Gives a string.
inline result<std::string> info(const std::string& onnxruntime = {}) {
  return detail::text([&](char* buffer, std::size_t* size) {
    return rotomask_info(detail::or_null(onnxruntime), buffer, size);
  });
}

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_MODEL_HPP
