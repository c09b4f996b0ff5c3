#ifndef DOCKET_LANES_H
#define DOCKET_LANES_H

/*
 * Two SHA-256 computations in lock-step on one core. One alone waits for the result of each of its
 * own instructions; the second runs in those gaps, nearly for nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES_BLOCK_BYTES = 64, LANES_STATE_WORDS = 8 };

struct lane {
  uint32_t state[LANES_STATE_WORDS];
  const uint8_t *bytes;
};

/* Whether this processor has SHA-256 instructions that lanes_compress may use. */
bool lanes_available(void);

/* Takes `blocks` blocks of 64 bytes from each lane. Only where lanes_available. */
void lanes_compress(struct lane *a, struct lane *b, size_t blocks);

#endif
