/* Every function with every pointer null: an answer, never a crash. Also what a struct of the wrong size gets. */

#include <rotomask_draft.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(const char *call, rotomask_status found, rotomask_status want) {
  if (found != want) {
    printf("%s: %d, expected %d (%s)\n", call, (int)found, (int)want, rotomask_last_error());
    failures++;
  }
}

#define NULLS(call) expect(#call, call, ROTOMASK_ERROR_NULL)

/* Presets and parameters: what is none of them is refused, and nothing is changed. */
static void sweep_settings(rotomask_matte_settings **settings) {
  static const char *const presets[] = {
      "{", "[]", "{\"rotomask_preset\": 2}", "{\"growth_px\": 1}", "{\"grow_px\": 1e9}", "{\"grow_px\": {}}",
      "{\"grow_px\": {\"-1\": 2}}", "{\"view\": \"mate\"}", "{\"invert\": 1}", "{\"grow_px\": null}",
      "\xff\xfe",
  };
  static const char *const values[][2] = {
      {"grow_px", "NaN"},       {"grow_px", "inf"},      {"grow_px", "-65"}, {"grow_px", "1e30"},
      {"grow_px", ""},          {"feather_inner_px", "-0.1"}, {"view", "mate"},   {"invert", "maybe"},
      {"overlay_colour", "#1"}, {"overlay_colour", "2,0,0"}, {"growth_px", "1"}, {"", "1"},
  };
  char text[64];
  size_t size, i;
  for (i = 0; i < sizeof presets / sizeof *presets; i++) {
    expect(presets[i], rotomask_matte_settings_open(presets[i], settings), ROTOMASK_ERROR_ARGUMENT);
  }
  if (*settings != NULL) failures++;
  expect("settings", rotomask_matte_settings_open("{\"grow_px\": {\"10\": 1, \"20\": 3}}", settings), ROTOMASK_OK);
  for (i = 0; i < sizeof values / sizeof *values; i++) {
    expect(values[i][1], rotomask_matte_settings_set(*settings, values[i][0], values[i][1]), ROTOMASK_ERROR_ARGUMENT);
    expect(values[i][1], rotomask_matte_settings_set_at(*settings, 3, values[i][0], values[i][1]),
           ROTOMASK_ERROR_ARGUMENT);
  }
  NULLS(rotomask_matte_settings_set(*settings, NULL, "1"));
  NULLS(rotomask_matte_settings_set(*settings, "grow_px", NULL));
  size = sizeof text;
  expect("get", rotomask_matte_settings_get(*settings, 15, "grow_px", text, &size), ROTOMASK_OK);
  if (strcmp(text, "2") != 0) failures++;
  size = 1;
  expect("room", rotomask_matte_settings_get(*settings, 15, "grow_px", text, &size), ROTOMASK_ERROR_BUFFER);
  expect("id", rotomask_matte_settings_get(*settings, 0, "growth_px", NULL, &size), ROTOMASK_ERROR_ARGUMENT);
  expect("set", rotomask_matte_settings_set(*settings, "grow_px", "0"), ROTOMASK_OK);
  expect("preset", rotomask_matte_settings_preset(*settings, NULL, &size), ROTOMASK_OK);
  expect("table", rotomask_matte_parameters(NULL, &size), ROTOMASK_OK);
  if (size < 1000) failures++;
}

