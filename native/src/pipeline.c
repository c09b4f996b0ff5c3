/*
 * INVARIANTS: `mutex` guards all of `work` but the bytes that a claimed step works on. A helper is
 * `active` from the moment it is queued until it has left; the pipeline stays until then.
 */
#include "pipeline.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* More than this many threads find nothing to do on one clip. */
enum { HELPER_COUNT = 3 };

struct helper {
  struct task task;
  struct pipeline *pipeline;
  bool active;
};

struct pipeline {
  struct work work;
  struct pool *pool;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct helper helpers[HELPER_COUNT];
  size_t helpers_active;
  size_t helpers_queued;
  size_t running;
  bool caller_waits;
  bool wipe_wanted;
  bool free_wanted;
  int failure;
  atomic_bool cancelled;
};

static void assist(struct task *task);
static void leave_unrun(struct task *task);

static void destroy(struct pipeline *pipeline) {
  work_wipe(&pipeline->work);
  (void)pthread_cond_destroy(&pipeline->changed);
  (void)pthread_mutex_destroy(&pipeline->mutex);
  free(pipeline);
}

struct pipeline *pipeline_new(const struct suite *suite, struct pool *pool) {
  struct pipeline *pipeline = calloc(1, sizeof *pipeline);
  if (pipeline == NULL)
    return NULL;
  pipeline->pool = pool;
  atomic_init(&pipeline->cancelled, false);
  for (size_t i = 0; i < HELPER_COUNT; i++) {
    pipeline->helpers[i].pipeline = pipeline;
    pipeline->helpers[i].task.run = assist;
    pipeline->helpers[i].task.drop = leave_unrun;
  }
  if (pthread_mutex_init(&pipeline->mutex, NULL) != 0) {
    free(pipeline);
    return NULL;
  }
  if (pthread_cond_init(&pipeline->changed, NULL) != 0) {
    (void)pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline);
    return NULL;
  }
  if (work_start_clip(&pipeline->work, suite) == 0)
    return pipeline;
  destroy(pipeline);
  return NULL;
}

static void lock(struct pipeline *pipeline) {
  (void)pthread_mutex_lock(&pipeline->mutex);
}

static void unlock(struct pipeline *pipeline) {
  (void)pthread_mutex_unlock(&pipeline->mutex);
}

/* Why no step may begin, or 0. */
static int stopped(const struct pipeline *pipeline) {
  if (pipeline->failure != 0)
    return pipeline->failure;
  return atomic_load(&pipeline->cancelled) ? DOCKET_ERR_CANCELLED : 0;
}

/* One helper more when there is a step for it. It asks for the next one itself. */
static void ask_help(struct pipeline *pipeline) {
  struct step step;
  if (pipeline->helpers_queued > 0 || !work_choose(&pipeline->work, &step))
    return;
  for (size_t i = 0; i < HELPER_COUNT; i++) {
    struct helper *helper = &pipeline->helpers[i];
    if (helper->active)
      continue;
    helper->active = pool_submit_spare(pipeline->pool, &helper->task) == 0;
    pipeline->helpers_active += helper->active ? 1 : 0;
    pipeline->helpers_queued += helper->active ? 1 : 0;
    return;
  }
}

/* Takes one step, without the lock while it runs. False when there is none for this thread. */
static bool advance(struct pipeline *pipeline) {
  struct step step;
  if (stopped(pipeline) != 0)
    return false;
  const int planned = work_plan(&pipeline->work);
  if (planned != 0)
    pipeline->failure = planned;
  if (planned != 0 || !work_choose(&pipeline->work, &step))
    return false;
  work_claim(&pipeline->work, &step);
  pipeline->running++;
  ask_help(pipeline);
  unlock(pipeline);
  const int result = work_execute(&pipeline->work, &step);
  lock(pipeline);
  work_complete(&pipeline->work, &step);
  pipeline->running--;
  if (result != 0 && pipeline->failure == 0)
    pipeline->failure = result;
  if (pipeline->caller_waits)
    (void)pthread_cond_signal(&pipeline->changed);
  return true;
}

