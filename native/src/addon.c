/* What JavaScript sees; src/adapters/native/loader.ts holds the same list as types. */
#include "addon-args.h"
#include "addon-handle.h"
#include "addon-header.h"
#include "addon-midstate.h"
#include "addon-reader.h"

#include "fdio.h"
#include "hash.h"
#include "sink.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { ABI_VERSION = 3 };

static const napi_type_tag OPENING_TAG = {0x646f636b65742d6f, 0x70656e696e672d31};

/* createSealing(): handle */
static napi_value create_sealing(napi_env env, napi_callback_info info) {
  struct addon *addon;
  struct handle *handle = NULL;
  if (get_args(env, info, 0, NULL, &addon))
    handle = handle_new(addon);
  if (handle == NULL)
    return throw_error(env, -ENOMEM);
  handle->seal = seal_new(&addon->suite, addon->pool);
  return handle_wrap(env, handle, &SEALING_TAG);
}

/* createOpening(): handle */
static napi_value create_opening(napi_env env, napi_callback_info info) {
  struct addon *addon;
  struct handle *handle = NULL;
  if (get_args(env, info, 0, NULL, &addon))
    handle = handle_new(addon);
  if (handle == NULL)
    return throw_error(env, -ENOMEM);
  handle->opening = opening_new(&addon->suite);
  return handle_wrap(env, handle, &OPENING_TAG);
}

/* beginSegment(sealing, fd, prefix, key): void. Null is no file: what goes there is dropped. */
static napi_value begin_segment(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[4];
  struct payload payload;
  int fd = SINK_NOWHERE;
  int own = SINK_NOWHERE;
  if (!get_args(env, info, 4, args, &addon))
    return throw_type(env, "beginSegment needs four arguments");
  struct handle *handle = handle_get_idle(env, args[0], &SEALING_TAG);
  if (handle == NULL)
    return NULL;
  if (!is_nowhere(env, args[1]) && !get_fd(env, args[1], &fd))
    return throw_type(env, "fd: not a file descriptor");
  if (!get_payload(env, args[2], args[3], &payload))
    return NULL;
  int result = fd == SINK_NOWHERE ? 0 : fdio_duplicate(fd, &own);
  if (result == 0)
    result =
        seal_begin_segment(handle->seal, own, payload.prefix, payload.prefix_size, payload.key);
  return result == 0 ? NULL : throw_error(env, result);
}

static int work_write(struct job *job) {
  return seal_write(job->handle->seal, job->bytes, job->size);
}

/* write(sealing, bytes): Promise<void> */
static napi_value write_bytes(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[2];
  const uint8_t *bytes;
  size_t size;
  if (!get_args(env, info, 2, args, &addon))
    return throw_type(env, "write needs two arguments");
  struct handle *handle = handle_get_idle(env, args[0], &SEALING_TAG);
  if (handle == NULL)
    return NULL;
  if (!get_bytes(env, args[1], &bytes, &size))
    return throw_type(env, "bytes: not a plain Uint8Array");
  bool taken = false;
  const int result = seal_hold(handle->seal, bytes, size, &taken);
  if (result != 0)
    return throw_error(env, result);
  if (taken)
    return resolved(env);
  struct job *job = job_new(addon, handle, work_write);
  if (job == NULL)
    return throw_error(env, -ENOMEM);
  job->bytes = bytes;
  job->size = size;
  return job_submit(env, job, args[0], args[1]);
}

static int work_end_segment(struct job *job) {
  job->has_result = true;
  return seal_end_segment(job->handle->seal, &job->result);
}

/* endSegment(sealing): Promise<{plainBytes, fileBytes, sha256}> */
static napi_value end_segment(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[1];
  if (!get_args(env, info, 1, args, &addon))
    return throw_type(env, "endSegment needs one argument");
  struct handle *handle = handle_get_idle(env, args[0], &SEALING_TAG);
  if (handle == NULL)
    return NULL;
  struct job *job = job_new(addon, handle, work_end_segment);
  return job == NULL ? throw_error(env, -ENOMEM) : job_submit(env, job, args[0], NULL);
}

static int work_open_segment(struct job *job) {
  job->has_result = true;
  const struct open_request request = {.fd_in = job->fds[0],
                                       .fd_out = job->fds[1],
                                       .prefix = job->prefix,
                                       .prefix_size = job->size,
                                       .key = job->key};
  return opening_segment(job->handle->opening, &request, &job->result);
}

/* openSegment(opening, fdIn, fdOut, prefix, key): Promise<{plainBytes, fileBytes, sha256}> */
static napi_value open_segment(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[5];
  struct payload payload;
  int fd_in, fd_out;
  if (!get_args(env, info, 5, args, &addon))
    return throw_type(env, "openSegment needs five arguments");
  struct handle *handle = handle_get_idle(env, args[0], &OPENING_TAG);
  if (handle == NULL)
    return NULL;
  if (!get_fd(env, args[1], &fd_in) || !get_fd(env, args[2], &fd_out))
    return throw_type(env, "fdIn, fdOut: not file descriptors");
  if (!get_payload(env, args[3], args[4], &payload))
    return NULL;
  struct job *job = job_new(addon, handle, work_open_segment);
  if (job == NULL)
    return throw_error(env, -ENOMEM);
  job->prefix = malloc(payload.prefix_size + 1);
  int result = job->prefix == NULL ? -ENOMEM : fdio_duplicate(fd_in, &job->fds[0]);
  if (result == 0)
    result = fdio_duplicate(fd_out, &job->fds[1]);
  if (result != 0) {
    job_free(job);
    return throw_error(env, result);
  }
  memcpy(job->prefix, payload.prefix, payload.prefix_size);
  memcpy(job->key, payload.key, sizeof job->key);
  job->size = payload.prefix_size;
  return job_submit(env, job, args[0], NULL);
}