/* Options by name: what there is none of, and what one doesn't take, is refused and changes nothing. */
static void sweep_options(void) {
  static const char *const wrong[][2] = {
      {"threads", "-1"}, {"threads", ""},          {"gpu", ""},   {"deterministic", "maybe"}, {"keep", "file"},
      {"unknown", "1"},  {"session_units", "feet"}, {"device", "1.5"}, {"mask_threshold", "high"}, {"", ""},
  };
  rotomask_options *options = NULL;
  rotomask_matte *matte = NULL;
  char text[64];
  size_t size = sizeof text, i;
  NULLS(rotomask_options_open(NULL));
  expect("options", rotomask_options_open(&options), ROTOMASK_OK);
  for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    expect(wrong[i][1], rotomask_option_set(options, wrong[i][0], wrong[i][1]), ROTOMASK_ERROR_ARGUMENT);
  }
  NULLS(rotomask_option_set(options, NULL, "1"));
  NULLS(rotomask_option_set(options, "threads", NULL));
  NULLS(rotomask_option_get(options, NULL, text, &size));
  expect("unset", rotomask_option_get(options, "threads", text, &size), ROTOMASK_OK);
  if (strcmp(text, "0") != 0) failures++;
  expect("adapter", rotomask_option_set(options, "gpu", "no such adapter"), ROTOMASK_OK);
  expect("none", rotomask_matte_open_options(options, &matte), ROTOMASK_ERROR_DEVICE);
  if (matte != NULL) failures++;
  expect("set", rotomask_option_set(options, "gpu", "off"), ROTOMASK_OK);
  expect("open", rotomask_matte_open_options(options, &matte), ROTOMASK_OK);
  NULLS(rotomask_matte_open_options(options, NULL));
  NULLS(rotomask_session_open_options(NULL, 4, 4, options, NULL));
  NULLS(rotomask_image_open_options(NULL, options, NULL));
  NULLS(rotomask_model_open_options(NULL, options, NULL));
  NULLS(rotomask_matte_render(matte, NULL, NULL));
  size = sizeof text;
  expect("its error", rotomask_matte_last_error(matte, text, &size), ROTOMASK_OK);
  if (strcmp(text, "`job` is null") != 0) failures++;
  expect("table", rotomask_options_table(NULL, &size), ROTOMASK_OK);
  if (size < 1000) failures++;
  rotomask_matte_close(matte);
  rotomask_options_close(options);
}

