#include "addon-args.h"

#include "stream.h"

bool get_args(napi_env env, napi_callback_info info, size_t count, napi_value *args,
              struct addon **addon) {
  size_t got = count;
  void *data = NULL;
  if (napi_get_cb_info(env, info, &got, args, NULL, &data) != napi_ok || got < count)
    return false;
  *addon = data;
  return true;
}

bool get_payload(napi_env env, napi_value prefix, napi_value key, struct payload *payload) {
  size_t key_size = 0;
  if (!get_bytes(env, prefix, &payload->prefix, &payload->prefix_size) ||
      payload->prefix_size == 0 || payload->prefix_size > PREFIX_BYTES_MAX)
    throw_type(env, "prefix: not a Uint8Array of 1 to 65536 bytes");
  else if (!get_bytes(env, key, &payload->key, &key_size) || key_size != DOCKET_PAYLOAD_KEY_BYTES)
    throw_type(env, "key: not a Uint8Array of 32 bytes");
  else
    return true;
  return false;
}

bool is_nowhere(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_null;
}
