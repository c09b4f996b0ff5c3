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
#define FWB_RATE_CONFIRM_MS 1000u
#define FWB_RATE_LOST_MS 3000u
#define FWB_RATE_LOST_BYTES 128u
#define FWB_RATE_BASE 115200u

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
  FWB_RATE = 0x09,
  FWB_HELLO_OK = 0x81,
  FWB_PROVED = 0x82,
  FWB_STATUS_OK = 0x83,
  FWB_RECORD = 0x84,
  FWB_RECORDS_END = 0x85,
  FWB_DATA = 0x86,
  FWB_RELEASED = 0x87,
  FWB_CLOCK_OK = 0x88,
  FWB_RATE_OK = 0x89,
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
  const uint8_t *bytes; /* may be NULL when length is 0 */
  size_t length;
} fwb_span;

/* SPEC 3: STATUS_OK, but for the clock, which clock_get gives. */
typedef struct fwb_status {
  uint8_t battery_percent;     /* 0 to 100; 255: unknown */
  bool charging;               /* power comes in */
  bool recording;              /* a clip is being recorded now */
  uint64_t storage_bytes;      /* of the storage that holds clips, used and free */
  uint64_t storage_free_bytes; /* of it, free */
  uint8_t clock_quality;       /* 0 never set, 1 free-running, 2 set by a dock, 3 satellite */
} fwb_status;

/* A dock that this camera was paired with: two public keys. */
typedef struct fwb_dock {
  uint8_t link_key[FWB_KEY_SIZE];    /* proves the dock (SPEC 4) */
  uint8_t receipt_key[FWB_KEY_SIZE]; /* signs receipts (SPEC 7) */
} fwb_dock;

/* SPEC 5. The strings are not terminated; after decoding they point into the record's bytes. */
typedef struct fwb_record {
  uint8_t auth;                    /* 1 signed, 0 the camera has no key; set by fwb_record_sign */
  fwb_span serial;                 /* the camera's; set by fwb_record_sign */
  uint64_t counter;                /* 1 to FWB_COUNTER_MAX, never used twice */
  uint64_t size;                   /* of the clip in bytes, at most FWB_COUNTER_MAX */
  uint8_t sha256[FWB_SHA256_SIZE]; /* of the clip's bytes */
  int64_t started_ms;              /* UTC, milliseconds since 1970 */
  int64_t ended_ms;                /* the same */
  uint8_t clock_quality;           /* 0 to 3, as in fwb_status */
  uint8_t trigger;                 /* 0 unknown, 1 button, 2 pre-record, 3 vehicle, 4 remote */
  uint8_t flags;                   /* 1: the wearer marked an incident; else 0 */
  fwb_span name;                   /* UTF-8, at most 255 bytes; what the camera calls the clip */
  fwb_span wearer;                 /* UTF-8, at most 255 bytes; may be empty */
} fwb_record;

/*
 * What the library needs of the camera. Every callback gets `context` first and returns FWB_OK or a
 * negative FWB_ERR_* unless it says otherwise. A callback may take as long as it takes, and the
 * line waits meanwhile; it must not call the library with the same camera. The struct, its strings
 * and its rates must outlive the camera object and must not change. All are needed but those that
 * may be NULL by their comment.
 */
