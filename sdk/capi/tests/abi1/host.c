/* A host as it was built when ABI 1 was new: with the first header, which lies beside it, and never changed since. */

#include "rotomask.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 97
#define HEIGHT 61

static uint8_t pixels[HEIGHT][WIDTH][4], mask[HEIGHT][WIDTH], matte_pixels[HEIGHT][WIDTH];

static int fail(const char *what) {
  printf("%s: %s\n", what, rotomask_last_error());
  return 1;
}

static void draw(int shift) {
  int x, y;
  for (y = 0; y < HEIGHT; y++) {
    for (x = 0; x < WIDTH; x++) {
      int dx = x - 40 - shift, dy = y - 30, inside = dx * dx + dy * dy < 18 * 18;
      pixels[y][x][0] = inside ? 235 : 25;
      pixels[y][x][1] = inside ? 205 : 40;
      pixels[y][x][2] = inside ? 80 : 60;
      pixels[y][x][3] = 255;
    }
  }
}

static int32_t read_frame(void *user, uint64_t index, rotomask_frame *frame) {
  (void)user;
  if (index >= 4) return 1;
  draw((int)index * 2);
  frame->format = ROTOMASK_FORMAT_RGBA8;
  frame->width_px = WIDTH;
  frame->height_px = HEIGHT;
  frame->stride_bytes = 4 * WIDTH;
  frame->pixels = pixels;
  return 0;
}

int main(void) {
  /* Guards behind the structs: a library that knows more fields must not write past those known here. */
  struct {
    rotomask_model_options options;
    uint64_t guard;
  } model_options;
  struct {
    rotomask_session_options options;
    uint64_t guard;
  } session_options;
  rotomask_model *model = NULL;
  rotomask_session *session = NULL;
  rotomask_matte *matte = NULL;
  rotomask_matte_settings *settings = NULL;
  rotomask_matte_options matte_options;
  rotomask_track_request request;
  struct {
    rotomask_result result;
    uint64_t guard;
  } told;
  struct {
    rotomask_track_report report;
    uint64_t guard;
  } report;
  rotomask_stretch stretches[4];
  rotomask_layer layer;
  rotomask_matte_job job;
  rotomask_frame plate, coverage;
  rotomask_canvas canvas = {sizeof canvas, ROTOMASK_FORMAT_GRAY8, WIDTH, HEIGHT, WIDTH, mask};

  if (rotomask_abi_version() != ROTOMASK_ABI_VERSION) return fail("ABI");
  model_options.guard = session_options.guard = told.guard = report.guard = 0x5AFE5AFE5AFE5AFEu;
  rotomask_model_options_init(&model_options.options, sizeof model_options.options);
  model_options.options.threads = 1;
  if (rotomask_model_open(NULL, &model_options.options, &model)) return fail("model");
  rotomask_session_options_init(&session_options.options, sizeof session_options.options);
  session_options.options.keep = ROTOMASK_KEEP_TEMPORARY;
  session_options.options.units = ROTOMASK_UNITS_NORMALISED;
  if (rotomask_session_open_with(model, WIDTH, HEIGHT, &session_options.options, &session)) return fail("session");
  if (rotomask_session_click(session, 7, 0, 40.0f / WIDTH, 30.0f / HEIGHT, 1)) return fail("click");
  rotomask_track_request_init(&request, sizeof request);
  memset(&report.report, 0, sizeof report.report);
  report.report.struct_size = sizeof report.report;
  report.report.stretches = stretches;
  report.report.capacity = 4;
  if (rotomask_session_track(session, &request, read_frame, NULL, NULL, &report.report)) return fail("track");
  if (report.report.stopped != ROTOMASK_STOPPED_DONE || stretches[0].object != 7) return fail("report");
  told.result.struct_size = sizeof told.result;
  if (rotomask_session_result_at(session, 7, 3, &told.result)) return fail("result");
  if (rotomask_session_mask_at(session, 7, 3, ROTOMASK_MASK_COVERAGE, &canvas)) return fail("mask");

  rotomask_matte_options_init(&matte_options, sizeof matte_options);
  matte_options.gpu = ROTOMASK_GPU_OFF;
  if (rotomask_matte_open(&matte_options, &matte)) return fail("matte");
  if (rotomask_matte_settings_open("{\"rotomask_preset\": 1, \"view\": \"matte\"}", &settings)) return fail("settings");
  draw(6);
  memset(&plate, 0, sizeof plate);
  plate.struct_size = sizeof plate;
  plate.format = ROTOMASK_FORMAT_RGBA8;
  plate.width_px = WIDTH;
  plate.height_px = HEIGHT;
  plate.stride_bytes = 4 * WIDTH;
  plate.pixels = pixels;
  coverage = plate;
  coverage.format = ROTOMASK_FORMAT_GRAY8;
  coverage.stride_bytes = WIDTH;
  coverage.pixels = mask;
  rotomask_layer_init(&layer, sizeof layer);
  layer.kind = ROTOMASK_MASK_COVERAGE;
  layer.mask = &coverage;
  rotomask_matte_job_init(&job, sizeof job);
  job.settings = settings;
  job.plate = &plate;
  job.layers = &layer;
  job.layer_count = 1;
  canvas.pixels = matte_pixels;
  if (rotomask_matte_render(matte, &job, &canvas)) return fail("render");
  if (matte_pixels[30][46] < 200 || matte_pixels[5][5] > 50) return fail("the disc");
  if (model_options.guard != 0x5AFE5AFE5AFE5AFEu || session_options.guard != model_options.guard ||
      told.guard != model_options.guard || report.guard != model_options.guard) {
    return fail("a guard");
  }
  rotomask_matte_settings_close(settings);
  rotomask_matte_close(matte);
  rotomask_session_close(session);
  rotomask_model_close(model);
  printf("score %.2f\n", told.result.predicted_iou);
  return 0;
}
