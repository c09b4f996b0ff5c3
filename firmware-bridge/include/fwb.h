/*
 * The camera's half of the camera link (SPEC.md), for firmware: bytes in, bytes out.
 *
 * INVARIANTS: no heap, no globals, no recursion; every loop is bounded by a constant or by bytes
 * already received. All state is in the caller's fwb_camera. Nothing here blocks unless a callback
 * does. One camera object belongs to one thread at a time.
 */
#ifndef FWB_H
#define FWB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SPEC 1: limits. */
#define FWB_PROTOCOL 1u
#define FWB_FRAME_HEADER_SIZE 16u
#define FWB_FRAME_CRC_SIZE 4u
#define FWB_FRAME_PAYLOAD_MAX 65568u
#define FWB_DATA_BYTES_MAX 65536u
#define FWB_DATA_BYTES_MIN 64u
#define FWB_READ_LENGTH_MAX 1048576u
#define FWB_READS_OUTSTANDING_MAX 8u
#define FWB_RECORD_SIZE_MAX 576u
#define FWB_RECEIPT_SIZE_MAX 8192u
#define FWB_COUNTER_MAX 9007199254740991u
#define FWB_FRAME_GAP_MS 200u

#define FWB_SERIAL_SIZE_MAX 32u
#define FWB_DOCK_ID_SIZE_MAX 129u
#define FWB_STRING8_SIZE_MAX 255u
#define FWB_SHA256_SIZE 32u
#define FWB_KEY_SIZE 32u
#define FWB_NONCE_SIZE 32u
#define FWB_SIGNATURE_SIZE 64u

/* SPEC 2: the longest payload a camera accepts is that of RECEIPT. */
#define FWB_RECEIVE_PAYLOAD_MAX (8u + FWB_RECEIPT_SIZE_MAX)
#define FWB_RECEIVE_SIZE (FWB_FRAME_HEADER_SIZE + FWB_RECEIVE_PAYLOAD_MAX + FWB_FRAME_CRC_SIZE)
#define FWB_ANSWER_SIZE (FWB_FRAME_HEADER_SIZE + FWB_RECORD_SIZE_MAX + FWB_FRAME_CRC_SIZE)

typedef enum fwb_error {
  FWB_OK = 0,
  FWB_ERR_ARGUMENT = -1,
  FWB_ERR_MALFORMED = -2,
  FWB_ERR_SPACE = -3,
  FWB_ERR_NOT_FOUND = -4,
  FWB_ERR_STORAGE = -5,
  FWB_ERR_CRYPTO = -6,
  FWB_ERR_NOT_AUTHENTIC = -7,
  FWB_ERR_RECEIPT = -8
} fwb_error;

/* SPEC 3: message types. */
typedef enum fwb_type {
  FWB_HELLO = 0x01,
  FWB_PROVE = 0x02,
  FWB_STATUS = 0x03,
  FWB_LIST = 0x04,
  FWB_READ = 0x05,
  FWB_RECEIPT = 0x06,
  FWB_CLOCK = 0x07,
  FWB_BYE = 0x08,
  FWB_HELLO_OK = 0x81,
  FWB_PROVED = 0x82,
  FWB_STATUS_OK = 0x83,
  FWB_RECORD = 0x84,
  FWB_RECORDS_END = 0x85,
  FWB_DATA = 0x86,
  FWB_RELEASED = 0x87,
  FWB_CLOCK_OK = 0x88,
  FWB_ERROR = 0x8f
} fwb_type;

/* SPEC 8: codes that cross the wire. */
typedef enum fwb_code {
  FWB_CODE_MALFORMED = 1,
  FWB_CODE_VERSION = 2,
  FWB_CODE_AUTH_REQUIRED = 3,
  FWB_CODE_NOT_AUTHENTIC = 4,
  FWB_CODE_NO_CLIP = 5,
  FWB_CODE_RANGE = 6,
  FWB_CODE_BUSY = 7,
  FWB_CODE_BAD_RECEIPT = 8,
  FWB_CODE_STORAGE = 9
} fwb_code;

/* Bytes of somebody else's memory. */
typedef struct fwb_span {
  const uint8_t *bytes;
  size_t length;
} fwb_span;

