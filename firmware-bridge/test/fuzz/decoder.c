/*
 * The decoder on any bytes. The first two choose its memory and the pieces in which the rest comes.
 * Whatever comes: every byte leaves exactly once, and what is found does not depend on the pieces.
 */
#include "fuzz.h"

enum { MEMORY_MIN = FWB_FRAME_HEADER_SIZE + FWB_FRAME_CRC_SIZE, MEMORY_MAX = 512 };

typedef struct tally {
  size_t frames;
  size_t frame_bytes;
  uint64_t discarded;
  uint32_t crc; /* over all that was found, in order */
} tally;

static void take_frames(fwb_decoder *decoder, tally *found) {
  fwb_frame frame;
  while (fwb_decoder_next(decoder, &frame)) {
    const uint8_t head[5] = {frame.type, (uint8_t)frame.request, (uint8_t)(frame.request >> 8),
                             (uint8_t)(frame.request >> 16), (uint8_t)(frame.request >> 24)};
    const uint8_t *at = frame.payload.bytes;
    MUST(at >= decoder->bytes && at + frame.payload.length <= decoder->bytes + decoder->capacity);
    found->crc = fwb_crc32(found->crc, head, sizeof head);
    found->crc = fwb_crc32(found->crc, at, frame.payload.length);
    found->frames++;
    found->frame_bytes += FWB_FRAME_HEADER_SIZE + frame.payload.length + FWB_FRAME_CRC_SIZE;
  }
}

static tally decode(const uint8_t *bytes, size_t length, size_t capacity, size_t piece) {
  static uint8_t memory[MEMORY_MAX];
  fwb_decoder decoder;
  tally found = {0, 0, 0, 0};
  fwb_decoder_init(&decoder, memory, capacity);
  for (size_t at = 0; at < length;) {
    const size_t offered = length - at < piece ? length - at : piece;
    const size_t taken = fwb_decoder_push(&decoder, bytes + at, offered);
    MUST(taken > 0); /* what fills the memory is decided at once */
    at += taken;
    take_frames(&decoder, &found);
    MUST(decoder.start <= decoder.end && decoder.end <= capacity);
    MUST(found.frame_bytes + decoder.discarded + (decoder.end - decoder.start) == at);
  }
  while (fwb_decoder_gap(&decoder)) take_frames(&decoder, &found);
  MUST(found.frame_bytes + decoder.discarded == length);
  found.discarded = decoder.discarded;
  return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  const size_t capacity = MEMORY_MIN + 2u * data[0] % (MEMORY_MAX - MEMORY_MIN);
  const size_t piece = 1u + data[1] % 64u;
  const tally whole = decode(data + 2, size - 2, capacity, size);
  const tally cut = decode(data + 2, size - 2, capacity, piece);
  MUST(whole.frames == cut.frames && whole.crc == cut.crc && whole.discarded == cut.discarded);
  return 0;
}
