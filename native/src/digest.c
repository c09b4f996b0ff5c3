#include "digest.h"

#include "blocks.h"

#include <openssl/crypto.h>
#include <string.h>

/* FIPS 180-4, 5.3.3 */
static const uint32_t FIRST_STATE[LANES_STATE_WORDS] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static int start_evp(struct digest *digest, const struct suite *suite) {
  if (digest->evp == NULL)
    digest->evp = EVP_MD_CTX_new();
  if (digest->evp == NULL || EVP_DigestInit_ex2(digest->evp, suite->sha256, NULL) != 1)
    return DOCKET_ERR_CRYPTO;
  return 0;
}

int digest_start(struct digest *digest, const struct suite *suite, enum digest_use use) {
  digest->use = use;
  digest->in_lane = use == DIGEST_PAIRED && suite->has_lanes;
  digest->size = 0;
  memcpy(digest->lane.state, FIRST_STATE, sizeof FIRST_STATE);
  return use == DIGEST_PAIRED ? 0 : start_evp(digest, suite);
}

static void compress_alone(struct digest *digest, const uint8_t *bytes, size_t blocks) {
  struct lane unused = {.bytes = bytes};
  if (!digest->in_lane) {
    blocks_compress(digest->lane.state, bytes, blocks);
    return;
  }
  digest->lane.bytes = bytes;
  lanes_compress(&digest->lane, &unused, blocks);
  OPENSSL_cleanse(&unused, sizeof unused);
}

static struct span skip(struct span span, size_t size) {
  return (struct span){span.bytes + size, span.size - size};
}

/* Completes the block that was begun. What is left of the span begins a new one. */
static struct span fill_tail(struct digest *digest, struct span span) {
  const size_t used = digest->size % LANES_BLOCK_BYTES;
  const size_t room = LANES_BLOCK_BYTES - used;
  const size_t taken = span.size < room ? span.size : room;
  if (used == 0 || taken == 0)
    return span;
  memcpy(digest->tail + used, span.bytes, taken);
  digest->size += taken;
  if (taken == room)
    compress_alone(digest, digest->tail, 1);
  return skip(span, taken);
}

/* What is less than a block waits in the tail; a span that fill_tail used up has nothing. */
static void keep_rest(struct digest *digest, struct span span) {
  if (span.size == 0)
    return;
  memcpy(digest->tail, span.bytes, span.size);
  digest->size += span.size;
}

static struct span take_alone(struct digest *digest, struct span span) {
  const size_t blocks = span.size / LANES_BLOCK_BYTES;
  if (blocks > 0)
    compress_alone(digest, span.bytes, blocks);
  digest->size += blocks * LANES_BLOCK_BYTES;
  return skip(span, blocks * LANES_BLOCK_BYTES);
}

static int update_evp(struct digest *digest, struct span span) {
  return EVP_DigestUpdate(digest->evp, span.bytes, span.size) == 1 ? 0 : DOCKET_ERR_CRYPTO;
}

int digest_update(struct digest *digest, struct span span) {
  if (span.size == 0)
    return 0;
  if (digest->use == DIGEST_ALONE)
    return update_evp(digest, span);
  keep_rest(digest, take_alone(digest, fill_tail(digest, span)));
  return 0;
}

static void update_lanes(struct digest *a, struct span of_a, struct digest *b, struct span of_b) {
  of_a = fill_tail(a, of_a);
  of_b = fill_tail(b, of_b);
  const size_t shorter = of_a.size < of_b.size ? of_a.size : of_b.size;
  const size_t blocks = shorter / LANES_BLOCK_BYTES;
  a->lane.bytes = of_a.bytes;
  b->lane.bytes = of_b.bytes;
  lanes_compress(&a->lane, &b->lane, blocks);
  a->size += blocks * LANES_BLOCK_BYTES;
  b->size += blocks * LANES_BLOCK_BYTES;
  keep_rest(a, take_alone(a, skip(of_a, blocks * LANES_BLOCK_BYTES)));
  keep_rest(b, take_alone(b, skip(of_b, blocks * LANES_BLOCK_BYTES)));
}

int digest_update_pair(struct digest *a, struct span of_a, struct digest *b, struct span of_b) {
  if (a->in_lane && b->in_lane && of_a.size > 0 && of_b.size > 0) {
    update_lanes(a, of_a, b, of_b);
    return 0;
  }
  const int result = digest_update(a, of_a);
  return result != 0 ? result : digest_update(b, of_b);
}

