#ifndef DOCKET_ADDON_MIDSTATE_H
#define DOCKET_ADDON_MIDSTATE_H

/* Where the digest of a clip stands between two segments, out of one sealing and into another. */
#include <node_api.h>

/* Both need a sealing on which no job runs; they throw like every export. */
napi_value export_midstate(napi_env env, napi_callback_info info);
napi_value import_midstate(napi_env env, napi_callback_info info);

#endif
