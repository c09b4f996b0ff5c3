#include "addon-midstate.h"

#include "addon-args.h"
#include "addon-handle.h"

#include <string.h>

/* Beyond it a size is no whole number in JavaScript. */
static const double SIZE_MAX_EXACT = 9007199254740991;

/* exportMidstate(sealing): {sizeBytes, words} */
napi_value export_midstate(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[1], object, size, words;
  struct midstate midstate;
  if (!get_args(env, info, 1, args, &addon))
    return throw_type(env, "exportMidstate needs one argument");
  struct handle *handle = handle_get_idle(env, args[0], &SEALING_TAG);
  if (handle == NULL)
    return NULL;
  const int result = seal_export(handle->seal, &midstate);
  if (result != 0)
    return throw_error(env, result);
  napi_create_object(env, &object);
  napi_create_double(env, (double)midstate.size, &size);
  napi_create_buffer_copy(env, sizeof midstate.words, midstate.words, NULL, &words);
  napi_set_named_property(env, object, "sizeBytes", size);
  napi_set_named_property(env, object, "words", words);
  return object;
}

/* importMidstate(sealing, sizeBytes, words): void */
napi_value import_midstate(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[3];
  const uint8_t *words;
  size_t word_bytes;
  double size;
  struct midstate midstate;
  if (!get_args(env, info, 3, args, &addon))
    return throw_type(env, "importMidstate needs three arguments");
  struct handle *handle = handle_get_idle(env, args[0], &SEALING_TAG);
  if (handle == NULL)
    return NULL;
  if (napi_get_value_double(env, args[1], &size) != napi_ok || !(size >= 0) ||
      size > SIZE_MAX_EXACT || size != (double)(uint64_t)size)
    return throw_type(env, "sizeBytes: not a whole number of bytes");
  if (!get_bytes(env, args[2], &words, &word_bytes) || word_bytes != sizeof midstate.words)
    return throw_type(env, "words: not a Uint8Array of 32 bytes");
  midstate.size = (uint64_t)size;
  memcpy(midstate.words, words, sizeof midstate.words);
  const int result = seal_import(handle->seal, &midstate);
  return result == 0 ? NULL : throw_error(env, result);
}