static void write_words(const struct digest *digest, uint8_t bytes[DOCKET_SHA256_BYTES]) {
  for (size_t i = 0; i < DOCKET_SHA256_BYTES; i++)
    bytes[i] = (uint8_t)(digest->lane.state[i / 4] >> (24 - 8 * (i % 4)));
}

static bool is_whole(enum digest_use use, uint64_t size) {
  return use == DIGEST_PAIRED && size % LANES_BLOCK_BYTES == 0;
}

int digest_export(const struct digest *digest, struct midstate *midstate) {
  if (!is_whole(digest->use, digest->size))
    return DOCKET_ERR_STATE;
  midstate->size = digest->size;
  write_words(digest, midstate->words);
  return 0;
}

int digest_import(struct digest *digest, const struct midstate *midstate) {
  if (!is_whole(digest->use, midstate->size))
    return DOCKET_ERR_STATE;
  digest->size = midstate->size;
  memset(digest->lane.state, 0, sizeof digest->lane.state);
  for (size_t i = 0; i < DOCKET_SHA256_BYTES; i++)
    digest->lane.state[i / 4] |= (uint32_t)midstate->words[i] << (24 - 8 * (i % 4));
  return 0;
}

/* FIPS 180-4, 5.1.1: a one bit, zeros, and the size in bits. */
static void finish_words(struct digest *digest, uint8_t *sha256) {
  uint8_t padding[2 * LANES_BLOCK_BYTES] = {0};
  const size_t used = digest->size % LANES_BLOCK_BYTES;
  const size_t blocks = used + 9 > LANES_BLOCK_BYTES ? 2 : 1;
  uint64_t bits = digest->size * 8;
  memcpy(padding, digest->tail, used);
  padding[used] = 0x80;
  for (size_t i = blocks * LANES_BLOCK_BYTES; bits != 0; bits >>= 8)
    padding[--i] = (uint8_t)(bits & 0xff);
  compress_alone(digest, padding, blocks);
  OPENSSL_cleanse(padding, sizeof padding);
  write_words(digest, sha256);
}

int digest_final(struct digest *digest, uint8_t sha256[DOCKET_SHA256_BYTES]) {
  unsigned int size = 0;
  if (digest->use == DIGEST_PAIRED)
    finish_words(digest, sha256);
  else if (EVP_DigestFinal_ex(digest->evp, sha256, &size) != 1 || size != DOCKET_SHA256_BYTES)
    return DOCKET_ERR_CRYPTO;
  return 0;
}

void digest_wipe(struct digest *digest) {
  EVP_MD_CTX_free(digest->evp);
  OPENSSL_cleanse(digest, sizeof *digest);
}

enum { TEST_BYTES = 1000, TEST_STEP_A = 150, TEST_STEP_B = 137, TEST_ROUNDS = 6 };

static bool equals_evp(struct digest *digest, const struct suite *suite, const uint8_t *bytes) {
  uint8_t wanted[DOCKET_SHA256_BYTES];
  uint8_t got[DOCKET_SHA256_BYTES];
  const size_t size = (size_t)digest->size;
  return EVP_Digest(bytes, size, wanted, NULL, suite->sha256, NULL) == 1 &&
         digest_final(digest, got) == 0 && memcmp(wanted, got, sizeof wanted) == 0;
}

bool digest_lanes_work(const struct suite *suite) {
  const struct suite with_lanes = {.sha256 = suite->sha256, .has_lanes = true};
  uint8_t bytes[TEST_BYTES];
  struct digest a = {0};
  struct digest b = {0};
  if (!lanes_available())
    return false;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * i + 7 * i);
  (void)digest_start(&a, &with_lanes, DIGEST_PAIRED);
  (void)digest_start(&b, &with_lanes, DIGEST_PAIRED);
  for (size_t i = 0; i < TEST_ROUNDS; i++) {
    const struct span of_a = {bytes + i * TEST_STEP_A, TEST_STEP_A};
    const struct span of_b = {bytes + i * TEST_STEP_B, TEST_STEP_B};
    (void)digest_update_pair(&a, of_a, &b, of_b);
  }
  return equals_evp(&a, suite, bytes) && equals_evp(&b, suite, bytes);
}
