// The calls of rotomask_draft.h, which may change with any release. Part of rotomask.hpp.
#ifndef ROTOMASK_DRAFT_HPP
#define ROTOMASK_DRAFT_HPP

#include "../rotomask_draft.h"
#include "error.hpp"

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

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_DRAFT_HPP
