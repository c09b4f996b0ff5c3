#define _GNU_SOURCE
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

uint8_t *fdio_alloc(size_t size) {
  void *memory = NULL;
  return posix_memalign(&memory, FDIO_ALIGNMENT, size) == 0 ? memory : NULL;
}

int fdio_duplicate(int fd, int *own) {
  *own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return *own < 0 ? -errno : 0;
}

int fdio_write_at(int fd, const uint8_t *bytes, size_t size, uint64_t offset) {
  while (size > 0) {
    const ssize_t written = pwrite(fd, bytes, size, (off_t)offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -errno;
    if (written == 0)
      return -EIO;
    bytes += written;
    offset += (uint64_t)written;
    size -= (size_t)written;
  }
  return 0;
}

int fdio_write(int fd, const uint8_t *bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -errno;
    if (written == 0)
      return -EIO;
    bytes += written;
    size -= (size_t)written;
  }
  return 0;
}

int fdio_read_at(int fd, uint8_t *bytes, size_t size, uint64_t offset, size_t *got) {
  *got = 0;
  while (*got < size) {
    const ssize_t taken = pread(fd, bytes + *got, size - *got, (off_t)(offset + *got));
    if (taken < 0 && errno == EINTR)
      continue;
    if (taken < 0)
      return -errno;
    if (taken == 0)
      break;
    *got += (size_t)taken;
  }
  return 0;
}

int fdio_sync(int fd) {
  int result = 0;
  do {
    result = fsync(fd);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}
