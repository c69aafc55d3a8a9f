// Callbacks whose exceptions don't pass through C. Part of rotomask.hpp.
#ifndef ROTOMASK_CALLBACK_HPP
#define ROTOMASK_CALLBACK_HPP

#include "error.hpp"

#include <exception>
#include <type_traits>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// Whether work goes on. Callbacks that return nothing want it to.
enum class Flow : std::int32_t { go_on = 0, stop = 1 };

namespace detail {

/// What a callback threw, until the call that it belongs to has returned.
class Thrown {
 public:
  /// Runs `work`; if it throws, keeps what was thrown and gives `otherwise`.
  template <class Work, class Given>
  Given guarded(Work work, [[maybe_unused]] Given otherwise) noexcept {
#if defined(__cpp_exceptions)
    try {
      return work();
    } catch (...) {
      // The first one is the reason.
      if (!what_) what_ = std::current_exception();
      return otherwise;
    }
#else
    return work();
#endif
  }

  /// Calls `tell`, which returns a Flow or nothing.
  template <class Tell, class... A>
  std::int32_t flow(Tell& tell, A... arguments) noexcept {
    return guarded(
        [&]() -> std::int32_t {
          if constexpr (std::is_void_v<decltype(tell(arguments...))>) {
            tell(arguments...);
            return static_cast<std::int32_t>(Flow::go_on);
          } else {
            const Flow flow = tell(arguments...);
            return static_cast<std::int32_t>(flow);
          }
        },
        static_cast<std::int32_t>(Flow::stop));
  }

  /// Once C has returned.
  void rethrow() {
#if defined(__cpp_exceptions)
    if (what_) std::rethrow_exception(std::exchange(what_, nullptr));
#endif
  }

 private:
#if defined(__cpp_exceptions)
  std::exception_ptr what_;
#endif
};

/// For callbacks that are left out.
struct Nobody {};

}  // namespace detail
}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_CALLBACK_HPP
