// What tracking a whole shot takes and gives; Session::track does it. Part of rotomask.hpp.
#ifndef ROTOMASK_TRACK_HPP
#define ROTOMASK_TRACK_HPP

#include "callback.hpp"
#include "view.hpp"

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// No frame: for limits that are not set.
constexpr std::uint64_t no_frame = ROTOMASK_NO_FRAME;

/// Which way an object is followed.
enum class Direction : rotomask_direction { forward = ROTOMASK_FORWARD, reverse = ROTOMASK_REVERSE };

/// Which frames are gone over.
enum class Way : rotomask_way {
  forward = ROTOMASK_WAY_FORWARD,
  reverse = ROTOMASK_WAY_REVERSE,
  /// To later frames, then to earlier ones.
  both = ROTOMASK_WAY_BOTH,
  /// What prompts have made wrong since it was tracked.
  outdated = ROTOMASK_WAY_OUTDATED
};

/// Why tracking ended.
enum class Stopped : rotomask_stopped {
  done = ROTOMASK_STOPPED_DONE,
  /// What comes next lies behind a cut, and nothing was said of anything there.
  at_cut = ROTOMASK_STOPPED_AT_CUT,
  /// A callback wanted no more, or Session::cancel() was called.
  by_caller = ROTOMASK_STOPPED_BY_CALLER
};

/// What is to be tracked. Made to go forward from the first prompted frame; `rotomask_track_request` tells the rest.
struct TrackRequest {
  Way way;
  std::uint64_t start, first, last, max_frames;
  bool overwrite;

  TrackRequest() {
    rotomask_track_request c{};
    rotomask_track_request_init(&c, sizeof c);
    way = static_cast<Way>(c.way);
    start = c.start;
    first = c.first;
    last = c.last;
    max_frames = c.max_frames;
    overwrite = c.overwrite != 0;
  }

  rotomask_track_request c() const noexcept {
    rotomask_track_request c{};
    rotomask_track_request_init(&c, sizeof c);
    c.way = static_cast<rotomask_way>(way);
    c.start = start;
    c.first = first;
    c.last = last;
    c.max_frames = max_frames;
    c.overwrite = overwrite;
    return c;
  }
};

/// The frame that was asked for can't be had: tracking ends with StatusCode::frame.
struct Unreadable {};

/// What a shot answers when it is asked for a frame: its pixels, std::nullopt if it has no such frame, or Unreadable.
class Read {
 public:
  Read(Frame frame) : frame_(frame), status_(0) {}
  Read(std::nullopt_t) : status_(1) {}
  Read(std::optional<Frame> frame) : frame_(frame), status_(frame ? 0 : 1) {}
  Read(Unreadable) : status_(2) {}

  std::int32_t into(rotomask_frame* frame) const noexcept {
    if (frame_) *frame = *frame_->get();
    return status_;
  }

 private:
  std::optional<Frame> frame_;
  std::int32_t status_;
};

/// A stretch of an object's frames, both ends included.
struct Stretch {
  std::uint32_t object;
  Direction direction;
  std::uint64_t first, last;
};

/// What tracking did.
struct TrackReport {
  Stopped stopped = Stopped::done;
  /// With Stopped::at_cut the first frame after the cut.
  std::uint64_t stopped_at = no_frame;
  /// Frames that were passed over because what was known of them holds.
  std::uint64_t kept = 0;
  /// What was tracked, the first 1024 of it.
  std::vector<Stretch> stretches;
  /// How many stretches there were.
  std::size_t stretch_count = 0;
};

namespace detail {

/// The two callbacks of one call, as C takes them.
template <class ReadFrame, class Tracked>
struct Tracking {
  ReadFrame& read;
  Tracked& tracked;
  Thrown thrown{};

  static std::int32_t read_frame(void* user, std::uint64_t index, rotomask_frame* frame) {
    auto& self = *static_cast<Tracking*>(user);
    return self.thrown.guarded(
        [&]() -> std::int32_t {
          const Read got = self.read(index);
          return got.into(frame);
        },
        2);
  }

  static std::int32_t tell(void* user, std::uint64_t frame) {
    auto& self = *static_cast<Tracking*>(user);
    if constexpr (std::is_same_v<std::remove_const_t<Tracked>, Nobody>) {
      return 0;
    } else {
      return self.thrown.flow(self.tracked, frame);
    }
  }
};

inline TrackReport report_of(const rotomask_track_report& c) {
  TrackReport report;
  report.stopped = static_cast<Stopped>(c.stopped);
  report.stopped_at = c.stopped_at;
  report.kept = c.kept;
  report.stretch_count = c.count;
  for (std::size_t at = 0; at < c.count && at < c.capacity; ++at) {
    const rotomask_stretch& s = c.stretches[at];
    report.stretches.push_back({s.object, static_cast<Direction>(s.direction), s.first, s.last});
  }
  return report;
}

}  // namespace detail
}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_TRACK_HPP
