#ifndef DOCKET_PIPELINE_H
#define DOCKET_PIPELINE_H

#include "pool.h"
#include "work.h"

/*
 * The steps of one clip on several threads. The thread that calls takes steps itself, and asks idle
 * threads of the pool to help; it waits only for steps that run, never for one that is queued, so
 * any number of pipelines share any number of threads. Calls one at a time, from any thread. The
 * first failure is final.
 */
struct pipeline;

/* The suite and the pool outlive it. NULL when memory is short. */
struct pipeline *pipeline_new(const struct suite *suite, struct pool *pool);

/* Before the first segment: the clip's digest goes on from there. */
int pipeline_import(struct pipeline *pipeline, const struct midstate *midstate);
/* Between two segments. */
int pipeline_export(const struct pipeline *pipeline, struct midstate *midstate);
/* Takes `fd`, also when it fails. */
int pipeline_begin(struct pipeline *pipeline, int fd, struct span prefix, const uint8_t *key);
/* Returns when the spans are hashed and sealed; writing goes on. Whole chunks only. */
int pipeline_push(struct pipeline *pipeline, struct span first, struct span second);
/* The last chunk. Written, fsynced and closed when it returns. */
int pipeline_end(struct pipeline *pipeline, struct span last, struct segment_result *result);
int pipeline_finish(struct pipeline *pipeline, uint8_t sha256[DOCKET_SHA256_BYTES]);

/* From any thread: the running call returns DOCKET_ERR_CANCELLED soon, and so does every later one.
 */
void pipeline_cancel(struct pipeline *pipeline);
/* Not while a call runs. Keys and buffers go now, or when the last helper has left. */
void pipeline_wipe(struct pipeline *pipeline);
void pipeline_free(struct pipeline *pipeline);

#endif
