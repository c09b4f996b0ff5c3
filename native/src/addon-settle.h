#ifndef DOCKET_ADDON_SETTLE_H
#define DOCKET_ADDON_SETTLE_H

/*
 * From a worker back to JavaScript. To wake its thread costs more than to settle a promise, so that
 * jobs that are done while others wait for a worker are told together.
 */
#include "addon-job.h"

/* On the environment's thread, before the job is given to the pool. */
void settling_queue(struct settling *settling);
/* By the worker that takes the job. */
void settling_begin(struct settling *settling);
/* By the worker, last: the job may be gone when this returns. */
void settling_done(struct job *job);
/* When no worker is left. */
void settling_flush(struct addon *addon);

/* On the environment's thread; `env` is NULL when the environment ends before the job could be
 * told. Frees the job. */
void settle_job(napi_env env, struct job *job);
/* The same for a list: what the thread-safe function calls. */
void settle_jobs(napi_env env, napi_value callback, void *context, void *data);

#endif
