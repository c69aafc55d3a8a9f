// Session files, to look at. Part of rotomask.hpp.
#ifndef ROTOMASK_SESSION_FILE_HPP
#define ROTOMASK_SESSION_FILE_HPP

#include "session.hpp"

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// What came out of a damaged session file.
using Salvaged = rotomask_salvaged;

/// A NAME.rotosession file that is open for reading, perhaps while another process writes it. It is not changed.
class SessionFile : public detail::Handle<rotomask_session_file, rotomask_session_file_close> {
 public:
  using Handle::Handle;

  /// Gives SessionFile.
  static result<SessionFile> open(const std::string& path) {
    rotomask_session_file* made = nullptr;
    const rotomask_status status = rotomask_session_file_open(path.c_str(), &made);
    return detail::give(status, SessionFile(made));
  }

  /// Copies what can be read of a damaged session into a new file. Gives Salvaged.
  static result<Salvaged> salvage(const std::string& damaged, const std::string& fresh) {
    auto salvaged = detail::sized<Salvaged>();
    const rotomask_status status = rotomask_session_file_salvage(damaged.c_str(), fresh.c_str(), &salvaged);
    return detail::give(status, salvaged);
  }

  /// Model, frames, objects, cuts and steps, as JSON. Gives a string.
  result<std::string> describe() const {
    return detail::text([this](char* buffer, std::size_t* size) {
      return rotomask_session_file_describe(get(), buffer, size);
    });
  }

  /// Reads all of it, and tells what is not as it was written, as JSON: "[]" if all is well. Gives a string.
  result<std::string> check() const {
    return detail::text([this](char* buffer, std::size_t* size) {
      return rotomask_session_file_check(get(), buffer, size);
    });
  }

  /// What is known of an object on a frame. Gives Result.
  result<Result> answer(std::uint32_t object, std::uint64_t frame) const {
    auto answer = detail::sized<Result>();
    const rotomask_status status = rotomask_session_file_result(get(), object, frame, &answer);
    return detail::give(status, answer);
  }

  /// Writes an object's mask on a frame: logits of their own size, coverage and binary of the frames'.
  result<void> mask(std::uint32_t object, std::uint64_t frame, MaskKind kind, const Canvas& canvas) const {
    return detail::done(
        rotomask_session_file_mask(get(), object, frame, static_cast<rotomask_mask>(kind), canvas.get()));
  }

  /// Writes which pixels are an object's on a frame, of the frames' size.
  result<void> binary(std::uint32_t object, std::uint64_t frame, const Canvas& canvas) const {
    return detail::done(rotomask_session_file_binary(get(), object, frame, canvas.get()));
  }
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_SESSION_FILE_HPP
