// Two sessions of one model in two threads, one of them cancelled from a third: the other is untouched.
#include <rotomask.hpp>

#include "disc.hpp"

#include <atomic>
#include <thread>

constexpr std::uint64_t FRAMES = 6;

/// The masks of the whole shot, one after the other.
std::vector<std::uint8_t> follow(rotomask::Session& session) {
  std::vector<std::uint8_t> masks;
  session.click(1, 0, {START_X, START_Y});
  for (std::uint64_t index = 0; index < FRAMES; ++index) {
    const auto rgba = picture(index);
    session.push(index, rotomask::Frame::rgba8(rgba.data(), WIDTH, HEIGHT));
    const auto mask = session.binary(1);
    masks.insert(masks.end(), mask.data(), mask.data() + mask.size());
  }
  return masks;
}

int main() {
  rotomask::ModelOptions options;
  options.deterministic = true;
  options.threads = 1;
  const auto model = rotomask::Model::open(options);
  auto alone = rotomask::Session::open(model, WIDTH, HEIGHT);
  const auto wanted = follow(alone);

  auto untouched = rotomask::Session::open(model, WIDTH, HEIGHT);
  auto cancelled = rotomask::Session::open(model, WIDTH, HEIGHT);
  std::atomic<bool> working{false}, stopped{false};
  cancelled.set_progress([&](rotomask::Stage, float) { working = true; });
  std::vector<std::uint8_t> found;
  std::thread one([&] { found = follow(untouched); });
  std::thread other([&] {
    try {
      for (;;) follow(cancelled);
    } catch (const rotomask::Error& error) {
      CHECK(error.status() == rotomask::StatusCode::cancelled);
      stopped = true;
    }
  });
  while (!working) std::this_thread::yield();
  cancelled.cancel();
  one.join();
  other.join();
  CHECK(stopped && found == wanted && overlap(alone.binary(1), FRAMES - 1) > 0.8);
  cancelled.clear_progress();
  CHECK(!follow(cancelled).empty());  // and it goes on
  std::puts("all of it");
}
