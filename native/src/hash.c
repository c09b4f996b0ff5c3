#define _GNU_SOURCE
#include "hash.h"

#include "digest.h"
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct reading {
  struct digest digest;
  uint8_t *block;
  int fd;
  bool direct;
  uint64_t offset;
};

/* File systems without O_DIRECT refuse the flag here, or the first read with EINVAL. */
static void set_direct(struct reading *reading, bool direct) {
  const int flags = fcntl(reading->fd, F_GETFL);
  if (flags < 0)
    return;
  const int wanted = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
  if (fcntl(reading->fd, F_SETFL, wanted) == 0)
    reading->direct = direct;
}

static int read_block(struct reading *reading, size_t *got) {
  int result = fdio_read_at(reading->fd, reading->block, FDIO_BLOCK_BYTES, reading->offset, got);
  if (result == -EINVAL && reading->direct) {
    set_direct(reading, false);
    result = fdio_read_at(reading->fd, reading->block, FDIO_BLOCK_BYTES, reading->offset, got);
  }
  return result;
}

static int read_all(struct reading *reading, atomic_bool *cancelled) {
  size_t got = FDIO_BLOCK_BYTES;
  while (got == FDIO_BLOCK_BYTES) {
    if (atomic_load(cancelled))
      return DOCKET_ERR_CANCELLED;
    int result = read_block(reading, &got);
    if (result == 0)
      result = digest_update(&reading->digest, (struct span){reading->block, got});
    if (result != 0)
      return result;
    reading->offset += got;
  }
  return 0;
}

int hash_file(const struct suite *suite, int fd, atomic_bool *cancelled, uint64_t *file_bytes,
              uint8_t sha256[DOCKET_SHA256_BYTES]) {
  struct reading reading = {.fd = fd};
  int result = -ENOMEM;
  const bool was_direct = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
  reading.block = fdio_alloc(FDIO_BLOCK_BYTES);
  if (reading.block != NULL)
    result = digest_start(&reading.digest, suite, DIGEST_ALONE);
  if (result == 0) {
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    set_direct(&reading, true);
    result = read_all(&reading, cancelled);
    set_direct(&reading, was_direct);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  }
  if (result == 0)
    result = digest_final(&reading.digest, sha256);
  *file_bytes = reading.offset;
  digest_wipe(&reading.digest);
  free(reading.block);
  return result;
}
