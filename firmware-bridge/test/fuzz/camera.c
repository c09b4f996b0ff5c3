/*
 * A whole camera that any bytes talk to. The first byte is odd when a dock has proved itself
 * before. Then comes a list of acts: type, two bytes of length, so many bytes. A type below 0xf0 is
 * a frame of that type, whole, with the bytes as payload; the others are named below. A signature
 * holds when its first byte is not 0, so that the fuzzer gets past PROVE and RECEIPT.
 *
 * Whatever comes: the camera says nothing but whole frames, DATA holds the bytes of its clip at its
 * place, and nothing is erased but by a proved dock and what its receipt names.
 */
#include "../sha256.h"
#include "fuzz.h"

enum {
  ACT_NOISE = 0xf0, /* the bytes as they are */
  ACT_TICK = 0xf1,  /* 10 ms for each unit of the first byte */
  ACT_LINE_LOST = 0xf2,
  ACT_STORAGE = 0xf3, /* fails from now on when the first byte is odd */
  ACT_SEND = 0xf4,    /* so many bytes are taken from the camera, one for each unit */
  CLIP_COUNT = 3,
  CLIP_SIZE = 700,
  REQUESTS = 256
};

typedef struct world {
  fwb_port port;
  fwb_camera camera;
  fwb_decoder heard;
  uint8_t memory[65536];
  uint64_t now_ms;
  int64_t clock_ms;
  bool storage_fails;
  bool damaged; /* the camera may have cut a frame short, or spoilt it */
  bool foreign; /* a READ may have come as noise, so what was asked for is not known */
  bool erased[CLIP_COUNT];
  bool receipt_held;
  uint64_t receipt_counter;
  uint32_t request;
  uint64_t first[REQUESTS]; /* what the READ with this request asked for */
  uint64_t counter[REQUESTS];
  uint32_t rate;
} world;

static world it;

static uint8_t clip_byte(uint64_t counter, uint64_t offset) {
  return (uint8_t)(counter * 37u + offset * 7u + (offset >> 8));
}

static int sign(void *context, const uint8_t *bytes, size_t length, uint8_t *signature) {
  (void)context, (void)bytes, (void)length;
  memset(signature, 0x55, FWB_SIGNATURE_SIZE);
  return FWB_OK;
}

static int find_clip(void *context, uint64_t from, uint8_t *record, size_t *length) {
  fwb_record found = {.size = CLIP_SIZE, .clock_quality = 2, .trigger = 1};
  (void)context;
  if (it.storage_fails) return FWB_ERR_STORAGE;
  for (uint64_t counter = 1; counter <= CLIP_COUNT; counter++) {
    if (counter < from || it.erased[counter - 1]) continue;
    found.counter = counter;
    memset(found.sha256, 0, sizeof found.sha256);
    return fwb_record_sign(&it.port, &found, record, length);
  }
  return FWB_ERR_NOT_FOUND;
}

static int read_clip(void *context, uint64_t counter, uint64_t offset, uint8_t *bytes,
                     size_t length) {
  (void)context;
  MUST(counter >= 1 && counter <= CLIP_COUNT);
  MUST(offset + length <= CLIP_SIZE);
  if (it.storage_fails || it.erased[counter - 1]) {
    it.damaged = true;
    return FWB_ERR_STORAGE;
  }
  for (size_t i = 0; i < length; i++) bytes[i] = clip_byte(counter, offset + i);
  return FWB_OK;
}

static int erase_clip(void *context, uint64_t counter) {
  (void)context;
  MUST(it.receipt_held && it.receipt_counter == counter);
  MUST(fwb_camera_docked(&it.camera) != NULL);
  MUST(counter >= 1 && counter <= CLIP_COUNT && !it.erased[counter - 1]);
  it.receipt_held = false;
  if (it.storage_fails) return FWB_ERR_STORAGE;
  it.erased[counter - 1] = true;
  return FWB_OK;
}

static uint64_t last_counter(void *context) {
  (void)context;
  return CLIP_COUNT;
}

