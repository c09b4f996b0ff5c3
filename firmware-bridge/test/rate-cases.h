/* SPEC 9: the rate, by the camera's clock. */
#ifndef FWB_TEST_RATE_CASES_H
#define FWB_TEST_RATE_CASES_H

#include "conversation.h"

static void ask_rate(uint32_t wanted) {
  uint8_t payload[4];
  uint8_t bytes[64];
  for (unsigned i = 0; i < 4; i++) payload[i] = (uint8_t)(wanted >> (8 * i));
  converse(bytes, request(bytes, FWB_RATE, payload, sizeof payload), 4096, 4096);
}

static void pass_ms(uint64_t ms) {
  it.now_ms += ms;
  fwb_camera_tick(&it.camera);
}

static void go_fast(void) {
  prove();
  ask_rate(3000000);
  CHECK(it.rate == 921600, "rate %u", (unsigned)it.rate);
}

static void test_rate_waits_for_its_answer(void) {
  uint8_t bytes[64];
  const uint8_t wanted[4] = {0, 16, 14, 0};
  prove();
  const size_t length = request(bytes, FWB_RATE, wanted, sizeof wanted);
  CHECK(fwb_camera_input(&it.camera, bytes, length) == length, "taken");
  const size_t first = fwb_camera_output(&it.camera, line, 10);
  const size_t rest = fwb_camera_output(&it.camera, line + first, sizeof line - first);
  CHECK(first + rest == 24 && line[2] == FWB_RATE_OK, "RATE_OK, whole");
  CHECK(it.rate_changes == 0, "changed while its last bytes are with the caller");
  CHECK(fwb_camera_has_output(&it.camera), "asks for one more call");
  CHECK(fwb_camera_output(&it.camera, line, sizeof line) == 0, "which gives nothing");
  CHECK(it.rate_changes == 1 && it.rate == 921600, "but changes the rate");
  CHECK(!fwb_camera_has_output(&it.camera), "and that is all");
}

static void test_rate_is_not_confirmed(void) {
  go_fast();
  pass_ms(FWB_RATE_CONFIRM_MS - 1);
  CHECK(it.rate == 921600, "waits");
  pass_ms(1);
  CHECK(it.rate == FWB_RATE_BASE, "goes back");
  step("STATUS", 4096, 4096);
  ask_rate(460800);
  CHECK(it.rate == 460800, "and can be asked again");
}

static void test_rate_holds_in_silence(void) {
  go_fast();
  step("STATUS", 4096, 4096);
  pass_ms(3600000);
  CHECK(it.rate == 921600, "a silent line stays");
  ask_rate(460800);
  step("STATUS", 4096, 4096);
  CHECK(it.rate == 460800, "a lower one");
}

/* Noise as from a dock that says HELLO at another rate, of one length in every second. */
static void hear_noise(size_t length) {
  uint8_t noise[FWB_RATE_LOST_BYTES];
  uint8_t echo[64];
  memset(noise, 0, sizeof noise);
  for (unsigned second = 0; second < FWB_RATE_LOST_MS / 1000u; second++) {
    converse(noise, length, 7, 4096);
    converse(echo, request(echo, FWB_PROVED, NULL, 0), 4096, 4096);
    CHECK(it.rate == 921600, "waits");
    pass_ms(1000);
  }
}

static void test_rate_of_another_dock(void) {
  go_fast();
  step("STATUS", 4096, 4096);
  pass_ms(3600000);
  hear_noise(FWB_RATE_LOST_BYTES / 3);
  CHECK(it.rate == FWB_RATE_BASE, "noise does not hold it, nor an echo");
  step("HELLO", 4096, 4096);
}

/* A READ of a megabyte keeps the camera busy for seconds, and the one behind it was damaged. */
static void test_rate_survives_a_damaged_request(void) {
  uint8_t bytes[64];
  const size_t length = request(bytes, FWB_READ, bytes, 24);
  go_fast();
  step("STATUS", 4096, 4096);
  bytes[20] ^= 1;
  converse(bytes, length, 4096, 4096);
  pass_ms(100 * FWB_RATE_LOST_MS);
  CHECK(it.rate == 921600, "one damaged request changes nothing");
  step("STATUS", 4096, 4096);
  hear_noise(20);
  CHECK(it.rate == 921600, "a valid request begins the count anew");
}

static void test_rate_ends_with_the_session(void) {
  go_fast();
  step("BYE", 4096, 4096);
  CHECK(it.rate == FWB_RATE_BASE, "BYE");
  go_fast();
  fwb_camera_line_lost(&it.camera);
  CHECK(it.rate == FWB_RATE_BASE, "the line went");
  go_fast();
  step("HELLO", 4096, 4096);
  CHECK(it.rate == 921600, "HELLO changes nothing");
}

static int never(void *context, uint32_t baud) {
  (void)context, (void)baud;
  return FWB_ERR_ARGUMENT;
}

static void test_rate_that_cannot_be_set(void) {
  prove();
  it.port.set_rate = never;
  ask_rate(921600);
  CHECK(line[2] == FWB_RATE_OK && it.camera.rate == FWB_RATE_BASE, "stays at the base rate");
  step("STATUS", 4096, 4096);
  it.port.set_rate = NULL;
  ask_rate(921600);
  CHECK(line[2] == FWB_ERROR && line[16] == FWB_CODE_MALFORMED, "one rate only");
}

static void test_rate_of_the_board(void) {
  prove();
  it.port.base_rate = 460800;
  CHECK(fwb_camera_init(&it.camera, &it.port) == FWB_OK, "init");
  step("HELLO", 4096, 4096);
  step("PROVE", 4096, 4096);
  ask_rate(115200);
  CHECK(line[16] == 0 && line[17] == 8 && line[18] == 7 && it.rate_changes == 0,
        "never below its own base rate");
  it.port.rates = NULL;
  CHECK(fwb_camera_init(&it.camera, &it.port) == FWB_ERR_ARGUMENT, "rates that are not there");
}

static void test_rate(void) {
  test_rate_waits_for_its_answer();
  test_rate_is_not_confirmed();
  test_rate_holds_in_silence();
  test_rate_of_another_dock();
  test_rate_survives_a_damaged_request();
  test_rate_ends_with_the_session();
  test_rate_that_cannot_be_set();
  test_rate_of_the_board();
}

#endif
