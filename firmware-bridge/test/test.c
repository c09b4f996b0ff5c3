/* The library against the vectors of test/vectors/link and against bad lines. `make test`. */
#include "conversation.h"
#include "rate-cases.h"
#include "storage-cases.h"

static void test_checksums(void) {
  uint8_t digest[32];
  CHECK(fwb_crc32(0, (const uint8_t *)"123456789", 9) == 0xcbf43926u, "SPEC 1: check value");
  CHECK(fwb_crc32(fwb_crc32(0, (const uint8_t *)"1234", 4), (const uint8_t *)"56789", 5) ==
            0xcbf43926u,
        "in pieces");
  sha256((const uint8_t *)"abc", 3, digest);
  CHECK(equals_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        "FIPS 180-4: abc");
}

static void test_streams(void) {
  uint8_t bytes[4096];
  uint8_t memory[4096];
  for (size_t i = 0; i < sizeof VECTOR_STREAMS / sizeof VECTOR_STREAMS[0]; i++) {
    const vector_stream *given = &VECTOR_STREAMS[i];
    const size_t length = unhex(given->bytes, bytes, sizeof bytes);
    for (size_t piece = 1; piece <= length + 1; piece++) {
      fwb_decoder decoder;
      fwb_frame frame;
      int found = 0;
      int found_after_gap = 0;
      fwb_decoder_init(&decoder, memory, sizeof memory);
      for (size_t at = 0; at < length; at += piece) {
        const size_t count = length - at < piece ? length - at : piece;
        CHECK(fwb_decoder_push(&decoder, bytes + at, count) == count, "room");
        while (fwb_decoder_next(&decoder, &frame)) found++;
      }
      while (fwb_decoder_gap(&decoder)) {
        while (fwb_decoder_next(&decoder, &frame)) found_after_gap++;
      }
      CHECK(found == given->frames, "%s: %d frames in pieces of %zu", given->name, found, piece);
      CHECK(found_after_gap == given->frames_after_gap, "%s: %d frames after the gap", given->name,
            found_after_gap);
      CHECK((int)decoder.discarded == given->discarded, "%s: %d discarded", given->name,
            (int)decoder.discarded);
    }
  }
}

static void test_records(void) {
  uint8_t bytes[1024];
  uint8_t again[FWB_RECORD_SIZE_MAX];
  bench_init(&it);
  for (size_t i = 0; i < sizeof VECTOR_RECORDS / sizeof VECTOR_RECORDS[0]; i++) {
    const vector_record *given = &VECTOR_RECORDS[i];
    const size_t length = unhex(given->record, bytes, sizeof bytes);
    fwb_record record;
    size_t again_length = 0;
    const int result = fwb_record_decode(bytes, length, &record);
    CHECK(result == (given->ok == 0 ? FWB_ERR_MALFORMED : FWB_OK), "record %s: %d", given->name,
          result);
    if (given->ok != 1) continue;
    char serial[FWB_SERIAL_SIZE_MAX + 1] = {0};
    memcpy(serial, record.serial.bytes, record.serial.length);
    fwb_port port = it.port;
    port.serial = serial;
    if (record.auth == 0) port.sign = NULL;
    CHECK(fwb_record_sign(&port, &record, again, &again_length) == FWB_OK, "sign %s", given->name);
    CHECK(equals_hex(again, again_length, given->record), "record %s, signed again", given->name);
  }
}

static void test_receipts(void) {
  uint8_t payload[16384];
  uint8_t bytes[16384];
  for (size_t i = 0; i < sizeof VECTOR_RECEIPTS / sizeof VECTOR_RECEIPTS[0]; i++) {
    const vector_receipt *given = &VECTOR_RECEIPTS[i];
    prove();
    memset(payload, 0, 8);
    payload[0] = (uint8_t)given->counter;
    const size_t length = unhex(given->note, payload + 8, sizeof payload - 8);
    converse(bytes, request(bytes, FWB_RECEIPT, payload, 8 + length), 4096, 4096);
    CHECK(it.erased == given->ok, "receipt %s: erased %d", given->name, it.erased);
    CHECK(line[2] == (given->ok ? FWB_RELEASED : FWB_ERROR), "receipt %s: answer %02x", given->name,
          line[2]);
    CHECK(given->ok || line[16] == FWB_CODE_BAD_RECEIPT, "receipt %s: code %d", given->name,
          line[16]);
  }
}

static void test_session(void) {
  static const size_t SIZES[][2] = {{4096, 4096}, {1, 1}, {7, 3}, {4096, 1}, {1, 4096}};
  for (size_t s = 0; s < sizeof SIZES / sizeof SIZES[0]; s++) {
    bench_init(&it);
    for (size_t i = 0; i < sizeof VECTOR_SESSION / sizeof VECTOR_SESSION[0]; i++) {
      step(VECTOR_SESSION[i].name, SIZES[s][0], SIZES[s][1]);
    }
    CHECK(it.erased == 1, "erased once");
  }
}

