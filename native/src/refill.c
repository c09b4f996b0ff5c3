#define _GNU_SOURCE
#include "refill.h"

#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

enum { LOOK_NS = 40 * 1000, RESTS_MAX = 256 };

static int64_t now_ns(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void refill_init(struct refill *refill) {
  refill->rests = 0;
  refill->rests_next = 1;
}

bool refill_came(struct refill *refill, int fd) {
  int size = 0;
  if (refill->rests > 0) {
    refill->rests--;
    return false;
  }
  const int64_t until = now_ns() + LOOK_NS;
  do {
    if (ioctl(fd, FIONREAD, &size) != 0)
      break;
    if (size > 0) {
      refill->rests_next = 1;
      return true;
    }
    (void)sched_yield();
  } while (now_ns() < until);
  refill->rests = refill->rests_next;
  refill->rests_next = refill->rests_next < RESTS_MAX ? refill->rests_next * 2 : RESTS_MAX;
  return false;
}
