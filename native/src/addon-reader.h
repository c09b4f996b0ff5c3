#ifndef DOCKET_ADDON_READER_H
#define DOCKET_ADDON_READER_H

/* The reader of a camera's line, as JavaScript sees it. */
#include <node_api.h>

napi_value open_reader(napi_env env, napi_callback_info info);
napi_value expect_data(napi_env env, napi_callback_info info);
napi_value forget_data(napi_env env, napi_callback_info info);
napi_value take_arrivals(napi_env env, napi_callback_info info);
napi_value close_reader(napi_env env, napi_callback_info info);

#endif
