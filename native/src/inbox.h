#ifndef DOCKET_INBOX_H
#define DOCKET_INBOX_H

/*
 * What becomes of the bytes of one line: clip bytes go into the windows that wait for them, and
 * what came is noted in order. No thread, no system call.
 */
#include "arrivals.h"

enum { WINDOWS_MAX = 32 };

/* Where the DATA of one READ goes. */
struct window {
  uint32_t request;
  uint8_t *bytes;
  size_t size;
  /* DATA before this offset has come or was lost. */
  size_t next;
};

struct inbox {
  struct window windows[WINDOWS_MAX];
  size_t window_count;
  struct arrivals arrivals;
  uint32_t last_request;
  /* Something came that must not wait for more. */
  bool is_urgent;
  /* 0, or -ENOMEM when something could not be noted. */
  int error;
  struct frames frames;
};

void inbox_init(struct inbox *inbox);
void inbox_free(struct inbox *inbox);
/* DATA of `request` goes into the window from now on: each byte once, at ascending offsets. -EEXIST
 * when the request has a window or bytes of it are still to come for another one, -ENOSPC when
 * there are WINDOWS_MAX. */
int inbox_expect(struct inbox *inbox, const struct window *window);
/* Nothing is written into its window from now on. False when it has none. */
bool inbox_forget(struct inbox *inbox, uint32_t request);
void inbox_forget_all(struct inbox *inbox);

#endif
