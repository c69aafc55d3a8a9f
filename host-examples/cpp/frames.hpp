// Frames of a clip by number, with a bounded cache.
#pragma once

#include "ffmpeg.hpp"

#include <algorithm>
#include <map>
#include <optional>

/// Any frame of a clip, from memory or from ffmpeg. At most so many bytes of frames are held, but at least two frames.
class Frames {
 public:
  Frames(ffmpeg::Clip clip, std::size_t bytes) : clip_(std::move(clip)) {
    room_ = std::max<std::size_t>(2, bytes / frame_bytes());
  }

  const ffmpeg::Clip& clip() const { return clip_; }
  std::size_t frame_bytes() const { return std::size_t{4} * clip_.width * clip_.height; }

  /// A frame as packed RGBA, valid until the next call; null beyond the clip's end.
  const std::vector<std::uint8_t>* at(std::uint64_t index) {
    if (end_ && index >= *end_) return nullptr;
    auto found = held_.find(index);
    if (found == held_.end()) {
      if (!read_up_to(index)) return nullptr;
      found = held_.find(index);
    }
    found->second.used = ++clock_;
    return &found->second.rgba;
  }

 private:
  struct Held {
    std::vector<std::uint8_t> rgba;
    std::uint64_t used;
  };

  bool read_up_to(std::uint64_t index) {
    // A little ahead is read on to; for anything else ffmpeg begins anew, a little earlier, for whoever steps back.
    constexpr std::uint64_t ahead = 64;
    if (!reader_ || index < next_ || index - next_ > ahead) {
      const std::uint64_t back = index < next_ ? std::min<std::uint64_t>(16, room_ - 1) : 0;
      next_ = index - std::min(index, back);
      reader_.reset();
      reader_.emplace(clip_, next_);
    }
    std::vector<std::uint8_t> rgba(frame_bytes());
    for (; next_ <= index; ++next_) {
      if (!reader_->next(rgba)) {
        end_ = next_;
        reader_.reset();
        return false;
      }
      if (held_.count(next_) == 0) {
        make_room();
        held_.emplace(next_, Held{rgba, ++clock_});
      }
    }
    return true;
  }

  /// Drops what was not looked at for longest.
  void make_room() {
    while (held_.size() >= room_) {
      held_.erase(std::min_element(held_.begin(), held_.end(), [](const auto& one, const auto& other) {
        return one.second.used < other.second.used;
      }));
    }
  }

  ffmpeg::Clip clip_;
  std::size_t room_;
  std::map<std::uint64_t, Held> held_;
  std::uint64_t clock_ = 0, next_ = 0;
  std::optional<std::uint64_t> end_;
  std::optional<ffmpeg::Reader> reader_;
};
