#include "seal.h"

#include "fdio.h"
#include "stream.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_BYTES = FDIO_BLOCK_BYTES + STREAM_SEALED_CHUNK_BYTES };

static_assert(OUTPUT_BYTES + STREAM_CHUNK_BYTES < 2 * FDIO_BLOCK_BYTES, "memory of one sealing");

struct seal {
  const struct suite *suite;
  EVP_MD_CTX *clip_digest;
  EVP_MD_CTX *file_digest;
  struct stream stream;
  uint64_t clip_bytes;
  uint64_t segment_bytes;
  uint64_t file_bytes;
  uint64_t written_bytes;
  /* Plaintext held back: only the end of the segment tells which chunk is the last. */
  uint8_t *held;
  size_t held_size;
  /* File bytes not yet written. */
  uint8_t *output;
  size_t output_size;
  int fd;
  int failure;
  bool in_segment;
  bool finished;
  atomic_bool cancelled;
};

struct seal *seal_new(const struct suite *suite) {
  struct seal *seal = calloc(1, sizeof *seal);
  if (seal == NULL)
    return NULL;
  seal->suite = suite;
  seal->fd = -1;
  atomic_init(&seal->cancelled, false);
  return seal;
}

void seal_cancel(struct seal *seal) {
  atomic_store(&seal->cancelled, true);
}

static void wipe_buffer(uint8_t **buffer, size_t size) {
  if (*buffer != NULL)
    OPENSSL_cleanse(*buffer, size);
  free(*buffer);
  *buffer = NULL;
}

static void close_file(struct seal *seal) {
  if (seal->fd >= 0)
    (void)close(seal->fd);
  seal->fd = -1;
  seal->in_segment = false;
}

void seal_wipe(struct seal *seal) {
  stream_close(&seal->stream);
  EVP_MD_CTX_free(seal->clip_digest);
  EVP_MD_CTX_free(seal->file_digest);
  seal->clip_digest = NULL;
  seal->file_digest = NULL;
  wipe_buffer(&seal->held, STREAM_CHUNK_BYTES);
  wipe_buffer(&seal->output, OUTPUT_BYTES);
  seal->held_size = 0;
  seal->output_size = 0;
  close_file(seal);
}

void seal_free(struct seal *seal) {
  if (seal == NULL)
    return;
  seal_wipe(seal);
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

static int prepare_buffers(struct seal *seal) {
  if (seal->held == NULL)
    seal->held = fdio_alloc(STREAM_CHUNK_BYTES);
  if (seal->output == NULL)
    seal->output = fdio_alloc(OUTPUT_BYTES);
  if (seal->clip_digest == NULL)
    seal->clip_digest = suite_digest_new(seal->suite);
  EVP_MD_CTX_free(seal->file_digest);
  seal->file_digest = suite_digest_new(seal->suite);
  const bool ready = seal->held != NULL && seal->output != NULL && seal->clip_digest != NULL &&
                     seal->file_digest != NULL;
  return ready ? 0 : -ENOMEM;
}

static int write_output(struct seal *seal, size_t size) {
  const int result = fdio_write_at(seal->fd, seal->output, size, seal->written_bytes);
  if (result != 0)
    return result;
  seal->written_bytes += size;
  seal->output_size -= size;
  memmove(seal->output, seal->output + size, seal->output_size);
  return 0;
}

/* Counts and hashes `size` bytes that stand ready at the end of the output; whole blocks are
 * written. */
static int emit(struct seal *seal, size_t size) {
  const int result = digest_update(seal->file_digest, seal->output + seal->output_size, size);
  if (result != 0)
    return result;
  seal->output_size += size;
  seal->file_bytes += size;
  return seal->output_size < FDIO_BLOCK_BYTES ? 0 : write_output(seal, FDIO_BLOCK_BYTES);
}

static int emit_chunk(struct seal *seal, const uint8_t *plain, size_t size, bool last) {
  uint8_t *sealed = seal->output + seal->output_size;
  const int result = stream_seal_chunk(&seal->stream, plain, size, last, sealed);
  return result != 0 ? result : emit(seal, size + STREAM_TAG_BYTES);
}

static int begin_segment(struct seal *seal, const uint8_t *prefix, size_t prefix_size,
                         const uint8_t *key) {
  int result = prepare_buffers(seal);
  if (result != 0)
    return result;
  result = stream_start_sealing(&seal->stream, seal->suite, key);
  if (result != 0)
    return result;
  seal->segment_bytes = 0;
  seal->file_bytes = 0;
  seal->written_bytes = 0;
  seal->held_size = 0;
  memcpy(seal->output, prefix, prefix_size);
  seal->output_size = 0;
  seal->in_segment = true;
  return emit(seal, prefix_size);
}

int seal_begin_segment(struct seal *seal, int fd, const uint8_t *prefix, size_t prefix_size,
                       const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]) {
  int result = refusal(seal);
  if (result == 0 && (seal->in_segment || prefix_size > STREAM_SEALED_CHUNK_BYTES))
    result = DOCKET_ERR_STATE;
  if (result != 0) {
    (void)close(fd);
    return result;
  }
  seal->fd = fd;
  return settle(seal, begin_segment(seal, prefix, prefix_size, key));
}

