/* The smallest camera: a stub for each callback (fwb.h says what it must do), and the loop of the
 * line. Replace the stubs, keep the loop. It has no clips and refuses every dock. */
#include <time.h>
#include <unistd.h>

#include "fwb.h"

/* Your index of records and your storage. */
static int find_clip(void *me, uint64_t from, uint8_t *to, size_t *n) { return FWB_ERR_NOT_FOUND; }
static int read_clip(void *me, uint64_t clip, uint64_t offset, uint8_t *to, size_t n) {
  return FWB_ERR_STORAGE;
}
static int erase_clip(void *me, uint64_t clip) { return FWB_ERR_STORAGE; }
static uint64_t last_counter(void *me) { return 0; }

/* Your crypto unit or library; `sign` is NULL as long as the camera has no key. */
static int sha256(void *me, const uint8_t *in, size_t n, uint8_t *out) { return FWB_ERR_CRYPTO; }
static int verify(void *me, const uint8_t *key, fwb_span message, const uint8_t *signature) {
  return FWB_ERR_NOT_AUTHENTIC;
}
static int random_bytes(void *me, uint8_t *to, size_t n) { return FWB_ERR_CRYPTO; }

/* Your clocks, your battery, the docks that you were paired with. */
static uint64_t monotonic_ms(void *me) { return (uint64_t)time(NULL) * 1000u; }
static int64_t clock_get(void *me) { return (int64_t)time(NULL) * 1000; }
static int clock_set(void *me, int64_t utc_ms) { return FWB_OK; }
static int status(void *me, fwb_status *into) { return FWB_OK; }
static int find_dock(void *me, const char *id, fwb_dock *dock) { return FWB_ERR_NOT_FOUND; }

static const fwb_port PORT = {.serial = "EXAMPLE-1",
                              .firmware = "example 1",
                              .find_clip = find_clip,
                              .read_clip = read_clip,
                              .erase_clip = erase_clip,
                              .last_counter = last_counter,
                              .sha256 = sha256,
                              .verify = verify,
                              .random = random_bytes,
                              .monotonic_ms = monotonic_ms,
                              .clock_get = clock_get,
                              .clock_set = clock_set,
                              .status = status,
                              .find_dock = find_dock};

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
  uint8_t bytes[256];
  ssize_t received;
  if (fwb_camera_init(&camera, &PORT) != FWB_OK) return 1;
  while ((received = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
    for (size_t taken = 0; taken < (size_t)received;) {
      taken += fwb_camera_input(&camera, bytes + taken, (size_t)received - taken);
      if (!send_all(&camera)) return 1;
    }
    fwb_camera_tick(&camera); /* and every 100 ms, input or not */
  }
  fwb_camera_line_lost(&camera);
  return 0;
}
