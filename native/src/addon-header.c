#include "addon-header.h"

#include "addon-args.h"
#include "header.h"

#include <openssl/crypto.h>

static napi_value describe_header(napi_env env, const struct header *header) {
  napi_value object, prefix, key;
  napi_create_object(env, &object);
  napi_create_buffer_copy(env, header->size, header->bytes, NULL, &prefix);
  napi_create_buffer_copy(env, sizeof header->payload_key, header->payload_key, NULL, &key);
  napi_set_named_property(env, object, "prefix", prefix);
  napi_set_named_property(env, object, "payloadKey", key);
  return object;
}

napi_value seal_header(napi_env env, napi_callback_info info) {
  struct addon *addon;
  struct header header;
  napi_value args[1], object = NULL;
  const uint8_t *points;
  size_t size;
  if (!get_args(env, info, 1, args, &addon) || !get_bytes(env, args[0], &points, &size) ||
      size == 0 || size % HEADER_POINT_BYTES != 0 ||
      size > HEADER_RECIPIENTS_MAX * HEADER_POINT_BYTES)
    return throw_type(env, "points: not a Uint8Array of 32 bytes for each of 1 to 20 recipients");
  const int result = header_make(&header, &addon->suite, points, size / HEADER_POINT_BYTES);
  if (result == 0)
    object = describe_header(env, &header);
  OPENSSL_cleanse(header.payload_key, sizeof header.payload_key);
  return result == 0 ? object : throw_error(env, result);
}
