/* Cuts one thing out of one picture: click on it, get a mask.
 *
 *   cc -std=c99 -I include host-examples/c/segment.c -L target/release -lrotomask -o segment
 *   LD_LIBRARY_PATH=target/release ./segment picture.ppm X Y mask.pgm
 *
 * The picture is a binary PPM (P6, 8 bits), X and Y are pixels from its top left corner, and the mask is a binary PGM
 * of the same size, 255 where the thing is and 0 elsewhere.
 */
#include <rotomask.h>

#include <stdio.h>
#include <stdlib.h>

#define MAX_SIDE 16384
#define OBJECT 1
#define FRAME 0

typedef struct picture {
  uint32_t width, height;
  unsigned char *rgb; /* width * height * 3 bytes; ours to free */
} picture;

/* A number of a PPM's head; comments run from # to the end of the line. 0 where there is none. */
static uint32_t read_number(FILE *file) {
  uint32_t number = 0;
  int c = getc(file);
  while (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#') {
    if (c == '#') {
      while (c != '\n' && c != EOF) c = getc(file);
    } else {
      c = getc(file);
    }
  }
  for (; c >= '0' && c <= '9' && number < 100000; c = getc(file)) number = number * 10 + (uint32_t)(c - '0');
  return number; /* one character after the number is read, as the format wants after the last */
}

/* Non-zero if it was read; otherwise the reason was printed, and nothing is left to free. */
static int read_ppm(const char *path, picture *picture) {
  FILE *file = fopen(path, "rb");
  size_t size;
  int whole;
  if (!file) {
    fprintf(stderr, "%s: it can't be opened\n", path);
    return 0;
  }
  if (getc(file) != 'P' || getc(file) != '6') {
    fprintf(stderr, "%s: it is no binary PPM, expected P6 at its beginning\n", path);
    fclose(file);
    return 0;
  }
  picture->width = read_number(file);
  picture->height = read_number(file);
  if (read_number(file) != 255 || !picture->width || !picture->height || picture->width > MAX_SIDE ||
      picture->height > MAX_SIDE) {
    fprintf(stderr, "%s: expected sides from 1 to %d pixels and values up to 255\n", path, MAX_SIDE);
    fclose(file);
    return 0;
  }
  size = (size_t)picture->width * picture->height * 3;
  picture->rgb = malloc(size);
  whole = picture->rgb && fread(picture->rgb, 1, size, file) == size;
  fclose(file);
  if (!whole) {
    fprintf(stderr, "%s: expected %lu bytes of pixels\n", path, (unsigned long)size);
    free(picture->rgb);
  }
  return whole;
}

/* Non-zero if it was written. */
static int write_pgm(const char *path, const unsigned char *mask, uint32_t width, uint32_t height) {
  size_t size = (size_t)width * height;
  FILE *file = fopen(path, "wb");
  int whole = file && fprintf(file, "P5\n%lu %lu\n255\n", (unsigned long)width, (unsigned long)height) > 0 &&
              fwrite(mask, 1, size, file) == size;
  if (file && fclose(file) != 0) whole = 0; /* the disk may be full only now */
  if (!whole) fprintf(stderr, "%s: it can't be written\n", path);
  return whole;
}

/* Every call answers with a status; what went wrong is asked for on the same thread. */
static int ok(rotomask_status status) {
  if (status != ROTOMASK_OK) fprintf(stderr, "rotomask: %s\n", rotomask_last_error());
  return status == ROTOMASK_OK;
}

/* Fills mask, width * height bytes. Non-zero on success. */
static int segment(const picture *picture, float x, float y, unsigned char *mask) {
  rotomask_model *model = NULL;
  rotomask_session *session = NULL;
  rotomask_model_options options;
  rotomask_frame frame = {0};
  rotomask_canvas canvas = {0};
  rotomask_result result = {0};
  int done;

  frame.struct_size = sizeof frame;
  frame.format = ROTOMASK_FORMAT_RGB8;
  frame.width_px = picture->width;
  frame.height_px = picture->height;
  frame.stride_bytes = (int64_t)picture->width * 3;
  frame.pixels = picture->rgb;

  canvas.struct_size = sizeof canvas;
  canvas.format = ROTOMASK_FORMAT_GRAY8;
  canvas.width_px = picture->width;
  canvas.height_px = picture->height;
  canvas.stride_bytes = picture->width;
  canvas.pixels = mask;

  result.struct_size = sizeof result;
  rotomask_model_options_init(&options, sizeof options);

  /* No path: the model that is built into the library. Prompts come before the frame they are about. */
  done = ok(rotomask_model_open(NULL, &options, &model)) &&
         ok(rotomask_session_open(model, picture->width, picture->height, &session)) &&
         ok(rotomask_session_click(session, OBJECT, FRAME, x, y, 1)) &&
         ok(rotomask_session_push(session, FRAME, &frame)) &&
         ok(rotomask_session_result(session, OBJECT, &result)) &&
         ok(rotomask_session_binary(session, OBJECT, &canvas));
  if (done) printf("predicted IoU %.3f, object score %.2f\n", result.predicted_iou, result.object_score);

  /* Null is fine for both, and a session is closed before its model. */
  rotomask_session_close(session);
  rotomask_model_close(model);
  return done;
}

int main(int argc, char **argv) {
  picture picture = {0, 0, NULL};
  unsigned char *mask;
  int done;
  if (argc != 5) {
    fprintf(stderr, "usage: %s PICTURE.ppm X Y MASK.pgm\n", argc > 0 ? argv[0] : "segment");
    return 2;
  }
  if (rotomask_abi_version() != ROTOMASK_ABI_VERSION) {
    fprintf(stderr, "rotomask: the library's ABI is %u, expected %d\n", (unsigned)rotomask_abi_version(),
            ROTOMASK_ABI_VERSION);
    return 1;
  }
  if (!read_ppm(argv[1], &picture)) return 1;
  mask = malloc((size_t)picture.width * picture.height);
  done = mask && segment(&picture, (float)atof(argv[2]), (float)atof(argv[3]), mask) &&
         write_pgm(argv[4], mask, picture.width, picture.height);
  free(mask);
  free(picture.rgb);
  return done ? 0 : 1;
}
