/* Every function with every pointer null: an answer, never a crash. Also what a struct of the wrong size gets. */

#include <rotomask.h>
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

int main(void) {
  rotomask_session *session = NULL;
  rotomask_matte *matte = NULL;
  rotomask_image *image = NULL;
  rotomask_automatic *masks = NULL;
  rotomask_automatic_options automatic_options;
  rotomask_object_options object_options;
  rotomask_image_options image_options;
  rotomask_image_prompts image_prompts;
  rotomask_matte_options options;
  rotomask_model_options model_options;
  rotomask_model *model = (rotomask_model *)&model;
  size_t size = 0;

  if (rotomask_abi_version() != ROTOMASK_ABI_VERSION) failures++;
  if (strchr(rotomask_version(), '.') == NULL) failures++;

  rotomask_model_options_init(NULL);
  rotomask_matte_options_init(NULL);
  rotomask_session_options_init(NULL);
  rotomask_track_request_init(NULL);
  rotomask_image_options_init(NULL);
  rotomask_image_prompts_init(NULL);
  rotomask_automatic_options_init(NULL);
  rotomask_object_options_init(NULL);
  rotomask_model_close(NULL);
  rotomask_session_close(NULL);
  rotomask_image_close(NULL);
  rotomask_automatic_close(NULL);
  rotomask_session_file_close(NULL);
  rotomask_matte_close(NULL);

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
  if (image != NULL || masks != NULL) failures++;
  rotomask_image_options_init(&image_options);
  rotomask_image_prompts_init(&image_prompts);
  rotomask_automatic_options_init(&automatic_options);
  rotomask_object_options_init(&object_options);
  if (image_options.struct_size != sizeof image_options || image_prompts.multimask_output != 1) failures++;
  if (automatic_options.points_per_side != 32 || object_options.struct_size != sizeof object_options) failures++;
  NULLS(rotomask_session_file_open(NULL, NULL));
  NULLS(rotomask_session_file_describe(NULL, NULL, &size));
  NULLS(rotomask_session_file_check(NULL, NULL, &size));
  NULLS(rotomask_session_file_binary(NULL, 1, 0, NULL));
  NULLS(rotomask_session_file_salvage(NULL, NULL, NULL));
  NULLS(rotomask_matte_open(ROTOMASK_GPU_OFF, NULL));
  NULLS(rotomask_matte_describe(NULL, NULL, &size));
  NULLS(rotomask_matte_render(NULL, NULL, NULL, NULL, NULL, NULL));
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
  expect("gpu", rotomask_matte_open(99, &matte), ROTOMASK_ERROR_ARGUMENT);
  expect("matte", rotomask_matte_open(ROTOMASK_GPU_OFF, &matte), ROTOMASK_OK);
  expect("describe", rotomask_matte_describe(matte, NULL, &size), ROTOMASK_OK);
  if (size < 2) failures++;
  {
    char small[1];
    size_t room = sizeof small;
    expect("small", rotomask_matte_describe(matte, small, &room), ROTOMASK_ERROR_BUFFER);
    if (room != size) failures++;
  }
  {
    uint8_t pixel[4] = {9, 9, 9, 9}, out[4] = {7, 7, 7, 7};
    float logit = 1;
    rotomask_frame plate = {sizeof plate, ROTOMASK_FORMAT_RGBA8, 1, 1, 4, pixel};
    rotomask_frame logits = {sizeof logits, ROTOMASK_FORMAT_GRAY_F32, 1, 1, 4, &logit};
    rotomask_canvas result = {sizeof result, ROTOMASK_FORMAT_RGBA8, 1, 1, 4, out};
    rotomask_matte_options_init(&options);
    expect("render", rotomask_matte_render(matte, &plate, &logits, NULL, &options, &result), ROTOMASK_OK);
    options.struct_size -= 1;
    out[0] = 7;
    expect("sized", rotomask_matte_render(matte, &plate, &logits, NULL, &options, &result), ROTOMASK_ERROR_ARGUMENT);
    options.struct_size += 1;
    options.feather_px = -1;
    expect("feather", rotomask_matte_render(matte, &plate, &logits, NULL, &options, &result), ROTOMASK_ERROR_ARGUMENT);
    options.feather_px = 0;
    plate.stride_bytes = INT64_MIN;
    plate.height_px = 2;
    expect("stride", rotomask_matte_render(matte, &plate, &logits, NULL, &options, &result), ROTOMASK_ERROR_FRAME);
    plate.height_px = 0;
    expect("height", rotomask_matte_render(matte, &plate, &logits, NULL, &options, &result), ROTOMASK_ERROR_FRAME);
    if (out[0] != 7) failures++;
  }
  rotomask_matte_close(matte);

  rotomask_model_options_init(&model_options);
  model_options.struct_size = 0;
  expect("model", rotomask_model_open(NULL, &model_options, &model), ROTOMASK_ERROR_ARGUMENT);
  if (model != (rotomask_model *)&model) failures++;
  return failures;
}