/* finishSealing(sealing) and finishOpening(opening): {sizeBytes, sha256} of the whole clip */
static napi_value finish(napi_env env, napi_callback_info info, const napi_type_tag *tag) {
  struct addon *addon;
  napi_value args[1], object, size, digest;
  uint64_t bytes = 0;
  uint8_t sha256[DOCKET_SHA256_BYTES];
  if (!get_args(env, info, 1, args, &addon))
    return throw_type(env, "finish needs one argument");
  struct handle *handle = handle_get_idle(env, args[0], tag);
  if (handle == NULL)
    return NULL;
  const int result = handle->seal != NULL ? seal_finish(handle->seal, &bytes, sha256)
                                          : opening_finish(handle->opening, &bytes, sha256);
  if (result != 0)
    return throw_error(env, result);
  napi_create_object(env, &object);
  napi_create_double(env, (double)bytes, &size);
  napi_create_buffer_copy(env, sizeof sha256, sha256, NULL, &digest);
  napi_set_named_property(env, object, "sizeBytes", size);
  napi_set_named_property(env, object, "sha256", digest);
  return object;
}

static napi_value finish_sealing(napi_env env, napi_callback_info info) {
  return finish(env, info, &SEALING_TAG);
}

static napi_value finish_opening(napi_env env, napi_callback_info info) {
  return finish(env, info, &OPENING_TAG);
}

/* abortSealing(sealing) and abortOpening(opening): void. The keys go when the running job has let
 * go of them. */
static napi_value abort_handle(napi_env env, napi_callback_info info, const napi_type_tag *tag) {
  struct addon *addon;
  napi_value args[1];
  if (!get_args(env, info, 1, args, &addon))
    return throw_type(env, "abort needs one argument");
  struct handle *handle = handle_get(env, args[0], tag);
  if (handle == NULL)
    return throw_type(env, "first argument: not a handle of this kind");
  handle->aborted = true;
  handle_cancel(handle);
  if (!handle->busy)
    handle_wipe(handle);
  return NULL;
}

static napi_value abort_sealing(napi_env env, napi_callback_info info) {
  return abort_handle(env, info, &SEALING_TAG);
}

static napi_value abort_opening(napi_env env, napi_callback_info info) {
  return abort_handle(env, info, &OPENING_TAG);
}

static int work_hash(struct job *job) {
  job->has_result = true;
  return hash_file(&job->addon->suite, job->fds[0], &job->cancelled, &job->result.file_bytes,
                   job->result.file_sha256);
}

/* hashFile(fd): Promise<{fileBytes, sha256}> */
static napi_value hash(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[1];
  int fd;
  if (!get_args(env, info, 1, args, &addon) || !get_fd(env, args[0], &fd))
    return throw_type(env, "fd: not a file descriptor");
  struct job *job = job_new(addon, NULL, work_hash);
  if (job == NULL)
    return throw_error(env, -ENOMEM);
  const int result = fdio_duplicate(fd, &job->fds[0]);
  if (result != 0) {
    job_free(job);
    return throw_error(env, result);
  }
  return job_submit(env, job, NULL, NULL);
}

/* setThreads(count): void. Before the first job. */
static napi_value set_threads(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[1];
  int count;
  if (!get_args(env, info, 1, args, &addon) || !get_fd(env, args[0], &count) || count < 1 ||
      count > POOL_THREADS_MAX)
    return throw_type(env, "count: not 1 to 8");
  const int result = pool_set_threads(addon->pool, (size_t)count);
  return result == 0 ? NULL : throw_error(env, DOCKET_ERR_STATE);
}

static const struct {
  const char *name;
  napi_callback function;
} EXPORTS[] = {
    {"sealHeader", seal_header},         {"createSealing", create_sealing},
    {"beginSegment", begin_segment},     {"write", write_bytes},
    {"endSegment", end_segment},         {"finishSealing", finish_sealing},
    {"abortSealing", abort_sealing},     {"exportMidstate", export_midstate},
    {"importMidstate", import_midstate}, {"createOpening", create_opening},
    {"openSegment", open_segment},       {"finishOpening", finish_opening},
    {"abortOpening", abort_opening},     {"hashFile", hash},
    {"openReader", open_reader},         {"expectData", expect_data},
    {"forgetData", forget_data},         {"takeArrivals", take_arrivals},
    {"closeReader", close_reader},       {"setThreads", set_threads},
};

NAPI_MODULE_INIT() {
  napi_value version, lanes;
  struct addon *addon = addon_new(env);
  if (addon == NULL)
    return throw_error(env, -ENOMEM);
  napi_create_uint32(env, ABI_VERSION, &version);
  napi_set_named_property(env, exports, "abiVersion", version);
  napi_get_boolean(env, addon->suite.has_lanes, &lanes);
  napi_set_named_property(env, exports, "hasLanes", lanes);
  for (size_t i = 0; i < sizeof EXPORTS / sizeof EXPORTS[0]; i++) {
    napi_value function;
    napi_create_function(env, EXPORTS[i].name, NAPI_AUTO_LENGTH, EXPORTS[i].function, addon,
                         &function);
    napi_set_named_property(env, exports, EXPORTS[i].name, function);
  }
  return exports;
}
