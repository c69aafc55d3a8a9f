// What the viewer does with the library: prompts, tracking, and pictures of a frame. It knows nothing of windows.
#pragma once

#include <rotomask.hpp>

#include "frames.hpp"

#include <array>

/// A click or a box, as it is shown again on its frame.
struct Mark {
  std::uint64_t frame;
  rotomask::Box where;
  bool box, positive;
};

class Work {
 public:
  static constexpr std::array views = {"overlay", "matte", "cutout", "edge"};

  Work(Frames& frames, const rotomask::Options& options)
      : frames_(frames),
        model_(rotomask::Model::open(options)),
        session_(rotomask::Session::open(model_, frames.clip().width, frames.clip().height, options)),
        matte_(rotomask::Matte::open(options)),
        settings_(rotomask::MatteSettings::open()),
        shown_(frames.frame_bytes()) {
    settings_.set("view", views[view_]);
  }

  void click(std::uint64_t frame, rotomask::Point at, bool positive) {
    session_.click(object, frame, at, positive);
    said({frame, {at.x, at.y, at.x, at.y}, false, positive});
  }
  void box(std::uint64_t frame, const rotomask::Box& around) {
    session_.box(object, frame, around);
    said({frame, around, true, true});
  }
  void undo() {
    session_.undo();
    move_last(marks_, undone_);
    answer();
  }
  void redo() {
    session_.redo();
    move_last(undone_, marks_);
    answer();
  }

  /// Follows the object from a frame to the next, unless what is known of that one holds. False beyond the clip's end.
  bool track_from(std::uint64_t frame) {
    if (marks_.empty()) return frames_.at(frame + 1) != nullptr;
    rotomask::TrackRequest request;
    request.start = frame;
    request.max_frames = 1;
    track(request);
    return frames_.at(frame + 1) != nullptr;
  }

  void next_view() {
    view_ = (view_ + 1) % views.size();
    settings_.set("view", views[view_]);
  }
  const char* view() const { return views[view_]; }

  /// A frame with its matte, as packed RGBA that is opaque.
  const std::vector<std::uint8_t>& picture(std::uint64_t frame) {
    const auto* plate = frames_.at(frame);
    if (!plate) return shown_;
    const auto [width, height] = std::pair(frames_.clip().width, frames_.clip().height);
    if (!known(frame)) {
      shown_ = *plate;
      return shown_;
    }
    const auto logits = session_.logits(object, frame);
    rotomask::MatteJob job(rotomask::Frame::rgba8(plate->data(), width, height));
    job.settings = &settings_;
    job.frame = frame;
    job.layers.push_back({logits.frame()});
    matte_.render(job, rotomask::Canvas::rgba8(shown_.data(), width, height));
    over_checker();
    return shown_;
  }

  /// What the model thinks of its mask on a frame.
  std::string scores(std::uint64_t frame) {
    if (!known(frame)) return "no mask";
    const auto answer = session_.answer(object, frame);
    char text[96];
    std::snprintf(text, sizeof text, "%s, predicted IoU %.3f, object score %.2f",
                  answer.prompted ? "prompted" : "tracked", static_cast<double>(answer.predicted_iou),
                  static_cast<double>(answer.object_score));
    return text;
  }

  const std::vector<Mark>& marks() const { return marks_; }

 private:
  static constexpr std::uint32_t object = 1;

  /// A frame for whoever tracks.
  rotomask::Read read(std::uint64_t index) {
    const auto* rgba = frames_.at(index);
    if (!rgba) return std::nullopt;
    return rotomask::Frame::rgba8(rgba->data(), frames_.clip().width, frames_.clip().height);
  }

  void track(const rotomask::TrackRequest& request) {
    session_.track(request, [this](std::uint64_t index) { return read(index); });
  }

  void said(const Mark& mark) {
    marks_.push_back(mark);
    undone_.clear();
    answer();
  }

  /// Answers what waits to be answered, and tracks nothing.
  void answer() {
    if (marks_.empty()) return;
    rotomask::TrackRequest request;
    request.max_frames = 0;
    track(request);
  }

  bool known(std::uint64_t frame) {
    try {
      session_.answer(object, frame);
      return true;
    } catch (const rotomask::Error& error) {
      if (error.status() != rotomask::StatusCode::state) throw;
      return false;
    }
  }

  static void move_last(std::vector<Mark>& from, std::vector<Mark>& to) {
    if (from.empty()) return;
    to.push_back(from.back());
    from.pop_back();
  }

  /// Lays what has alpha over squares of light and dark grey.
  void over_checker() {
    const std::size_t width = frames_.clip().width;
    for (std::size_t at = 0; at < shown_.size(); at += 4) {
      const std::size_t x = at / 4 % width, y = at / 4 / width;
      const unsigned grey = (x / 8 + y / 8) % 2 == 0 ? 90 : 160, alpha = shown_[at + 3];
      for (std::size_t channel = at; channel < at + 3; ++channel) {
        shown_[channel] = static_cast<std::uint8_t>((shown_[channel] * alpha + grey * (255 - alpha) + 127) / 255);
      }
      shown_[at + 3] = 255;
    }
  }

  Frames& frames_;
  rotomask::Model model_;
  rotomask::Session session_;
  rotomask::Matte matte_;
  rotomask::MatteSettings settings_;
  std::size_t view_ = 0;
  std::vector<std::uint8_t> shown_;
  std::vector<Mark> marks_, undone_;
};
