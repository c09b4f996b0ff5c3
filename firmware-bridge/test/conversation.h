/* Talks to the camera on the bench, in pieces of any size. */
#ifndef FWB_TEST_CONVERSATION_H
#define FWB_TEST_CONVERSATION_H

#include "bench-camera.h"

static bench it;
static uint8_t line[200000];
static size_t line_length;

/* Offers bytes and takes answers in pieces of these sizes. */
static void converse(const uint8_t *bytes, size_t length, size_t in_size, size_t out_size) {
  uint8_t piece[4096];
  size_t at = 0;
  line_length = 0;
  for (;;) {
    const size_t offered = length - at < in_size ? length - at : in_size;
    const size_t taken = fwb_camera_input(&it.camera, bytes + at, offered);
    const size_t given = fwb_camera_output(&it.camera, piece, out_size);
    at += taken;
    memcpy(line + line_length, piece, given);
    line_length += given;
    if (taken == 0 && given == 0 && !fwb_camera_has_output(&it.camera)) break;
  }
  CHECK(at == length, "all input is taken in the end");
}

static const vector_step *find_step(const char *name) {
  for (size_t i = 0; i < sizeof VECTOR_SESSION / sizeof VECTOR_SESSION[0]; i++) {
    if (strcmp(VECTOR_SESSION[i].name, name) == 0) return &VECTOR_SESSION[i];
  }
  abort();
}

static void step(const char *name, size_t in_size, size_t out_size) {
  uint8_t bytes[16384];
  const vector_step *given = find_step(name);
  converse(bytes, unhex(given->dock, bytes, sizeof bytes), in_size, out_size);
  CHECK(equals_hex(line, line_length, given->camera), "%s (in %zu, out %zu)", name, in_size,
        out_size);
}

static void prove(void) {
  bench_init(&it);
  step("HELLO", 4096, 4096);
  step("PROVE", 4096, 4096);
  CHECK(fwb_camera_docked(&it.camera) != NULL, "docked");
}

static size_t request(uint8_t *bytes, uint8_t type, const void *payload, size_t length) {
  const fwb_frame frame = {type, 77, {payload, length}};
  return fwb_frame_encode(&frame, bytes, 16384);
}

#endif
