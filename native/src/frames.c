#include "frames.h"

#include "crc32.h"

#include <string.h>

enum { MAGIC_0 = 0xd0, MAGIC_1 = 0xc4, BODY_AT = FRAME_HEADER_BYTES + DATA_OFFSET_BYTES };

static uint32_t u32_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
         (uint32_t)bytes[3] << 24;
}

static size_t payload_size(const uint8_t *header) {
  return u32_at(header + 8);
}

static size_t payload_end(const uint8_t *header) {
  return FRAME_HEADER_BYTES + payload_size(header);
}

/* SPEC 2: magic, flags 0, length within the limit and a right header CRC. */
static bool header_holds(const uint8_t *header) {
  return header[0] == MAGIC_0 && header[1] == MAGIC_1 && header[3] == 0 &&
         payload_size(header) <= FRAME_PAYLOAD_MAX &&
         crc32_add(0, header, 12) == u32_at(header + 12);
}

static bool has_offset(const uint8_t *header) {
  return header[2] == FRAME_DATA && payload_size(header) >= DATA_OFFSET_BYTES;
}

void frames_init(struct frames *frames, const struct frames_sink *sink) {
  memset(frames, 0, offsetof(struct frames, held));
  frames->sink = *sink;
  frames->need = FRAME_HEADER_BYTES;
}

/* Holds nothing. */
static void begin(struct frames *frames) {
  frames->at = NULL;
  frames->stage = FRAMES_HEADER;
  frames->start = 0;
  frames->end = 0;
  frames->need = FRAME_HEADER_BYTES;
}

/* The first byte that is held is none of a frame: what follows it may be. */
static void reject(struct frames *frames) {
  frames_unplace(frames);
  frames->discarded++;
  frames->start = 1;
  frames->is_searching = true;
}

static struct frame_data data_of(const uint8_t *header) {
  return (struct frame_data){.request = u32_at(header + 4),
                             .offset = u32_at(header + FRAME_HEADER_BYTES),
                             .size = payload_size(header) - DATA_OFFSET_BYTES};
}

/* Tells a whole frame. `is_placed`: its clip bytes are not behind the offset. */
static void tell(struct frames *frames, const uint8_t *header, bool is_placed) {
  const struct frames_sink *sink = &frames->sink;
  if (has_offset(header)) {
    struct frame_data data = data_of(header);
    data.bytes = is_placed ? NULL : header + BODY_AT;
    sink->data(sink->context, &data);
    return;
  }
  const struct frame frame = {.type = header[2],
                              .request = u32_at(header + 4),
                              .payload = header + FRAME_HEADER_BYTES,
                              .size = payload_size(header)};
  sink->frame(sink->context, &frame);
}

/* Asks where the frame that is held goes, once its offset is there; what is held of its body moves.
 */
static void place(struct frames *frames) {
  struct frame_data data = data_of(frames->held);
  const size_t body_end = payload_end(frames->held);
  const size_t here = frames->end < body_end ? frames->end : body_end;
  frames->stage = FRAMES_BODY;
  frames->need = body_end + FRAME_CRC_BYTES;
  if (data.size > 0)
    frames->at = frames->sink.place(frames->sink.context, &data);
  if (frames->at == NULL)
    return;
  frames->placed = here - BODY_AT;
  memcpy(frames->at, frames->held + BODY_AT, frames->placed);
  frames->crc = crc32_add(0, frames->held + FRAME_HEADER_BYTES, here - FRAME_HEADER_BYTES);
}

static void finish(struct frames *frames) {
  const uint8_t *held = frames->held;
  const size_t size = payload_size(held);
  const uint32_t crc =
      frames->at != NULL ? frames->crc : crc32_add(0, held + FRAME_HEADER_BYTES, size);
  if (crc != u32_at(held + FRAME_HEADER_BYTES + size)) {
    frames->failed += size;
    reject(frames);
    return;
  }
  tell(frames, held, frames->at != NULL);
  begin(frames);
}

