#define _GNU_SOURCE
#include "sink.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The flag is of the open file, which the caller's descriptor shares: sink_close takes it away. */
static void set_direct(struct sink *sink, bool direct) {
  const int flags = fcntl(sink->fd, F_GETFL);
  const int wanted = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
  if (flags >= 0 && fcntl(sink->fd, F_SETFL, wanted) == 0)
    sink->direct = direct;
}

void sink_open(struct sink *sink, int fd) {
  struct stat stat;
  sink->fd = fd;
  sink->direct = false;
  /* On a pipe the flag would mean something else. */
  if (fd != SINK_NOWHERE && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
    set_direct(sink, true);
}

static size_t round_up(size_t size) {
  return (size + FDIO_ALIGNMENT - 1) / FDIO_ALIGNMENT * FDIO_ALIGNMENT;
}

int sink_write(struct sink *sink, uint8_t *bytes, size_t size, uint64_t offset) {
  if (sink->fd == SINK_NOWHERE)
    return 0;
  if (sink->direct) {
    const size_t padded = round_up(size);
    memset(bytes + size, 0, padded - size);
    const int result = fdio_write_at(sink->fd, bytes, padded, offset);
    /* Some file systems take the flag and refuse the write. */
    if (result != -EINVAL)
      return result;
    set_direct(sink, false);
  }
  const int result = fdio_write_at(sink->fd, bytes, size, offset);
  /* Only a hint that keeps the last fsync short; what it could report, that fsync reports. */
  if (result == 0)
    (void)sync_file_range(sink->fd, (off64_t)offset, (off64_t)size, SYNC_FILE_RANGE_WRITE);
  return result;
}

static int truncate_to(int fd, uint64_t size) {
  int result = 0;
  do {
    result = ftruncate(fd, (off_t)size);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int sink_finish(struct sink *sink, uint64_t size) {
  if (sink->fd == SINK_NOWHERE)
    return 0;
  if (sink->direct && size % FDIO_ALIGNMENT != 0) {
    const int result = truncate_to(sink->fd, size);
    if (result != 0)
      return result;
  }
  return fdio_sync(sink->fd);
}

void sink_close(struct sink *sink) {
  if (sink->fd == SINK_NOWHERE)
    return;
  if (sink->direct)
    set_direct(sink, false);
  (void)close(sink->fd);
  sink->fd = SINK_NOWHERE;
}
