#ifndef DOCKET_FDIO_H
#define DOCKET_FDIO_H

#include <stddef.h>
#include <stdint.h>

/* One unit of I/O: few and large requests, aligned in memory and in the file. */
enum { FDIO_BLOCK_BYTES = 1 << 20, FDIO_ALIGNMENT = 4096 };

/* Page-aligned, or NULL. Freed with free(). */
uint8_t *fdio_alloc(size_t size);

/* A descriptor of our own, so that a caller who closes its one cannot make us write into another
 * file. */
int fdio_duplicate(int fd, int *own);

/* All bytes at `offset`. 0 or a negative errno. */
int fdio_write_at(int fd, const uint8_t *bytes, size_t size, uint64_t offset);

/* All bytes at the descriptor's own position; works on pipes. 0 or a negative errno. */
int fdio_write(int fd, const uint8_t *bytes, size_t size);

/* Reads until `size` bytes or the end of the file. `*got` says how many. 0 or a negative errno. */
int fdio_read_at(int fd, uint8_t *bytes, size_t size, uint64_t offset, size_t *got);

/* Durable when it returns 0. A failure is final: the kernel has dropped the pages and a retry would
 * lie. */
int fdio_sync(int fd);

#endif
