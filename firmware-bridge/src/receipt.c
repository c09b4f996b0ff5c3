#include "internal.h"

enum { PROOF_LINES_MAX = 64, SIGNED_SIZE = 4 + 64, SIGNED_BASE64 = 92 };

_Static_assert(SIGNED_BASE64 == (SIGNED_SIZE + 2) / 3 * 4, "base64 of key id and signature");

/* SPEC 7, taken apart. */
typedef struct receipt {
  fwb_span dock;
  fwb_span camera;
  uint64_t counter;
  uint64_t size;
  uint8_t sha256[FWB_SHA256_SIZE];
  uint8_t leaf[FWB_SHA256_SIZE];
  uint64_t index;
  uint64_t tree;
  uint8_t root[FWB_SHA256_SIZE];
  fwb_span proof; /* proof_count whole lines */
  size_t proof_count;
  fwb_span text; /* what is signed */
  fwb_span name;
  uint8_t signed_part[SIGNED_SIZE];
} receipt;

static void expect(fwb_reader *reader, const char *text) {
  const fwb_span wanted = fwb_span_of(text);
  const fwb_span found = fwb_read_bytes(reader, wanted.length);
  if (!reader->failed && memcmp(found.bytes, wanted.bytes, wanted.length) != 0)
    reader->failed = true;
}

/* The bytes up to `end`, which is consumed. */
static fwb_span until(fwb_reader *reader, uint8_t end) {
  size_t length = 0;
  while (reader->at + length < reader->length && reader->bytes[reader->at + length] != end)
    length++;
  const fwb_span span = fwb_read_bytes(reader, length);
  (void)fwb_read_u8(reader);
  return span;
}