typedef struct fwb_port {
  void *context;        /* handed to every callback; may be NULL */
  const char *serial;   /* terminated; SPEC 1: [A-Za-z0-9._-]{1,32} */
  const char *firmware; /* terminated; version for people, at most 255 bytes of UTF-8 */

  /* Copies the record, as fwb_record_sign made it, of the lowest counter >= `from` that the camera
   * still has, and sets *length (at most FWB_RECORD_SIZE_MAX). FWB_ERR_NOT_FOUND when there is
   * none, FWB_ERR_STORAGE when the index cannot be read. */
  int (*find_clip)(void *context, uint64_t from, uint8_t record[FWB_RECORD_SIZE_MAX],
                   size_t *length);
  /* Copies exactly `length` bytes of the clip from `offset`, which together never reach past the
   * size in its record; FWB_ERR_STORAGE otherwise. Called with as many bytes as the caller of
   * fwb_camera_output has room for, mostly in order. */
  int (*read_clip)(void *context, uint64_t counter, uint64_t offset, uint8_t *bytes, size_t length);
  /* Forgets the clip, durably when it returns FWB_OK: power may fail at once. Called only after a
   * receipt held (SPEC 7). FWB_ERR_STORAGE. */
  int (*erase_clip)(void *context, uint64_t counter);
  /* Returns the highest counter ever given to a clip, erased ones too; 0 before the first. */
  uint64_t (*last_counter)(void *context);

  /* SHA-256 of `length` bytes (at most 171) at once. FWB_ERR_CRYPTO. */
  int (*sha256)(void *context, const uint8_t *bytes, size_t length,
                uint8_t digest[FWB_SHA256_SIZE]);
  /* Ed25519 (RFC 8032) over the message itself with the camera's key. FWB_ERR_CRYPTO. NULL: the
   * camera has no key (auth 0). */
  int (*sign)(void *context, const uint8_t *bytes, size_t length,
              uint8_t signature[FWB_SIGNATURE_SIZE]);
  /* FWB_OK only when `signature` over `message` is right for the public `key`;
   * FWB_ERR_NOT_AUTHENTIC otherwise, and for a key that is no point of the curve. */
  int (*verify)(void *context, const uint8_t key[FWB_KEY_SIZE], fwb_span message,
                const uint8_t signature[FWB_SIGNATURE_SIZE]);
  /* Fills `bytes` from a cryptographically secure source; a repeated nonce lets a proof be
   * replayed. FWB_ERR_CRYPTO when there is no such source now. */
  int (*random)(void *context, uint8_t *bytes, size_t length);

  /* Milliseconds that never go back, from any start, asleep or awake. */
  uint64_t (*monotonic_ms)(void *context);
  /* The camera's UTC clock, milliseconds since 1970. */
  int64_t (*clock_get)(void *context);
  /* Sets it. FWB_ERR_ARGUMENT for a time that the clock cannot show. */
  int (*clock_set)(void *context, int64_t utc_ms);
  /* Fills all of *status, which comes zeroed. FWB_ERR_STORAGE. */
  int (*status)(void *context, fwb_status *status);
  /* The keys stored at pairing for the dock with this id (terminated, in its grammar).
   * FWB_ERR_NOT_FOUND when it was never paired. */
  int (*find_dock)(void *context, const char *dock_id, fwb_dock *dock);

  /* SPEC 9: waits until the line has sent what was written to it, then changes the rate of both
   * directions to `baud`, one of `rates` or the base rate. FWB_ERR_ARGUMENT when it cannot; the
   * rate is then as it was. NULL: the line has no rate (USB) or only one, and RATE is refused. */
  int (*set_rate)(void *context, uint32_t baud);
  const uint32_t *rates; /* in any order; what is below the base rate is never chosen */
  size_t rate_count;     /* of `rates`; 0: `rates` may be NULL */
  uint32_t base_rate;    /* at which the line is when the camera starts; 0: FWB_RATE_BASE */
} fwb_port;

/* SPEC 2: finds frames among noise. Public so that tests and other peers can use it. */
typedef struct fwb_decoder {
  uint8_t *bytes;     /* the caller's memory: one frame of the greatest size it wants to take */
  size_t capacity;    /* of it; at least FWB_FRAME_HEADER_SIZE + FWB_FRAME_CRC_SIZE */
  size_t start;       /* first byte that is not dealt with */
  size_t end;         /* behind the last byte held */
  uint64_t discarded; /* bytes that were in no frame */
} fwb_decoder;

typedef struct fwb_frame {
  uint8_t type; /* an fwb_type, or one that SPEC 3 does not know */
  uint32_t request;
  fwb_span payload; /* from a decoder: valid until that decoder is called again */
} fwb_frame;

/* One READ that is being answered. */
typedef struct fwb_read {
  uint64_t counter; /* of the clip */
  uint64_t first;   /* the offset that was asked for: DATA counts from here */
  uint64_t offset;  /* of the next byte to send */
  uint64_t end;     /* behind the last byte to send */
  uint32_t most;    /* clip bytes in one DATA frame */
  uint32_t request;
} fwb_read;

/* Everything of one camera's link. Private: read it in a debugger, not in code. */
typedef struct fwb_camera {
  const fwb_port *port;
  fwb_decoder decoder;    /* over `receive` */
  uint64_t last_input_ms; /* when the last byte was taken */
  bool held_back;         /* the last input was not taken whole: its rest is no silence */

  uint8_t session; /* enum fwb_session, internal.h */
  char dock_id[FWB_DOCK_ID_SIZE_MAX + 1u];
  fwb_dock dock; /* from PROVE on */
  uint8_t dock_nonce[FWB_NONCE_SIZE];
  uint8_t camera_nonce[FWB_NONCE_SIZE];
  uint64_t last_counter; /* as it was told in HELLO_OK */

  bool listing; /* a LIST is being answered */
  uint32_t list_request;
  uint64_t list_next; /* counter to go on from */
  uint16_t list_left; /* records that may still be sent */
  uint16_t list_sent;

  fwb_read reads[FWB_READS_OUTSTANDING_MAX]; /* a ring */
  size_t read_first;
  size_t read_count;
  uint32_t failed_request; /* a READ whose ERROR STORAGE is still to be sent; 0: none */

  /* SPEC 9; see rate.c. */
  uint32_t rate;
  uint32_t rate_next; /* to be set when RATE_OK has been sent; 0: none */
  bool rate_unsure;   /* no request came since the switch */
  uint64_t rate_unsure_since_ms;
  size_t rate_lost_bytes; /* that came since the last request */
  uint64_t rate_lost_since_ms;

  /* One whole frame on its way out, other than DATA. */
  size_t answer_length; /* 0: none */
  size_t answer_sent;

  /* The DATA frame on its way out: prefix, clip bytes straight from read_clip, CRC. */
  bool data_active;
  bool data_failed; /* the storage failed inside it */
  uint64_t data_counter;
  uint64_t data_offset;                            /* of its first byte in the clip */
  uint8_t data_prefix[FWB_FRAME_HEADER_SIZE + 4u]; /* header and offset */
  size_t data_sent;                                /* of prefix, clip bytes and CRC */
  size_t data_length;                              /* clip bytes */
  uint32_t data_crc;

  uint8_t answer[FWB_ANSWER_SIZE];
  uint8_t receive[FWB_RECEIVE_SIZE];
} fwb_camera;