/* SPEC 3: STATUS_OK, but for the clock, which clock_get gives. */
typedef struct fwb_status {
  uint8_t battery_percent; /* 255: unknown */
  bool charging;
  bool recording;
  uint64_t storage_bytes;
  uint64_t storage_free_bytes;
  uint8_t clock_quality;
} fwb_status;

/* A dock that this camera was paired with: two public keys. */
typedef struct fwb_dock {
  uint8_t link_key[FWB_KEY_SIZE];
  uint8_t receipt_key[FWB_KEY_SIZE];
} fwb_dock;

/* SPEC 5. The strings are not terminated; after decoding they point into the record. */
typedef struct fwb_record {
  uint8_t auth;
  fwb_span serial;
  uint64_t counter;
  uint64_t size;
  uint8_t sha256[FWB_SHA256_SIZE];
  int64_t started_ms;
  int64_t ended_ms;
  uint8_t clock_quality;
  uint8_t trigger;
  uint8_t flags;
  fwb_span name;
  fwb_span wearer;
} fwb_record;

/*
 * What the library needs of the camera. Callbacks return FWB_OK or a negative FWB_ERR_*; they may
 * take as long as they take, and the line waits meanwhile. The strings and the struct must outlive
 * the camera object.
 */
typedef struct fwb_port {
  void *context;
  const char *serial;   /* SPEC 1: grammar of a camera serial */
  const char *firmware; /* at most 255 bytes of UTF-8 */

  /* The record, as it was signed, of the lowest counter >= from that the camera still has.
   * FWB_ERR_NOT_FOUND, FWB_ERR_STORAGE. */
  int (*find_clip)(void *context, uint64_t from, uint8_t record[FWB_RECORD_SIZE_MAX],
                   size_t *length);
  /* Exactly `length` bytes of the clip, or FWB_ERR_STORAGE. Called with as many bytes as the caller
   * of fwb_camera_output has room for. */
  int (*read_clip)(void *context, uint64_t counter, uint64_t offset, uint8_t *bytes, size_t length);
  /* Called only after a receipt held (SPEC 7). Must be durable when it returns FWB_OK. */
  int (*erase_clip)(void *context, uint64_t counter);
  /* The highest counter ever given to a clip; 0 before the first. */
  uint64_t (*last_counter)(void *context);

  int (*sha256)(void *context, const uint8_t *bytes, size_t length,
                uint8_t digest[FWB_SHA256_SIZE]);
  /* Ed25519 (RFC 8032) with the camera's key. NULL: the camera has none (auth 0). */
  int (*sign)(void *context, const uint8_t *bytes, size_t length,
              uint8_t signature[FWB_SIGNATURE_SIZE]);
  /* FWB_OK only when the signature is right. */
  int (*verify)(void *context, const uint8_t key[FWB_KEY_SIZE], fwb_span message,
                const uint8_t signature[FWB_SIGNATURE_SIZE]);
  /* Cryptographically secure. */
  int (*random)(void *context, uint8_t *bytes, size_t length);

  uint64_t (*monotonic_ms)(void *context);
  int64_t (*clock_get)(void *context);
  int (*clock_set)(void *context, int64_t utc_ms);
  int (*status)(void *context, fwb_status *status);
  /* The keys of the dock with this id. FWB_ERR_NOT_FOUND when it was never paired. */
  int (*find_dock)(void *context, const char *dock_id, fwb_dock *dock);
} fwb_port;

/* SPEC 2: finds frames among noise. Public so that tests and other peers can use it. */
typedef struct fwb_decoder {
  uint8_t *bytes;
  size_t capacity;
  size_t start;
  size_t end;
  uint64_t discarded;
} fwb_decoder;

typedef struct fwb_frame {
  uint8_t type;
  uint32_t request;
  fwb_span payload; /* valid until the decoder is called again */
} fwb_frame;

typedef struct fwb_read {
  uint64_t counter;
  uint64_t offset;
  uint64_t end;
  uint32_t most;
  uint32_t request;
} fwb_read;

