// How calls tell that they didn't work: by exceptions, or by expected<T>. Part of rotomask.hpp.
#ifndef ROTOMASK_ERROR_HPP
#define ROTOMASK_ERROR_HPP

#include "../rotomask.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#ifndef ROTOMASK_HPP_EXPECTED
#define ROTOMASK_HPP_EXPECTED 0
#endif

#if !ROTOMASK_HPP_EXPECTED && !defined(__cpp_exceptions)
#error "without exceptions rotomask.hpp wants #define ROTOMASK_HPP_EXPECTED 1"
#endif

// The two ways of telling errors are two namespaces, so that files of either may be linked into one program.
#if ROTOMASK_HPP_EXPECTED
#define ROTOMASK_HPP_WAY expecting
#else
#define ROTOMASK_HPP_WAY throwing
#endif

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// Why a call didn't work. It isn't called Status, which is a macro of X11.
enum class StatusCode : rotomask_status {
  ok = ROTOMASK_OK,
  /// A handle is empty: it was moved from, or never opened.
  null = ROTOMASK_ERROR_NULL,
  /// A number, a size, a string or an option is outside what is taken.
  argument = ROTOMASK_ERROR_ARGUMENT,
  /// Pixels can't be read or written as they are described.
  frame = ROTOMASK_ERROR_FRAME,
  /// A prompt means nothing on its frame.
  prompt = ROTOMASK_ERROR_PROMPT,
  /// A call came out of order, such as for a mask before the first frame.
  state = ROTOMASK_ERROR_STATE,
  /// A model package can't be used.
  model = ROTOMASK_ERROR_MODEL,
  /// ONNX Runtime is missing, of a wrong version, or failed.
  runtime = ROTOMASK_ERROR_RUNTIME,
  /// The GPU failed.
  device = ROTOMASK_ERROR_DEVICE,
  /// The caller stopped the work. What was finished before is kept.
  cancelled = ROTOMASK_ERROR_CANCELLED,
  /// A buffer is too small. It is never seen here: buffers are made as large as they must be.
  buffer = ROTOMASK_ERROR_BUFFER,
  /// A bug in rotomask. The handle answers nothing from now on.
  panic = ROTOMASK_ERROR_PANIC,
  /// A session file can't be used: damaged, in use, of another model or size, or the disk is full.
  session = ROTOMASK_ERROR_SESSION
};

/// A call that didn't work: its status, and a sentence by what().
class Error : public std::runtime_error {
 public:
  Error(StatusCode status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}

  StatusCode status() const noexcept { return status_; }

 private:
  StatusCode status_;
};

/// The sentence of the last call on this thread that failed; "" if none has.
inline std::string last_error() { return rotomask_last_error(); }

/// The ABI of the library that is loaded.
inline std::uint32_t abi_version() noexcept { return rotomask_abi_version(); }

/// Whether the library that is loaded has the ABI that these headers were written for.
inline bool abi_matches() noexcept { return abi_version() == ROTOMASK_ABI_VERSION; }

/// The version of the library that is loaded, such as "0.1.0".
inline std::string version() { return rotomask_version(); }

#if ROTOMASK_HPP_EXPECTED

/// A value, or why there is none. Asking for the one that isn't there ends the program.
template <class T>
class [[nodiscard]] expected {
 public:
  expected(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  expected(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return *there(std::get_if<0>(&held_)); }
  const T& value() const& { return *there(std::get_if<0>(&held_)); }
  T&& value() && { return std::move(*there(std::get_if<0>(&held_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  /// The value, or `other` where there is none.
  T value_or(T other) && { return has_value() ? std::move(*this).value() : std::move(other); }

  const Error& error() const { return *there(std::get_if<1>(&held_)); }

 private:
  template <class P>
  static P* there(P* held) {
    if (!held) std::abort();
    return held;
  }

  std::variant<T, Error> held_;
};

/// Whether a call worked, and if not, why. Asking for an error that isn't there ends the program.
template <>
class [[nodiscard]] expected<void> {
 public:
  expected() = default;
  expected(Error error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) std::abort();
  }
  const Error& error() const {
    if (!error_) std::abort();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

/// What a call that can fail gives.
template <class T>
using result = expected<T>;

#else

/// What a call that can fail gives: the value itself. Failure is an exception.
template <class T>
using result = T;

#endif

namespace detail {

inline Error error_of(rotomask_status status) { return Error(static_cast<StatusCode>(status), rotomask_last_error()); }

#if ROTOMASK_HPP_EXPECTED

inline result<void> done(rotomask_status status) {
  return status == ROTOMASK_OK ? result<void>() : result<void>(error_of(status));
}

template <class T>
inline result<T> give(rotomask_status status, T value) {
  return status == ROTOMASK_OK ? result<T>(std::move(value)) : result<T>(error_of(status));
}

#else

inline void done(rotomask_status status) {
  if (status != ROTOMASK_OK) throw error_of(status);
}

template <class T>
inline T give(rotomask_status status, T value) {
  if (status != ROTOMASK_OK) throw error_of(status);
  return value;
}

#endif

/// A text by the protocol of `rotomask_info`: its size first, then the text. It may have grown in between.
template <class Fill>
inline result<std::string> text(Fill fill) {
  std::size_t size = 0;
  std::string out;
  rotomask_status status = fill(nullptr, &size);
  while (status == ROTOMASK_OK) {
    const std::size_t room = size;
    out.resize(room);
    status = fill(out.data(), &size);
    if (status == ROTOMASK_OK) {
      out.resize(size > 0 ? size - 1 : 0);  // its NUL
      break;
    }
    if (status == ROTOMASK_ERROR_BUFFER && size > room) status = ROTOMASK_OK;
  }
  return give(status, std::move(out));
}

inline const char* or_null(const std::string& text) noexcept { return text.empty() ? nullptr : text.c_str(); }

/// An answer's struct, which says how long it is.
template <class C>
inline C sized() noexcept {
  C made{};
  made.struct_size = sizeof(C);
  return made;
}

/// The one owner of something that is open.
template <class C, void (*Close)(C*)>
class Handle {
 public:
  /// Empty: every call fails with StatusCode::null.
  Handle() noexcept = default;
  /// Takes over what the C library has opened; null for none.
  explicit Handle(C* open) noexcept : open_(open) {}
  Handle(Handle&& other) noexcept : open_(other.release()) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      open_ = other.release();
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  /// Closes what is open. The handle is empty from then on.
  void reset() noexcept { Close(release()); }
  /// What the C library's functions take. It stays this object's.
  C* get() const noexcept { return open_; }
  /// Gives it up: the caller closes it.
  C* release() noexcept { return std::exchange(open_, nullptr); }
  /// Whether something is open.
  explicit operator bool() const noexcept { return open_ != nullptr; }

 private:
  C* open_ = nullptr;
};

}  // namespace detail
}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_ERROR_HPP