/* Jobs that make no sense: an answer, and the result as it was. */
static void sweep_render(rotomask_matte *matte, const rotomask_matte_settings *settings) {
  uint8_t pixel[4] = {9, 9, 9, 9}, out[4] = {7, 7, 7, 7};
  float logit = 1, falling[2] = {1, 0};
  double nan = 0;
  rotomask_frame plate = {sizeof plate, ROTOMASK_FORMAT_RGBA8, 1, 1, 4, pixel};
  rotomask_frame logits = {sizeof logits, ROTOMASK_FORMAT_GRAY_F32, 1, 1, 4, &logit};
  rotomask_canvas result = {sizeof result, ROTOMASK_FORMAT_RGBA8, 1, 1, 4, out};
  rotomask_matte_job job, good;
  rotomask_layer layer, fine;
  rotomask_neighbour near[2];
  rotomask_window window;
  nan = nan / nan;
  rotomask_matte_job_init(&job, sizeof job);
  rotomask_layer_init(&layer, sizeof layer);
  rotomask_neighbour_init(&near[0], sizeof near[0]);
  rotomask_neighbour_init(&near[1], sizeof near[1]);
  rotomask_window_init(&window, sizeof window);
  if (job.struct_size != sizeof job || layer.struct_size != sizeof layer) failures++;
  if (near[0].struct_size != sizeof near[0] || window.struct_size != sizeof window) failures++;
  near[0].mask = near[1].mask = &logits;
  near[1].offset = 2;
  layer.mask = &logits;
  layer.neighbours = near;
  layer.neighbour_count = 2;
  job.plate = &plate;
  job.settings = settings;
  job.layers = &layer;
  job.layer_count = 1;
  job.window = &window;
  good = job;
  fine = layer;
  expect("render", rotomask_matte_render(matte, &job, &result), ROTOMASK_OK);
  if (out[0] == 7) failures++;
  memset(out, 7, sizeof out);
#define REFUSED(change, want) \
  change;                     \
  expect(#change, rotomask_matte_render(matte, &job, &result), want); \
  job = good;                 \
  layer = fine
  NULLS(rotomask_matte_render(matte, NULL, &result));
  NULLS(rotomask_matte_render(matte, &job, NULL));
  REFUSED(job.plate = NULL, ROTOMASK_ERROR_NULL);
  REFUSED(job.layers = NULL, ROTOMASK_ERROR_NULL);
  REFUSED(layer.mask = NULL, ROTOMASK_ERROR_NULL);
  REFUSED(layer.neighbours = NULL, ROTOMASK_ERROR_NULL);
  REFUSED(job.struct_size -= 1, ROTOMASK_ERROR_ARGUMENT);
  REFUSED(layer.struct_size = 0, ROTOMASK_ERROR_ARGUMENT);
  REFUSED(job.badge = 5, ROTOMASK_ERROR_ARGUMENT);
  REFUSED(layer.combine = 6, ROTOMASK_ERROR_ARGUMENT);
  REFUSED(layer.kind = 9, ROTOMASK_ERROR_ARGUMENT);
  REFUSED(job.layer_count = (size_t)-1, ROTOMASK_ERROR_ARGUMENT);
  REFUSED(layer.neighbour_count = 5, ROTOMASK_ERROR_ARGUMENT);
  REFUSED((job.curve = falling, job.curve_count = 65537), ROTOMASK_ERROR_ARGUMENT);
  REFUSED((job.curve = falling, job.curve_count = 2), ROTOMASK_ERROR_FRAME);
  REFUSED(job.scale_x = 0, ROTOMASK_ERROR_FRAME);
  REFUSED(job.scale_y = -1, ROTOMASK_ERROR_FRAME);
  REFUSED(job.scale_x = nan, ROTOMASK_ERROR_FRAME);
  REFUSED(job.scale_y = 1e300, ROTOMASK_ERROR_FRAME);
  near[1].offset = -1;
  expect("twice", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  near[1].offset = 0;
  expect("itself", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  near[1].offset = 3;
  expect("far", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  near[1].offset = 2;
  window.width_px = 0;
  expect("empty window", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  window.width_px = 0xffffffff;
  expect("wide window", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  window.width_px = 1;
  window.y_px = 0xffffffff;
  expect("window below", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  window.y_px = 0;
  logits.format = ROTOMASK_FORMAT_GRAY8;
  expect("logits", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  logits.format = ROTOMASK_FORMAT_GRAY_F32;
  result.width_px = 2;
  result.stride_bytes = 8;
  expect("result", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  result.width_px = 1;
  result.format = ROTOMASK_FORMAT_RGBA_F16;
  expect("depth", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  result.format = 17;
  expect("format", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  result.format = ROTOMASK_FORMAT_RGBA8;
  plate.stride_bytes = INT64_MIN;
  plate.height_px = 2;
  expect("stride", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  plate.stride_bytes = 3;
  expect("short stride", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  plate.height_px = 0;
  expect("height", rotomask_matte_render(matte, &job, &result), ROTOMASK_ERROR_FRAME);
  plate.height_px = 1;
  if (out[0] != 7 || out[3] != 7) failures++;
  expect("again", rotomask_matte_render(matte, &job, &result), ROTOMASK_OK);
}

static void sweep_kernels(void) {
  uint8_t head[4] = {0, 0, 0, 0};
  size_t size = 0, room = sizeof head;
  expect("kernels", rotomask_kernels(NULL, &size), ROTOMASK_OK);
  if (size < 1000) failures++;
  expect("kernel", rotomask_kernel_code("blurr", 0, ROTOMASK_LANGUAGE_MSL, NULL, &size), ROTOMASK_ERROR_ARGUMENT);
  expect("variant", rotomask_kernel_code("grow", 2, ROTOMASK_LANGUAGE_MSL, NULL, &size), ROTOMASK_ERROR_ARGUMENT);
  expect("language", rotomask_kernel_code("grow", 0, 5, NULL, &size), ROTOMASK_ERROR_ARGUMENT);
  expect("size", rotomask_kernel_code("grow", 1, ROTOMASK_LANGUAGE_SPIRV, NULL, &size), ROTOMASK_OK);
  expect("room", rotomask_kernel_code("grow", 1, ROTOMASK_LANGUAGE_SPIRV, head, &room), ROTOMASK_ERROR_BUFFER);
  if (room != size || head[0] != 0) failures++;
}

static void sweep_splines(void) {
  uint8_t black[15] = {0};
  rotomask_frame frame = {sizeof frame, ROTOMASK_FORMAT_GRAY8, 5, 3, 5, black};
  rotomask_spline_options options;
  rotomask_spline *spline = NULL;
  size_t size = 0, room = 1;
  char small[1];
  rotomask_spline_options_init(&options, sizeof options);
  options.tolerance_px = 0;
  expect("tolerance", rotomask_spline_open(5, 3, &options, &spline), ROTOMASK_ERROR_ARGUMENT);
  rotomask_spline_options_init(&options, sizeof options);
  options.struct_size -= 1;
  expect("options", rotomask_spline_open(5, 3, &options, &spline), ROTOMASK_ERROR_ARGUMENT);
  expect("no size", rotomask_spline_open(5, 0, NULL, &spline), ROTOMASK_ERROR_FRAME);
  if (spline != NULL) failures++;
  expect("spline", rotomask_spline_open(5, 3, NULL, &spline), ROTOMASK_OK);
  NULLS(rotomask_spline_add(spline, 0, NULL));
  expect("add", rotomask_spline_add(spline, 4, &frame), ROTOMASK_OK);
  expect("order", rotomask_spline_add(spline, 4, &frame), ROTOMASK_ERROR_STATE);
  frame.width_px = 4;
  expect("other size", rotomask_spline_add(spline, 5, &frame), ROTOMASK_ERROR_FRAME);
  expect("format", rotomask_spline_write(spline, 7, NULL, &size), ROTOMASK_ERROR_ARGUMENT);
  expect("size", rotomask_spline_write(spline, ROTOMASK_SPLINE_MLT, NULL, &size), ROTOMASK_OK);
  expect("room", rotomask_spline_write(spline, ROTOMASK_SPLINE_MLT, small, &room), ROTOMASK_ERROR_BUFFER);
  if (size < 100 || room != size) failures++;
  expect("describe", rotomask_spline_describe(spline, NULL, &size), ROTOMASK_OK);
  frame.width_px = 5;
  expect("too late", rotomask_spline_add(spline, 5, &frame), ROTOMASK_ERROR_STATE);
  NULLS(rotomask_spline_write(spline, ROTOMASK_SPLINE_MLT, NULL, NULL));
  rotomask_spline_close(spline);
}

int main(void) {
  rotomask_session *session = NULL;
  rotomask_matte *matte = NULL;
  rotomask_image *image = NULL;
  rotomask_automatic *masks = NULL;
  rotomask_automatic_options automatic_options;
  rotomask_object_options object_options;
  rotomask_image_options image_options;
  rotomask_image_prompts image_prompts;
  rotomask_matte_options matte_options;
  rotomask_matte_settings *settings = NULL;
  rotomask_model_options model_options;
  rotomask_model *model = (rotomask_model *)&model;
  size_t size = 0;

  if (rotomask_abi_version() != ROTOMASK_ABI_VERSION) failures++;
  if (strchr(rotomask_version(), '.') == NULL) failures++;

  rotomask_model_options_init(NULL, 64);
  rotomask_matte_options_init(NULL, 64);
  rotomask_matte_job_init(NULL, 64);
  rotomask_layer_init(NULL, 64);
  rotomask_neighbour_init(NULL, 64);
  rotomask_window_init(NULL, 64);
  rotomask_session_options_init(NULL, 64);
  rotomask_track_request_init(NULL, 64);
  rotomask_image_options_init(NULL, 64);
  rotomask_image_prompts_init(NULL, 64);
  rotomask_automatic_options_init(NULL, 64);
  rotomask_object_options_init(NULL, 64);
  rotomask_model_close(NULL);
  rotomask_session_close(NULL);
  rotomask_image_close(NULL);
  rotomask_automatic_close(NULL);
  rotomask_session_file_close(NULL);
  rotomask_matte_close(NULL);
  rotomask_matte_settings_close(NULL);
  rotomask_options_close(NULL);

  NULLS(rotomask_options_table(NULL, NULL));
  NULLS(rotomask_option_set(NULL, "threads", "1"));
  NULLS(rotomask_option_get(NULL, "threads", NULL, &size));
  NULLS(rotomask_model_open_options(NULL, NULL, &model));
  NULLS(rotomask_session_open_options(NULL, 4, 4, NULL, &session));
  NULLS(rotomask_image_open_options(NULL, NULL, &image));
  NULLS(rotomask_matte_open_options(NULL, &matte));
  NULLS(rotomask_session_last_error(NULL, NULL, &size));
  NULLS(rotomask_image_last_error(NULL, NULL, &size));
  NULLS(rotomask_matte_last_error(NULL, NULL, &size));
  NULLS(rotomask_session_rle_at(NULL, 1, 0, NULL, &size));
  NULLS(rotomask_info(NULL, NULL, NULL));
  NULLS(rotomask_model_open(NULL, NULL, NULL));
  NULLS(rotomask_model_describe(NULL, NULL, &size));
  NULLS(rotomask_session_open(NULL, 4, 4, &session));
  NULLS(rotomask_session_open_with(NULL, 4, 4, NULL, &session));
  NULLS(rotomask_session_set_progress(NULL, NULL, NULL));
  NULLS(rotomask_session_cancel(NULL));
  NULLS(rotomask_session_click(NULL, 1, 0, 0, 0, 1));
  NULLS(rotomask_session_box(NULL, 1, 0, 0, 0, 1, 1));
  NULLS(rotomask_session_mask(NULL, 1, 0, NULL));
  NULLS(rotomask_session_push(NULL, 0, NULL));
  NULLS(rotomask_session_push_toward(NULL, 0, ROTOMASK_REVERSE, NULL));
  NULLS(rotomask_session_refine(NULL));
  NULLS(rotomask_session_track(NULL, NULL, NULL, NULL, NULL, NULL));
  NULLS(rotomask_session_add_object(NULL, 1, "one"));
  NULLS(rotomask_session_rename_object(NULL, 1, "one"));
  NULLS(rotomask_session_remove_object(NULL, 1));
  NULLS(rotomask_session_clear_frame(NULL, 1, 0));
  NULLS(rotomask_session_clear_object(NULL, 1));
  NULLS(rotomask_session_reset(NULL));
  NULLS(rotomask_session_undo(NULL));
  NULLS(rotomask_session_redo(NULL));
  NULLS(rotomask_session_describe(NULL, NULL, &size));
  NULLS(rotomask_session_review(NULL, 1, NULL, &size));
  NULLS(rotomask_session_result_at(NULL, 1, 0, NULL));
  NULLS(rotomask_session_mask_at(NULL, 1, 0, ROTOMASK_MASK_BINARY, NULL));
  NULLS(rotomask_session_forget(NULL));
  NULLS(rotomask_session_result(NULL, 1, NULL));
  NULLS(rotomask_session_timings(NULL, NULL));
  NULLS(rotomask_session_logits(NULL, 1, NULL));
  NULLS(rotomask_session_coverage(NULL, 1, NULL));
  NULLS(rotomask_session_binary(NULL, 1, NULL));
  NULLS(rotomask_image_open(NULL, NULL, &image));
  NULLS(rotomask_image_cancel(NULL));
  NULLS(rotomask_image_set(NULL, NULL));
  NULLS(rotomask_image_predict(NULL, NULL, NULL));
  NULLS(rotomask_image_candidate(NULL, 0, NULL));
  NULLS(rotomask_image_logits(NULL, 0, NULL));
  NULLS(rotomask_image_coverage(NULL, 0, NULL));
  NULLS(rotomask_image_binary(NULL, 0, NULL));
  NULLS(rotomask_automatic_generate(NULL, NULL, NULL, NULL, NULL, &masks));
  NULLS(rotomask_automatic_objects(NULL, NULL, &masks));
  NULLS(rotomask_automatic_count(NULL, NULL));
  NULLS(rotomask_automatic_describe(NULL, 0, NULL));
  NULLS(rotomask_automatic_rle(NULL, 0, NULL, &size));
  NULLS(rotomask_automatic_run_lengths(NULL, 0, NULL, &size));
  NULLS(rotomask_automatic_binary(NULL, 0, NULL));
  NULLS(rotomask_session_add_automatic(NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, &size));
  if (image != NULL || masks != NULL) failures++;
  rotomask_image_options_init(&image_options, sizeof image_options);
  rotomask_image_prompts_init(&image_prompts, sizeof image_prompts);
  rotomask_automatic_options_init(&automatic_options, sizeof automatic_options);
  rotomask_object_options_init(&object_options, sizeof object_options);
  if (image_options.struct_size != sizeof image_options || image_prompts.multimask_output != 1) failures++;
  if (automatic_options.points_per_side != 32 || object_options.struct_size != sizeof object_options) failures++;
  NULLS(rotomask_session_file_open(NULL, NULL));
  NULLS(rotomask_session_file_describe(NULL, NULL, &size));
  NULLS(rotomask_session_file_check(NULL, NULL, &size));
  NULLS(rotomask_session_file_binary(NULL, 1, 0, NULL));
  NULLS(rotomask_session_file_result(NULL, 1, 0, NULL));
  NULLS(rotomask_session_file_mask(NULL, 1, 0, ROTOMASK_MASK_LOGITS, NULL));
  NULLS(rotomask_session_file_salvage(NULL, NULL, NULL));
  NULLS(rotomask_matte_open(NULL, NULL));
  NULLS(rotomask_matte_describe(NULL, NULL, &size));
  NULLS(rotomask_matte_render(NULL, NULL, NULL));
  NULLS(rotomask_matte_parameters(NULL, NULL));
  NULLS(rotomask_matte_settings_open(NULL, NULL));
  NULLS(rotomask_matte_settings_set(NULL, "grow_px", "1"));
  NULLS(rotomask_matte_settings_set_at(NULL, 0, "grow_px", "1"));
  NULLS(rotomask_matte_settings_get(NULL, 0, "grow_px", NULL, &size));
  NULLS(rotomask_matte_settings_preset(NULL, NULL, &size));
  rotomask_spline_options_init(NULL, 64);
  rotomask_spline_close(NULL);
  NULLS(rotomask_spline_open(4, 4, NULL, NULL));
  NULLS(rotomask_spline_add(NULL, 0, NULL));
  NULLS(rotomask_spline_describe(NULL, NULL, &size));
  NULLS(rotomask_spline_write(NULL, ROTOMASK_SPLINE_JSON, NULL, &size));
  sweep_splines();
  NULLS(rotomask_kernels(NULL, NULL));
  NULLS(rotomask_kernel_code(NULL, 0, ROTOMASK_LANGUAGE_MSL, NULL, &size));
  NULLS(rotomask_kernel_code("grow", 0, ROTOMASK_LANGUAGE_MSL, NULL, NULL));
  if (session != NULL) failures++;

  {
    rotomask_session_file *file = NULL;
    rotomask_salvaged salvaged = {sizeof salvaged - 1, 0, 0, 0, 0, 0, 0};
    expect("file", rotomask_session_file_open("none.rotosession", &file), ROTOMASK_ERROR_SESSION);
    expect("folder", rotomask_session_file_open(".", &file), ROTOMASK_ERROR_SESSION);
    expect("salvage", rotomask_session_file_salvage("none.rotosession", "new.rotosession", NULL), ROTOMASK_ERROR_SESSION);
    expect("salvaged", rotomask_session_file_salvage("none.rotosession", "new.rotosession", &salvaged),
           ROTOMASK_ERROR_ARGUMENT);
    if (file != NULL) failures++;
  }
  expect("log", rotomask_log_set(NULL, NULL, 9), ROTOMASK_ERROR_ARGUMENT);
  rotomask_matte_options_init(&matte_options, sizeof matte_options);
  matte_options.gpu = 99;
  expect("gpu", rotomask_matte_open(&matte_options, &matte), ROTOMASK_ERROR_ARGUMENT);
  matte_options.gpu = ROTOMASK_GPU_ADAPTER;
  NULLS(rotomask_matte_open(&matte_options, &matte));
  matte_options.gpu = ROTOMASK_GPU_OFF;
  matte_options.struct_size -= 1;
  expect("options", rotomask_matte_open(&matte_options, &matte), ROTOMASK_ERROR_ARGUMENT);
  matte_options.struct_size += 1;
  expect("matte", rotomask_matte_open(&matte_options, &matte), ROTOMASK_OK);
  expect("describe", rotomask_matte_describe(matte, NULL, &size), ROTOMASK_OK);
  if (size < 2) failures++;
  {
    char small[1];
    size_t room = sizeof small;
    expect("small", rotomask_matte_describe(matte, small, &room), ROTOMASK_ERROR_BUFFER);
    if (room != size) failures++;
  }
  sweep_options();
  sweep_settings(&settings);
  sweep_render(matte, settings);
  sweep_kernels();
  rotomask_matte_settings_close(settings);
  rotomask_matte_close(matte);

  rotomask_model_options_init(&model_options, sizeof model_options);
  model_options.struct_size = 0;
  expect("model", rotomask_model_open(NULL, &model_options, &model), ROTOMASK_ERROR_ARGUMENT);
  if (model != (rotomask_model *)&model) failures++;
  return failures;
}
