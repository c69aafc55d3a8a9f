/* The functions of OpenFX that take variable arguments: they collect these and hand them to Rust. */
#include <stdarg.h>
#include <stdio.h>

/* How many values a parameter has, at most 4, and what they are: 'i', 'd', 's', or 0 for no parameter. */
extern int ofx_host_param_shape(void *param, int *count);
extern int ofx_host_param_get(void *param, int timed, double time, void **values);
extern int ofx_host_param_set(void *param, const int *ints, const double *doubles, const char *text);
extern int ofx_host_message(void *effect, const char *type, const char *id, const char *text, int stays);

enum { BAD_HANDLE = 9, UNSUPPORTED = 5, MOST = 4 };

static int get(void *param, int timed, double time, va_list arguments) {
  void *values[MOST] = {0};
  int count = 0;
  if (!ofx_host_param_shape(param, &count)) return BAD_HANDLE;
  for (int i = 0; i < count && i < MOST; i++) values[i] = va_arg(arguments, void *);
  return ofx_host_param_get(param, timed, time, values);
}

static int set(void *param, va_list arguments) {
  int ints[MOST] = {0}, count = 0;
  double doubles[MOST] = {0};
  const char *text = NULL;
  int kind = ofx_host_param_shape(param, &count);
  if (!kind) return BAD_HANDLE;
  for (int i = 0; i < count && i < MOST; i++) {
    if (kind == 'i') ints[i] = va_arg(arguments, int);
    if (kind == 'd') doubles[i] = va_arg(arguments, double);
    if (kind == 's') text = va_arg(arguments, const char *);
  }
  return ofx_host_param_set(param, ints, doubles, text);
}

int ofx_host_paramGetValue(void *param, ...) {
  va_list arguments;
  va_start(arguments, param);
  int status = get(param, 0, 0.0, arguments);
  va_end(arguments);
  return status;
}

int ofx_host_paramGetValueAtTime(void *param, double time, ...) {
  va_list arguments;
  va_start(arguments, time);
  int status = get(param, 1, time, arguments);
  va_end(arguments);
  return status;
}

int ofx_host_paramSetValue(void *param, ...) {
  va_list arguments;
  va_start(arguments, param);
  int status = set(param, arguments);
  va_end(arguments);
  return status;
}

int ofx_host_paramSetValueAtTime(void *param, double time, ...) {
  va_list arguments;
  va_start(arguments, time);
  int status = set(param, arguments);
  va_end(arguments);
  return status;
}

int ofx_host_paramGetDerivative(void *param, double time, ...) {
  (void)param, (void)time;
  return UNSUPPORTED;
}

int ofx_host_paramGetIntegral(void *param, double from, double to, ...) {
  (void)param, (void)from, (void)to;
  return UNSUPPORTED;
}

static int message(void *effect, const char *type, const char *id, const char *format, va_list arguments, int stays) {
  char text[4096];
  vsnprintf(text, sizeof text, format ? format : "", arguments);
  return ofx_host_message(effect, type, id, text, stays);
}

int ofx_host_message_v(void *effect, const char *type, const char *id, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int status = message(effect, type, id, format, arguments, 0);
  va_end(arguments);
  return status;
}

int ofx_host_message_stays(void *effect, const char *type, const char *id, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int status = message(effect, type, id, format, arguments, 1);
  va_end(arguments);
  return status;
}
