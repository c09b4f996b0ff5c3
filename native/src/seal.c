#include "seal.h"

#include "pipeline.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct seal {
  struct pipeline *pipeline;
  uint64_t clip_bytes;
  uint64_t segment_bytes;
  /* Plaintext held back: only the end of the segment tells which chunk is the last. */
  uint8_t *held;
  size_t held_size;
  int failure;
  bool began;
  bool in_segment;
  bool finished;
  atomic_bool cancelled;
};

struct seal *seal_new(const struct suite *suite, struct pool *pool) {
  struct seal *seal = calloc(1, sizeof *seal);
  if (seal == NULL)
    return NULL;
  atomic_init(&seal->cancelled, false);
  seal->pipeline = pipeline_new(suite, pool);
  if (seal->pipeline != NULL)
    return seal;
  free(seal);
  return NULL;
}

void seal_cancel(struct seal *seal) {
  atomic_store(&seal->cancelled, true);
  pipeline_cancel(seal->pipeline);
}

void seal_wipe(struct seal *seal) {
  pipeline_wipe(seal->pipeline);
  if (seal->held != NULL)
    OPENSSL_cleanse(seal->held, STREAM_CHUNK_BYTES);
  free(seal->held);
  seal->held = NULL;
  seal->held_size = 0;
  seal->in_segment = false;
}

void seal_free(struct seal *seal) {
  if (seal == NULL)
    return;
  seal_wipe(seal);
  pipeline_free(seal->pipeline);
  free(seal);
}

/* Why no call may go on, or 0. */
static int refusal(const struct seal *seal) {
  if (seal->failure != 0)
    return seal->failure;
  if (atomic_load(&seal->cancelled))
    return DOCKET_ERR_CANCELLED;
  return seal->finished ? DOCKET_ERR_STATE : 0;
}

static int settle(struct seal *seal, int result) {
  if (result != 0) {
    seal->failure = result;
    seal_wipe(seal);
  }
  return result;
}

int seal_export(const struct seal *seal, struct midstate *midstate) {
  const int refused = refusal(seal);
  if (refused != 0)
    return refused;
  return seal->in_segment ? DOCKET_ERR_STATE : pipeline_export(seal->pipeline, midstate);
}

int seal_import(struct seal *seal, const struct midstate *midstate) {
  int result = refusal(seal);
  if (result == 0)
    result = seal->began ? DOCKET_ERR_STATE : pipeline_import(seal->pipeline, midstate);
  if (result != 0)
    return result;
  seal->clip_bytes = midstate->size;
  seal->began = true;
  return 0;
}

int seal_begin_segment(struct seal *seal, int fd, const uint8_t *prefix, size_t prefix_size,
                       const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]) {
  int result = refusal(seal);
  if (result == 0 && (seal->in_segment || prefix_size > STREAM_SEALED_CHUNK_BYTES))
    result = DOCKET_ERR_STATE;
  if (result == 0 && seal->held == NULL && (seal->held = malloc(STREAM_CHUNK_BYTES)) == NULL)
    result = -ENOMEM;
  if (result != 0) {
    if (fd != SINK_NOWHERE)
      (void)close(fd);
    return result;
  }
  seal->segment_bytes = 0;
  seal->held_size = 0;
  seal->in_segment = true;
  seal->began = true;
  return settle(seal, pipeline_begin(seal->pipeline, fd, (struct span){prefix, prefix_size}, key));
}

static void hold(struct seal *seal, struct span span) {
  memcpy(seal->held + seal->held_size, span.bytes, span.size);
  seal->held_size += span.size;
}

static void count(struct seal *seal, size_t size) {
  seal->segment_bytes += size;
  seal->clip_bytes += size;
}

int seal_hold(struct seal *seal, const uint8_t *bytes, size_t size, bool *taken) {
  *taken = false;
  const int result = refusal(seal);
  if (result != 0)
    return result;
  if (!seal->in_segment)
    return DOCKET_ERR_STATE;
  if (size > STREAM_CHUNK_BYTES - seal->held_size)
    return 0;
  if (size > 0)
    hold(seal, (struct span){bytes, size});
  count(seal, size);
  *taken = true;
  return 0;
}

/* Completes the held chunk, sends it and all whole chunks on their way, and holds back the last. */
static int push(struct seal *seal, struct span span) {
  if (seal->held_size > 0) {
    const size_t taken = STREAM_CHUNK_BYTES - seal->held_size;
    hold(seal, (struct span){span.bytes, taken});
    span = (struct span){span.bytes + taken, span.size - taken};
  }
  const size_t rest = (span.size - 1) % STREAM_CHUNK_BYTES + 1;
  const struct span held = {seal->held, seal->held_size};
  const struct span whole = {span.bytes, span.size - rest};
  const int result = pipeline_push(seal->pipeline, held, whole);
  seal->held_size = 0;
  if (result == 0)
    hold(seal, (struct span){span.bytes + whole.size, rest});
  return result;
}

int seal_write(struct seal *seal, const uint8_t *bytes, size_t size) {
  bool taken = false;
  const int result = seal_hold(seal, bytes, size, &taken);
  if (result != 0 || taken)
    return result;
  count(seal, size);
  return settle(seal, push(seal, (struct span){bytes, size}));
}

static int end_segment(struct seal *seal, struct segment_result *result) {
  const struct span last = {seal->held, seal->held_size};
  const int failure = pipeline_end(seal->pipeline, last, result);
  OPENSSL_cleanse(seal->held, STREAM_CHUNK_BYTES);
  seal->held_size = 0;
  seal->in_segment = false;
  result->plain_bytes = seal->segment_bytes;
  return failure;
}

int seal_end_segment(struct seal *seal, struct segment_result *result) {
  const int refused = refusal(seal);
  if (refused != 0)
    return refused;
  if (!seal->in_segment)
    return DOCKET_ERR_STATE;
  return settle(seal, end_segment(seal, result));
}

int seal_finish(struct seal *seal, uint64_t *clip_bytes, uint8_t sha256[DOCKET_SHA256_BYTES]) {
  int result = refusal(seal);
  if (result != 0)
    return result;
  if (seal->in_segment || !seal->began)
    return DOCKET_ERR_STATE;
  result = pipeline_finish(seal->pipeline, sha256);
  *clip_bytes = seal->clip_bytes;
  seal->finished = true;
  seal_wipe(seal);
  return result;
}
