/* Reading JavaScript's values: false, NULL or the given default where one is not what it should be.
 */
#ifndef FWB_SIM_VALUES_H
#define FWB_SIM_VALUES_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

bool get_bytes(napi_env env, napi_value value, uint8_t *bytes, size_t capacity, size_t *length);
bool get_exactly(napi_env env, napi_value value, uint8_t *bytes, size_t length);
napi_value get(napi_env env, napi_value object, const char *name);
bool has(napi_env env, napi_value value);
bool get_flag(napi_env env, napi_value object, const char *name);
double get_number(napi_env env, napi_value object, const char *name, double otherwise);
/* SIM_NEVER when it is absent or no count. */
uint64_t get_count(napi_env env, napi_value object, const char *name);
/* NULL when it is not a string. The caller frees it. */
char *get_text(napi_env env, napi_value value, size_t *length);

#endif
