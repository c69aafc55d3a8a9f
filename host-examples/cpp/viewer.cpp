// An interactive viewer: click on a thing, watch it being followed, correct it, look at its matte.
//
//   c++ -std=c++17 host-examples/cpp/viewer.cpp $(pkg-config --cflags --libs rotomask sdl2) -o viewer
//   ./viewer clip.mp4 [NAME=VALUE ...]
//
// left click    the thing is here           drag         a box around it
// right click   it is not (or with shift)   space        play, and track what isn't yet
// left, right   a frame back or on          v            overlay, matte, cut-out, edge
// u, r          undo, redo                  s            a screenshot, screenshot-FRAME-VIEW.ppm in this folder
// q, escape     quit
//
// NAME=VALUE are options of the library, such as provider=cuda or gpu=off. Every mask is kept in a temporary file, unless
// session_file=NAME.rotosession names one that lasts. The title tells frame, view and scores; so does standard output,
// line by line, for whoever drives the viewer from a script.
#include "work.hpp"

#include <SDL.h>

#include <cmath>

namespace {

/// What SDL makes, closed in the end.
template <class T, void (*Close)(T*)>
struct Closed {
  T* it;
  explicit Closed(T* it) : it(it) {
    if (!it) throw std::runtime_error(std::string("SDL: ") + SDL_GetError());
  }
  Closed(const Closed&) = delete;
  Closed& operator=(const Closed&) = delete;
  ~Closed() { Close(it); }
  operator T*() const { return it; }
};

struct Sdl {
  Sdl() {
    // Pixels stay square when they are enlarged.
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "nearest");
    if (SDL_Init(SDL_INIT_VIDEO) != 0) throw std::runtime_error(std::string("SDL: ") + SDL_GetError());
  }
  ~Sdl() { SDL_Quit(); }
};

/// The window's side for a picture's: small clips are enlarged by a whole number.
int enlarged(const ffmpeg::Clip& clip) { return std::max(1, static_cast<int>(640 / std::max(clip.width, clip.height))); }

class Viewer {
 public:
  Viewer(const ffmpeg::Clip& clip, Work& work)
      : work_(work),
        width_(static_cast<int>(clip.width)),
        height_(static_cast<int>(clip.height)),
        window_(SDL_CreateWindow("rotomask", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                 width_ * enlarged(clip), height_ * enlarged(clip),
                                 SDL_WINDOW_RESIZABLE)),
        renderer_(SDL_CreateRenderer(window_, -1, SDL_RENDERER_SOFTWARE)),
        texture_(SDL_CreateTexture(renderer_, SDL_PIXELFORMAT_RGBA32, SDL_TEXTUREACCESS_STREAMING, width_, height_)) {
    // Events of the mouse then come in the clip's pixels, whatever the window's size.
    SDL_RenderSetLogicalSize(renderer_, width_, height_);
  }

  void run() {
    show();
    while (!quit_) {
      SDL_Event event;
      // While it plays, frames come as fast as they are tracked.
      if (playing_ ? SDL_PollEvent(&event) : SDL_WaitEvent(&event)) {
        attempt([&] { take(event); });
      } else if (playing_) {
        attempt([&] { step_on(); });
      }
    }
  }

 private:
  /// A call that fails is told, and the viewer goes on.
  template <class Doing>
  void attempt(Doing doing) {
    try {
      doing();
    } catch (const rotomask::Error& error) {
      playing_ = false;
      std::fprintf(stderr, "rotomask: %s\n", error.what());
      SDL_SetWindowTitle(window_, error.what());
    }
  }

  void take(const SDL_Event& event) {
    switch (event.type) {
      case SDL_QUIT: quit_ = true; break;
      case SDL_KEYDOWN: key(event.key.keysym.sym); break;
      case SDL_MOUSEBUTTONDOWN:
        pressed_ = SDL_Point{event.button.x, event.button.y};
        pointer_ = *pressed_;
        break;
      case SDL_MOUSEMOTION:
        pointer_ = {event.motion.x, event.motion.y};
        if (pressed_) draw();
        break;
      case SDL_MOUSEBUTTONUP: released(event.button); break;
      case SDL_WINDOWEVENT:
        if (event.window.event == SDL_WINDOWEVENT_EXPOSED) draw();
        break;
      default: break;
    }
  }

  void key(SDL_Keycode key) {
    switch (key) {
      case SDLK_SPACE: playing_ = !playing_; break;
      case SDLK_RIGHT: step_on(); break;
      case SDLK_LEFT: frame_ -= frame_ > 0; show(); break;
      case SDLK_u: work_.undo(); show(); break;
      case SDLK_r: work_.redo(); show(); break;
      case SDLK_v: work_.next_view(); show(); break;
      case SDLK_s: screenshot(); break;
      case SDLK_q:
      case SDLK_ESCAPE: quit_ = true; break;
      default: break;
    }
  }

