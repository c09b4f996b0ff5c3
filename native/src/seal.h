#ifndef DOCKET_SEAL_H
#define DOCKET_SEAL_H

#include "digest.h"
#include "pool.h"
#include "suite.h"

/*
 * One clip being sealed into age files, in one pass: chunks, SHA-256 of the clip over all its
 * segments, SHA-256 of each file. Calls in order and one at a time, from any thread; idle threads
 * of the pool help. The first failure is final: every later call returns it. Holds at most 2.4 MiB,
 * from the first segment until seal_wipe.
 */
struct seal;

/* The suite and the pool must outlive the sealing. NULL when memory is short. */
struct seal *seal_new(const struct suite *suite, struct pool *pool);

/* What the clip's digest is after the segments that were ended: another sealing goes on from it. */
int seal_export(const struct seal *seal, struct midstate *midstate);
/* Before the first segment: what comes is the rest of a clip. */
int seal_import(struct seal *seal, const struct midstate *midstate);

/*
 * `prefix` is the age header and the payload nonce; both arguments are copied. Takes `fd`, also
 * when it fails, and writes from offset 0. SINK_NOWHERE as `fd` drops the file and does the rest.
 */
int seal_begin_segment(struct seal *seal, int fd, const uint8_t *prefix, size_t prefix_size,
                       const uint8_t key[DOCKET_PAYLOAD_KEY_BYTES]);
/* Takes all of the bytes when they are few enough to be copied at once, and says whether it did. */
int seal_hold(struct seal *seal, const uint8_t *bytes, size_t size, bool *taken);
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
