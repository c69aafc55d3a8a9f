/* Follows one thing through a video: click on it in the first frame, get a mask for every frame.
 *
 *   cc -std=c99 host-examples/c/track.c $(pkg-config --cflags --libs rotomask) -o track
 *   ./track clip.mp4 X Y masks.mkv
 *   ./track clip.mp4 X Y masks/%05d.pgm
 *
 * X and Y are pixels from the top left corner of the first frame. The masks are 255 where the thing is and 0 elsewhere, of
 * the clip's size and rate: as a video (.mkv takes FFV1, which loses nothing) or as whatever else ffmpeg writes.
 *
 * Video comes and goes through the commands ffprobe and ffmpeg (5.1 or later), in pipes of raw pixels: no library is linked
 * for it. Ctrl-C stops after the frame that is being done, and completes the output with what there is.
 * It is C99 on POSIX, for fork and pipe.
 */
#define _POSIX_C_SOURCE 200809L

#include <rotomask.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SIDE 16384
#define OBJECT 1
#define INTERRUPTED 130 /* what shells give for Ctrl-C */

static volatile sig_atomic_t stop = 0;

static void on_interrupt(int number) {
  (void)number;
  stop = 1;
}

/* A command that runs beside this one, and the pipe to or from it. */
typedef struct child {
  pid_t pid;
  FILE *pipe;
} child;

/* Starts a command. Its output is read if `reads`, otherwise its input is written. Non-zero if it runs. */
static int start(child *child, const char *const *command, int reads) {
  int ends[2], ours, theirs;
  child->pipe = NULL;
  if (pipe(ends) != 0) return 0;
  ours = reads ? ends[0] : ends[1];
  theirs = reads ? ends[1] : ends[0];
  /* The next command must not inherit this end, or this pipe would stay open with it. */
  fcntl(ours, F_SETFD, FD_CLOEXEC);
  child->pid = fork();
  if (child->pid == 0) {
    /* In a group of its own: Ctrl-C is for this program, which then ends the command in good order. */
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    dup2(theirs, reads ? STDOUT_FILENO : STDIN_FILENO);
    close(theirs);
    execvp(command[0], (char *const *)command);
    fprintf(stderr, "%s: it can't be run: %s\n", command[0], strerror(errno));
    _exit(127);
  }
  close(theirs);
  if (child->pid > 0) child->pipe = fdopen(ours, reads ? "rb" : "wb");
  if (!child->pipe) close(ours);
  return child->pipe != NULL;
}

/* Closes the pipe and waits. Non-zero if all was written and the command said that it worked. */
static int finish(child *child) {
  int status = 1, whole;
  if (!child->pipe) return 1;
  whole = fclose(child->pipe) == 0;
  child->pipe = NULL;
  while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) continue;
  return whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

typedef struct clip {
  const char *path;
  unsigned width, height;
  char rate[32]; /* such as 24000/1001 */
} clip;

/* Asks for the clip's size and rate. Non-zero if they are known; otherwise the reason was printed. */
static int probe(clip *clip) {
  const char *command[] = {"ffprobe", "-v",      "error",     "-select_streams",
                           "v:0",     "-of",     "csv=p=0",   "-show_entries",
                           "stream=width,height,r_frame_rate", "-i", NULL, NULL};
  child ffprobe;
  int known;
  command[10] = clip->path;
  if (!start(&ffprobe, command, 1)) return 0;
  known = fscanf(ffprobe.pipe, "%u,%u,%31[0-9/]", &clip->width, &clip->height, clip->rate) == 3;
  finish(&ffprobe);
  if (!known || !clip->width || !clip->height || clip->width > MAX_SIDE || clip->height > MAX_SIDE) {
    fprintf(stderr, "%s: expected a video with sides from 1 to %d pixels\n", clip->path, MAX_SIDE);
    return 0;
  }
  return 1;
}

static int start_reading(child *child, const clip *clip) {
  /* Frames as they are stored, each once: masks then lie on them however a player turns or times them. */
  const char *command[] = {"ffmpeg", "-v", "error",     "-nostdin",    "-noautorotate", "-i",    NULL, "-map", "0:v:0",
                           "-f",     "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-",  NULL};
  command[6] = clip->path;
  return start(child, command, 1);
}

static int start_writing(child *child, const clip *clip, const char *path) {
  const char *suffix = strrchr(path, '.');
  const int lossless = suffix && strcmp(suffix, ".mkv") == 0;
  char size[32];
  const char *command[] = {"ffmpeg", "-v",         "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-video_size",
                           NULL,     "-framerate", NULL,    "-i", "-",  NULL,       NULL,       NULL,   NULL};
  snprintf(size, sizeof size, "%ux%u", clip->width, clip->height);
  command[9] = size;
  command[11] = clip->rate;
  command[14] = lossless ? "-c:v" : path;
  command[15] = lossless ? "ffv1" : NULL;
  command[16] = lossless ? path : NULL;
  return start(child, command, 0);
}

