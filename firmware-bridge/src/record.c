#include "internal.h"

static const char LABEL[] = "docket-clip/1"; /* its terminating 00 is part of what is signed */

_Static_assert(sizeof LABEL == 14, "SPEC 5: the label and its 00");

/* Bytes that follow a UTF-8 lead byte, or -1. Overlong forms and surrogates are refused through the
 * first of them. */
static int utf8_tail(uint8_t lead, uint8_t second) {
  if (lead < 0x80) return 0;
  if (lead >= 0xc2 && lead <= 0xdf) return 1;
  if (lead == 0xe0) return second >= 0xa0 ? 2 : -1;
  if (lead == 0xed) return second <= 0x9f ? 2 : -1;
  if (lead >= 0xe1 && lead <= 0xef) return 2;
  if (lead == 0xf0) return second >= 0x90 ? 3 : -1;
  if (lead == 0xf4) return second <= 0x8f ? 3 : -1;
  if (lead >= 0xf1 && lead <= 0xf3) return 3;
  return -1;
}

static bool is_utf8(fwb_span text) {
  size_t at = 0;
  while (at < text.length) {
    const uint8_t second = at + 1 < text.length ? text.bytes[at + 1] : 0;
    const int tail = utf8_tail(text.bytes[at], second);
    if (tail < 0 || (size_t)tail >= text.length - at) return false;
    for (int i = 1; i <= tail; i++) {
      if ((text.bytes[at + (size_t)i] & 0xc0u) != 0x80u) return false;
    }
    at += (size_t)tail + 1u;
  }
  return true;
}

static bool fields_hold(const fwb_record *record) {
  return record->auth <= 1 && fwb_is_serial(record->serial) && record->counter >= 1 &&
         record->counter <= FWB_COUNTER_MAX && record->size <= FWB_COUNTER_MAX &&
         record->clock_quality <= 3 && record->trigger <= 4 && record->flags <= 1 &&
         is_utf8(record->name) && is_utf8(record->wearer);
}

int fwb_record_decode(const uint8_t *bytes, size_t length, fwb_record *record) {
  const fwb_span all = {bytes, length};
  fwb_reader reader = fwb_reader_of(all);
  if (length > FWB_RECORD_SIZE_MAX || fwb_read_u8(&reader) != 1) return FWB_ERR_MALFORMED;
  record->auth = fwb_read_u8(&reader);
  record->serial = fwb_read_string8(&reader);
  record->counter = fwb_read_u53(&reader);
  record->size = fwb_read_u53(&reader);
  fwb_read_into(&reader, record->sha256, FWB_SHA256_SIZE);
  record->started_ms = (int64_t)fwb_read_u64(&reader);
  record->ended_ms = (int64_t)fwb_read_u64(&reader);
  record->clock_quality = fwb_read_u8(&reader);
  record->trigger = fwb_read_u8(&reader);
  record->flags = fwb_read_u8(&reader);
  record->name = fwb_read_string8(&reader);
  record->wearer = fwb_read_string8(&reader);
  (void)fwb_read_bytes(&reader, FWB_SIGNATURE_SIZE);
  return fwb_reader_done(&reader) && fields_hold(record) ? FWB_OK : FWB_ERR_MALFORMED;
}

int fwb_record_sign(const fwb_port *port, const fwb_record *record,
                    uint8_t bytes[FWB_RECORD_SIZE_MAX], size_t *length) {
  fwb_record signed_record = *record;
  signed_record.auth = port->sign != NULL ? 1 : 0;
  signed_record.serial = fwb_span_of(port->serial);
  if (!fields_hold(&signed_record)) return FWB_ERR_ARGUMENT;

  uint8_t message[sizeof LABEL + FWB_RECORD_SIZE_MAX];
  fwb_writer writer = {message, sizeof message - FWB_SIGNATURE_SIZE, 0, false};
  fwb_write_bytes(&writer, LABEL, sizeof LABEL);
  fwb_write_u8(&writer, 1);
  fwb_write_u8(&writer, signed_record.auth);
  fwb_write_string8(&writer, signed_record.serial);
  fwb_write_u64(&writer, record->counter);
  fwb_write_u64(&writer, record->size);
  fwb_write_bytes(&writer, record->sha256, FWB_SHA256_SIZE);
  fwb_write_u64(&writer, (uint64_t)record->started_ms);
  fwb_write_u64(&writer, (uint64_t)record->ended_ms);
  fwb_write_u8(&writer, record->clock_quality);
  fwb_write_u8(&writer, record->trigger);
  fwb_write_u8(&writer, record->flags);
  fwb_write_string8(&writer, record->name);
  fwb_write_string8(&writer, record->wearer);
  if (writer.failed) return FWB_ERR_SPACE;

  const size_t body = writer.length - sizeof LABEL;
  memcpy(bytes, message + sizeof LABEL, body);
  memset(bytes + body, 0, FWB_SIGNATURE_SIZE);
  *length = body + FWB_SIGNATURE_SIZE;
  if (port->sign == NULL) return FWB_OK;
  return port->sign(port->context, message, writer.length, bytes + body) == FWB_OK ? FWB_OK
                                                                                   : FWB_ERR_CRYPTO;
}
