#ifndef DOCKET_HASH_H
#define DOCKET_HASH_H

#include "suite.h"

/*
 * SHA-256 of the whole file behind `fd`, from the disk and not from the page cache where the file
 * system allows it. The descriptor stays the caller's, its position is not used, its flags are as
 * before when this returns.
 */
int hash_file(const struct suite *suite, int fd, atomic_bool *cancelled, uint64_t *file_bytes,
              uint8_t sha256[DOCKET_SHA256_BYTES]);

#endif
