#ifndef DOCKET_ADDON_JOB_H
#define DOCKET_ADDON_JOB_H

/* The plumbing between Node-API and the plain C of this folder: arguments, errors, and jobs off the
 * event loop. */
#include <node_api.h>
#include <pthread.h>

#include "open.h"
#include "pool.h"
#include "seal.h"

enum { PREFIX_BYTES_MAX = 65536, THREADS_MIN = 2 };

/* See addon-settle.h. */
struct settling {
  pthread_mutex_t mutex;
  /* Jobs that wait for a worker. */
  size_t queued;
  struct job *done;
  size_t done_count;
};

/* One a Node environment (main thread or worker thread); freed by the last of its users. */
struct addon {
  struct suite suite;
  struct pool *pool;
  napi_threadsafe_function settle;
  struct settling settling;
  struct job *jobs;
  size_t job_count;
  size_t users;
};

struct handle {
  struct addon *addon;
  struct seal *seal;
  struct opening *opening;
  bool busy;
  bool aborted;
};

struct job {
  struct task task;
  struct addon *addon;
  struct job *previous;
  struct job *next;
  struct job *done_next;
  struct handle *handle;
  int (*work)(struct job *job);
  napi_deferred deferred;
  napi_ref pins[2];
  const uint8_t *bytes;
  size_t size;
  uint8_t *prefix;
  int fds[2];
  uint8_t key[DOCKET_PAYLOAD_KEY_BYTES];
  struct segment_result result;
  /* The promise tells `result`; otherwise it tells nothing. */
  bool has_result;
  int error;
  atomic_bool cancelled;
};

napi_value make_error(napi_env env, int error);
napi_value throw_error(napi_env env, int error);
napi_value throw_type(napi_env env, const char *message);

/* A Uint8Array over memory that stays where it is: not shared, not resizable, not detached. */
bool get_bytes(napi_env env, napi_value value, const uint8_t **bytes, size_t *size);
bool get_fd(napi_env env, napi_value value, int *fd);

void handle_cancel(struct handle *handle);
/* Not while a job runs on it. */
void handle_wipe(struct handle *handle);

/* NULL when memory or threads are short. */
struct addon *addon_new(napi_env env);
void addon_release(struct addon *addon);

/* Has no descriptors and no input yet. `handle` may be NULL. */
struct job *job_new(struct addon *addon, struct handle *handle, int (*work)(struct job *));
void job_free(struct job *job);
/* Takes the job and returns its promise. `pins` are kept from collection until it settles; they may
 * be NULL. */
napi_value job_submit(napi_env env, struct job *job, napi_value pin0, napi_value pin1);
/* A promise of what is already done. */
napi_value resolved(napi_env env);

#endif