static uint64_t decimal_line(fwb_reader *reader, const char *label) {
  expect(reader, label);
  const fwb_span digits = until(reader, '\n');
  uint64_t value = 0;
  if (digits.length < 1 || digits.length > 16 || (digits.length > 1 && digits.bytes[0] == '0'))
    reader->failed = true;
  for (size_t i = 0; i < digits.length && !reader->failed; i++) {
    if (digits.bytes[i] < '0' || digits.bytes[i] > '9') reader->failed = true;
    value = value * 10u + (uint64_t)(digits.bytes[i] - '0');
  }
  if (value > FWB_COUNTER_MAX) reader->failed = true;
  return value;
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

static void hex_line(fwb_reader *reader, const char *label, uint8_t *bytes, size_t length) {
  expect(reader, label);
  const fwb_span digits = fwb_read_bytes(reader, length * 2u);
  expect(reader, "\n");
  for (size_t i = 0; i < length && !reader->failed; i++) {
    const int high = hex_digit(digits.bytes[2u * i]);
    const int low = hex_digit(digits.bytes[2u * i + 1u]);
    if (high < 0 || low < 0) reader->failed = true;
    bytes[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
  }
}

static int base64_digit(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/* 92 letters for 68 bytes, the last of them `=`; the two spare bits must be 0, so that a receipt
 * has one spelling. */
static void base64_signed(fwb_reader *reader, uint8_t bytes[SIGNED_SIZE]) {
  const fwb_span text = fwb_read_bytes(reader, SIGNED_BASE64);
  uint32_t held = 0;
  unsigned bits = 0;
  size_t at = 0;
  for (size_t i = 0; i < SIGNED_BASE64 - 1u && !reader->failed; i++) {
    const int digit = base64_digit(text.bytes[i]);
    if (digit < 0) reader->failed = true;
    held = (held << 6 | (uint32_t)(digit & 63)) & 0xffffu;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (uint8_t)(held >> bits);
    }
  }
  if (reader->failed || text.bytes[SIGNED_BASE64 - 1u] != '=' || (held & 3u) != 0)
    reader->failed = true;
}

static bool at_proof(const fwb_reader *reader) {
  return !reader->failed && reader->at < reader->length && reader->bytes[reader->at] == 'p';
}

static void parse_proof(fwb_reader *reader, receipt *into) {
  uint8_t ignored[FWB_SHA256_SIZE];
  into->proof.bytes = reader->bytes + reader->at;
  into->proof.length = reader->length - reader->at;
  into->proof_count = 0;
  while (at_proof(reader) && into->proof_count < PROOF_LINES_MAX) {
    hex_line(reader, "proof ", ignored, sizeof ignored);
    into->proof_count++;
  }
}

static bool parse(fwb_span note, receipt *into) {
  uint8_t clip[16];
  fwb_reader reader = fwb_reader_of(note);
  expect(&reader, "docket/receipt/v1\ndock ");
  into->dock = until(&reader, '\n');
  expect(&reader, "camera ");
  into->camera = until(&reader, '\n');
  into->counter = decimal_line(&reader, "counter ");
  into->size = decimal_line(&reader, "size ");
  hex_line(&reader, "sha256 ", into->sha256, FWB_SHA256_SIZE);
  hex_line(&reader, "clip ", clip, sizeof clip);
  hex_line(&reader, "leaf ", into->leaf, FWB_SHA256_SIZE);
  into->index = decimal_line(&reader, "index ");
  into->tree = decimal_line(&reader, "tree ");
  hex_line(&reader, "root ", into->root, FWB_SHA256_SIZE);
  parse_proof(&reader, into);
  into->text.bytes = note.bytes;
  into->text.length = reader.at;
  expect(&reader, "\n\xe2\x80\x94 ");
  into->name = until(&reader, ' ');
  base64_signed(&reader, into->signed_part);
  expect(&reader, "\n");
  return fwb_reader_done(&reader);
}

/* C2SP signed-note: the key id is the first four bytes of SHA-256(name | 0A | 01 | key). */
static bool signature_holds(const fwb_port *port, const uint8_t key[FWB_KEY_SIZE],
                            const receipt *given) {
  uint8_t named[FWB_DOCK_ID_SIZE_MAX + 8u + 2u + FWB_KEY_SIZE];
  uint8_t digest[FWB_SHA256_SIZE];
  fwb_writer writer = {named, sizeof named, 0, false};
  fwb_write_bytes(&writer, given->dock.bytes, given->dock.length);
  fwb_write_bytes(&writer, "/receipt", 8);
  if (writer.failed || writer.length != given->name.length ||
      memcmp(named, given->name.bytes, writer.length) != 0)
    return false;
  fwb_write_bytes(&writer, "\n\x01", 2);
  fwb_write_bytes(&writer, key, FWB_KEY_SIZE);
  if (writer.failed || port->sha256(port->context, named, writer.length, digest) != FWB_OK)
    return false;
  if (memcmp(digest, given->signed_part, 4) != 0) return false;
  return port->verify(port->context, key, given->text, given->signed_part + 4) == FWB_OK;
}

/* RFC 6962 2.1: SHA-256(01 | left | right); the result may replace either input. */
static bool hash_node(const fwb_port *port, const uint8_t *left, const uint8_t *right,
                      uint8_t *node) {
  uint8_t both[1 + 2 * FWB_SHA256_SIZE];
  both[0] = 1;
  memcpy(both + 1, left, FWB_SHA256_SIZE);
  memcpy(both + 1 + FWB_SHA256_SIZE, right, FWB_SHA256_SIZE);
  return port->sha256(port->context, both, sizeof both, node) == FWB_OK;
}

/* RFC 9162 2.1.3.2: the audit path of RFC 6962, checked from the leaf up. */
static bool proof_holds(const fwb_port *port, const receipt *given) {
  uint64_t first = given->index;
  uint64_t last = given->tree - 1u;
  uint8_t hash[FWB_SHA256_SIZE];
  fwb_reader lines = fwb_reader_of(given->proof);
  memcpy(hash, given->leaf, sizeof hash);
  for (size_t i = 0; i < given->proof_count; i++) {
    uint8_t sibling[FWB_SHA256_SIZE];
    if (last == 0) return false;
    hex_line(&lines, "proof ", sibling, sizeof sibling);
    if ((first & 1u) == 1u || first == last) {
      if (!hash_node(port, sibling, hash, hash)) return false;
      while ((first & 1u) == 0 && first != 0) {
        first >>= 1;
        last >>= 1;
      }
    } else if (!hash_node(port, hash, sibling, hash)) {
      return false;
    }
    first >>= 1;
    last >>= 1;
  }
  return last == 0 && memcmp(hash, given->root, sizeof hash) == 0;
}

static bool subject_holds(const fwb_receipt_subject *subject, const receipt *given) {
  if (!fwb_span_equals(given->dock, subject->dock_id) ||
      !fwb_span_equals(given->camera, subject->serial))
    return false;
  if (given->counter != subject->counter) return false;
  if (subject->record == NULL) return true;
  return given->size == subject->record->size &&
         memcmp(given->sha256, subject->record->sha256, FWB_SHA256_SIZE) == 0;
}

int fwb_receipt_check(const fwb_port *port, const uint8_t receipt_key[FWB_KEY_SIZE],
                      const fwb_receipt_subject *subject, fwb_span note) {
  receipt given;
  memset(&given, 0, sizeof given);
  if (note.length > FWB_RECEIPT_SIZE_MAX || !parse(note, &given)) return FWB_ERR_RECEIPT;
  if (!subject_holds(subject, &given) || given.index >= given.tree) return FWB_ERR_RECEIPT;
  if (!signature_holds(port, receipt_key, &given)) return FWB_ERR_RECEIPT;
  return proof_holds(port, &given) ? FWB_OK : FWB_ERR_RECEIPT;
}
