#include "addon-handle.h"

#include <errno.h>
#include <stdlib.h>

const napi_type_tag SEALING_TAG = {0x646f636b65742d73, 0x65616c696e672d31};

enum { HANDLE_MEMORY_BYTES = 2500000 };

struct handle *handle_new(struct addon *addon) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL)
    return NULL;
  handle->addon = addon;
  addon->users++;
  return handle;
}

static void finalize_handle(napi_env env, void *data, void *hint) {
  struct handle *handle = data;
  int64_t total = 0;
  (void)hint;
  seal_free(handle->seal);
  opening_free(handle->opening);
  addon_release(handle->addon);
  free(handle);
  napi_adjust_external_memory(env, -HANDLE_MEMORY_BYTES, &total);
}

napi_value handle_wrap(napi_env env, struct handle *handle, const napi_type_tag *tag) {
  napi_value object = NULL;
  int64_t total = 0;
  napi_adjust_external_memory(env, HANDLE_MEMORY_BYTES, &total);
  napi_create_object(env, &object);
  if ((handle->seal == NULL && handle->opening == NULL) ||
      napi_type_tag_object(env, object, tag) != napi_ok ||
      napi_wrap(env, object, handle, finalize_handle, NULL, NULL) != napi_ok) {
    finalize_handle(env, handle, NULL);
    return throw_error(env, -ENOMEM);
  }
  return object;
}

struct handle *handle_get(napi_env env, napi_value value, const napi_type_tag *tag) {
  void *handle = NULL;
  bool ok = false;
  if (napi_check_object_type_tag(env, value, tag, &ok) != napi_ok || !ok ||
      napi_unwrap(env, value, &handle) != napi_ok)
    return NULL;
  return handle;
}

struct handle *handle_get_idle(napi_env env, napi_value value, const napi_type_tag *tag) {
  struct handle *handle = handle_get(env, value, tag);
  if (handle == NULL)
    throw_type(env, "first argument: not a handle of this kind");
  else if (handle->busy)
    throw_error(env, DOCKET_ERR_STATE);
  return handle == NULL || handle->busy ? NULL : handle;
}

void handle_cancel(struct handle *handle) {
  if (handle->seal != NULL)
    seal_cancel(handle->seal);
  if (handle->opening != NULL)
    opening_cancel(handle->opening);
}

void handle_wipe(struct handle *handle) {
  if (handle->seal != NULL)
    seal_wipe(handle->seal);
  if (handle->opening != NULL)
    opening_wipe(handle->opening);
}
