/*
 * INVARIANTS: everything here runs on the thread of its environment, except run_job. A worker sees
 * a job's plain C fields and never `env`. A job holds references to its handle and its input until
 * it has settled, so neither is collected under a worker. One job a handle at a time.
 */
#define _GNU_SOURCE
#include "addon-job.h"
#include "addon-settle.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static const struct {
  int error;
  const char *name;
} ERROR_NAMES[] = {
    {DOCKET_ERR_CRYPTO, "ECRYPTO"},
    {DOCKET_ERR_CANCELLED, "ECANCELED"},
    {DOCKET_ERR_STATE, "ESTATE"},
    {DOCKET_ERR_PAYLOAD, "EPAYLOAD"},
    {-ENOSPC, "ENOSPC"},
    {-EDQUOT, "EDQUOT"},
    {-EFBIG, "EFBIG"},
    {-EIO, "EIO"},
    {-EROFS, "EROFS"},
    {-EBADF, "EBADF"},
    {-EINVAL, "EINVAL"},
    {-EPERM, "EPERM"},
    {-EACCES, "EACCES"},
    {-ENOMEM, "ENOMEM"},
    {-EPIPE, "EPIPE"},
    {-ESPIPE, "ESPIPE"},
    {-EMFILE, "EMFILE"},
    {-EAGAIN, "EAGAIN"},
    {-ENXIO, "ENXIO"},
    {-ENODEV, "ENODEV"},
};

napi_value make_error(napi_env env, int error) {
  const char *name = "EUNKNOWN";
  char text[160];
  napi_value code, message, value = NULL;
  for (size_t i = 0; i < sizeof ERROR_NAMES / sizeof ERROR_NAMES[0]; i++)
    if (ERROR_NAMES[i].error == error)
      name = ERROR_NAMES[i].name;
  (void)snprintf(text, sizeof text, "%s: %s", name,
                 error > DOCKET_ERR_CRYPTO ? strerror(-error) : "native call refused");
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &value);
  return value;
}

napi_value throw_error(napi_env env, int error) {
  napi_throw(env, make_error(env, error));
  return NULL;
}

napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

bool get_bytes(napi_env env, napi_value value, const uint8_t **bytes, size_t *size) {
  napi_typedarray_type type;
  napi_value buffer, resizable;
  void *data = NULL;
  bool ok = false;
  if (napi_is_typedarray(env, value, &ok) != napi_ok || !ok)
    return false;
  if (napi_get_typedarray_info(env, value, &type, size, &data, &buffer, NULL) != napi_ok ||
      type != napi_uint8_array)
    return false;
  if (napi_is_arraybuffer(env, buffer, &ok) != napi_ok || !ok)
    return false;
  if (napi_is_detached_arraybuffer(env, buffer, &ok) != napi_ok || ok)
    return false;
  if (napi_get_named_property(env, buffer, "resizable", &resizable) == napi_ok &&
      napi_get_value_bool(env, resizable, &ok) == napi_ok && ok)
    return false;
  *bytes = data;
  return true;
}

bool get_fd(napi_env env, napi_value value, int *fd) {
  double number = -1;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) ||
      number > INT32_MAX || number != (double)(int)number)
    return false;
  *fd = (int)number;
  return true;
}

void addon_release(struct addon *addon) {
  if (--addon->users > 0)
    return;
  suite_free(&addon->suite);
  (void)pthread_mutex_destroy(&addon->settling.mutex);
  free(addon);
}

void job_free(struct job *job) {
  for (size_t i = 0; i < 2; i++)
    if (job->fds[i] >= 0)
      (void)close(job->fds[i]);
  OPENSSL_cleanse(job->key, sizeof job->key);
  free(job->prefix);
  free(job);
}

static void run_job(struct task *task) {
  struct job *job = (struct job *)task;
  settling_begin(&job->addon->settling);
  job->error = job->work(job);
  settling_done(job);
}

static void drop_job(struct task *task) {
  job_free((struct job *)task);
}