static void leave(struct helper *helper) {
  struct pipeline *pipeline = helper->pipeline;
  helper->active = false;
  pipeline->helpers_active--;
  const bool is_last = pipeline->helpers_active == 0;
  const bool free_now = is_last && pipeline->free_wanted;
  if (is_last && pipeline->wipe_wanted)
    work_wipe(&pipeline->work);
  unlock(pipeline);
  if (free_now)
    destroy(pipeline);
}

static void assist(struct task *task) {
  struct helper *helper = (struct helper *)task;
  lock(helper->pipeline);
  helper->pipeline->helpers_queued--;
  while (advance(helper->pipeline)) {
  }
  leave(helper);
}

static void leave_unrun(struct task *task) {
  struct helper *helper = (struct helper *)task;
  lock(helper->pipeline);
  helper->pipeline->helpers_queued--;
  leave(helper);
}

static void wait_for_step(struct pipeline *pipeline) {
  assert(pipeline->running > 0);
  pipeline->caller_waits = true;
  (void)pthread_cond_wait(&pipeline->changed, &pipeline->mutex);
  pipeline->caller_waits = false;
}

/* Takes steps until the input is taken, and until it is written too when `through`. */
static int run(struct pipeline *pipeline, bool through) {
  struct work *work = &pipeline->work;
  int result = 0;
  for (;;) {
    result = stopped(pipeline);
    if (result != 0 && pipeline->running == 0)
      return result;
    if (result == 0 && work_is_taken(work) && (!through || work_is_written(work)))
      return 0;
    if (!advance(pipeline) && pipeline->running > 0)
      wait_for_step(pipeline);
  }
}

int pipeline_import(struct pipeline *pipeline, const struct midstate *midstate) {
  return digest_import(&pipeline->work.clip_digest, midstate);
}

int pipeline_export(const struct pipeline *pipeline, struct midstate *midstate) {
  return digest_export(&pipeline->work.clip_digest, midstate);
}

int pipeline_begin(struct pipeline *pipeline, int fd, struct span prefix, const uint8_t *key) {
  lock(pipeline);
  int result = work_start_segment(&pipeline->work, fd, prefix, key);
  if (result != 0 && pipeline->failure == 0)
    pipeline->failure = result;
  unlock(pipeline);
  return result;
}

int pipeline_push(struct pipeline *pipeline, struct span first, struct span second) {
  lock(pipeline);
  work_give(&pipeline->work, first, second, false);
  const int result = run(pipeline, false);
  if (result == 0)
    ask_help(pipeline);
  unlock(pipeline);
  return result;
}

/* Everything is written, so that no helper has a step and the lock is not needed. */
static int finish_file(struct work *work, struct segment_result *result) {
  for (size_t i = 0; i < CIPHER_COUNT; i++)
    stream_close(&work->ciphers[i]);
  const int failure = sink_finish(&work->sink, work->file_bytes);
  sink_close(&work->sink);
  result->file_bytes = work->file_bytes;
  return failure != 0 ? failure : digest_final(&work->file_digest, result->file_sha256);
}

int pipeline_end(struct pipeline *pipeline, struct span last, struct segment_result *result) {
  lock(pipeline);
  work_give(&pipeline->work, last, (struct span){NULL, 0}, true);
  int failure = run(pipeline, true);
  unlock(pipeline);
  if (failure == 0)
    failure = finish_file(&pipeline->work, result);
  if (failure != 0) {
    lock(pipeline);
    pipeline->failure = failure;
    unlock(pipeline);
  }
  return failure;
}

int pipeline_finish(struct pipeline *pipeline, uint8_t sha256[DOCKET_SHA256_BYTES]) {
  return digest_final(&pipeline->work.clip_digest, sha256);
}

void pipeline_cancel(struct pipeline *pipeline) {
  atomic_store(&pipeline->cancelled, true);
}

void pipeline_wipe(struct pipeline *pipeline) {
  pipeline_cancel(pipeline);
  lock(pipeline);
  if (pipeline->helpers_active == 0)
    work_wipe(&pipeline->work);
  else
    pipeline->wipe_wanted = true;
  unlock(pipeline);
}

void pipeline_free(struct pipeline *pipeline) {
  if (pipeline == NULL)
    return;
  pipeline_cancel(pipeline);
  lock(pipeline);
  pipeline->free_wanted = true;
  const bool free_now = pipeline->helpers_active == 0;
  unlock(pipeline);
  if (free_now)
    destroy(pipeline);
}
