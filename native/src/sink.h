#ifndef DOCKET_SINK_H
#define DOCKET_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No file: what is written is dropped, on the same way otherwise. For measuring. */
enum { SINK_NOWHERE = -1 };

/* The file that one segment becomes, written past the page cache where its file system can. */
struct sink {
  int fd;
  bool direct;
};

/* Takes `fd`, or SINK_NOWHERE. */
void sink_open(struct sink *sink, int fd);

/*
 * All bytes at `offset`, a multiple of FDIO_ALIGNMENT. `bytes` is aligned likewise, and there is
 * room behind it to fill its size up: a last block that is not whole goes out padded with zeros,
 * which sink_finish cuts off. 0 or a negative errno.
 */
int sink_write(struct sink *sink, uint8_t *bytes, size_t size, uint64_t offset);

/* The file has `size` bytes and is durable. 0 or a negative errno, which is final. */
int sink_finish(struct sink *sink, uint64_t size);

/* May be called twice. */
void sink_close(struct sink *sink);

#endif
