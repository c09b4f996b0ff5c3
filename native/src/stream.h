#ifndef DOCKET_STREAM_H
#define DOCKET_STREAM_H

#include "suite.h"

/* age: the payload is split into chunks of 64 KiB, each followed by its 16-byte tag. */
enum {
  STREAM_CHUNK_BYTES = 65536,
  STREAM_TAG_BYTES = 16,
  STREAM_SEALED_CHUNK_BYTES = STREAM_CHUNK_BYTES + STREAM_TAG_BYTES,
};

/* One direction of one payload. Zeroed is closed. */
struct stream {
  EVP_CIPHER_CTX *cipher;
  uint64_t counter;
  bool sealing;
};

/* The key is copied into the cipher; the caller wipes its own. */
int stream_start_sealing(struct stream *stream, const struct suite *suite,
                         const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]);
int stream_start_opening(struct stream *stream, const struct suite *suite,
                         const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]);

/* `size` is at most STREAM_CHUNK_BYTES and less only for the last chunk. Writes size +
 * STREAM_TAG_BYTES. */
int stream_seal_chunk(struct stream *stream, const uint8_t *plain, size_t size, bool last,
                      uint8_t *sealed);

/*
 * `size` counts the tag. Writes size - STREAM_TAG_BYTES bytes, which the caller uses only when this
 * returns 0. After DOCKET_ERR_PAYLOAD the same chunk may be tried with the other flag.
 */
int stream_open_chunk(struct stream *stream, const uint8_t *sealed, size_t size, bool last,
                      uint8_t *plain);

/* Wipes the key. May be called twice. */
void stream_close(struct stream *stream);

#endif