/* Everything of one camera's link. Private: read it in a debugger, not in code. */
typedef struct fwb_camera {
  const fwb_port *port;
  fwb_decoder decoder;
  uint64_t last_input_ms;
  bool held_back;

  uint8_t session; /* fwb_session in camera.c */
  char dock_id[FWB_DOCK_ID_SIZE_MAX + 1u];
  fwb_dock dock;
  uint8_t dock_nonce[FWB_NONCE_SIZE];
  uint8_t camera_nonce[FWB_NONCE_SIZE];
  uint64_t last_counter;

  bool listing;
  uint32_t list_request;
  uint64_t list_next;
  uint16_t list_left;
  uint16_t list_sent;

  fwb_read reads[FWB_READS_OUTSTANDING_MAX];
  size_t read_first;
  size_t read_count;

  /* One whole frame on its way out, other than DATA. */
  size_t answer_length;
  size_t answer_sent;

  /* The DATA frame on its way out: prefix, clip bytes straight from read_clip, CRC. */
  bool data_active;
  bool data_failed;
  uint64_t data_counter;
  uint64_t data_offset;
  uint8_t data_prefix[FWB_FRAME_HEADER_SIZE + 8u];
  size_t data_sent;
  size_t data_length;
  uint32_t data_crc;

  uint8_t answer[FWB_ANSWER_SIZE];
  uint8_t receive[FWB_RECEIVE_SIZE];
} fwb_camera;

/* FWB_ERR_ARGUMENT when the serial or a callback is missing or wrong. */
int fwb_camera_init(fwb_camera *camera, const fwb_port *port);

/*
 * Takes bytes from the line and returns how many it took: fewer than `length` while an answer waits
 * to be sent. Call fwb_camera_output, then offer the rest again.
 */
size_t fwb_camera_input(fwb_camera *camera, const uint8_t *bytes, size_t length);

/* Writes up to `capacity` bytes for the line and returns how many; 0: nothing to send. Never bytes
 * of two frames in one call. */
size_t fwb_camera_output(fwb_camera *camera, uint8_t *bytes, size_t capacity);

/* True when fwb_camera_output has something to give. */
bool fwb_camera_has_output(const fwb_camera *camera);

/* SPEC 2: FRAME_GAP_MS. Call it every 50 to 200 ms, or at least before input that follows a
 * silence. */
void fwb_camera_tick(fwb_camera *camera);

/* The line went away: the session and everything queued are forgotten. */
void fwb_camera_line_lost(fwb_camera *camera);

/* The dock of the session after PROVED, or NULL. */
const char *fwb_camera_docked(const fwb_camera *camera);

/* Bytes that were no frame, since init. */
uint64_t fwb_camera_discarded(const fwb_camera *camera);

/* SPEC 5: encodes and signs; called once, when recording ends. The serial and auth of `record` are
 * filled from the port. */
int fwb_record_sign(const fwb_port *port, const fwb_record *record,
                    uint8_t bytes[FWB_RECORD_SIZE_MAX], size_t *length);

/* SPEC 5: grammar only. FWB_ERR_MALFORMED. */
int fwb_record_decode(const uint8_t *bytes, size_t length, fwb_record *record);

/* What a receipt must speak of (SPEC 7). */
typedef struct fwb_receipt_subject {
  const char *dock_id;
  const char *serial;
  uint64_t counter;
  const fwb_record
      *record; /* NULL for a clip that was erased before: size and digest are not compared then */
} fwb_receipt_subject;

/* FWB_OK only when everything in SPEC 7 holds. */
int fwb_receipt_check(const fwb_port *port, const uint8_t receipt_key[FWB_KEY_SIZE],
                      const fwb_receipt_subject *subject, fwb_span note);

uint32_t fwb_crc32(uint32_t crc, const uint8_t *bytes, size_t length);

void fwb_decoder_init(fwb_decoder *decoder, uint8_t *bytes, size_t capacity);
/* Returns how many bytes it had room for. */
size_t fwb_decoder_push(fwb_decoder *decoder, const uint8_t *bytes, size_t length);
/* The next frame among the bytes held. False: more bytes are needed. */
bool fwb_decoder_next(fwb_decoder *decoder, fwb_frame *frame);
/* After a silence: gives up the frame that is waited for. False when nothing was. */
bool fwb_decoder_gap(fwb_decoder *decoder);

/* A whole frame around a payload. Returns its length, or 0 when it does not fit. */
size_t fwb_frame_encode(const fwb_frame *frame, uint8_t *bytes, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
