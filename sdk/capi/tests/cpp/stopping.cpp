// Work that is stopped in each of the ways there are, as shortly as it goes: for valgrind, which takes its time.
#include <rotomask.hpp>

#include "disc.hpp"

#include <thread>

int main() {
  const auto rgba = picture(0);
  const auto frame = rotomask::Frame::rgba8(rgba.data(), WIDTH, HEIGHT);
  const auto model = rotomask::Model::open();
  auto session = rotomask::Session::open(model, WIDTH, HEIGHT);
  int stopped = 0;
  const auto stops = [&](auto work) {
    try {
      work();
    } catch (const rotomask::Error&) {
      ++stopped;
    } catch (int) {
      ++stopped;
    }
  };
  stops([&] { session.click(1, 0, {-1, 5}); });
  session.click(1, 0, {START_X, START_Y});
  std::thread([&] { session.cancel(); }).join();
  stops([&] { session.push(0, frame); });
  session.set_progress([](rotomask::Stage, float) { return rotomask::Flow::stop; });
  stops([&] { session.push(0, frame); });
  session.set_progress([](rotomask::Stage, float) { throw 1; });
  stops([&] { session.push(0, frame); });
  session.clear_progress();
  stops([&] { session.track({}, [](std::uint64_t) -> rotomask::Read { throw 1; }); });
  stops([&] { session.track({}, [](std::uint64_t) -> rotomask::Read { return rotomask::Unreadable(); }); });
  stops([&] { session.undo(); session.undo(); });
  stops([&] { rotomask::MatteSettings::open("no preset"); });
  stops([&] { rotomask::SessionFile::open("none.rotosession"); });
  auto options = rotomask::Options::open();
  stops([&] { options.set("none", 1); });
  rotomask::Session moved(std::move(session));
  stops([&] { session.refine(); });
  CHECK(moved && stopped == 11);
}
