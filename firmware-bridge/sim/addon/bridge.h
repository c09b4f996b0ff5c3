/* The camera thread's way to JavaScript: events are queued, questions wait for their answer. */
#ifndef FWB_SIM_BRIDGE_H
#define FWB_SIM_BRIDGE_H

#include <node_api.h>

#include "sim.h"

/* NULL without memory. */
void *bridge_new(void);
void bridge_free(void *bridge);
/* `finalize` runs on the JavaScript thread when the camera thread let go, or the environment goes
 * down. */
napi_status bridge_begin(napi_env env, sim *sim, napi_value on_event, napi_finalize finalize);
/* No question is answered any more. */
void bridge_shut(sim *sim);
/* The camera thread's last call. */
void bridge_release(sim *sim);

#endif
