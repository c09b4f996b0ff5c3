#ifndef DOCKET_SUITE_H
#define DOCKET_SUITE_H

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Results: 0, a negative errno of the system call that failed, or one of these. The values lie
 * below any errno.
 */
enum {
  DOCKET_ERR_CRYPTO = -10001,
  DOCKET_ERR_CANCELLED = -10002,
  DOCKET_ERR_STATE = -10003,
  /* age: the payload is not what the key sealed: altered, cut, or followed by other bytes. */
  DOCKET_ERR_PAYLOAD = -10004,
};

enum { DOCKET_SHA256_BYTES = 32, DOCKET_PAYLOAD_KEY_BYTES = 32 };

/* The algorithms, fetched once. Shared by all threads; never changes after suite_init. */
struct suite {
  EVP_MD *sha256;
  EVP_CIPHER *chacha20_poly1305;
  EVP_KDF *hkdf;
  /* Two digests may run in lock-step (lanes.h). */
  bool has_lanes;
};

/* Sizes and SHA-256 of one age file, and of the plaintext inside it. */
struct segment_result {
  uint64_t plain_bytes;
  uint64_t file_bytes;
  uint8_t file_sha256[DOCKET_SHA256_BYTES];
};

int suite_init(struct suite *suite);
void suite_free(struct suite *suite);

#endif
