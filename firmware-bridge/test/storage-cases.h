/* SPEC 6: storage that fails in the middle of a clip. */
#ifndef FWB_TEST_STORAGE_CASES_H
#define FWB_TEST_STORAGE_CASES_H

#include "conversation.h"

static void test_storage_fails_in_a_clip(void) {
  uint8_t payload[24] = {3};
  uint8_t bytes[16384];
  fwb_decoder decoder;
  fwb_frame frame;
  prove();
  it.storage_fails = 1;
  payload[16] = 200;
  payload[20] = 64;
  converse(bytes, request(bytes, FWB_READ, payload, sizeof payload), 4096, 10);
  fwb_decoder_init(&decoder, bytes, sizeof bytes);
  fwb_decoder_push(&decoder, line, line_length);
  CHECK(fwb_decoder_next(&decoder, &frame) && frame.type == FWB_ERROR &&
            frame.payload.bytes[0] == FWB_CODE_STORAGE,
        "no DATA that looks right");
  CHECK(!fwb_decoder_next(&decoder, &frame), "nothing after the ERROR");
  step("STATUS", 4096, 4096);
}

/* The ERROR waits until the answer that is on its way has been sent. */
static void test_storage_fails_while_answering(void) {
  const vector_step *status = find_step("STATUS");
  uint8_t payload[24] = {3};
  uint8_t bytes[16384];
  uint8_t memory[16384];
  fwb_decoder decoder;
  fwb_frame frame;
  prove();
  payload[16] = 200;
  payload[20] = 64;
  size_t length = request(bytes, FWB_READ, payload, sizeof payload);
  CHECK(fwb_camera_input(&it.camera, bytes, length) == length, "taken");
  line_length = fwb_camera_output(&it.camera, line, 30);
  it.storage_fails = 1;
  length = unhex(status->dock, bytes, sizeof bytes);
  CHECK(fwb_camera_input(&it.camera, bytes, length) == length, "taken in the middle of DATA");
  while (fwb_camera_has_output(&it.camera))
    line_length += fwb_camera_output(&it.camera, line + line_length, 100);
  fwb_decoder_init(&decoder, memory, sizeof memory);
  fwb_decoder_push(&decoder, line, line_length);
  CHECK(fwb_decoder_next(&decoder, &frame) && frame.type == FWB_STATUS_OK, "the answer");
  CHECK(fwb_decoder_next(&decoder, &frame) && frame.type == FWB_ERROR && frame.request == 77 &&
            frame.payload.bytes[0] == FWB_CODE_STORAGE,
        "the end of the READ is told");
  CHECK(!fwb_decoder_next(&decoder, &frame), "nothing more");
}

static void test_storage(void) {
  test_storage_fails_in_a_clip();
  test_storage_fails_while_answering();
}

#endif