static int hash(void *context, const uint8_t *bytes, size_t length, uint8_t *digest) {
  (void)context;
  MUST(length <= 171);
  sha256(bytes, length, digest);
  return FWB_OK;
}

static int verify(void *context, const uint8_t *key, fwb_span message, const uint8_t *signature) {
  static const char COUNTER[] = "\ncounter ";
  (void)context;
  if (signature[0] == 0) return FWB_ERR_NOT_AUTHENTIC;
  if (key[0] != 2) return FWB_OK;
  /* The receipt key: what the text names is the only clip that may go. */
  it.receipt_counter = 0;
  for (size_t at = 0; at + sizeof COUNTER < message.length; at++) {
    if (memcmp(message.bytes + at, COUNTER, sizeof COUNTER - 1) != 0) continue;
    for (at += sizeof COUNTER - 1; at < message.length && message.bytes[at] != '\n'; at++)
      it.receipt_counter = it.receipt_counter * 10 + (uint64_t)(message.bytes[at] - '0');
    break;
  }
  it.receipt_held = true;
  return FWB_OK;
}

static int random_bytes(void *context, uint8_t *bytes, size_t length) {
  (void)context;
  memset(bytes, 0x33, length);
  return FWB_OK;
}

static uint64_t monotonic_ms(void *context) {
  (void)context;
  return it.now_ms;
}

static int64_t clock_get(void *context) {
  (void)context;
  return it.clock_ms;
}

static int clock_set(void *context, int64_t utc_ms) {
  (void)context;
  if (utc_ms < 0) return FWB_ERR_ARGUMENT;
  it.clock_ms = utc_ms;
  return FWB_OK;
}

static int status(void *context, fwb_status *into) {
  (void)context;
  into->battery_percent = 50;
  return it.storage_fails ? FWB_ERR_STORAGE : FWB_OK;
}

static int find_dock(void *context, const char *dock_id, fwb_dock *dock) {
  (void)context;
  MUST(strlen(dock_id) <= FWB_DOCK_ID_SIZE_MAX);
  memset(dock->link_key, 1, FWB_KEY_SIZE);
  memset(dock->receipt_key, 2, FWB_KEY_SIZE);
  return FWB_OK;
}

static const uint32_t RATES[] = {921600, 3000000};

static int set_rate(void *context, uint32_t baud) {
  (void)context;
  MUST(baud == FWB_RATE_BASE || baud == RATES[0] || baud == RATES[1]);
  it.rate = baud;
  return FWB_OK;
}

static void begin(void) {
  static const fwb_port port = {.serial = "CAM-0001",
                                .firmware = "fuzz",
                                .find_clip = find_clip,
                                .read_clip = read_clip,
                                .erase_clip = erase_clip,
                                .last_counter = last_counter,
                                .sha256 = hash,
                                .sign = sign,
                                .verify = verify,
                                .random = random_bytes,
                                .monotonic_ms = monotonic_ms,
                                .clock_get = clock_get,
                                .clock_set = clock_set,
                                .status = status,
                                .find_dock = find_dock,
                                .set_rate = set_rate,
                                .rates = RATES,
                                .rate_count = 2};
  it.storage_fails = it.damaged = it.foreign = it.receipt_held = false;
  memset(it.erased, 0, sizeof it.erased);
  memset(it.first, 0, sizeof it.first);
  memset(it.counter, 0, sizeof it.counter);
  it.request = 0;
  it.now_ms = 1000;
  it.clock_ms = 1760000000000;
  it.rate = FWB_RATE_BASE;
  it.port = port;
  MUST(fwb_camera_init(&it.camera, &it.port) == FWB_OK);
  fwb_decoder_init(&it.heard, it.memory, sizeof it.memory);
}

static void check_data(const fwb_frame *frame) {
  const uint8_t *bytes = frame->payload.bytes;
  const size_t at = frame->request % REQUESTS;
  MUST(frame->payload.length > 4);
  if (it.foreign) return;
  const uint64_t offset = it.first[at] + bytes[0] + ((uint64_t)bytes[1] << 8) +
                          ((uint64_t)bytes[2] << 16) + ((uint64_t)bytes[3] << 24);
  for (size_t i = 4; i < frame->payload.length; i++)
    MUST(bytes[i] == clip_byte(it.counter[at], offset + i - 4));
}

