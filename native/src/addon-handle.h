#ifndef DOCKET_ADDON_HANDLE_H
#define DOCKET_ADDON_HANDLE_H

/* The objects that JavaScript holds: one sealing or one opening each. */
#include "addon-job.h"

extern const napi_type_tag SEALING_TAG;

/* Has neither yet; NULL when memory is short. */
struct handle *handle_new(struct addon *addon);
/* Takes the handle. Throws when it holds neither a sealing nor an opening. */
napi_value handle_wrap(napi_env env, struct handle *handle, const napi_type_tag *tag);
/* NULL when the value is not a handle with this tag. */
struct handle *handle_get(napi_env env, napi_value value, const napi_type_tag *tag);
/* Throws and returns NULL when it is not, or when a job runs on it. */
struct handle *handle_get_idle(napi_env env, napi_value value, const napi_type_tag *tag);

#endif
