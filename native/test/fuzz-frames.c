/*
 * Any bytes, in any pieces, against a decoder that looks at the whole stream at once. The first
 * four bytes choose the pieces, how they come (pushed, or read straight into their place) and when
 * a window is forgotten. Clang's libFuzzer runs it, and fuzz-main.c.
 */
#include "../src/crc32.h"
#include "../src/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOWS = 4, WINDOW_BYTES = 600, GUARD_BYTES = 16, GUARD = 0xee, EMPTY = 0x55 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define NEED(what) need((what), #what, __LINE__)

static void need(bool ok, const char *what, int line) {
  if (ok)
    return;
  (void)fprintf(stderr, "fuzz-frames.c:%d: %s\n", line, what);
  abort();
}

/* What a stream says, however it was cut. */
struct outcome {
  uint64_t discarded;
  uint64_t failed;
  uint64_t data_frames;
  uint64_t data_bytes;
  uint64_t other_frames;
  uint32_t other_crc;
  uint64_t placed_bytes;
  uint8_t windows[WINDOWS][WINDOW_BYTES + GUARD_BYTES];
};

static struct outcome expected;
static struct outcome found;
static struct inbox inbox;

static void clear(struct outcome *outcome) {
  memset(outcome, 0, sizeof *outcome);
  for (size_t i = 0; i < WINDOWS; i++) {
    memset(outcome->windows[i], EMPTY, WINDOW_BYTES);
    memset(outcome->windows[i] + WINDOW_BYTES, GUARD, GUARD_BYTES);
  }
}

static uint32_t u32_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
         (uint32_t)bytes[3] << 24;
}

static void note_other(struct outcome *outcome, uint8_t type, uint32_t request,
                       const uint8_t *payload, size_t size) {
  const uint8_t head[2] = {type, (uint8_t)request};
  outcome->other_frames++;
  outcome->other_crc = crc32_add(outcome->other_crc, head, sizeof head);
  outcome->other_crc = crc32_add(outcome->other_crc, payload, size);
}

static void refer_data(uint32_t request, const uint8_t *payload, size_t size, size_t *next) {
  const uint32_t offset = u32_at(payload);
  const size_t body = size - DATA_OFFSET_BYTES;
  expected.data_frames++;
  expected.data_bytes += body;
  if (request < 1 || request > WINDOWS || body == 0 || offset < next[request - 1] ||
      offset > WINDOW_BYTES || body > WINDOW_BYTES - offset)
    return;
  memcpy(expected.windows[request - 1] + offset, payload + DATA_OFFSET_BYTES, body);
  expected.placed_bytes += body;
  next[request - 1] = offset + body;
}

/* SPEC 2, to the letter, over a stream that is followed by silence. */
static void refer(const uint8_t *bytes, size_t size) {
  size_t next[WINDOWS] = {0};
  clear(&expected);
  for (size_t at = 0; at < size;) {
    const uint8_t *header = bytes + at;
    const size_t left = size - at;
    const bool is_header = left >= FRAME_HEADER_BYTES && header[0] == 0xd0 && header[1] == 0xc4 &&
                           header[3] == 0 && u32_at(header + 8) <= FRAME_PAYLOAD_MAX &&
                           crc32_add_plain(0, header, 12) == u32_at(header + 12);
    const size_t length = is_header ? u32_at(header + 8) : 0;
    const uint8_t *payload = header + FRAME_HEADER_BYTES;
    if (!is_header || left < FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES) {
      expected.discarded++;
      at++;
    } else if (crc32_add_plain(0, payload, length) != u32_at(payload + length)) {
      expected.discarded++;
      expected.failed += length;
      at++;
    } else {
      if (header[2] == FRAME_DATA && length >= DATA_OFFSET_BYTES)
        refer_data(u32_at(header + 4), payload, length, next);
      else
        note_other(&expected, header[2], u32_at(header + 4), payload, length);
      at += FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES;
    }
  }
}

static void search(void) {
  while (frames_search(&inbox.frames))
    continue;
}

static void take_arrivals(void) {
  for (size_t i = 0; i < inbox.arrivals.count; i++) {
    const struct arrival *arrival = &inbox.arrivals.items[i];
    if (arrival->is_data) {
      found.data_frames += arrival->frames;
      found.data_bytes += arrival->size;
      found.placed_bytes += arrival->is_placed ? arrival->size : 0;
    } else {
      note_other(&found, arrival->type, arrival->request, inbox.arrivals.bytes + arrival->offset,
                 arrival->size);
    }
  }
  arrivals_clear(&inbox.arrivals);
}

static void feed(const uint8_t *bytes, size_t size) {
  for (size_t used = 0; used < size; search())
    used += frames_push(&inbox.frames, bytes + used, size - used);
}

static void forget(uint32_t request) {
  NEED(inbox_forget(&inbox, request));
  memset(found.windows[request - 1], GUARD, WINDOW_BYTES);
}

static void decode(const uint8_t *bytes, size_t size, const uint8_t *choice) {
  const size_t forgotten_at = choice[3] == 0 ? SIZE_MAX : size * choice[3] / 256;
  uint32_t state = u32_at(choice);
  bool is_forgotten = false;
  clear(&found);
  inbox_init(&inbox);
  for (uint32_t i = 0; i < WINDOWS; i++) {
    const struct window window = {i + 1, found.windows[i], WINDOW_BYTES, 0};
    NEED(inbox_expect(&inbox, &window) == 0);
  }
  for (size_t used = 0; used < size;) {
    if (!is_forgotten && used >= forgotten_at) {
      forget(1);
      is_forgotten = true;
    }
    state = state * 1664525 + 1013904223;
    const size_t wanted = 1 + (state >> 16) % (1 + (size_t)choice[0] * choice[0]);
    const size_t piece = wanted < size - used ? wanted : size - used;
    feed(bytes + used, piece);
    take_arrivals();
    used += piece;
  }
  while (frames_gap(&inbox.frames))
    search();
  take_arrivals();
  found.discarded = inbox.frames.discarded;
  found.failed = inbox.frames.failed;
  NEED(inbox.error == 0 && !frames_waiting(&inbox.frames));
  if (is_forgotten)
    for (size_t i = 0; i < WINDOW_BYTES; i++)
      NEED(found.windows[0][i] == GUARD);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size < 4)
    return 0;
  crc32_init();
  refer(bytes + 4, size - 4);
  decode(bytes + 4, size - 4, bytes);
  NEED(found.discarded == expected.discarded && found.failed == expected.failed);
  NEED(found.data_frames == expected.data_frames && found.data_bytes == expected.data_bytes);
  NEED(found.other_frames == expected.other_frames && found.other_crc == expected.other_crc);
  for (size_t i = 0; i < WINDOWS; i++)
    for (size_t k = 0; k < GUARD_BYTES; k++)
      NEED(found.windows[i][WINDOW_BYTES + k] == GUARD);
  if (bytes[3] == 0)
    NEED(found.placed_bytes == expected.placed_bytes);
  inbox_free(&inbox);
  return 0;
}
