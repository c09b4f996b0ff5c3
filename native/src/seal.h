#ifndef DOCKET_SEAL_H
#define DOCKET_SEAL_H

#include "suite.h"

/*
 * One clip being sealed into age files, in one pass: chunks, SHA-256 of the clip over all its
 * segments, SHA-256 of each file. Calls in order and one at a time, from any thread. The first
 * failure is final: every later call returns it. Holds at most about 1.2 MiB, from the first
 * segment until seal_wipe.
 */
struct seal;

/* The suite must outlive the sealing. NULL when memory is short. */
struct seal *seal_new(const struct suite *suite);

/*
 * `prefix` is the age header and the payload nonce; both arguments are copied. Takes `fd`, also
 * when it fails, and writes from offset 0.
 */
int seal_begin_segment(struct seal *seal, int fd, const uint8_t *prefix, size_t prefix_size,
                       const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]);
int seal_write(struct seal *seal, const uint8_t *bytes, size_t size);
/* Last chunk written, file fsynced and closed. */
int seal_end_segment(struct seal *seal, struct segment_result *result);
int seal_finish(struct seal *seal, uint64_t *clip_bytes, uint8_t sha256[DOCKET_SHA256_BYTES]);

/* The running call returns DOCKET_ERR_CANCELLED soon, and so does every later one. From any thread.
 */
void seal_cancel(struct seal *seal);
/* Keys and held plaintext are gone, buffers freed, file closed. Not while a call runs. May be
 * called twice. */
void seal_wipe(struct seal *seal);
void seal_free(struct seal *seal);

#endif
