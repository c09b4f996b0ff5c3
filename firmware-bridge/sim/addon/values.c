#include "values.h"

#include <stdlib.h>
#include <string.h>

#include "sim.h"

bool get_bytes(napi_env env, napi_value value, uint8_t *bytes, size_t capacity, size_t *length) {
  bool is_array = false;
  napi_typedarray_type type;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array) return false;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok)
    return false;
  if (type != napi_uint8_array || *length > capacity) return false;
  if (*length > 0) memcpy(bytes, data, *length);
  return true;
}

napi_value get(napi_env env, napi_value object, const char *name) {
  napi_value value = NULL;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return NULL;
  return value;
}

bool has(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  return value != NULL && napi_typeof(env, value, &type) == napi_ok && type != napi_undefined &&
         type != napi_null;
}

bool get_exactly(napi_env env, napi_value value, uint8_t *bytes, size_t length) {
  size_t found = 0;
  return get_bytes(env, value, bytes, length, &found) && found == length;
}

bool get_flag(napi_env env, napi_value object, const char *name) {
  bool flag = false;
  return napi_get_value_bool(env, get(env, object, name), &flag) == napi_ok && flag;
}

double get_number(napi_env env, napi_value object, const char *name, double otherwise) {
  double number = otherwise;
  return napi_get_value_double(env, get(env, object, name), &number) == napi_ok ? number
                                                                                : otherwise;
}

uint64_t get_count(napi_env env, napi_value object, const char *name) {
  const double number = get_number(env, object, name, -1);
  return number >= 0 && number <= 9007199254740991.0 ? (uint64_t)number : SIM_NEVER;
}

char *get_text(napi_env env, napi_value value, size_t *length) {
  if (value == NULL || napi_get_value_string_utf8(env, value, NULL, 0, length) != napi_ok)
    return NULL;
  char *text = malloc(*length + 1);
  if (text != NULL && napi_get_value_string_utf8(env, value, text, *length + 1, length) == napi_ok)
    return text;
  free(text);
  return NULL;
}
