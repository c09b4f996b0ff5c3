/*
 * A serial line between two ptys: bytes leave at the pace of a baud rate, ten bits each, in both
 * directions at once and independently, and some of their bits arrive wrong.
 *
 *   relay BAUD BIT_ERROR_RATE SEED END END
 *
 * An END is `new:LINK` (a new pty whose slave LINK leads to) or `tty:PATH` (a pty or a serial port
 * that is there). BAUD 0: as fast as it goes. Prints `ready` when both ends are open, and at its
 * end (SIGTERM) how many bytes went each way and how many of their bits were flipped: from the
 * first END to the second, and back.
 *
 * What a UART's driver holds is QUEUE_BYTES; a sender that has more waits, first in its pty. A
 * taker that does not read holds the line, as hardware flow control does. A line that is late by
 * less than BURST_NS catches up; beyond that the time is lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "noise.h"

enum { QUEUE_BYTES = 4096, FAST_QUEUE_BYTES = 65536 };
#define BURST_NS 2e6
#define TURN_NS 1e6

struct way {
  int from;
  int to;
  double byte_ns;    /* 0: no pace */
  double sent_at_ns; /* when the last byte had left */
  size_t capacity;
  size_t start;
  size_t count;
  bool held; /* the taker's side is full */
  struct noise noise;
  uint8_t queue[FAST_QUEUE_BYTES];
};

static struct way ways[2];
static volatile sig_atomic_t ended;

static void on_signal(int number) {
  (void)number;
  ended = 1;
}

