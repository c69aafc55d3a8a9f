// What the library has to say. Part of rotomask.hpp.
#ifndef ROTOMASK_LOG_HPP
#define ROTOMASK_LOG_HPP

#include "callback.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// How much a message matters.
enum class Level : rotomask_level {
  error = ROTOMASK_LEVEL_ERROR,
  warn = ROTOMASK_LEVEL_WARN,
  info = ROTOMASK_LEVEL_INFO,
  debug = ROTOMASK_LEVEL_DEBUG
};

/// Takes a message, valid during the call. It is called on whichever thread has something to say, and must not call the
/// library. What it throws is dropped: there is no call that it could come out of.
using Log = std::function<void(Level, std::string_view)>;

/// Sets who is told what the library has to say, up to the level `most`; an empty Log for nobody. One for the whole
/// process. When it returns, the one before is no longer running, and gone.
inline result<void> set_log(Log log, Level most = Level::warn) {
  struct Slot {
    std::mutex changing;
    std::unique_ptr<Log> log;
  };
  // Never destroyed: the library may have something to say while the process ends.
  static Slot& slot = *new Slot;
  const std::lock_guard<std::mutex> one_at_a_time(slot.changing);
  auto fresh = log ? std::make_unique<Log>(std::move(log)) : nullptr;
  const rotomask_log_callback tell = [](void* user, rotomask_level level, const char* message) {
    detail::Thrown dropped;
    dropped.guarded(
        [&] {
          (*static_cast<Log*>(user))(static_cast<Level>(level), message);
          return 0;
        },
        0);
  };
  const rotomask_status status =
      rotomask_log_set(fresh ? tell : nullptr, fresh.get(), static_cast<rotomask_level>(most));
  if (status == ROTOMASK_OK) slot.log = std::move(fresh);
  return detail::done(status);
}

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_LOG_HPP
