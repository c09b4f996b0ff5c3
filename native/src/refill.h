#ifndef DOCKET_REFILL_H
#define DOCKET_REFILL_H

/*
 * A terminal of Linux holds 4 KiB. Whoever reads or polls an empty one is put to sleep until a
 * thread of the kernel has refilled it: two switches every 4 KiB, which cost more than all else
 * together. On a fast line it is refilled within microseconds, so it pays to look for a moment
 * (FIONREAD does not sleep) and to let that thread run. Where looking was in vain, as on every slow
 * line, the next reads do without it: one in 256 at last.
 */
#include <stdbool.h>

struct refill {
  unsigned rests;
  unsigned rests_next;
};

void refill_init(struct refill *refill);
/* Whether there is something to read now. False may also mean that nobody looked. */
bool refill_came(struct refill *refill, int fd);

#endif
