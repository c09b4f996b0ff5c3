#ifndef DOCKET_FRAMES_H
#define DOCKET_FRAMES_H

/*
 * Bytes in, frames out (SPEC 2 of the camera link). Memory is one frame of the greatest size,
 * whatever a header claims. The clip bytes of a DATA frame (SPEC 6) go where `place` says while
 * they come, and are told only when the frame's CRC holds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SPEC 1 and 3. */
enum {
  FRAME_HEADER_BYTES = 16,
  FRAME_CRC_BYTES = 4,
  FRAME_PAYLOAD_MAX = 65568,
  FRAME_BYTES_MAX = FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX + FRAME_CRC_BYTES,
  FRAME_DATA = 0x86,
  FRAME_GAP_MS = 200,
  DATA_OFFSET_BYTES = 4
};

struct frame {
  uint8_t type;
  uint32_t request;
  const uint8_t *payload;
  size_t size;
};

/* The payload of a DATA frame. */
struct frame_data {
  uint32_t request;
  uint32_t offset;
  size_t size;
  /* NULL: they lie where `place` said. Otherwise valid during the call. */
  const uint8_t *bytes;
};

struct frames_sink {
  void *context;
  /* Where `data->size` bytes (at least 1) belong; NULL: nowhere. */
  uint8_t *(*place)(void *context, const struct frame_data *data);
  /* Every DATA frame that has an offset. */
  void (*data)(void *context, const struct frame_data *data);
  /* Every other frame. */
  void (*frame)(void *context, const struct frame *frame);
};

enum frames_stage { FRAMES_HEADER, FRAMES_OFFSET, FRAMES_BODY };

/*
 * INVARIANTS: held[start, end) are the bytes that may still become frames; `start` is 0 but while
 * searching. Those of them that lie at `at` have their room in `held`, to which they return when
 * the frame is damaged.
 */
struct frames {
  struct frames_sink sink;
  uint8_t *at;
  size_t placed;
  uint32_t crc;
  enum frames_stage stage;
  size_t start;
  size_t end;
  /* With so many bytes the next thing is decided. */
  size_t need;
  bool is_searching;
  /* Bytes that were in no frame. */
  uint64_t discarded;
  /* Payload bytes whose checksum was wrong: the work that bad input cost. */
  uint64_t failed;
  uint8_t held[FRAME_BYTES_MAX];
};

/* Once crc32_init was called. */
void frames_init(struct frames *frames, const struct frames_sink *sink);
/* Takes bytes until all are taken or a frame is damaged: search then, and push the rest. Returns
 * how many it took. */
size_t frames_push(struct frames *frames, const uint8_t *bytes, size_t size);
/* One step of looking again inside the bytes that are held: true while there is more to do. A step
 * costs one checksum at most. */
bool frames_search(struct frames *frames);
/* The memory at which a frame is being placed goes away: its bytes are held from now on. */
void frames_unplace(struct frames *frames);
/* In the middle of a frame. */
bool frames_waiting(const struct frames *frames);
/* No byte came for FRAME_GAP_MS: search next, and again until this is false. */
bool frames_gap(struct frames *frames);

#endif
