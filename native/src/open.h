#ifndef DOCKET_OPEN_H
#define DOCKET_OPEN_H

#include "suite.h"

/*
 * The reader of what seal.h writes, for the council's tools. Calls in order and one at a time, from
 * any thread. The first failure is final. A chunk is authenticated before any byte of it is
 * written; a file that proves cut or altered later has left its earlier chunks in the output, so
 * the caller must not serve it.
 */
struct opening;

/* The suite must outlive the opening. NULL when memory is short. */
struct opening *opening_new(const struct suite *suite);

struct open_request {
  /* Read from `prefix_size` on, by offset. */
  int fd_in;
  /* Written at its own position. */
  int fd_out;
  /* The age header and the payload nonce, as they stand in the file. */
  const uint8_t *prefix;
  size_t prefix_size;
  const uint8_t *key;
};

/* Both descriptors stay the caller's. DOCKET_ERR_PAYLOAD for anything that age refuses. */
int opening_segment(struct opening *opening, const struct open_request *request,
                    struct segment_result *result);
int opening_finish(struct opening *opening, uint64_t *clip_bytes,
                   uint8_t sha256[DOCKET_SHA256_BYTES]);

void opening_cancel(struct opening *opening);
/* Not while a call runs. May be called twice. */
void opening_wipe(struct opening *opening);
void opening_free(struct opening *opening);

#endif