/* Takes up to `most` bytes from the camera, in pieces that differ. */
static void listen(size_t most) {
  uint8_t piece[97];
  fwb_frame frame;
  for (size_t done = 0; done < most && fwb_camera_has_output(&it.camera);) {
    const size_t room = 1 + (it.now_ms + done) % sizeof piece;
    const size_t count = fwb_camera_output(&it.camera, piece, room);
    MUST(count <= room);
    MUST(fwb_decoder_push(&it.heard, piece, count) == count);
    while (fwb_decoder_next(&it.heard, &frame)) {
      MUST(frame.type >= 0x80);
      if (frame.type == FWB_DATA) check_data(&frame);
    }
    done += count + 1; /* a call that gives nothing counts too */
  }
  MUST(it.damaged || it.heard.discarded == 0);
}

static void say(const uint8_t *bytes, size_t length) {
  for (size_t taken = 0; taken < length;) {
    const size_t count = fwb_camera_input(&it.camera, bytes + taken, length - taken);
    MUST(count <= length - taken);
    taken += count;
    listen(count == 0 ? 4096 : 64);
  }
}

static uint64_t get_u64(const uint8_t *bytes) {
  uint64_t value = 0;
  for (size_t i = 8; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

static void say_frame(uint8_t type, const uint8_t *bytes, size_t length) {
  static uint8_t whole[FWB_FRAME_HEADER_SIZE + 65536 + FWB_FRAME_CRC_SIZE];
  const fwb_frame frame = {type, ++it.request, {bytes, length}};
  if (type == FWB_READ && length == 24) {
    it.counter[it.request % REQUESTS] = get_u64(bytes);
    it.first[it.request % REQUESTS] = get_u64(bytes + 8);
  }
  say(whole, fwb_frame_encode(&frame, whole, sizeof whole));
}

static void act(uint8_t type, const uint8_t *bytes, size_t length) {
  const uint8_t first = length > 0 ? bytes[0] : 0;
  switch (type) {
    case ACT_NOISE:
      if (length > FWB_FRAME_HEADER_SIZE) it.foreign = true;
      say(bytes, length);
      break;
    case ACT_TICK:
      it.now_ms += 10u * first;
      fwb_camera_tick(&it.camera);
      break;
    case ACT_LINE_LOST:
      fwb_camera_line_lost(&it.camera);
      MUST(!fwb_camera_has_output(&it.camera) && it.rate == FWB_RATE_BASE);
      it.damaged = true;
      break;
    case ACT_STORAGE:
      it.storage_fails = (first & 1u) != 0;
      break;
    case ACT_SEND:
      listen(first);
      break;
    default:
      say_frame(type, bytes, length);
      break;
  }
}

static void dock(void) {
  static const uint8_t hello[] = {1,   1,   18,  'l', 'e', 'e', 'd', 's', '-', 'n', 'o',
                                  'r', 't', 'h', '/', 'd', 'o', 'c', 'k', '-', '1'};
  uint8_t payload[sizeof hello + FWB_NONCE_SIZE] = {0};
  uint8_t proof[FWB_SIGNATURE_SIZE];
  memcpy(payload, hello, sizeof hello);
  memset(proof, 1, sizeof proof);
  say_frame(FWB_HELLO, payload, sizeof payload);
  say_frame(FWB_PROVE, proof, sizeof proof);
  listen(4096);
  MUST(fwb_camera_docked(&it.camera) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  begin();
  if ((data[0] & 1u) != 0) dock();
  for (size_t at = 1; at + 3 <= size;) {
    const size_t claimed = (size_t)data[at + 1] | (size_t)data[at + 2] << 8;
    const size_t left = size - at - 3;
    const size_t length = claimed < left ? claimed : left;
    act(data[at], data + at + 3, length);
    at += 3 + length;
  }
  listen(SIZE_MAX);
  return 0;
}
