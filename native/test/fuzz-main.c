/* Runs LLVMFuzzerTestOneInput without libFuzzer: on the files named, or on COUNT streams of frames
 * that are damaged from a seed. */
#include "../src/crc32.h"
#include "../src/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint64_t state = 1;

static uint32_t draw(uint32_t bound) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * UINT64_C(2685821657736338717)) >> 33) % bound;
}

static void put_u32(uint8_t *bytes, uint32_t value) {
  for (unsigned i = 0; i < 4; i++)
    bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Some of the payloads look like frames themselves. */
static size_t put_frame(uint8_t *bytes, size_t room, unsigned depth) {
  const size_t overhead = FRAME_HEADER_BYTES + FRAME_CRC_BYTES;
  if (room < overhead)
    return 0;
  const size_t most = room - overhead < 700 ? room - overhead : 700;
  size_t size = draw((uint32_t)most + 1);
  uint8_t *payload = bytes + FRAME_HEADER_BYTES;
  for (size_t i = 0; i < size; i++)
    payload[i] = draw(8) == 0 ? 0xd0 : (uint8_t)draw(256);
  if (size >= 4)
    put_u32(payload, draw(8) == 0 ? draw(1u << 31) : draw(600));
  if (depth < 2 && draw(4) == 0 && size > 40)
    (void)put_frame(payload + 8, size - 8, depth + 1);
  memcpy(bytes, "\xd0\xc4\x86", 4);
  if (draw(4) == 0)
    bytes[2] = (uint8_t)draw(256);
  put_u32(bytes + 4, draw(6));
  put_u32(bytes + 8, (uint32_t)size);
  put_u32(bytes + 12, crc32_add(0, bytes, 12));
  put_u32(payload + size, crc32_add(0, payload, size));
  return overhead + size;
}

static size_t make_stream(uint8_t *stream) {
  size_t size = 4;
  put_u32(stream, draw(1u << 31));
  if (draw(2) == 0)
    stream[3] = 0;
  for (uint32_t frames = draw(8) + 1; frames > 0; frames--) {
    for (uint32_t noise = draw(3) == 0 ? draw(30) : 0; noise > 0 && size < STREAM_MAX; noise--)
      stream[size++] = draw(3) == 0 ? 0xd0 : (uint8_t)draw(256);
    size += put_frame(stream + size, STREAM_MAX - size, 0);
  }
  for (uint32_t flips = draw(2) == 0 ? draw(6) : 0; flips > 0; flips--)
    stream[4 + draw((uint32_t)size - 3) % (size - 4)] ^= (uint8_t)(1u << draw(8));
  return draw(4) == 0 ? 4 + draw((uint32_t)size - 3) : size;
}

static int run_file(const char *name) {
  static uint8_t bytes[1 << 20];
  FILE *file = fopen(name, "rb");
  if (file == NULL)
    return 1;
  const size_t size = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  return LLVMFuzzerTestOneInput(bytes, size);
}

int main(int argc, char **argv) {
  static uint8_t stream[STREAM_MAX + 1];
  crc32_init();
  const unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
  if (count == 0) {
    int failed = 0;
    for (int i = 1; i < argc; i++)
      failed |= run_file(argv[i]);
    return failed;
  }
  for (unsigned long i = 0; i < count; i++)
    (void)LLVMFuzzerTestOneInput(stream, make_stream(stream));
  (void)printf("%lu streams decoded\n", count);
  return 0;
}