/* Every call answers with a status; what went wrong is asked for on the same thread. */
static int ok(rotomask_status status) {
  if (status != ROTOMASK_OK) fprintf(stderr, "rotomask: %s\n", rotomask_last_error());
  return status == ROTOMASK_OK;
}

/* Follows the object until the clip ends, or `stop`. Counts the frames whose masks are written; non-zero on success. */
static int follow(rotomask_session *session, const clip *clip, const char *path, child *reader, child *writer,
                  unsigned char *rgb, unsigned char *mask, uint64_t *done) {
  const size_t pixels = (size_t)clip->width * clip->height;
  rotomask_frame frame = {0};
  rotomask_canvas canvas = {0};
  rotomask_result result = {0};
  size_t got = 0;

  frame.struct_size = sizeof frame;
  frame.format = ROTOMASK_FORMAT_RGB8;
  frame.width_px = clip->width;
  frame.height_px = clip->height;
  frame.stride_bytes = (int64_t)clip->width * 3;
  frame.pixels = rgb;

  canvas.struct_size = sizeof canvas;
  canvas.format = ROTOMASK_FORMAT_GRAY8;
  canvas.width_px = clip->width;
  canvas.height_px = clip->height;
  canvas.stride_bytes = clip->width;
  canvas.pixels = mask;
  result.struct_size = sizeof result;

  while (!stop && (got = fread(rgb, 1, pixels * 3, reader->pipe)) == pixels * 3) {
    /* Frames are pushed in order; what the next ones need of them is kept. */
    if (!ok(rotomask_session_push(session, *done, &frame)) ||
        !ok(rotomask_session_result(session, OBJECT, &result)) ||
        !ok(rotomask_session_binary(session, OBJECT, &canvas)))
      return 0;
    /* Only now: a job that fails at once leaves no file. */
    if (!writer->pipe && !start_writing(writer, clip, path)) return 0;
    if (fwrite(mask, 1, pixels, writer->pipe) != pixels) {
      fprintf(stderr, "%s: frame %lu can't be written\n", path, (unsigned long)*done);
      return 0;
    }
    fprintf(stderr, "\rframe %lu: predicted IoU %.3f, %s ", (unsigned long)*done, result.predicted_iou,
            result.seen ? "seen" : "not seen");
    ++*done;
  }
  if (*done) fputc('\n', stderr);
  if (!stop && got) fprintf(stderr, "%s: its last frame is cut short, and left out\n", clip->path);
  if (!stop && !*done) fprintf(stderr, "%s: no frame can be read\n", clip->path);
  return stop || *done;
}

static int track(const clip *clip, float x, float y, const char *path) {
  const size_t pixels = (size_t)clip->width * clip->height;
  unsigned char *rgb = malloc(pixels * 3), *mask = malloc(pixels);
  child reader = {0, NULL}, writer = {0, NULL};
  rotomask_model *model = NULL;
  rotomask_session *session = NULL;
  uint64_t done = 0;
  int worked;

  worked = rgb && mask && ok(rotomask_model_open(NULL, NULL, &model)) &&
           ok(rotomask_session_open(model, clip->width, clip->height, &session)) &&
           ok(rotomask_session_click(session, OBJECT, 0, x, y, 1)) && start_reading(&reader, clip) &&
           follow(session, clip, path, &reader, &writer, rgb, mask, &done);

  /* A reader that was left in the middle says that its pipe broke. */
  if (!finish(&reader) && worked && !stop) {
    fprintf(stderr, "%s: ffmpeg failed\n", clip->path);
    worked = 0;
  }
  if (!finish(&writer)) {
    fprintf(stderr, "%s: it can't be written\n", path);
    worked = 0;
  }
  if (done) fprintf(stderr, "%lu masks in %s%s\n", (unsigned long)done, path, stop ? ", stopped" : "");
  rotomask_session_close(session);
  rotomask_model_close(model);
  free(mask);
  free(rgb);
  return !worked ? 1 : stop ? INTERRUPTED : 0;
}

int main(int argc, char **argv) {
  struct sigaction interrupt;
  clip clip = {NULL, 0, 0, ""};
  if (argc != 5) {
    fprintf(stderr, "usage: %s CLIP X Y MASKS\n", argc > 0 ? argv[0] : "track");
    return 2;
  }
  memset(&interrupt, 0, sizeof interrupt);
  interrupt.sa_handler = on_interrupt;
  interrupt.sa_flags = SA_RESTART; /* a frame that is being read is read to its end */
  sigaction(SIGINT, &interrupt, NULL);
  sigaction(SIGTERM, &interrupt, NULL);
  signal(SIGPIPE, SIG_IGN); /* an encoder that ends is told by fwrite */
  clip.path = argv[1];
  if (!probe(&clip)) return 1;
  return track(&clip, (float)atof(argv[2]), (float)atof(argv[3]), argv[4]);
}
