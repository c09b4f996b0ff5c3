/*
 * INVARIANTS: `mutex` guards the rest of struct settling. A job that is done and not yet told lies
 * in `done` only while another one waits for a worker, whose end tells both.
 */
#include "addon-settle.h"

/* So many are told together at most: nobody waits for long because others still work. */
enum { TOGETHER_MAX = 4 };

static napi_value make_result(napi_env env, const struct job *job) {
  const struct segment_result *result = &job->result;
  napi_value object, plain, file, sha256;
  if (!job->has_result) {
    napi_get_undefined(env, &object);
    return object;
  }
  napi_create_object(env, &object);
  napi_create_double(env, (double)result->plain_bytes, &plain);
  napi_create_double(env, (double)result->file_bytes, &file);
  napi_create_buffer_copy(env, DOCKET_SHA256_BYTES, result->file_sha256, NULL, &sha256);
  napi_set_named_property(env, object, "plainBytes", plain);
  napi_set_named_property(env, object, "fileBytes", file);
  napi_set_named_property(env, object, "sha256", sha256);
  return object;
}

static void unlink_job(struct job *job) {
  struct addon *addon = job->addon;
  if (job->previous != NULL)
    job->previous->next = job->next;
  else
    addon->jobs = job->next;
  if (job->next != NULL)
    job->next->previous = job->previous;
  addon->job_count--;
}

void settle_job(napi_env env, struct job *job) {
  if (env != NULL) {
    unlink_job(job);
    if (job->addon->job_count == 0)
      napi_unref_threadsafe_function(env, job->addon->settle);
    if (job->handle != NULL) {
      job->handle->busy = false;
      if (job->handle->aborted)
        handle_wipe(job->handle);
    }
    for (size_t i = 0; i < 2; i++)
      if (job->pins[i] != NULL)
        napi_delete_reference(env, job->pins[i]);
    if (job->error == 0)
      napi_resolve_deferred(env, job->deferred, make_result(env, job));
    else
      napi_reject_deferred(env, job->deferred, make_error(env, job->error));
  }
  job_free(job);
}

void settle_jobs(napi_env env, napi_value callback, void *context, void *data) {
  struct job *job = data;
  (void)callback;
  (void)context;
  while (job != NULL) {
    struct job *next = job->done_next;
    settle_job(env, job);
    job = next;
  }
}

void settling_queue(struct settling *settling) {
  (void)pthread_mutex_lock(&settling->mutex);
  settling->queued++;
  (void)pthread_mutex_unlock(&settling->mutex);
}

void settling_begin(struct settling *settling) {
  (void)pthread_mutex_lock(&settling->mutex);
  settling->queued--;
  (void)pthread_mutex_unlock(&settling->mutex);
}

static struct job *take_done(struct settling *settling) {
  struct job *done = settling->done;
  settling->done = NULL;
  settling->done_count = 0;
  return done;
}

static void tell(struct addon *addon, struct job *done) {
  if (done != NULL)
    (void)napi_call_threadsafe_function(addon->settle, done, napi_tsfn_blocking);
}

void settling_done(struct job *job) {
  struct addon *addon = job->addon;
  struct settling *settling = &addon->settling;
  struct job *done = NULL;
  (void)pthread_mutex_lock(&settling->mutex);
  job->done_next = settling->done;
  settling->done = job;
  settling->done_count++;
  if (settling->queued == 0 || settling->done_count == TOGETHER_MAX)
    done = take_done(settling);
  (void)pthread_mutex_unlock(&settling->mutex);
  tell(addon, done);
}

void settling_flush(struct addon *addon) {
  tell(addon, take_done(&addon->settling));
}