/* Clears the camera object and binds it to its port. FWB_ERR_ARGUMENT when the serial is outside
 * its grammar, or a callback, the serial or the firmware is missing. */
int fwb_camera_init(fwb_camera *camera, const fwb_port *port);

/*
 * Takes bytes from the line, in pieces of any size, and acts on the requests in them. Returns how
 * many it took: fewer than `length` while an answer waits to be sent. Call fwb_camera_output, then
 * offer the rest again.
 */
size_t fwb_camera_input(fwb_camera *camera, const uint8_t *bytes, size_t length);

/*
 * Writes up to `capacity` bytes for the line and returns how many. Never bytes of two frames in one
 * call. The bytes must have been given to the line before it is called again: it may call set_rate.
 * 0 when there is nothing to send, and once after a rate was changed.
 */
size_t fwb_camera_output(fwb_camera *camera, uint8_t *bytes, size_t capacity);

/* True while fwb_camera_output has something to give or to do. */
bool fwb_camera_has_output(const fwb_camera *camera);

/* SPEC 2: FRAME_GAP_MS, and SPEC 9: RATE_CONFIRM_MS, RATE_LOST_MS. Call it every 50 to 200 ms while
 * the line is there. */
void fwb_camera_tick(fwb_camera *camera);

/* The line went away (unplugged, break, USB reset): the session and everything queued are
 * forgotten, and the line goes back to its base rate. */
void fwb_camera_line_lost(fwb_camera *camera);

/* The dock of the session after PROVED, terminated, or NULL. Valid until the camera is called. */
const char *fwb_camera_docked(const fwb_camera *camera);

/* Bytes that were no frame, since init. */
uint64_t fwb_camera_discarded(const fwb_camera *camera);

/* SPEC 5: encodes and signs; called once, when recording ends. The serial and auth of `record` are
 * filled from the port. FWB_ERR_ARGUMENT when a field is outside SPEC 5, FWB_ERR_SPACE when the
 * strings are too long together, FWB_ERR_CRYPTO when the signature failed. */
int fwb_record_sign(const fwb_port *port, const fwb_record *record,
                    uint8_t bytes[FWB_RECORD_SIZE_MAX], size_t *length);

/* SPEC 5: grammar only, no signature. FWB_ERR_MALFORMED. */
int fwb_record_decode(const uint8_t *bytes, size_t length, fwb_record *record);

/* What a receipt must speak of (SPEC 7). */
typedef struct fwb_receipt_subject {
  const char *dock_id; /* of the session, terminated */
  const char *serial;  /* of the camera, terminated */
  uint64_t counter;    /* of the clip */
  const fwb_record
      *record; /* NULL for a clip that was erased before: no size or digest to compare */
} fwb_receipt_subject;

/* FWB_OK only when everything in SPEC 7 holds; FWB_ERR_RECEIPT. */
int fwb_receipt_check(const fwb_port *port, const uint8_t receipt_key[FWB_KEY_SIZE],
                      const fwb_receipt_subject *subject, fwb_span note);

/* SPEC 1. `crc` is 0 to begin with, or what the call for the bytes before gave. */
uint32_t fwb_crc32(uint32_t crc, const uint8_t *bytes, size_t length);

void fwb_decoder_init(fwb_decoder *decoder, uint8_t *bytes, size_t capacity);
/* Takes bytes from the line; returns how many it had room for. */
size_t fwb_decoder_push(fwb_decoder *decoder, const uint8_t *bytes, size_t length);
/* The next frame among the bytes held. False: more bytes are needed. */
bool fwb_decoder_next(fwb_decoder *decoder, fwb_frame *frame);
/* After a silence of FRAME_GAP_MS: gives up the frame that is waited for; call fwb_decoder_next
 * again. False when nothing was held. */
bool fwb_decoder_gap(fwb_decoder *decoder);

/* A whole frame around a payload, which may lie in place already. Returns its length, or 0 when it
 * does not fit. */
size_t fwb_frame_encode(const fwb_frame *frame, uint8_t *bytes, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
