/* Explicit little-endian readers and writers: no casts onto wire bytes. */
#ifndef FWB_BYTES_H
#define FWB_BYTES_H

#include "fwb.h"

/* C11 4: a freestanding compiler brings no string.h, but asks for these four itself. */
#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *first, const void *second, size_t length);
#endif

static inline uint16_t fwb_get_u16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | (uint16_t)(bytes[1] << 8));
}

static inline uint32_t fwb_get_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
         (uint32_t)bytes[3] << 24;
}

static inline uint64_t fwb_get_u64(const uint8_t *bytes) {
  return (uint64_t)fwb_get_u32(bytes) | (uint64_t)fwb_get_u32(bytes + 4) << 32;
}

static inline void fwb_put_u32(uint8_t *bytes, uint32_t value) {
  bytes[0] = (uint8_t)value;
  bytes[1] = (uint8_t)(value >> 8);
  bytes[2] = (uint8_t)(value >> 16);
  bytes[3] = (uint8_t)(value >> 24);
}

/* Reads past the end give zeros and set `failed`, so that a parser checks once, at its end. */
typedef struct fwb_reader {
  const uint8_t *bytes;
  size_t length;
  size_t at;
  bool failed;
} fwb_reader;

static inline fwb_reader fwb_reader_of(fwb_span span) {
  fwb_reader reader = {span.bytes, span.length, 0, false};
  return reader;
}

static inline fwb_span fwb_read_bytes(fwb_reader *reader, size_t length) {
  fwb_span span = {NULL, 0};
  if (reader->failed || reader->length - reader->at < length) {
    reader->failed = true;
    return span;
  }
  span.bytes = reader->bytes + reader->at;
  span.length = length;
  reader->at += length;
  return span;
}

static inline uint8_t fwb_read_u8(fwb_reader *reader) {
  const fwb_span span = fwb_read_bytes(reader, 1);
  return reader->failed ? 0 : span.bytes[0];
}

static inline uint16_t fwb_read_u16(fwb_reader *reader) {
  const fwb_span span = fwb_read_bytes(reader, 2);
  return reader->failed ? 0 : fwb_get_u16(span.bytes);
}

static inline uint32_t fwb_read_u32(fwb_reader *reader) {
  const fwb_span span = fwb_read_bytes(reader, 4);
  return reader->failed ? 0 : fwb_get_u32(span.bytes);
}

static inline uint64_t fwb_read_u64(fwb_reader *reader) {
  const fwb_span span = fwb_read_bytes(reader, 8);
  return reader->failed ? 0 : fwb_get_u64(span.bytes);
}

/* SPEC 1: a counter, size or offset. */
static inline uint64_t fwb_read_u53(fwb_reader *reader) {
  const uint64_t value = fwb_read_u64(reader);
  if (value > FWB_COUNTER_MAX) reader->failed = true;
  return value;
}

static inline fwb_span fwb_read_string8(fwb_reader *reader) {
  return fwb_read_bytes(reader, fwb_read_u8(reader));
}

static inline void fwb_read_into(fwb_reader *reader, uint8_t *bytes, size_t length) {
  const fwb_span span = fwb_read_bytes(reader, length);
  if (!reader->failed) memcpy(bytes, span.bytes, length);
}

static inline bool fwb_reader_done(const fwb_reader *reader) {
  return !reader->failed && reader->at == reader->length;
}

/* Writes that do not fit set `failed`. */
typedef struct fwb_writer {
  uint8_t *bytes;
  size_t capacity;
  size_t length;
  bool failed;
} fwb_writer;

static inline void fwb_write_bytes(fwb_writer *writer, const void *bytes, size_t length) {
  if (writer->failed || writer->capacity - writer->length < length) {
    writer->failed = true;
    return;
  }
  if (length > 0) memcpy(writer->bytes + writer->length, bytes, length);
  writer->length += length;
}

static inline void fwb_write_u8(fwb_writer *writer, uint8_t value) {
  fwb_write_bytes(writer, &value, 1);
}

static inline void fwb_write_u16(fwb_writer *writer, uint16_t value) {
  const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
  fwb_write_bytes(writer, bytes, sizeof bytes);
}

static inline void fwb_write_u32(fwb_writer *writer, uint32_t value) {
  uint8_t bytes[4];
  fwb_put_u32(bytes, value);
  fwb_write_bytes(writer, bytes, sizeof bytes);
}

static inline void fwb_write_u64(fwb_writer *writer, uint64_t value) {
  fwb_write_u32(writer, (uint32_t)value);
  fwb_write_u32(writer, (uint32_t)(value >> 32));
}

static inline void fwb_write_string8(fwb_writer *writer, fwb_span text) {
  if (text.length > FWB_STRING8_SIZE_MAX) {
    writer->failed = true;
    return;
  }
  fwb_write_u8(writer, (uint8_t)text.length);
  fwb_write_bytes(writer, text.bytes, text.length);
}

/* At most 255 bytes are looked at. */
static inline fwb_span fwb_span_of(const char *text) {
  fwb_span span = {(const uint8_t *)text, 0};
  while (span.length < FWB_STRING8_SIZE_MAX && text[span.length] != '\0') span.length++;
  return span;
}

static inline bool fwb_span_equals(fwb_span span, const char *text) {
  const fwb_span other = fwb_span_of(text);
  return span.length == other.length && memcmp(span.bytes, other.bytes, span.length) == 0;
}

#endif
