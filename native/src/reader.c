/*
 * INVARIANTS: `lock` guards everything but `fd`, `wake` and the thread. The thread holds it while
 * it reads and decodes, which takes microseconds: the line does not block, and a search for frames
 * lets others in after every checksum.
 */
#define _GNU_SOURCE
#include "reader.h"

#include "crc32.h"
#include "fdio.h"
#include "refill.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

struct reader {
  int fd;
  int wake;
  bool is_running;
  pthread_t thread;
  pthread_mutex_t lock;
  /* Callers that wait for the lock. */
  atomic_uint waiting;
  struct reader_listener listener;
  /* What was taken last. */
  struct arrivals taken;
  uint64_t heard;
  int64_t heard_at_ms;
  int64_t news_since_ms;
  int ended;
  bool is_told;
  bool is_stopping;
  /* Of the thread alone. */
  struct refill refill;
  struct inbox inbox;
  uint8_t scan[SCAN_BYTES];
};

static int64_t now_ms(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void lock(struct reader *reader) {
  (void)pthread_mutex_lock(&reader->lock);
}

static void unlock(struct reader *reader) {
  (void)pthread_mutex_unlock(&reader->lock);
}

/* For all but the reader's thread. */
static void enter(struct reader *reader) {
  atomic_fetch_add(&reader->waiting, 1);
  lock(reader);
  atomic_fetch_sub(&reader->waiting, 1);
}

static void search(struct reader *reader) {
  while (frames_search(&reader->inbox.frames)) {
    if (atomic_load(&reader->waiting) == 0)
      continue;
    unlock(reader);
    while (atomic_load(&reader->waiting) > 0)
      (void)sched_yield();
    lock(reader);
  }
}

static void decode(struct reader *reader, const uint8_t *bytes, size_t size) {
  for (size_t used = 0; used < size; search(reader))
    used += frames_push(&reader->inbox.frames, bytes + used, size - used);
}

/* SPEC 2: the gap. */
static void close_gap(struct reader *reader) {
  while (frames_gap(&reader->inbox.frames))
    search(reader);
}

/* What a read that gave nothing means. */
static int end_of(int error, short events) {
  const bool is_nothing = error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
  if (is_nothing && (events & (POLLHUP | POLLERR | POLLNVAL)) == 0)
    return 0;
  return is_nothing || error == EIO ? READER_END : -error;
}

/* Reads what is there, without the lock: who waits for it waits for no system call. Returns how
 * much, and why no more will come. */
static size_t receive(struct reader *reader, short events, int *ended) {
  if (events == 0)
    return 0;
  const ssize_t got = read(reader->fd, reader->scan, sizeof reader->scan);
  if (got > 0)
    return (size_t)got;
  *ended = got == 0 ? READER_END : end_of(errno, events);
  return 0;
}

static void attend(struct reader *reader, size_t size) {
  const bool had_news = reader->inbox.arrivals.count > 0;
  reader->heard += size;
  reader->heard_at_ms = now_ms();
  decode(reader, reader->scan, size);
  if (!had_news)
    reader->news_since_ms = reader->heard_at_ms;
  if (reader->inbox.error != 0)
    reader->ended = reader->inbox.error;
}

static bool is_full(const struct reader *reader) {
  return arrivals_full(&reader->inbox.arrivals);
}

/* How long there may be nothing to do; -1 for ever. */
static int idle_ms(const struct reader *reader, int64_t now) {
  const bool is_news = reader->inbox.arrivals.count > 0 && !reader->is_told;
  int64_t until = INT64_MAX;
  if (frames_waiting(&reader->inbox.frames) && !is_full(reader))
    until = reader->heard_at_ms + FRAME_GAP_MS;
  if (is_news && reader->news_since_ms + NOTIFY_MS < until)
    until = reader->news_since_ms + NOTIFY_MS;
  if (until == INT64_MAX)
    return -1;
  return until > now ? (int)(until - now) : 0;
}

static bool must_tell(struct reader *reader, int64_t now) {
  const bool is_news = reader->inbox.arrivals.count > 0;
  const bool is_due =
      reader->inbox.is_urgent || is_full(reader) || now - reader->news_since_ms >= NOTIFY_MS;
  if (reader->is_told || !((is_news && is_due) || reader->ended != 0))
    return false;
  reader->is_told = true;
  return true;
}

/* One turn; false at the end. */
static bool turn(struct reader *reader) {
  uint64_t count;
  struct pollfd fds[2] = {{reader->wake, POLLIN, 0}, {reader->fd, POLLIN, 0}};
  lock(reader);
  const int timeout = idle_ms(reader, now_ms());
  const bool is_taken_no_more = is_full(reader);
  unlock(reader);
  int ready = 1;
  if (is_taken_no_more)
    fds[1].fd = -1;
  if (!is_taken_no_more && refill_came(&reader->refill, reader->fd))
    fds[1].revents = POLLIN;
  else
    ready = poll(fds, 2, timeout);
  if (fds[0].revents != 0)
    (void)!read(reader->wake, &count, sizeof count);
  int ended = 0;
  const size_t size = receive(reader, fds[1].revents, &ended);
  lock(reader);
  reader->ended = ended;
  if (size > 0)
    attend(reader, size);
  else if (ready == 0 && !is_full(reader) && now_ms() - reader->heard_at_ms >= FRAME_GAP_MS)
    close_gap(reader);
  const bool tells = must_tell(reader, now_ms());
  const bool goes_on = !reader->is_stopping && reader->ended == 0;
  unlock(reader);
  if (tells)
    reader->listener.notify(reader->listener.context);
  return goes_on;
}

static void *run(void *context) {
  while (turn(context))
    continue;
  return NULL;
}

static int start_thread(struct reader *reader) {
  pthread_attr_t attributes;
  (void)pthread_attr_init(&attributes);
  (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
  const int refused = pthread_create(&reader->thread, &attributes, run, reader);
  (void)pthread_attr_destroy(&attributes);
  reader->is_running = refused == 0;
  return -refused;
}

int reader_open(int fd, const struct reader_listener *listener, struct reader **opened) {
  struct reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL)
    return -ENOMEM;
  crc32_init();
  inbox_init(&reader->inbox);
  (void)pthread_mutex_init(&reader->lock, NULL);
  reader->listener = *listener;
  reader->fd = -1;
  refill_init(&reader->refill);
  reader->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int result = reader->wake < 0 ? -errno : fdio_duplicate(fd, &reader->fd);
  if (result == 0)
    result = start_thread(reader);
  if (result == 0) {
    *opened = reader;
    return 0;
  }
  reader_close(reader);
  reader_free(reader);
  return result;
}

int reader_expect(struct reader *reader, const struct window *window) {
  if (!reader->is_running)
    return -EBADF;
  enter(reader);
  const int result = inbox_expect(&reader->inbox, window);
  unlock(reader);
  return result;
}

bool reader_forget(struct reader *reader, uint32_t request) {
  enter(reader);
  const bool had = inbox_forget(&reader->inbox, request);
  unlock(reader);
  return had;
}

static void wake(struct reader *reader) {
  const uint64_t one = 1;
  (void)!write(reader->wake, &one, sizeof one);
}

void reader_take(struct reader *reader, struct reader_news *news) {
  struct inbox *inbox = &reader->inbox;
  enter(reader);
  const bool was_full = is_full(reader);
  const struct arrivals came = inbox->arrivals;
  inbox->arrivals = reader->taken;
  arrivals_clear(&inbox->arrivals);
  reader->taken = came;
  *news = (struct reader_news){.arrivals = &reader->taken,
                               .heard = reader->heard,
                               .discarded = inbox->frames.discarded,
                               .failed = inbox->frames.failed,
                               .ended = reader->ended};
  inbox->is_urgent = false;
  reader->is_told = false;
  unlock(reader);
  if (was_full)
    wake(reader);
}

void reader_close(struct reader *reader) {
  enter(reader);
  reader->is_stopping = true;
  unlock(reader);
  if (reader->is_running) {
    wake(reader);
    (void)pthread_join(reader->thread, NULL);
  }
  reader->is_running = false;
  inbox_forget_all(&reader->inbox);
  if (reader->fd >= 0)
    (void)close(reader->fd);
  if (reader->wake >= 0)
    (void)close(reader->wake);
  reader->fd = -1;
  reader->wake = -1;
}

void reader_free(struct reader *reader) {
  inbox_free(&reader->inbox);
  arrivals_free(&reader->taken);
  (void)pthread_mutex_destroy(&reader->lock);
  free(reader);
}
