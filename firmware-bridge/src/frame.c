#include "internal.h"

enum { MAGIC_0 = 0xd0, MAGIC_1 = 0xc4 };

void fwb_decoder_init(fwb_decoder *decoder, uint8_t *bytes, size_t capacity) {
  decoder->bytes = bytes;
  decoder->capacity = capacity;
  decoder->start = 0;
  decoder->end = 0;
  decoder->discarded = 0;
}

size_t fwb_decoder_push(fwb_decoder *decoder, const uint8_t *bytes, size_t length) {
  if (decoder->start > 0) {
    memmove(decoder->bytes, decoder->bytes + decoder->start, decoder->end - decoder->start);
    decoder->end -= decoder->start;
    decoder->start = 0;
  }
  const size_t room = decoder->capacity - decoder->end;
  const size_t taken = length < room ? length : room;
  if (taken > 0) memcpy(decoder->bytes + decoder->end, bytes, taken);
  decoder->end += taken;
  return taken;
}

/* SPEC 2: magic, flags 0, length within the limit (here: of this receiver's memory) and a right
 * header CRC. */
static bool header_holds(const fwb_decoder *decoder) {
  const uint8_t *header = decoder->bytes + decoder->start;
  const size_t overhead = FWB_FRAME_HEADER_SIZE + FWB_FRAME_CRC_SIZE;
  if (header[0] != MAGIC_0 || header[1] != MAGIC_1 || header[3] != 0) return false;
  if (fwb_get_u32(header + 8) > FWB_FRAME_PAYLOAD_MAX) return false;
  if (fwb_get_u32(header + 8) > decoder->capacity - overhead) return false;
  return fwb_get_u32(header + 12) == fwb_crc32(0, header, 12);
}

static void discard(fwb_decoder *decoder) {
  decoder->start++;
  decoder->discarded++;
}

bool fwb_decoder_next(fwb_decoder *decoder, fwb_frame *frame) {
  while (decoder->end - decoder->start >= FWB_FRAME_HEADER_SIZE) {
    const uint8_t *header = decoder->bytes + decoder->start;
    if (!header_holds(decoder)) {
      discard(decoder);
      continue;
    }
    const size_t length = fwb_get_u32(header + 8);
    const size_t whole = FWB_FRAME_HEADER_SIZE + length + FWB_FRAME_CRC_SIZE;
    if (decoder->end - decoder->start < whole) return false;
    const uint8_t *payload = header + FWB_FRAME_HEADER_SIZE;
    if (fwb_get_u32(payload + length) != fwb_crc32(0, payload, length)) {
      discard(decoder);
      continue;
    }
    frame->type = header[2];
    frame->request = fwb_get_u32(header + 4);
    frame->payload.bytes = payload;
    frame->payload.length = length;
    decoder->start += whole;
    return true;
  }
  return false;
}

bool fwb_decoder_gap(fwb_decoder *decoder) {
  if (decoder->start == decoder->end) return false;
  discard(decoder);
  return true;
}

/* The header of a frame; shared with DATA, whose payload is never in memory as a whole. */
void fwb_header_encode(uint8_t *bytes, uint8_t type, uint32_t request, uint32_t length) {
  bytes[0] = MAGIC_0;
  bytes[1] = MAGIC_1;
  bytes[2] = type;
  bytes[3] = 0;
  fwb_put_u32(bytes + 4, request);
  fwb_put_u32(bytes + 8, length);
  fwb_put_u32(bytes + 12, fwb_crc32(0, bytes, 12));
}

size_t fwb_frame_encode(const fwb_frame *frame, uint8_t *bytes, size_t capacity) {
  const size_t length = frame->payload.length;
  if (length > FWB_FRAME_PAYLOAD_MAX) return 0;
  const size_t whole = FWB_FRAME_HEADER_SIZE + length + FWB_FRAME_CRC_SIZE;
  if (whole > capacity) return 0;
  /* The payload may already be in place. */
  if (length > 0) memmove(bytes + FWB_FRAME_HEADER_SIZE, frame->payload.bytes, length);
  fwb_header_encode(bytes, frame->type, frame->request, (uint32_t)length);
  fwb_put_u32(bytes + FWB_FRAME_HEADER_SIZE + length,
              fwb_crc32(0, bytes + FWB_FRAME_HEADER_SIZE, length));
  return whole;
}
