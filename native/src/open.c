#include "open.h"

#include "digest.h"
#include "fdio.h"
#include "stream.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES = 16 * STREAM_SEALED_CHUNK_BYTES };

struct opening {
  const struct suite *suite;
  struct digest clip_digest;
  struct digest file_digest;
  bool began;
  struct stream stream;
  uint64_t clip_bytes;
  uint64_t segment_bytes;
  uint64_t read_bytes;
  uint8_t *input;
  size_t input_start;
  size_t input_end;
  uint8_t *plain;
  int failure;
  bool at_end;
  bool finished;
  atomic_bool cancelled;
};

struct opening *opening_new(const struct suite *suite) {
  struct opening *opening = calloc(1, sizeof *opening);
  if (opening == NULL)
    return NULL;
  opening->suite = suite;
  atomic_init(&opening->cancelled, false);
  return opening;
}

void opening_cancel(struct opening *opening) {
  atomic_store(&opening->cancelled, true);
}

void opening_wipe(struct opening *opening) {
  stream_close(&opening->stream);
  digest_wipe(&opening->clip_digest);
  digest_wipe(&opening->file_digest);
  if (opening->plain != NULL)
    OPENSSL_cleanse(opening->plain, STREAM_CHUNK_BYTES);
  free(opening->plain);
  free(opening->input);
  opening->plain = NULL;
  opening->input = NULL;
}

void opening_free(struct opening *opening) {
  if (opening == NULL)
    return;
  opening_wipe(opening);
  free(opening);
}

static int refusal(const struct opening *opening) {
  if (opening->failure != 0)
    return opening->failure;
  if (atomic_load(&opening->cancelled))
    return DOCKET_ERR_CANCELLED;
  return opening->finished ? DOCKET_ERR_STATE : 0;
}

static int settle(struct opening *opening, int result) {
  if (result != 0) {
    opening->failure = result;
    opening_wipe(opening);
  }
  return result;
}

static int prepare(struct opening *opening, const struct open_request *request) {
  if (opening->input == NULL)
    opening->input = fdio_alloc(INPUT_BYTES);
  if (opening->plain == NULL)
    opening->plain = fdio_alloc(STREAM_CHUNK_BYTES);
  if (opening->input == NULL || opening->plain == NULL)
    return -ENOMEM;
  if (!opening->began && digest_start(&opening->clip_digest, opening->suite, DIGEST_PAIRED) != 0)
    return DOCKET_ERR_CRYPTO;
  opening->began = true;
  if (digest_start(&opening->file_digest, opening->suite, DIGEST_PAIRED) != 0)
    return DOCKET_ERR_CRYPTO;
  opening->segment_bytes = 0;
  opening->read_bytes = request->prefix_size;
  opening->input_start = 0;
  opening->input_end = 0;
  opening->at_end = false;
  const int result = stream_start_opening(&opening->stream, opening->suite, request->key);
  const struct span prefix = {request->prefix, request->prefix_size};
  return result != 0 ? result : digest_update(&opening->file_digest, prefix);
}

/* Whole chunks are in the input, or all that is left of the file. */
static int refill(struct opening *opening, int fd) {
  size_t got = 0;
  const size_t have = opening->input_end - opening->input_start;
  if (have >= STREAM_SEALED_CHUNK_BYTES || opening->at_end)
    return 0;
  memmove(opening->input, opening->input + opening->input_start, have);
  opening->input_start = 0;
  opening->input_end = have;
  const int result =
      fdio_read_at(fd, opening->input + have, INPUT_BYTES - have, opening->read_bytes, &got);
  if (result != 0)
    return result;
  opening->at_end = got < INPUT_BYTES - have;
  opening->input_end += got;
  opening->read_bytes += got;
  return 0;
}

/* A full chunk may be the last one: only its flag says so. A short one must be. */
static int open_chunk(struct opening *opening, size_t size, bool *last) {
  const uint8_t *sealed = opening->input + opening->input_start;
  *last = size < STREAM_SEALED_CHUNK_BYTES;
  if (!*last) {
    const int result = stream_open_chunk(&opening->stream, sealed, size, false, opening->plain);
    if (result != DOCKET_ERR_PAYLOAD)
      return result;
    *last = true;
  }
  /* age: the last chunk may be empty only when the whole payload is. */
  if (size <= STREAM_TAG_BYTES && opening->stream.counter > 0)
    return DOCKET_ERR_PAYLOAD;
  return stream_open_chunk(&opening->stream, sealed, size, true, opening->plain);
}

/* Only what was authenticated comes here. */
static int deliver(struct opening *opening, int fd, size_t sealed_size) {
  const size_t size = sealed_size - STREAM_TAG_BYTES;
  const struct span sealed = {opening->input + opening->input_start, sealed_size};
  const struct span plain = {opening->plain, size};
  int result = digest_update_pair(&opening->file_digest, sealed, &opening->clip_digest, plain);
  if (result == 0)
    result = fdio_write(fd, opening->plain, size);
  opening->input_start += sealed_size;
  opening->segment_bytes += size;
  return result;
}

static int next_chunk(struct opening *opening, const struct open_request *request, bool *last) {
  if (atomic_load(&opening->cancelled))
    return DOCKET_ERR_CANCELLED;
  int result = refill(opening, request->fd_in);
  if (result != 0)
    return result;
  const size_t have = opening->input_end - opening->input_start;
  const size_t size = have < STREAM_SEALED_CHUNK_BYTES ? have : STREAM_SEALED_CHUNK_BYTES;
  if (size < STREAM_TAG_BYTES)
    return DOCKET_ERR_PAYLOAD;
  result = open_chunk(opening, size, last);
  return result != 0 ? result : deliver(opening, request->fd_out, size);
}

static int open_segment(struct opening *opening, const struct open_request *request,
                        struct segment_result *segment) {
  bool last = false;
  int result = prepare(opening, request);
  while (result == 0 && !last)
    result = next_chunk(opening, request, &last);
  if (result == 0)
    result = refill(opening, request->fd_in);
  /* age: nothing may follow the last chunk. */
  if (result == 0 && opening->input_start != opening->input_end)
    result = DOCKET_ERR_PAYLOAD;
  if (result == 0)
    result = digest_final(&opening->file_digest, segment->file_sha256);
  stream_close(&opening->stream);
  segment->plain_bytes = opening->segment_bytes;
  segment->file_bytes = opening->read_bytes;
  opening->clip_bytes += opening->segment_bytes;
  return result;
}

int opening_segment(struct opening *opening, const struct open_request *request,
                    struct segment_result *result) {
  const int refused = refusal(opening);
  return refused != 0 ? refused : settle(opening, open_segment(opening, request, result));
}

int opening_finish(struct opening *opening, uint64_t *clip_bytes,
                   uint8_t sha256[DOCKET_SHA256_BYTES]) {
  int result = refusal(opening);
  if (result != 0)
    return result;
  if (!opening->began)
    return DOCKET_ERR_STATE;
  result = digest_final(&opening->clip_digest, sha256);
  *clip_bytes = opening->clip_bytes;
  opening->finished = true;
  opening_wipe(opening);
  return result;
}
