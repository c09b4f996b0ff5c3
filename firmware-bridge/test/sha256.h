/* FIPS 180-4, short rather than fast: the library takes SHA-256 from its port, and tests have only
 * a C compiler. */
#ifndef FWB_TEST_SHA256_H
#define FWB_TEST_SHA256_H

#include <stdint.h>
#include <string.h>

static uint32_t sha256_rotate(uint32_t x, unsigned n) { return x >> n | x << (32u - n); }

/* The first 32 bits of the fractional part of the square or cube root of a prime, by bisection on
 * integers. */
static uint32_t sha256_root_bits(uint32_t prime, int cube) {
  uint64_t low = 0;
  uint64_t high = (uint64_t)1 << 37;
  while (high - low > 1) {
    const uint64_t middle = (low + high) / 2;
    __extension__ unsigned __int128 power = (unsigned __int128)middle * middle;
    __extension__ unsigned __int128 wanted = (unsigned __int128)prime << 64;
    if (cube) {
      /* middle^3 <= prime * 2^96, both sides divided by 2^32 with middle^2 kept whole. */
      const uint64_t whole = (uint64_t)(power >> 32);
      const uint64_t rest = (uint64_t)(power & 0xffffffffu);
      power = (unsigned __int128)whole * middle + (((unsigned __int128)rest * middle) >> 32);
    }
    if (power < wanted) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return (uint32_t)low;
}

typedef struct sha256_tables {
  uint32_t k[64];
  uint32_t h[8];
} sha256_tables;

static sha256_tables sha256_make_tables(void) {
  sha256_tables tables;
  uint32_t count = 0;
  for (uint32_t n = 2; count < 64; n++) {
    int prime = 1;
    for (uint32_t d = 2; d * d <= n; d++) {
      if (n % d == 0) prime = 0;
    }
    if (!prime) continue;
    if (count < 8) tables.h[count] = sha256_root_bits(n, 0);
    tables.k[count++] = sha256_root_bits(n, 1);
  }
  return tables;
}

static void sha256_block(const sha256_tables *tables, uint32_t state[8], const uint8_t *block) {
  uint32_t w[64];
  uint32_t v[8];
  for (unsigned i = 0; i < 16; i++) {
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  }
  for (unsigned i = 16; i < 64; i++) {
    const uint32_t s0 = sha256_rotate(w[i - 15], 7) ^ sha256_rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = sha256_rotate(w[i - 2], 17) ^ sha256_rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  memcpy(v, state, sizeof v);
  for (unsigned i = 0; i < 64; i++) {
    const uint32_t s1 = sha256_rotate(v[4], 6) ^ sha256_rotate(v[4], 11) ^ sha256_rotate(v[4], 25);
    const uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + tables->k[i] + w[i];
    const uint32_t s0 = sha256_rotate(v[0], 2) ^ sha256_rotate(v[0], 13) ^ sha256_rotate(v[0], 22);
    const uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof v[0]);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (unsigned i = 0; i < 8; i++) state[i] += v[i];
}

static void sha256(const uint8_t *bytes, size_t length, uint8_t digest[32]) {
  const sha256_tables tables = sha256_make_tables();
  uint32_t state[8];
  uint8_t tail[128] = {0};
  const size_t whole = length / 64 * 64;
  const size_t rest = length - whole;
  const size_t tail_length = rest < 56 ? 64 : 128;
  memcpy(state, tables.h, sizeof state);
  for (size_t at = 0; at < whole; at += 64) sha256_block(&tables, state, bytes + at);
  if (rest > 0) memcpy(tail, bytes + whole, rest);
  tail[rest] = 0x80;
  for (unsigned i = 0; i < 8; i++)
    tail[tail_length - 1 - i] = (uint8_t)((uint64_t)length * 8u >> (8u * i));
  for (size_t at = 0; at < tail_length; at += 64) sha256_block(&tables, state, tail + at);
  for (unsigned i = 0; i < 32; i++) digest[i] = (uint8_t)(state[i / 4] >> (24u - 8u * (i % 4)));
}

#endif
