/*
 * A camera on the bench: one clip, a fixed nonce and clock, and for Ed25519 a table of the
 * signatures that the vectors hold, which were made elsewhere. A signature is right when it is in
 * the table.
 */
#ifndef FWB_TEST_BENCH_CAMERA_H
#define FWB_TEST_BENCH_CAMERA_H

#include <stdio.h>
#include <stdlib.h>

#include "fwb.h"
#include "sha256.h"
#include "vectors.h"

static int failures;
static int checks;

#define CHECK(condition, ...)                                      \
  do {                                                             \
    checks++;                                                      \
    if (!(condition)) {                                            \
      failures++;                                                  \
      printf("FAILED %s:%d %s: ", __FILE__, __LINE__, #condition); \
      printf(__VA_ARGS__);                                         \
      printf("\n");                                                \
    }                                                              \
  } while (0)

static size_t unhex(const char *digits, uint8_t *bytes, size_t capacity) {
  const size_t length = strlen(digits) / 2;
  if (length > capacity) abort();
  for (size_t i = 0; i < length; i++) {
    unsigned value = 0;
    if (sscanf(digits + 2 * i, "%2x", &value) != 1) abort();
    bytes[i] = (uint8_t)value;
  }
  return length;
}

static int equals_hex(const uint8_t *bytes, size_t length, const char *digits) {
  uint8_t other[16384];
  return unhex(digits, other, sizeof other) == length && memcmp(bytes, other, length) == 0;
}

typedef struct bench {
  fwb_port port;
  fwb_camera camera;
  uint8_t record[FWB_RECORD_SIZE_MAX];
  size_t record_length;
  uint8_t clip[300];
  int erased;
  int storage_fails;
  uint64_t now_ms;
  int64_t clock_ms;
  uint32_t rate;
  int rate_changes;
} bench;

static int bench_find(void *context, uint64_t from, uint8_t record[FWB_RECORD_SIZE_MAX],
                      size_t *length) {
  const bench *it = context;
  if (it->erased > 0 || from > 3) return FWB_ERR_NOT_FOUND;
  memcpy(record, it->record, it->record_length);
  *length = it->record_length;
  return FWB_OK;
}

static int bench_read(void *context, uint64_t counter, uint64_t offset, uint8_t *bytes,
                      size_t length) {
  const bench *it = context;
  if (it->storage_fails || it->erased > 0 || counter != 3 || offset + length > sizeof it->clip)
    return FWB_ERR_STORAGE;
  memcpy(bytes, it->clip + offset, length);
  return FWB_OK;
}

static int bench_erase(void *context, uint64_t counter) {
  bench *it = context;
  if (it->storage_fails || counter != 3) return FWB_ERR_STORAGE;
  it->erased++;
  return FWB_OK;
}

static uint64_t bench_last(void *context) {
  (void)context;
  return 3;
}

static int bench_sha256(void *context, const uint8_t *bytes, size_t length,
                        uint8_t digest[FWB_SHA256_SIZE]) {
  (void)context;
  sha256(bytes, length, digest);
  return FWB_OK;
}

static const vector_signed *bench_signature(const char *key, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < sizeof VECTOR_SIGNED / sizeof VECTOR_SIGNED[0]; i++) {
    if (strcmp(VECTOR_SIGNED[i].key, key) == 0 &&
        equals_hex(bytes, length, VECTOR_SIGNED[i].message))
      return &VECTOR_SIGNED[i];
  }
  return NULL;
}

static int bench_sign(void *context, const uint8_t *bytes, size_t length,
                      uint8_t signature[FWB_SIGNATURE_SIZE]) {
  const vector_signed *found = bench_signature(VECTOR_CAMERA_KEY, bytes, length);
  (void)context;
  if (found == NULL) return FWB_ERR_CRYPTO;
  unhex(found->signature, signature, FWB_SIGNATURE_SIZE);
  return FWB_OK;
}

static int bench_verify(void *context, const uint8_t key[FWB_KEY_SIZE], fwb_span message,
                        const uint8_t signature[FWB_SIGNATURE_SIZE]) {
  char digits[2 * FWB_KEY_SIZE + 1];
  (void)context;
  for (size_t i = 0; i < FWB_KEY_SIZE; i++) snprintf(digits + 2 * i, 3, "%02x", key[i]);
  const vector_signed *found = bench_signature(digits, message.bytes, message.length);
  return found != NULL && equals_hex(signature, FWB_SIGNATURE_SIZE, found->signature)
             ? FWB_OK
             : FWB_ERR_NOT_AUTHENTIC;
}

static int bench_random(void *context, uint8_t *bytes, size_t length) {
  (void)context;
  return unhex(VECTOR_CAMERA_NONCE, bytes, length) == length ? FWB_OK : FWB_ERR_CRYPTO;
}

static uint64_t bench_monotonic(void *context) { return ((const bench *)context)->now_ms; }

static int64_t bench_clock_get(void *context) { return ((const bench *)context)->clock_ms; }

static int bench_clock_set(void *context, int64_t utc_ms) {
  ((bench *)context)->clock_ms = utc_ms;
  return FWB_OK;
}

static int bench_status(void *context, fwb_status *status) {
  const fwb_status fixed = {80, true, false, 64000000000u, 63000000000u, 2};
  (void)context;
  *status = fixed;
  return FWB_OK;
}

static int bench_dock(void *context, const char *dock_id, fwb_dock *dock) {
  (void)context;
  if (strcmp(dock_id, VECTOR_DOCK) != 0) return FWB_ERR_NOT_FOUND;
  unhex(VECTOR_LINK_KEY, dock->link_key, sizeof dock->link_key);
  unhex(VECTOR_RECEIPT_KEY, dock->receipt_key, sizeof dock->receipt_key);
  return FWB_OK;
}

static int bench_set_rate(void *context, uint32_t baud) {
  bench *it = context;
  it->rate = baud;
  it->rate_changes++;
  return FWB_OK;
}

static void bench_init(bench *it) {
  static const uint32_t rates[] = {921600, 460800, 9600};
  const fwb_port port = {it,
                         VECTOR_SERIAL,
                         "fwb-test 1.0",
                         bench_find,
                         bench_read,
                         bench_erase,
                         bench_last,
                         bench_sha256,
                         bench_sign,
                         bench_verify,
                         bench_random,
                         bench_monotonic,
                         bench_clock_get,
                         bench_clock_set,
                         bench_status,
                         bench_dock,
                         bench_set_rate,
                         rates,
                         3,
                         0};
  memset(it, 0, sizeof *it);
  it->port = port;
  it->clock_ms = 1760000060000;
  it->rate = FWB_RATE_BASE;
  it->now_ms = 1000;
  it->record_length = unhex(VECTOR_RECORDS[0].record, it->record, sizeof it->record);
  unhex(VECTOR_CLIP, it->clip, sizeof it->clip);
  CHECK(fwb_camera_init(&it->camera, &it->port) == FWB_OK, "init");
}

#endif
