/* The reader's thread under sanitizers: a pipe full of frames, taken, forgotten and closed at any
 * moment. */
#define _GNU_SOURCE
#include "../src/crc32.h"
#include "../src/reader.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 400, BODY_BYTES = 1500, ROUNDS = 60, ROUNDS_SHORT = 12 };

static uint8_t stream[FRAMES * (FRAME_HEADER_BYTES + FRAME_CRC_BYTES + 4 + BODY_BYTES)];
static size_t stream_size;
static atomic_int notified;

#define NEED(what) need((what), #what, __LINE__)

static void need(bool ok, const char *what, int line) {
  if (ok)
    return;
  (void)fprintf(stderr, "drive-reader.c:%d: %s\n", line, what);
  abort();
}

static void put_u32(uint8_t *bytes, uint32_t value) {
  for (unsigned i = 0; i < 4; i++)
    bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Two requests in turn, and now and then a frame that is damaged or of another type. */
static void make_stream(void) {
  for (uint32_t i = 0; i < FRAMES; i++) {
    uint8_t *frame = stream + stream_size;
    uint8_t *payload = frame + FRAME_HEADER_BYTES;
    const uint32_t size = 4 + BODY_BYTES;
    memset(payload, (int)(i & 0xff), size);
    memcpy(frame, i % 10 == 9 ? "\xd0\xc4\x83" : "\xd0\xc4\x86", 4);
    put_u32(frame + 4, 1 + i % 2);
    put_u32(frame + 8, size);
    put_u32(frame + 12, crc32_add(0, frame, 12));
    put_u32(payload, i / 2 * BODY_BYTES);
    put_u32(payload + size, crc32_add(0, payload, size) ^ (i % 50 == 7));
    stream_size += FRAME_HEADER_BYTES + size + FRAME_CRC_BYTES;
  }
}

static void *feed(void *context) {
  const int fd = *(const int *)context;
  for (size_t used = 0; used < stream_size;) {
    const ssize_t got = write(fd, stream + used, stream_size - used);
    if (got <= 0)
      break;
    used += (size_t)got;
  }
  (void)close(fd);
  return NULL;
}

static void note(void *context) {
  (void)context;
  notified++;
}

static void run_round(unsigned round) {
  int fds[2];
  pthread_t feeder;
  struct reader *reader;
  struct reader_news news = {0};
  const struct reader_listener listener = {NULL, note};
  const size_t size = (size_t)FRAMES / 2 * BODY_BYTES;
  uint8_t *memory = malloc(2 * size);
  NEED(memory != NULL && pipe2(fds, O_CLOEXEC) == 0);
  NEED(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
  NEED(reader_open(fds[0], &listener, &reader) == 0);
  for (uint32_t i = 0; i < 2; i++) {
    const struct window window = {i + 1, memory + i * size, size, 0};
    NEED(reader_expect(reader, &window) == 0);
  }
  NEED(pthread_create(&feeder, NULL, feed, &fds[1]) == 0);
  for (unsigned turn = 0; news.ended == 0 && (round % 3 != 0 || turn < round); turn++) {
    reader_take(reader, &news);
    if (turn == round) {
      NEED(reader_forget(reader, 1) && !reader_forget(reader, 1));
      memset(memory, 0xee, size);
    }
  }
  reader_close(reader);
  memset(memory, 0, 2 * size);
  reader_take(reader, &news);
  reader_free(reader);
  free(memory);
  (void)close(fds[0]);
  NEED(pthread_join(feeder, NULL) == 0);
}

/* `short`: what is bearable under valgrind. */
int main(int argc, char **argv) {
  const unsigned rounds = argc > 1 && strcmp(argv[1], "short") == 0 ? ROUNDS_SHORT : ROUNDS;
  crc32_init();
  make_stream();
  /* A feeder whose reader was closed sees a broken pipe. */
  (void)signal(SIGPIPE, SIG_IGN);
  for (unsigned round = 0; round < rounds; round++)
    run_round(round);
  (void)printf("%u rounds, %d notes\n", rounds, notified);
  return 0;
}
