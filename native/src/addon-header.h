#ifndef DOCKET_ADDON_HEADER_H
#define DOCKET_ADDON_HEADER_H

#include <node_api.h>

/* sealHeader(points): {prefix, payloadKey}. `points` is 32 bytes for each recipient. */
napi_value seal_header(napi_env env, napi_callback_info info);

#endif