/* What `need` asked for is there. */
static void decide(struct frames *frames) {
  if (frames->stage == FRAMES_BODY) {
    finish(frames);
  } else if (frames->stage == FRAMES_OFFSET) {
    place(frames);
  } else if (!header_holds(frames->held)) {
    reject(frames);
  } else if (has_offset(frames->held)) {
    frames->stage = FRAMES_OFFSET;
    frames->need = BODY_AT;
  } else {
    frames->stage = FRAMES_BODY;
    frames->need = payload_end(frames->held) + FRAME_CRC_BYTES;
  }
}

/* How much of the body under way is still to come into its place. */
static size_t room_of(const struct frames *frames) {
  return frames->at == NULL ? 0 : payload_end(frames->held) - BODY_AT - frames->placed;
}

static void fill(struct frames *frames, const uint8_t *bytes, size_t size) {
  uint8_t *at = frames->at + frames->placed;
  memcpy(at, bytes, size);
  frames->crc = crc32_add(frames->crc, at, size);
  frames->placed += size;
  frames->end += size;
}

static size_t take(struct frames *frames, const uint8_t *bytes, size_t size) {
  const size_t room = room_of(frames);
  const size_t wanted = room > 0 ? room : frames->need - frames->end;
  const size_t taken = size < wanted ? size : wanted;
  if (room > 0) {
    fill(frames, bytes, taken);
    return taken;
  }
  memcpy(frames->held + frames->end, bytes, taken);
  frames->end += taken;
  if (frames->end == frames->need)
    decide(frames);
  return taken;
}

static size_t before_magic(const uint8_t *bytes, size_t size) {
  const uint8_t *found = memchr(bytes, MAGIC_0, size);
  return found == NULL ? size : (size_t)(found - bytes);
}

size_t frames_push(struct frames *frames, const uint8_t *bytes, size_t size) {
  size_t used = 0;
  while (used < size && !frames->is_searching) {
    if (frames->end == 0) {
      const size_t skipped = before_magic(bytes + used, size - used);
      frames->discarded += skipped;
      used += skipped;
    }
    used += take(frames, bytes + used, size - used);
  }
  return used;
}

/* Found at `start` what needs more bytes than there are: goes on as if it had come just now. */
static void settle(struct frames *frames) {
  const size_t size = frames->end - frames->start;
  memmove(frames->held, frames->held + frames->start, size);
  begin(frames);
  frames->is_searching = false;
  frames->end = size;
  if (size < FRAME_HEADER_BYTES)
    return;
  decide(frames);
  if (frames->stage == FRAMES_OFFSET && size >= BODY_AT)
    decide(frames);
}

bool frames_search(struct frames *frames) {
  while (frames->is_searching) {
    const uint8_t *held = frames->held;
    const size_t skipped = before_magic(held + frames->start, frames->end - frames->start);
    frames->discarded += skipped;
    frames->start += skipped;
    const uint8_t *header = held + frames->start;
    const size_t size = frames->end - frames->start;
    const bool is_header = size >= FRAME_HEADER_BYTES && header_holds(header);
    if (size < FRAME_HEADER_BYTES || (is_header && size < payload_end(header) + FRAME_CRC_BYTES)) {
      settle(frames);
      return false;
    }
    const uint8_t *payload = header + FRAME_HEADER_BYTES;
    if (is_header && crc32_add(0, payload, payload_size(header)) ==
                         u32_at(held + frames->start + payload_end(header))) {
      tell(frames, header, false);
      frames->start += payload_end(header) + FRAME_CRC_BYTES;
      return true;
    }
    if (is_header)
      frames->failed += payload_size(header);
    frames->discarded++;
    frames->start++;
    if (is_header)
      return true;
  }
  return false;
}

void frames_unplace(struct frames *frames) {
  if (frames->at == NULL)
    return;
  memcpy(frames->held + BODY_AT, frames->at, frames->placed);
  frames->at = NULL;
}

bool frames_waiting(const struct frames *frames) {
  return frames->end > 0;
}

bool frames_gap(struct frames *frames) {
  if (frames->end == 0)
    return false;
  reject(frames);
  return true;
}