struct job *job_new(struct addon *addon, struct handle *handle, int (*work)(struct job *)) {
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL)
    return NULL;
  job->task.run = run_job;
  job->task.drop = drop_job;
  job->addon = addon;
  job->handle = handle;
  job->work = work;
  job->fds[0] = -1;
  job->fds[1] = -1;
  atomic_init(&job->cancelled, false);
  return job;
}

napi_value job_submit(napi_env env, struct job *job, napi_value pin0, napi_value pin1) {
  struct addon *addon = job->addon;
  napi_value promise = NULL;
  napi_create_promise(env, &job->deferred, &promise);
  if (pin0 != NULL)
    napi_create_reference(env, pin0, 1, &job->pins[0]);
  if (pin1 != NULL)
    napi_create_reference(env, pin1, 1, &job->pins[1]);
  if (job->handle != NULL)
    job->handle->busy = true;
  job->next = addon->jobs;
  if (job->next != NULL)
    job->next->previous = job;
  addon->jobs = job;
  if (addon->job_count++ == 0)
    napi_ref_threadsafe_function(env, addon->settle);
  settling_queue(&addon->settling);
  const int refused = pool_submit(addon->pool, &job->task);
  if (refused != 0) {
    settling_begin(&addon->settling);
    job->error = refused;
    settle_job(env, job);
  }
  return promise;
}

napi_value resolved(napi_env env) {
  napi_deferred deferred;
  napi_value promise = NULL;
  napi_value nothing;
  napi_get_undefined(env, &nothing);
  napi_create_promise(env, &deferred, &promise);
  napi_resolve_deferred(env, deferred, nothing);
  return promise;
}

static size_t thread_count(void) {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0)
    return THREADS_MIN;
  /* One more than cores: a worker that waits for the disk leaves its core to another. */
  const size_t wanted = (size_t)CPU_COUNT(&cores) + 1;
  return wanted > POOL_THREADS_MAX ? POOL_THREADS_MAX : wanted;
}

/* Runs before the thread-safe function's own hook, because it was added after it: no worker calls a
 * closed one. */
static void close_addon(void *data) {
  struct addon *addon = data;
  for (struct job *job = addon->jobs; job != NULL; job = job->next) {
    atomic_store(&job->cancelled, true);
    if (job->handle != NULL)
      handle_cancel(job->handle);
  }
  pool_free(addon->pool);
  addon->pool = NULL;
  settling_flush(addon);
  addon_release(addon);
}

static int start_addon(napi_env env, struct addon *addon) {
  napi_value name;
  addon->users = 1;
  addon->pool = pool_new(thread_count());
  if (addon->pool == NULL)
    return -ENOMEM;
  napi_create_string_utf8(env, "docket_native", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, settle_jobs,
                                      &addon->settle) != napi_ok ||
      napi_unref_threadsafe_function(env, addon->settle) != napi_ok ||
      napi_add_env_cleanup_hook(env, close_addon, addon) != napi_ok)
    return -ENOMEM;
  return 0;
}

/*
 * A dock streams for hours through a few hundred KiB at a time. glibc would keep an arena for each
 * thread and, once a large block was freed, keep all blocks of that size in them: tens of MiB that
 * never go back.
 */
static void keep_memory_small(void) {
#ifdef __GLIBC__
  (void)mallopt(M_ARENA_MAX, 2);
  (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
#endif
}

struct addon *addon_new(napi_env env) {
  keep_memory_small();
  struct addon *addon = calloc(1, sizeof *addon);
  if (addon == NULL)
    return NULL;
  if (pthread_mutex_init(&addon->settling.mutex, NULL) != 0) {
    free(addon);
    return NULL;
  }
  if (suite_init(&addon->suite) == 0 && start_addon(env, addon) == 0)
    return addon;
  if (addon->pool != NULL)
    pool_free(addon->pool);
  suite_free(&addon->suite);
  (void)pthread_mutex_destroy(&addon->settling.mutex);
  free(addon);
  return NULL;
}