static void test_reads_outstanding(void) {
  uint8_t payload[24] = {3};
  uint8_t bytes[16384];
  size_t length = 0;
  prove();
  payload[16] = 100;
  payload[20] = 64;
  for (unsigned i = 0; i < FWB_READS_OUTSTANDING_MAX + 1; i++)
    length += request(bytes + length, FWB_READ, payload, sizeof payload);
  CHECK(fwb_camera_input(&it.camera, bytes, length) == length, "taken");
  CHECK(fwb_camera_output(&it.camera, line, sizeof line) > 0 && line[2] == FWB_ERROR &&
            line[16] == FWB_CODE_BUSY,
        "one more is BUSY");
  size_t frames = 0;
  while (fwb_camera_output(&it.camera, line, sizeof line) > 0) frames += line[2] == FWB_DATA;
  CHECK(frames == 2 * FWB_READS_OUTSTANDING_MAX, "%zu DATA frames", frames);
}

static void test_gap(void) {
  const vector_step *status = find_step("STATUS");
  uint8_t bytes[4096] = {0xd0, 0xc4, FWB_RECEIPT, 0, 1, 0, 0, 0, 0, 8, 0, 0};
  const uint32_t crc = fwb_crc32(0, bytes, 12);
  prove();
  for (unsigned i = 0; i < 4; i++) bytes[12 + i] = (uint8_t)(crc >> (8 * i));
  size_t length = 16 + unhex(status->dock, bytes + 16, sizeof bytes - 16);
  CHECK(fwb_camera_input(&it.camera, bytes, length) == length, "taken");
  it.now_ms += FWB_FRAME_GAP_MS - 1;
  fwb_camera_tick(&it.camera);
  CHECK(!fwb_camera_has_output(&it.camera), "waits for the cut frame");
  it.now_ms += 1;
  fwb_camera_tick(&it.camera);
  length = fwb_camera_output(&it.camera, line, sizeof line);
  CHECK(equals_hex(line, length, status->camera), "the frame behind the cut one is answered");
  CHECK(fwb_camera_discarded(&it.camera) == 16, "discarded %d",
        (int)fwb_camera_discarded(&it.camera));
}

static void test_line_lost(void) {
  uint8_t payload[24] = {3};
  uint8_t bytes[16384];
  prove();
  payload[16] = 200;
  payload[20] = 64;
  fwb_camera_input(&it.camera, bytes, request(bytes, FWB_READ, payload, sizeof payload));
  CHECK(fwb_camera_output(&it.camera, line, 30) == 30, "in the middle of a frame");
  fwb_camera_line_lost(&it.camera);
  CHECK(!fwb_camera_has_output(&it.camera) && fwb_camera_docked(&it.camera) == NULL, "forgotten");
  step("STATUS before HELLO", 4096, 4096);
}

/* Damaged sessions, by a fixed generator: nothing is erased, and the camera still answers
 * afterwards. */
static void test_damage(void) {
  static uint8_t bytes[65536];
  uint32_t state = 1;
  size_t length = 0;
  for (size_t i = 0; i < sizeof VECTOR_SESSION / sizeof VECTOR_SESSION[0]; i++) {
    if (strcmp(VECTOR_SESSION[i].name, "RECEIPT") == 0 ||
        strcmp(VECTOR_SESSION[i].name, "RECEIPT repeated") == 0)
      continue;
    length += unhex(VECTOR_SESSION[i].dock, bytes + length, sizeof bytes - length);
  }
  bench_init(&it);
  for (int round = 0; round < 2000; round++) {
    static uint8_t damaged[65536];
    memcpy(damaged, bytes, length);
    for (int i = 0; i < 40; i++) {
      state = state * 1664525u + 1013904223u;
      damaged[(state >> 8) % length] ^= (uint8_t)(1u << (state & 7u));
    }
    converse(damaged, length, 1 + (state >> 20), 1 + (state >> 21));
    it.now_ms += FWB_FRAME_GAP_MS;
    fwb_camera_tick(&it.camera);
  }
  CHECK(it.erased == 0, "nothing is erased by damage");
  converse(bytes, 0, 1, 4096);
  step("HELLO", 4096, 4096);
}

static void test_init(void) {
  bench_init(&it);
  fwb_port port = it.port;
  port.serial = "not a serial";
  CHECK(fwb_camera_init(&it.camera, &port) == FWB_ERR_ARGUMENT, "a bad serial");
  port = it.port;
  port.erase_clip = NULL;
  CHECK(fwb_camera_init(&it.camera, &port) == FWB_ERR_ARGUMENT, "a missing callback");
}

int main(void) {
  test_checksums();
  test_streams();
  test_records();
  test_receipts();
  test_session();
  test_reads_outstanding();
  test_storage();
  test_gap();
  test_line_lost();
  test_rate();
  test_damage();
  test_init();
  printf("fwb: %d checks, %d failed; a camera takes %zu bytes\n", checks, failures,
         sizeof(fwb_camera));
  return failures == 0 ? 0 : 1;
}