static void hold(struct seal *seal, const uint8_t *bytes, size_t size) {
  memcpy(seal->held + seal->held_size, bytes, size);
  seal->held_size += size;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* One step: at most one chunk, hashed and sealed while it is in the processor's cache. `*taken`
 * says how many bytes. */
static int write_step(struct seal *seal, const uint8_t *bytes, size_t left, size_t *taken) {
  *taken = smaller(left, STREAM_CHUNK_BYTES - seal->held_size);
  if (atomic_load(&seal->cancelled))
    return DOCKET_ERR_CANCELLED;
  const int result = digest_update(seal->clip_digest, bytes, *taken);
  if (result != 0)
    return result;
  if (seal->held_size == 0 && left > STREAM_CHUNK_BYTES)
    return emit_chunk(seal, bytes, *taken, false);
  hold(seal, bytes, *taken);
  return 0;
}

/* A full chunk that is held leaves before more is read, so that the rest can be sealed where it
 * lies. */
static int release_held(struct seal *seal) {
  if (seal->held_size < STREAM_CHUNK_BYTES)
    return 0;
  seal->held_size = 0;
  return emit_chunk(seal, seal->held, STREAM_CHUNK_BYTES, false);
}

static int write_all(struct seal *seal, const uint8_t *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    size_t taken = 0;
    int result = release_held(seal);
    if (result == 0)
      result = write_step(seal, bytes + done, size - done, &taken);
    if (result != 0)
      return result;
    done += taken;
  }
  seal->segment_bytes += size;
  seal->clip_bytes += size;
  return 0;
}

int seal_write(struct seal *seal, const uint8_t *bytes, size_t size) {
  const int result = refusal(seal);
  if (result != 0)
    return result;
  if (!seal->in_segment)
    return DOCKET_ERR_STATE;
  return settle(seal, write_all(seal, bytes, size));
}

static int end_segment(struct seal *seal, struct segment_result *segment) {
  int result = emit_chunk(seal, seal->held, seal->held_size, true);
  if (result == 0 && seal->output_size > 0)
    result = write_output(seal, seal->output_size);
  stream_close(&seal->stream);
  if (result == 0)
    result = fdio_sync(seal->fd);
  if (result == 0)
    result = digest_final(seal->file_digest, segment->file_sha256);
  if (result != 0)
    return result;
  segment->plain_bytes = seal->segment_bytes;
  segment->file_bytes = seal->file_bytes;
  close_file(seal);
  return 0;
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
  if (seal->in_segment || seal->clip_digest == NULL)
    return DOCKET_ERR_STATE;
  result = digest_final(seal->clip_digest, sha256);
  *clip_bytes = seal->clip_bytes;
  seal->finished = true;
  seal_wipe(seal);
  return result;
}