static void fail(const char *what) {
  fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_ns(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What programs on the line see when they ask for its speed. */
static speed_t speed_of(unsigned baud) {
  static const struct {
    unsigned baud;
    speed_t speed;
  } SPEEDS[] = {{115200, B115200},   {230400, B230400},   {460800, B460800},   {921600, B921600},
                {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000}};
  for (size_t i = 0; i < sizeof SPEEDS / sizeof SPEEDS[0]; i++)
    if (SPEEDS[i].baud == baud)
      return SPEEDS[i].speed;
  return B4000000;
}

static void make_raw(int fd, unsigned baud) {
  struct termios raw;
  if (tcgetattr(fd, &raw) != 0)
    fail("tcgetattr");
  cfmakeraw(&raw);
  if (cfsetspeed(&raw, speed_of(baud)) != 0 || tcsetattr(fd, TCSANOW, &raw) != 0)
    fail("tcsetattr");
}

static int open_new(const char *link, unsigned baud) {
  char path[64];
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
      ptsname_r(master, path, sizeof path) != 0)
    fail("a new pty");
  /* Kept open, so that what a program wrote before it closed its side is not lost. */
  if (open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
    fail(path);
  make_raw(master, baud);
  if (symlink(path, link) != 0)
    fail(link);
  return master;
}

static int open_end(const char *end, unsigned baud) {
  if (strncmp(end, "new:", 4) == 0)
    return open_new(end + 4, baud);
  const int tty = open(end + 4, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (tty < 0)
    fail(end);
  make_raw(tty, baud);
  return tty;
}

static void init_way(struct way *way, unsigned baud) {
  way->byte_ns = baud == 0 ? 0 : 1e10 / baud;
  way->capacity = baud == 0 ? FAST_QUEUE_BYTES : QUEUE_BYTES;
}

static size_t due(const struct way *way, double now) {
  if (way->byte_ns <= 0)
    return way->count;
  const double bytes = (now - way->sent_at_ns) / way->byte_ns;
  if (bytes <= 0)
    return 0;
  return bytes >= (double)way->count ? way->count : (size_t)bytes;
}

/* EIO: nobody has the other side open at this moment. */
static bool is_passing(int reason) {
  return reason == EAGAIN || reason == EIO || reason == EINTR;
}

static void deliver(struct way *way, double now) {
  size_t left = due(way, now);
  way->held = false;
  while (left > 0) {
    const size_t run = way->capacity - way->start < left ? way->capacity - way->start : left;
    const ssize_t sent = write(way->to, way->queue + way->start, run);
    if (sent < 0 && !is_passing(errno))
      fail("write");
    if (sent <= 0) {
      way->held = true;
      way->sent_at_ns = now;
      return;
    }
    way->start = (way->start + (size_t)sent) % way->capacity;
    way->count -= (size_t)sent;
    way->sent_at_ns += (double)sent * way->byte_ns;
    left -= (size_t)sent;
  }
}

static bool take(struct way *way, double now) {
  bool taken = false;
  while (way->count < way->capacity) {
    const size_t at = (way->start + way->count) % way->capacity;
    const size_t room = way->capacity - way->count;
    const size_t run = way->capacity - at < room ? way->capacity - at : room;
    const ssize_t got = read(way->from, way->queue + at, run);
    if (got < 0 && !is_passing(errno))
      fail("read");
    if (got <= 0)
      return taken;
    noise_apply(&way->noise, way->queue + at, (size_t)got);
    if (way->count == 0 && way->sent_at_ns < now - BURST_NS)
      way->sent_at_ns = now - BURST_NS;
    way->count += (size_t)got;
    taken = true;
  }
  return taken;
}

/* When the next turn's worth of bytes is due. */
static double wake_at(const struct way *way) {
  if (way->count == 0 || way->held)
    return 1e300;
  const double all = way->sent_at_ns + (double)way->count * way->byte_ns;
  const double turn = way->sent_at_ns + (TURN_NS > way->byte_ns ? TURN_NS : way->byte_ns);
  return all < turn ? all : turn;
}

static void wait_for_work(void) {
  struct pollfd fds[4];
  double wake = 1e300;
  for (int i = 0; i < 2; i++) {
    const struct way *way = &ways[i];
    const double at = wake_at(way);
    wake = at < wake ? at : wake;
    fds[2 * i] = (struct pollfd){way->count < way->capacity ? way->from : -1, POLLIN, 0};
    fds[2 * i + 1] = (struct pollfd){way->held ? way->to : -1, POLLOUT, 0};
  }
  const double left = wake - now_ns();
  const long ns = left <= 0 ? 0 : left > 5e8 ? 500000000 : (long)left;
  const struct timespec limit = {0, ns};
  if (ppoll(fds, 4, &limit, NULL) < 0 && errno != EINTR)
    fail("poll");
  /* A device that went away. */
  for (int i = 0; i < 4; i++)
    if ((fds[i].revents & POLLHUP) != 0)
      ended = 1;
}

static void report(const char *name, const struct way *way) {
  printf("%s %llu %llu\n", name, (unsigned long long)way->noise.bytes,
         (unsigned long long)way->noise.flipped_bits);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: relay BAUD BIT_ERROR_RATE SEED END END\n");
    return 2;
  }
  const unsigned baud = (unsigned)strtoul(argv[1], NULL, 10);
  const double rate = strtod(argv[2], NULL);
  const uint64_t seed = strtoull(argv[3], NULL, 10);
  const struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_TIMERSLACK, 1UL);
  const int ends[2] = {open_end(argv[4], baud), open_end(argv[5], baud)};
  for (int i = 0; i < 2; i++) {
    ways[i].from = ends[i];
    ways[i].to = ends[1 - i];
    init_way(&ways[i], baud);
    noise_init(&ways[i].noise, rate, 2 * seed + (uint64_t)i);
  }
  printf("ready\n");
  fflush(stdout);
  while (!ended) {
    wait_for_work();
    for (int i = 0; i < 2; i++) {
      const double now = now_ns();
      deliver(&ways[i], now);
      if (take(&ways[i], now))
        deliver(&ways[i], now);
    }
  }
  report("there", &ways[0]);
  report("back", &ways[1]);
  return 0;
}