  void released(const SDL_MouseButtonEvent& button) {
    if (!pressed_) return;
    const SDL_Point from = *pressed_, to{button.x, button.y};
    pressed_.reset();
    constexpr int dragged = 3;
    const auto [left, right] = std::minmax(from.x, to.x);
    const auto [top, bottom] = std::minmax(from.y, to.y);
    if (right - left > dragged && bottom - top > dragged) {
      // A box goes from edge to edge, and a drag may end outside.
      const auto inside = [](int edge, int side) { return static_cast<float>(std::clamp(edge, 0, side)); };
      work_.box(frame_, {inside(left, width_), inside(top, height_), inside(right + 1, width_),
                         inside(bottom + 1, height_)});
    } else {
      const bool shift = (SDL_GetModState() & KMOD_SHIFT) != 0;
      work_.click(frame_, {static_cast<float>(to.x), static_cast<float>(to.y)},
                  button.button == SDL_BUTTON_LEFT && !shift);
    }
    show();
  }

  void step_on() {
    if (work_.track_from(frame_)) {
      ++frame_;
    } else {
      playing_ = false;
    }
    show();
  }

  /// Makes the frame's picture anew, and tells what it shows.
  void show() {
    const auto& rgba = work_.picture(frame_);
    SDL_UpdateTexture(texture_, nullptr, rgba.data(), width_ * 4);
    draw();
    const std::string line = "frame " + std::to_string(frame_) + ", " + work_.view() + ": " + work_.scores(frame_);
    SDL_SetWindowTitle(window_, ("rotomask - " + line).c_str());
    std::puts(line.c_str());
    std::fflush(stdout);
  }

  void draw() {
    SDL_SetRenderDrawColor(renderer_, 0, 0, 0, 255);
    SDL_RenderClear(renderer_);
    SDL_RenderCopy(renderer_, texture_, nullptr, nullptr);
    for (const Mark& mark : work_.marks()) {
      if (mark.frame != frame_) continue;
      SDL_SetRenderDrawColor(renderer_, mark.positive ? 40 : 255, mark.positive ? 255 : 40, 40, 255);
      const float dot = mark.box ? 0 : 1;
      const SDL_FRect there{mark.where.left - dot, mark.where.top - dot, mark.where.right - mark.where.left + 3 * dot,
                            mark.where.bottom - mark.where.top + 3 * dot};
      if (mark.box) {
        SDL_RenderDrawRectF(renderer_, &there);
      } else {
        SDL_RenderFillRectF(renderer_, &there);
      }
    }
    if (pressed_) {
      SDL_SetRenderDrawColor(renderer_, 255, 255, 255, 255);
      const SDL_Rect drag{std::min(pressed_->x, pointer_.x), std::min(pressed_->y, pointer_.y),
                          std::abs(pressed_->x - pointer_.x) + 1, std::abs(pressed_->y - pointer_.y) + 1};
      SDL_RenderDrawRect(renderer_, &drag);
    }
    SDL_RenderPresent(renderer_);
  }

  /// Writes the window as it is shown.
  void screenshot() {
    draw();
    int width = 0, height = 0;
    SDL_GetRendererOutputSize(renderer_, &width, &height);
    std::vector<std::uint8_t> rgb(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    // Read in the window's own pixels, not the clip's.
    SDL_RenderSetLogicalSize(renderer_, 0, 0);
    const int read = SDL_RenderReadPixels(renderer_, nullptr, SDL_PIXELFORMAT_RGB24, rgb.data(), width * 3);
    SDL_RenderSetLogicalSize(renderer_, width_, height_);
    const std::string path = "screenshot-" + std::to_string(frame_) + "-" + work_.view() + ".ppm";
    FILE* file = read == 0 ? std::fopen(path.c_str(), "wb") : nullptr;
    bool whole = file && std::fprintf(file, "P6\n%d %d\n255\n", width, height) > 0 &&
                 std::fwrite(rgb.data(), 1, rgb.size(), file) == rgb.size();
    if (file && std::fclose(file) != 0) whole = false;
    std::printf(whole ? "saved %s\n" : "%s can't be written\n", path.c_str());
    std::fflush(stdout);
  }

  Work& work_;
  const int width_, height_;
  Closed<SDL_Window, SDL_DestroyWindow> window_;
  Closed<SDL_Renderer, SDL_DestroyRenderer> renderer_;
  Closed<SDL_Texture, SDL_DestroyTexture> texture_;
  std::uint64_t frame_ = 0;
  bool playing_ = false, quit_ = false;
  std::optional<SDL_Point> pressed_;
  SDL_Point pointer_{0, 0};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CLIP [NAME=VALUE ...]\n", argc > 0 ? argv[0] : "viewer");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto options = rotomask::Options::open();
    options.set("keep", "temporary");
    for (int word = 2; word < argc; ++word) {
      const std::string text = argv[word];
      const auto at = text.find('=');
      if (at == std::string::npos) throw std::runtime_error(text + ": expected NAME=VALUE");
      options.set(text.substr(0, at), text.substr(at + 1));
    }
    constexpr std::size_t memory = std::size_t{512} << 20;
    Frames frames(ffmpeg::probe(argv[1]), memory);
    if (!frames.at(0)) throw std::runtime_error(std::string(argv[1]) + ": no frame can be read");
    Work work(frames, options);
    const Sdl sdl;
    Viewer(frames.clip(), work).run();
    return 0;
  } catch (const rotomask::Error& error) {
    std::fprintf(stderr, "rotomask: %s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
