#ifndef DOCKET_ADDON_ARGS_H
#define DOCKET_ADDON_ARGS_H

/* What JavaScript gives. */
#include "addon-job.h"

struct payload {
  const uint8_t *prefix;
  size_t prefix_size;
  const uint8_t *key;
};

/* False when there are fewer than `count`. */
bool get_args(napi_env env, napi_callback_info info, size_t count, napi_value *args,
              struct addon **addon);
/* Throws and returns false when they are not what age needs. */
bool get_payload(napi_env env, napi_value prefix, napi_value key, struct payload *payload);
/* Null, which stands for no file. */
bool is_nowhere(napi_env env, napi_value value);

#endif
