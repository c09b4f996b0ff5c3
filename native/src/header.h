#ifndef DOCKET_HEADER_H
#define DOCKET_HEADER_H

#include "suite.h"

/* age: the start of a file for X25519 recipients, and the key that seals its payload. */
enum {
  HEADER_POINT_BYTES = 32,
  HEADER_NONCE_BYTES = 16,
  HEADER_RECIPIENTS_MAX = 20,
  /* Version, MAC and nonce, and a stanza of two lines for each recipient. */
  HEADER_BYTES_MAX = 96 + HEADER_RECIPIENTS_MAX * 104,
};

struct header {
  uint8_t bytes[HEADER_BYTES_MAX];
  size_t size;
  /* Wiped by the caller. */
  uint8_t payload_key[DOCKET_PAYLOAD_KEY_BYTES];
};

/*
 * New file key, nonce and ephemeral keys from OpenSSL's generator. `points` holds `count`
 * recipients, 1 to HEADER_RECIPIENTS_MAX. DOCKET_ERR_CRYPTO for a point of low order, too.
 */
int header_make(struct header *header, const struct suite *suite, const uint8_t *points,
                size_t count);

#endif
