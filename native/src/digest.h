#ifndef DOCKET_DIGEST_H
#define DOCKET_DIGEST_H

#include "lanes.h"
#include "suite.h"

enum digest_use {
  /* One stream: OpenSSL's. */
  DIGEST_ALONE,
  /* Two streams side by side: in lock-step where the processor can. Its state can be taken out. */
  DIGEST_PAIRED,
};

/* One SHA-256. Zeroed is closed. Two that are updated together were started for the same use. */
struct digest {
  enum digest_use use;
  EVP_MD_CTX *evp;
  bool in_lane;
  struct lane lane;
  uint64_t size;
  uint8_t tail[LANES_BLOCK_BYTES];
};

/* A DIGEST_PAIRED one after `size` bytes. It tells what a digest of those bytes would tell. */
struct midstate {
  uint64_t size;
  uint8_t words[DOCKET_SHA256_BYTES];
};

struct span {
  const uint8_t *bytes;
  size_t size;
};

/* Also starts one again that was used. */
int digest_start(struct digest *digest, const struct suite *suite, enum digest_use use);
int digest_update(struct digest *digest, struct span span);
int digest_update_pair(struct digest *a, struct span of_a, struct digest *b, struct span of_b);
int digest_final(struct digest *digest, uint8_t sha256[DOCKET_SHA256_BYTES]);
/* Whole blocks only: DOCKET_ERR_STATE otherwise. */
int digest_export(const struct digest *digest, struct midstate *midstate);
/* Of one that was just started: it goes on from there. */
int digest_import(struct digest *digest, const struct midstate *midstate);
/* Nothing of what went in is left. May be called twice. */
void digest_wipe(struct digest *digest);

/* Whether the lock-step lanes give on this processor what OpenSSL gives. */
bool digest_lanes_work(const struct suite *suite);

#endif
