// Video through the commands ffprobe and ffmpeg (5.1 or later), in pipes of raw RGBA. On POSIX, for fork and pipe.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ffmpeg {

/// A command that runs beside this one, and the pipe to or from it. Destroying it closes the pipe and waits.
class Child {
 public:
  enum class Pipe { from_output, to_input };

  Child() = default;
  Child(std::vector<std::string> command, Pipe way) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe can be made: " + std::string(std::strerror(errno)));
    const bool reads = way == Pipe::from_output;
    const int ours = ends[reads ? 0 : 1], theirs = ends[reads ? 1 : 0];
    // The next command must not inherit this end, or this pipe would stay open with it.
    fcntl(ours, F_SETFD, FD_CLOEXEC);
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      // In a group of its own: Ctrl-C is for this program, which then ends the command in good order.
      setpgid(0, 0);
      std::signal(SIGPIPE, SIG_DFL);
      dup2(theirs, reads ? STDOUT_FILENO : STDIN_FILENO);
      close(theirs);
      execvp(arguments[0], arguments.data());
      std::fprintf(stderr, "%s: it can't be run: %s\n", arguments[0], std::strerror(errno));
      _exit(127);
    }
    close(theirs);
    if (pid_ > 0) pipe_ = fdopen(ours, reads ? "rb" : "wb");
    if (!pipe_) {
      close(ours);
      throw std::runtime_error(command[0] + ": it can't be started");
    }
  }
  Child(Child&& other) noexcept : pid_(other.pid_), pipe_(std::exchange(other.pipe_, nullptr)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(pipe_, other.pipe_);
    return *this;
  }
  ~Child() { finish(); }

  FILE* stream() const { return pipe_; }

  /// Closes the pipe and waits. Whether all was written and the command said that it worked.
  bool finish() {
    if (!pipe_) return true;
    const bool whole = std::fclose(std::exchange(pipe_, nullptr)) == 0;
    int status = 1;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    return whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t pid_ = -1;
  FILE* pipe_ = nullptr;
};

struct Clip {
  std::string path;
  unsigned width = 0, height = 0;
  /// Frames a second, such as 24000/1001.
  std::string rate;
};

/// A clip's size and rate. Throws std::runtime_error for what is no video.
inline Clip probe(const std::string& path) {
  Child ffprobe({"ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0", "-show_entries",
                 "stream=width,height,r_frame_rate", "-i", path},
                Child::Pipe::from_output);
  Clip clip{path, 0, 0, {}};
  char rate[32] = "";
  const int known = std::fscanf(ffprobe.stream(), "%u,%u,%31[0-9/]", &clip.width, &clip.height, rate);
  constexpr unsigned most = 16384;
  if (known != 3 || clip.width == 0 || clip.height == 0 || clip.width > most || clip.height > most) {
    throw std::runtime_error(path + ": expected a video with sides from 1 to 16384 pixels");
  }
  clip.rate = rate;
  return clip;
}

/// Frames of a clip as packed RGBA, as they are stored, each once.
class Reader {
 public:
  Reader() = default;
  explicit Reader(const Clip& clip, std::uint64_t first = 0) : path_(clip.path) {
    std::vector<std::string> command = {"ffmpeg", "-v",  "error", "-nostdin", "-noautorotate",
                                        "-i",     path_, "-map",  "0:v:0"};
    // It decodes from the beginning: slow far into a clip, but it is the right frame in any format.
    if (first > 0) command.insert(command.end(), {"-vf", "select=gte(n\\," + std::to_string(first) + ")"});
    command.insert(command.end(), {"-f", "rawvideo", "-pix_fmt", "rgba", "-fps_mode", "passthrough", "-"});
    child_ = Child(command, Child::Pipe::from_output);
  }

  /// Fills `rgba`, whose size is a frame's. False at the end of the clip.
  bool next(std::vector<std::uint8_t>& rgba) {
    const std::size_t got = std::fread(rgba.data(), 1, rgba.size(), child_.stream());
    if (got != 0 && got != rgba.size()) throw std::runtime_error(path_ + ": its last frame is cut short");
    return got != 0;
  }

  /// Whether ffmpeg has worked; one that is left in the middle hasn't.
  bool finish() { return child_.finish(); }

 private:
  std::string path_;
  Child child_;
};

/// Writes packed RGBA with alpha: .mov takes ProRes 4444, .mkv FFV1, anything else what ffmpeg makes of it.
class Writer {
 public:
  Writer(const std::string& path, const Clip& like) : path_(path) {
    const std::string size = std::to_string(like.width) + "x" + std::to_string(like.height);
    std::vector<std::string> command = {"ffmpeg", "-v", "error",       "-y", "-f",         "rawvideo", "-pix_fmt",
                                        "rgba",   "-video_size", size, "-framerate", like.rate,  "-i",       "-"};
    const auto ends = [&](const char* suffix) {
      return path.size() >= 4 && path.compare(path.size() - 4, 4, suffix) == 0;
    };
    if (ends(".mov")) {
      command.insert(command.end(), {"-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"});
    }
    if (ends(".mkv")) command.insert(command.end(), {"-c:v", "ffv1"});
    command.push_back(path);
    child_ = Child(command, Child::Pipe::to_input);
  }

  void write(const std::vector<std::uint8_t>& rgba) {
    if (std::fwrite(rgba.data(), 1, rgba.size(), child_.stream()) != rgba.size()) fail();
  }

  /// Completes the file.
  void finish() {
    if (!child_.finish()) fail();
  }

 private:
  [[noreturn]] void fail() { throw std::runtime_error(path_ + ": it can't be written"); }

  std::string path_;
  Child child_;
};

}  // namespace ffmpeg
