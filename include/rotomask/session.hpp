// A shot: prompts, frames, masks. Part of rotomask.hpp.
#ifndef ROTOMASK_SESSION_HPP
#define ROTOMASK_SESSION_HPP

#include "automatic.hpp"
#include "image.hpp"
#include "track.hpp"

#include <functional>
#include <memory>

namespace rotomask {
inline namespace ROTOMASK_HPP_WAY {

/// What is known of one object on a frame.
using Result = rotomask_result;
/// How long each stage took, in milliseconds by Stage.
using Timings = rotomask_timings;

/// A part of the work on a frame.
enum class Stage : rotomask_stage {
  preprocess = ROTOMASK_STAGE_PREPROCESS,
  image_encoder = ROTOMASK_STAGE_IMAGE_ENCODER,
  memory_attention = ROTOMASK_STAGE_MEMORY_ATTENTION,
  mask_decoder = ROTOMASK_STAGE_MASK_DECODER,
  memory_encoder = ROTOMASK_STAGE_MEMORY_ENCODER
};

/// What of a mask is written.
enum class MaskKind : rotomask_mask {
  /// As the model gave it, of the logits' own size.
  logits = ROTOMASK_MASK_LOGITS,
  /// How likely each pixel is the object's: 0 to 255, or 0 to 1 in floats.
  coverage = ROTOMASK_MASK_COVERAGE,
  /// Which pixels are the object's: 0 or 255, or 0 or 1 in floats.
  binary = ROTOMASK_MASK_BINARY
};

/// A shot whose frames have one size. Objects are any numbers of the caller's, frames count from 0.
class Session : public detail::Handle<rotomask_session, rotomask_session_close> {
 public:
  Session() noexcept = default;
  /// Takes over what the C library has opened for frames of a size.
  Session(rotomask_session* open, std::uint32_t width, std::uint32_t height) noexcept
      : Handle(open), width_(width), height_(height) {}
  Session(Session&&) noexcept = default;
  Session& operator=(Session&& other) noexcept {
    if (this != &other) {
      Handle::operator=(std::move(other));  // closed first: the old progress is told until then
      progress_ = std::move(other.progress_);
      width_ = other.width_;
      height_ = other.height_;
    }
    return *this;
  }
  ~Session() { reset(); }

  /// Opens a session for frames of a size in pixels; what keeps a file goes on with one that is there. Gives Session.
  static result<Session> open(const Model& model, std::uint32_t width, std::uint32_t height) {
    rotomask_session* made = nullptr;
    const rotomask_status status = rotomask_session_open(model.get(), width, height, &made);
    return detail::give(status, Session(made, width, height));
  }
  static result<Session> open(const Model& model, std::uint32_t width, std::uint32_t height,
                              const SessionOptions& options) {
    const rotomask_session_options c = options.c();
    rotomask_session* made = nullptr;
    const rotomask_status status = rotomask_session_open_with(model.get(), width, height, &c, &made);
    return detail::give(status, Session(made, width, height));
  }
  static result<Session> open(const Model& model, std::uint32_t width, std::uint32_t height, const Options& options) {
    rotomask_session* made = nullptr;
    const rotomask_status status = rotomask_session_open_options(model.get(), width, height, options.get(), &made);
    return detail::give(status, Session(made, width, height));
  }

  /// The frames' sides in pixels.
  std::uint32_t width() const noexcept { return width_; }
  std::uint32_t height() const noexcept { return height_; }

  // What the objects are.

  /// Adds a click, to be answered when the frame is pushed, or by refine() if it was pushed last.
  result<void> click(std::uint32_t object, std::uint64_t frame, Point at, bool positive = true) {
    return detail::done(rotomask_session_click(get(), object, frame, at.x, at.y, positive));
  }
  /// Sets the box around an object on a frame.
  result<void> box(std::uint32_t object, std::uint64_t frame, const Box& around) {
    return detail::done(rotomask_session_box(get(), object, frame, around.left, around.top, around.right,
                                             around.bottom));
  }
  /// Sets an object's mask on a frame, of the session's size.
  result<void> mask(std::uint32_t object, std::uint64_t frame, const Frame& mask) {
    return detail::done(rotomask_session_mask(get(), object, frame, mask.get()));
  }
  /// Adds an object by name, of at most 255 bytes. The first prompt about an unknown number adds one as "Object N".
  result<void> add_object(std::uint32_t object, const std::string& name) {
    return detail::done(rotomask_session_add_object(get(), object, name.c_str()));
  }
  /// Gives an object another name.
  result<void> rename_object(std::uint32_t object, const std::string& name) {
    return detail::done(rotomask_session_rename_object(get(), object, name.c_str()));
  }
  /// Removes an object, its prompts and its masks.
  result<void> remove_object(std::uint32_t object) {
    return detail::done(rotomask_session_remove_object(get(), object));
  }
  /// Takes back all that was said of an object on a frame.
  result<void> clear_frame(std::uint32_t object, std::uint64_t frame) {
    return detail::done(rotomask_session_clear_frame(get(), object, frame));
  }
  /// Takes back all that was ever said of an object.
  result<void> clear_object(std::uint32_t object) {
    return detail::done(rotomask_session_clear_object(get(), object));
  }
  /// Removes every object, by `rotomask_session_reset`. It can't be taken back.
  result<void> reset_objects() { return detail::done(rotomask_session_reset(get())); }
  /// Takes back what was said last; StatusCode::state if there is nothing.
  result<void> undo() { return detail::done(rotomask_session_undo(get())); }
  /// Says again what was taken back last; StatusCode::state if there is nothing.
  result<void> redo() { return detail::done(rotomask_session_redo(get())); }

  /// Takes a frame, looks for objects on it and adds those that are new. `progress` is as in Automatic::generate, and must
  /// not use the session. Gives the numbers of the new objects, the best first.
  template <class Tell = detail::Nobody>
  result<std::vector<std::uint32_t>> add_automatic(std::uint64_t frame, const Frame& pixels,
                                                   const AutomaticOptions& search = {},
                                                   const ObjectOptions& objects = {}, Tell&& progress = {}) {
    const detail::AutomaticC c(search);
    const rotomask_object_options chosen = objects.c();
    using Search = detail::Searching<std::remove_reference_t<Tell>>;
    Search searching{progress};
    std::vector<std::uint32_t> added(256);
    std::size_t count = added.size();
    const rotomask_status status = rotomask_session_add_automatic(get(), frame, pixels.get(), c.get(), &chosen,
                                                                  Search::tell, &searching, added.data(), &count);
    searching.thrown.rethrow();
    rethrow();
    added.resize(status == ROTOMASK_OK ? std::min<std::size_t>(count, added.size()) : 0);
    return detail::give(status, std::move(added));
  }

  // Frames.

  /// Takes a frame: answers the prompts that wait on it, or tracks every object into it.
  result<void> push(std::uint64_t frame, const Frame& pixels) {
    return worked(rotomask_session_push(get(), frame, pixels.get()));
  }
  /// The same, tracking from where a direction comes from.
  result<void> push(std::uint64_t frame, const Frame& pixels, Direction toward) {
    return worked(
        rotomask_session_push_toward(get(), frame, static_cast<rotomask_direction>(toward), pixels.get()));
  }
  /// Answers prompts that were added for the frame that was pushed last, which is not encoded again.
  result<void> refine() { return worked(rotomask_session_refine(get())); }
  /// Drops what was tracked, as after a cut.
  result<void> forget() { return detail::done(rotomask_session_forget(get())); }

  /// Tracks through a shot whose frames are asked for one by one.
  ///
  /// `read_frame` takes a frame's number and returns a Read: pixels that stay valid until it is asked again. `tracked`
  /// takes the number of each frame that is finished, and returns a Flow or nothing. Neither may use the session. What
  /// either throws stops tracking and comes out of here; finished frames stay. Gives TrackReport.
  template <class ReadFrame, class Tracked = detail::Nobody>
  result<TrackReport> track(const TrackRequest& request, ReadFrame&& read_frame, Tracked&& tracked = {}) {
    using Callbacks = detail::Tracking<std::remove_reference_t<ReadFrame>, std::remove_reference_t<Tracked>>;
    Callbacks callbacks{read_frame, tracked};
    const rotomask_track_request c = request.c();
    std::vector<rotomask_stretch> stretches(1024);
    auto report = detail::sized<rotomask_track_report>();
    report.stretches = stretches.data();
    report.capacity = stretches.size();
    const rotomask_status status =
        rotomask_session_track(get(), &c, Callbacks::read_frame, Callbacks::tell, &callbacks, &report);
    callbacks.thrown.rethrow();
    rethrow();
    return detail::give(status, status == ROTOMASK_OK ? detail::report_of(report) : TrackReport());
  }

  /// Sets who is told after each stage how many milliseconds it took: takes a Stage and a float, returns a Flow or
  /// nothing. It is called on the thread that pushes, and must not use the session. What it throws stops the work and
  /// comes out of that call.
  template <class Tell>
  result<void> set_progress(Tell tell) {
    auto fresh = std::make_unique<Progress>();
    fresh->tell = [tell = std::move(tell)](detail::Thrown& thrown, Stage stage, float milliseconds) mutable {
      return thrown.flow(tell, stage, milliseconds);
    };
    const rotomask_progress_callback c = [](void* user, rotomask_stage stage, float milliseconds) {
      auto& progress = *static_cast<Progress*>(user);
      return progress.tell(progress.thrown, static_cast<Stage>(stage), milliseconds);
    };
    const rotomask_status status = rotomask_session_set_progress(get(), c, fresh.get());
    if (status == ROTOMASK_OK) progress_ = std::move(fresh);
    return detail::done(status);
  }
  /// Tells nobody from now on.
  result<void> clear_progress() {
    const rotomask_status status = rotomask_session_set_progress(get(), nullptr, nullptr);
    if (status == ROTOMASK_OK) progress_.reset();
    return detail::done(status);
  }

  /// Stops what runs on the session, or what runs next if nothing does. For other threads.
  result<void> cancel() const { return detail::done(rotomask_session_cancel(get())); }

  /// The sentence of the session's last call that failed, whichever thread made it. Gives a string.
  result<std::string> last_error() const {
    return text([](auto... a) { return rotomask_session_last_error(a...); });
  }

  // Answers: of the frame that was pushed last, or of any that is kept.

  /// What is known of an object, by `rotomask_session_result` and `rotomask_session_result_at`. Gives Result.
  result<Result> answer(std::uint32_t object) const {
    auto answer = detail::sized<Result>();
    const rotomask_status status = rotomask_session_result(get(), object, &answer);
    return detail::give(status, answer);
  }
  result<Result> answer(std::uint32_t object, std::uint64_t frame) const {
    auto answer = detail::sized<Result>();
    const rotomask_status status = rotomask_session_result_at(get(), object, frame, &answer);
    return detail::give(status, answer);
  }
  /// How long the last push or refine took. Gives Timings.
  result<Timings> timings() const {
    auto timings = detail::sized<Timings>();
    const rotomask_status status = rotomask_session_timings(get(), &timings);
    return detail::give(status, timings);
  }

  /// Writes an object's logits, of their own size as answer() tells it.
  result<void> logits(std::uint32_t object, const Canvas& canvas) const {
    return detail::done(rotomask_session_logits(get(), object, canvas.get()));
  }
  /// The same on a plane of its own. Gives Plane<float>.
  result<Plane<float>> logits(std::uint32_t object) const {
    auto answer = detail::sized<Result>();
    rotomask_status status = rotomask_session_result(get(), object, &answer);
    Plane<float> plane(answer.logits_width, answer.logits_height);
    if (status == ROTOMASK_OK) status = rotomask_session_logits(get(), object, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }
  /// Writes how likely each pixel is the object's.
  result<void> coverage(std::uint32_t object, const Canvas& canvas) const {
    return detail::done(rotomask_session_coverage(get(), object, canvas.get()));
  }
  /// The same on a plane of its own, 0 to 255. Gives Plane<std::uint8_t>.
  result<Plane<std::uint8_t>> coverage(std::uint32_t object) const {
    Plane<std::uint8_t> plane(width_, height_);
    const rotomask_status status = rotomask_session_coverage(get(), object, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }
  /// Writes which pixels are the object's.
  result<void> binary(std::uint32_t object, const Canvas& canvas) const {
    return detail::done(rotomask_session_binary(get(), object, canvas.get()));
  }
  /// The same on a plane of its own, 0 or 255. Gives Plane<std::uint8_t>.
  result<Plane<std::uint8_t>> binary(std::uint32_t object) const {
    Plane<std::uint8_t> plane(width_, height_);
    const rotomask_status status = rotomask_session_binary(get(), object, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }
  /// Writes an object's mask on any frame that is kept.
  result<void> mask_at(std::uint32_t object, std::uint64_t frame, MaskKind kind, const Canvas& canvas) const {
    return detail::done(
        rotomask_session_mask_at(get(), object, frame, static_cast<rotomask_mask>(kind), canvas.get()));
  }
  /// The pixels of an object on any frame that is kept, 0 or 255. Gives Plane<std::uint8_t>.
  result<Plane<std::uint8_t>> binary(std::uint32_t object, std::uint64_t frame) const {
    Plane<std::uint8_t> plane(width_, height_);
    const rotomask_status status =
        rotomask_session_mask_at(get(), object, frame, ROTOMASK_MASK_BINARY, plane.canvas().get());
    return detail::give(status, std::move(plane));
  }
  /// The logits of an object on any frame that is kept: what a matte's layer takes best. Gives Plane<float>.
  result<Plane<float>> logits(std::uint32_t object, std::uint64_t frame) const {
    auto answer = detail::sized<Result>();
    rotomask_status status = rotomask_session_result_at(get(), object, frame, &answer);
    Plane<float> plane(answer.logits_width, answer.logits_height);
    if (status == ROTOMASK_OK) {
      status = rotomask_session_mask_at(get(), object, frame, ROTOMASK_MASK_LOGITS, plane.canvas().get());
    }
    return detail::give(status, std::move(plane));
  }
  /// A mask on any frame that is kept, as COCO's run lengths in JSON. Gives a string.
  result<std::string> rle(std::uint32_t object, std::uint64_t frame) const {
    return text([=](auto* self, auto... a) { return rotomask_session_rle_at(self, object, frame, a...); });
  }
  /// Objects, prompts, what is tracked, what is outdated, cuts, and the steps of undo, as JSON. Gives a string.
  result<std::string> describe() const {
    return text([](auto... a) { return rotomask_session_describe(a...); });
  }
  /// The ranges of an object's frames that a person should look at, as JSON. Gives a string.
  result<std::string> review(std::uint32_t object) const {
    return text([=](auto* self, auto... a) { return rotomask_session_review(self, object, a...); });
  }

 private:
  struct Progress {
    std::function<std::int32_t(detail::Thrown&, Stage, float)> tell;
    detail::Thrown thrown;
  };

  template <class Fill>
  result<std::string> text(Fill fill) const {
    return detail::text([&](char* buffer, std::size_t* size) { return fill(get(), buffer, size); });
  }

  void rethrow() {
    if (progress_) progress_->thrown.rethrow();
  }
  result<void> worked(rotomask_status status) {
    rethrow();
    return detail::done(status);
  }

  // At one address, however the session is moved: C holds it.
  std::unique_ptr<Progress> progress_;
  std::uint32_t width_ = 0, height_ = 0;
};

}  // namespace ROTOMASK_HPP_WAY
}  // namespace rotomask

#endif  // ROTOMASK_SESSION_HPP
