/*
 * The smallest camera: a stub for each callback and the loop of the line. A camera maker replaces
 * the stubs, keeps the loop. `make example` compiles and links it; it has no clips, refuses every
 * dock, and ends when its input ends.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fwb.h"

static int find_clip(void *context, uint64_t from, uint8_t record[FWB_RECORD_SIZE_MAX],
                     size_t *length) {
  (void)context, (void)from, (void)record, (void)length;
  return FWB_ERR_NOT_FOUND; /* read the record that fwb_record_sign made from your index */
}

static int read_clip(void *context, uint64_t counter, uint64_t offset, uint8_t *bytes,
                     size_t length) {
  (void)context, (void)counter, (void)offset, (void)bytes, (void)length;
  return FWB_ERR_STORAGE;
}

static int erase_clip(void *context, uint64_t counter) {
  (void)context, (void)counter;
  return FWB_ERR_STORAGE; /* mark it erased durably, then free its bytes */
}

static uint64_t last_counter(void *context) {
  (void)context;
  return 0;
}

static int sha256(void *context, const uint8_t *bytes, size_t length,
                  uint8_t digest[FWB_SHA256_SIZE]) {
  (void)context, (void)bytes, (void)length, (void)digest;
  return FWB_ERR_CRYPTO; /* your crypto unit or library */
}

static int verify(void *context, const uint8_t key[FWB_KEY_SIZE], fwb_span message,
                  const uint8_t signature[FWB_SIGNATURE_SIZE]) {
  (void)context, (void)key, (void)message, (void)signature;
  return FWB_ERR_NOT_AUTHENTIC;
}

static int random_bytes(void *context, uint8_t *bytes, size_t length) {
  (void)context, (void)bytes, (void)length;
  return FWB_ERR_CRYPTO; /* a true random source; a counter is not one */
}

static uint64_t monotonic_ms(void *context) {
  struct timespec now;
  (void)context;
  timespec_get(&now, TIME_UTC); /* a real camera uses its tick counter */
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static int64_t clock_get(void *context) { return (int64_t)monotonic_ms(context); }

static int clock_set(void *context, int64_t utc_ms) {
  (void)context, (void)utc_ms;
  return FWB_OK;
}

static int status(void *context, fwb_status *into) {
  (void)context;
  memset(into, 0, sizeof *into);
  into->battery_percent = 255;
  return FWB_OK;
}

static int find_dock(void *context, const char *dock_id, fwb_dock *dock) {
  (void)context, (void)dock_id, (void)dock;
  return FWB_ERR_NOT_FOUND; /* the keys that were stored at pairing */
}

static bool send_all(fwb_camera *camera) {
  uint8_t bytes[512]; /* what your UART or USB endpoint takes at once */
  while (fwb_camera_has_output(camera)) {
    const size_t count = fwb_camera_output(camera, bytes, sizeof bytes);
    if (count > 0 && write(STDOUT_FILENO, bytes, count) != (ssize_t)count) return false;
  }
  return true;
}

int main(void) {
  static fwb_camera camera;
  static const fwb_port port = {
      .serial = "EXAMPLE-1",
      .firmware = "example 1",
      .find_clip = find_clip,
      .read_clip = read_clip,
      .erase_clip = erase_clip,
      .last_counter = last_counter,
      .sha256 = sha256,
      .sign = NULL,
      .verify = verify,
      .random = random_bytes,
      .monotonic_ms = monotonic_ms,
      .clock_get = clock_get,
      .clock_set = clock_set,
      .status = status,
      .find_dock = find_dock,
  };
  uint8_t bytes[256];
  ssize_t received;
  if (fwb_camera_init(&camera, &port) != FWB_OK) return 1;
  while ((received = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
    for (size_t taken = 0; taken < (size_t)received;) {
      taken += fwb_camera_input(&camera, bytes + taken, (size_t)received - taken);
      if (!send_all(&camera)) return 1;
    }
  }
  fwb_camera_line_lost(&camera);
  return 0;
}
