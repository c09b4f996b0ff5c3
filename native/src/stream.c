#include "stream.h"

#include <assert.h>
#include <limits.h>

enum { NONCE_BYTES = 12, COUNTER_LOW_BYTE = 10, LAST_FLAG_BYTE = 11 };

static_assert(STREAM_SEALED_CHUNK_BYTES <= INT_MAX, "EVP counts in int");

static int start(struct stream *stream, const struct suite *suite, const uint8_t *key,
                 bool sealing) {
  stream_close(stream);
  stream->cipher = EVP_CIPHER_CTX_new();
  if (stream->cipher == NULL)
    return DOCKET_ERR_CRYPTO;
  stream->sealing = sealing;
  if (EVP_CipherInit_ex2(stream->cipher, suite->chacha20_poly1305, key, NULL, sealing ? 1 : 0,
                         NULL) == 1)
    return 0;
  stream_close(stream);
  return DOCKET_ERR_CRYPTO;
}

int stream_start_sealing(struct stream *stream, const struct suite *suite,
                         const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]) {
  return start(stream, suite, key, true);
}

int stream_start_opening(struct stream *stream, const struct suite *suite,
                         const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]) {
  return start(stream, suite, key, false);
}

/* age: the nonce is an 11-byte big-endian counter and a byte that is 1 on the last chunk. */
static int set_nonce(struct stream *stream, bool last) {
  uint8_t nonce[NONCE_BYTES] = {0};
  uint64_t counter = stream->counter;
  for (int i = COUNTER_LOW_BYTE; counter != 0; i--) {
    nonce[i] = (uint8_t)(counter & 0xff);
    counter >>= 8;
  }
  nonce[LAST_FLAG_BYTE] = last ? 1 : 0;
  /* -1 and a NULL key keep the direction and the key that were set at the start. */
  return EVP_CipherInit_ex2(stream->cipher, NULL, NULL, nonce, -1, NULL) == 1 ? 0
                                                                              : DOCKET_ERR_CRYPTO;
}

int stream_seal_chunk(struct stream *stream, const uint8_t *plain, size_t size, bool last,
                      uint8_t *sealed) {
  int written = 0;
  int tail = 0;
  if (stream->cipher == NULL || !stream->sealing || size > STREAM_CHUNK_BYTES ||
      (!last && size != STREAM_CHUNK_BYTES))
    return DOCKET_ERR_STATE;
  if (set_nonce(stream, last) != 0)
    return DOCKET_ERR_CRYPTO;
  if (size > 0 && EVP_EncryptUpdate(stream->cipher, sealed, &written, plain, (int)size) != 1)
    return DOCKET_ERR_CRYPTO;
  if (EVP_EncryptFinal_ex(stream->cipher, sealed + written, &tail) != 1 ||
      (size_t)written + (size_t)tail != size)
    return DOCKET_ERR_CRYPTO;
  if (EVP_CIPHER_CTX_ctrl(stream->cipher, EVP_CTRL_AEAD_GET_TAG, STREAM_TAG_BYTES, sealed + size) !=
      1)
    return DOCKET_ERR_CRYPTO;
  stream->counter++;
  return 0;
}

int stream_open_chunk(struct stream *stream, const uint8_t *sealed, size_t size, bool last,
                      uint8_t *plain) {
  uint8_t tag[STREAM_TAG_BYTES];
  int written = 0;
  int tail = 0;
  if (stream->cipher == NULL || stream->sealing || size > STREAM_SEALED_CHUNK_BYTES)
    return DOCKET_ERR_STATE;
  if (size < STREAM_TAG_BYTES)
    return DOCKET_ERR_PAYLOAD;
  const size_t plain_size = size - STREAM_TAG_BYTES;
  for (size_t i = 0; i < STREAM_TAG_BYTES; i++)
    tag[i] = sealed[plain_size + i];
  if (set_nonce(stream, last) != 0)
    return DOCKET_ERR_CRYPTO;
  if (EVP_CIPHER_CTX_ctrl(stream->cipher, EVP_CTRL_AEAD_SET_TAG, STREAM_TAG_BYTES, tag) != 1)
    return DOCKET_ERR_CRYPTO;
  if (plain_size > 0 &&
      EVP_DecryptUpdate(stream->cipher, plain, &written, sealed, (int)plain_size) != 1)
    return DOCKET_ERR_CRYPTO;
  if (EVP_DecryptFinal_ex(stream->cipher, plain + written, &tail) != 1)
    return DOCKET_ERR_PAYLOAD;
  stream->counter++;
  return 0;
}

void stream_close(struct stream *stream) {
  EVP_CIPHER_CTX_free(stream->cipher);
  stream->cipher = NULL;
  stream->counter = 0;
}
