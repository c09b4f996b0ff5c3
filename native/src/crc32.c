/*
 * Eight tables of 256 on any processor (about 2 GB/s); carry-less products on x86-64 and the CRC
 * instructions of arm64 where the processor has them. An instruction set that does not give what
 * the tables give is not used.
 */
#include "crc32.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static uint32_t tables[8][256];
static bool is_fast;

static uint32_t word_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
         (uint32_t)bytes[3] << 24;
}

static uint32_t add_bytes(uint32_t state, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    state = state >> 8 ^ tables[0][(state ^ bytes[i]) & 0xff];
  return state;
}

static uint32_t add_words(uint32_t state, const uint8_t *bytes, size_t size) {
  for (; size >= 8; size -= 8, bytes += 8) {
    const uint32_t low = state ^ word_at(bytes);
    const uint32_t high = word_at(bytes + 4);
    state = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
            tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
            tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
  }
  return add_bytes(state, bytes, size);
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

enum { FOLD_BYTES = 64, FOLD_MIN = 128 };

static bool has_instructions(void) {
  enum { PCLMUL_IN_ECX1 = 1 << 1, SSE41_IN_ECX1 = 1 << 19 };
  unsigned int a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & PCLMUL_IN_ECX1) != 0 &&
         (c & SSE41_IN_ECX1) != 0;
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i sum, __m128i by,
                                                                    __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(sum, by, 0x00);
  const __m128i high = _mm_clmulepi64_si128(sum, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i load(const uint8_t *bytes) {
  return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/*
 * A sum of 128 bits stands for all the bytes before it: it is moved on by multiplying its halves
 * with powers of x modulo the polynomial (bit-reflected). Four sums run beside each other; the
 * tables take the last one and what is left over.
 */
__attribute__((target("pclmul,sse4.1"))) static uint32_t
add_fast(uint32_t state, const uint8_t *bytes, size_t size) {
  /* x^(512+32), x^(512-32) and x^(128+32), x^(128-32). */
  const __m128i by_four = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
  const __m128i by_one = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
  uint8_t last[16];
  if (size < FOLD_MIN)
    return add_words(state, bytes, size);
  __m128i a = _mm_xor_si128(load(bytes), _mm_cvtsi32_si128((int)state));
  __m128i b = load(bytes + 16);
  __m128i c = load(bytes + 32);
  __m128i d = load(bytes + 48);
  for (bytes += FOLD_BYTES, size -= FOLD_BYTES; size >= FOLD_BYTES;
       bytes += FOLD_BYTES, size -= FOLD_BYTES) {
    a = fold(a, by_four, load(bytes));
    b = fold(b, by_four, load(bytes + 16));
    c = fold(c, by_four, load(bytes + 32));
    d = fold(d, by_four, load(bytes + 48));
  }
  a = fold(fold(fold(a, by_one, b), by_one, c), by_one, d);
  for (; size >= 16; bytes += 16, size -= 16)
    a = fold(a, by_one, load(bytes));
  _mm_storeu_si128((__m128i *)(void *)last, a);
  return add_bytes(add_words(0, last, sizeof last), bytes, size);
}

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

static bool has_instructions(void) {
  enum { CRC32_IN_HWCAP = 1 << 7 };
  return (getauxval(AT_HWCAP) & CRC32_IN_HWCAP) != 0;
}

static uint32_t add_fast(uint32_t state, const uint8_t *bytes, size_t size) {
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    __asm__(".arch_extension crc\n\tcrc32x %w0, %w0, %1" : "+r"(state) : "r"(word));
  }
  return add_bytes(state, bytes, size);
}

#else

static bool has_instructions(void) {
  return false;
}

static uint32_t add_fast(uint32_t state, const uint8_t *bytes, size_t size) {
  return add_words(state, bytes, size);
}

#endif

static bool agrees(void) {
  uint8_t bytes[500];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 151 + (i >> 3));
  for (size_t size = 0; size <= sizeof bytes; size++)
    if (add_fast(0xffffffff, bytes, size) != add_words(0xffffffff, bytes, size))
      return false;
  return true;
}

static void fill_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t state = byte;
    for (int bit = 0; bit < 8; bit++)
      state = (state & 1) != 0 ? state >> 1 ^ 0xedb88320 : state >> 1;
    tables[0][byte] = state;
  }
  for (size_t k = 1; k < 8; k++)
    for (size_t byte = 0; byte < 256; byte++)
      tables[k][byte] = tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xff];
  is_fast = has_instructions() && agrees();
}

void crc32_init(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, fill_tables);
}

uint32_t crc32_add_plain(uint32_t crc, const uint8_t *bytes, size_t size) {
  return ~add_words(~crc, bytes, size);
}

uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, size_t size) {
  return is_fast ? ~add_fast(~crc, bytes, size) : crc32_add_plain(crc, bytes, size);
}
