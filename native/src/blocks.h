#ifndef DOCKET_BLOCKS_H
#define DOCKET_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 of whole blocks of 64 bytes by OpenSSL, with the state in the caller's hands. */
void blocks_compress(uint32_t state[8], const uint8_t *bytes, size_t blocks);

#endif
