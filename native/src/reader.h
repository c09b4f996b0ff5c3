#ifndef DOCKET_READER_H
#define DOCKET_READER_H

/*
 * One line read by a thread of its own: frames out of the bytes, and clip bytes straight into the
 * windows that wait for them.
 */
#include "inbox.h"

enum {
  /* A read of what is no clip byte. A terminal gives 4 KiB at a time. */
  SCAN_BYTES = 8192,
  /* Frames that are in no hurry are told together. */
  NOTIFY_MS = 5,
  /* The other side is gone: what reading then gives is no error of its own. */
  READER_END = 1
};

struct reader;

/* What came since the last time, and counts since the line was opened. */
struct reader_news {
  /* Valid until the next call. */
  const struct arrivals *arrivals;
  uint64_t heard;
  uint64_t discarded;
  uint64_t failed;
  /* 0 while the line is read; READER_END or a negative errno when that is over. */
  int ended;
};

/* `notify` is called on the reader's thread when there are news, once until they are taken. */
struct reader_listener {
  void *context;
  void (*notify)(void *context);
};

/*
 * INVARIANTS: all calls come from one thread. The reader's own thread writes nothing outside of the
 * windows, and nothing into one that was forgotten, or after reader_close.
 */
/* Reads a duplicate of `fd`, which must not block. 0 or a negative errno. */
int reader_open(int fd, const struct reader_listener *listener, struct reader **reader);
/* As inbox_expect; -EBADF when the reader is closed. */
int reader_expect(struct reader *reader, const struct window *window);
/* Nothing is written into its window any more when this returns. False when it has none. */
bool reader_forget(struct reader *reader, uint32_t request);
void reader_take(struct reader *reader, struct reader_news *news);
/* Ends the thread and lets go of the line; what came can still be taken. May be called twice. */
void reader_close(struct reader *reader);
/* After reader_close. */
void reader_free(struct reader *reader);

#endif
