#include "lanes.h"

/* FIPS 180-4, 4.2.2 */
static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#if defined(__x86_64__)

#include <cpuid.h>

bool lanes_available(void) {
  enum { SSSE3_IN_ECX1 = 1 << 9, SSE41_IN_ECX1 = 1 << 19, SHA_IN_EBX7 = 1 << 29 };
  unsigned int a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & SSSE3_IN_ECX1) == 0 || (c & SSE41_IN_ECX1) == 0)
    return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & SHA_IN_EBX7) != 0;
}

/*
 * Registers: xmm0 is what sha256rnds2 adds. Lane a has its state in xmm1 (abef) and xmm2 (cdgh) and
 * its schedule in xmm3 to xmm6; lane b in xmm7, xmm8 and xmm9 to xmm12. xmm13 and xmm14 are
 * scratch, xmm15 the byte order. A compiler that chooses keeps a state in memory, at two fifths of
 * the speed.
 */
#define A0 "%%xmm3"
#define A1 "%%xmm4"
#define A2 "%%xmm5"
#define A3 "%%xmm6"
#define B0 "%%xmm9"
#define B1 "%%xmm10"
#define B2 "%%xmm11"
#define B3 "%%xmm12"

#define LOAD(from, at, m) "movdqu " at "(%[" from "]), " m "\n\tpshufb %%xmm15, " m "\n\t"

/* Four rounds of both lanes, turn by turn: each waits for its own result while the other computes.
 */
#define ROUNDS(k, a, b)                                                                            \
  "movdqa " k "(%[k]), %%xmm13\n\tmovdqa %%xmm13, %%xmm14\n\t"                                     \
  "paddd " a ", %%xmm13\n\tpaddd " b ", %%xmm14\n\t"                                               \
  "movdqa %%xmm13, %%xmm0\n\tsha256rnds2 %%xmm0, %%xmm1, %%xmm2\n\t"                               \
  "movdqa %%xmm14, %%xmm0\n\tsha256rnds2 %%xmm0, %%xmm7, %%xmm8\n\t"                               \
  "pshufd $0x0e, %%xmm13, %%xmm0\n\tsha256rnds2 %%xmm0, %%xmm2, %%xmm1\n\t"                        \
  "pshufd $0x0e, %%xmm14, %%xmm0\n\tsha256rnds2 %%xmm0, %%xmm8, %%xmm7\n\t"

/* The four words after `m3`, in the place of `m0`, which PREPARE has seen. */
#define EXTEND(m0, m2, m3)                                                                         \
  "movdqa " m3 ", %%xmm13\n\tpalignr $4, " m2 ", %%xmm13\n\t"                                      \
  "paddd %%xmm13, " m0 "\n\tsha256msg2 " m3 ", " m0 "\n\t"
#define PREPARE(m0, m1) "sha256msg1 " m1 ", " m0 "\n\t"

#define FIRST(k, a, b) LOAD("a", k, a) LOAD("b", k, b) ROUNDS(k, a, b)
#define LATE(k, a0, a2, a3, b0, b2, b3) ROUNDS(k, a3, b3) EXTEND(a0, a2, a3) EXTEND(b0, b2, b3)
#define STEP(k, a0, a2, a3, b0, b2, b3)                                                            \
  LATE(k, a0, a2, a3, b0, b2, b3) PREPARE(a2, a3) PREPARE(b2, b3)

#define STEP_0(k) STEP(k, A1, A3, A0, B1, B3, B0)
#define STEP_1(k) STEP(k, A2, A0, A1, B2, B0, B1)
#define STEP_2(k) STEP(k, A3, A1, A2, B3, B1, B2)
#define STEP_3(k) STEP(k, A0, A2, A3, B0, B2, B3)

static const uint8_t BIG_ENDIAN_WORDS[16]
    __attribute__((aligned(16))) = {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12};

/* Rows: abef and cdgh of lane a, then of lane b, last word first as the instructions want them. */
static void compress(uint32_t rows[4][4], const uint8_t *a, const uint8_t *b, size_t blocks) {
  uint32_t before[4][4] __attribute__((aligned(16)));
  /* clang-format off */
  __asm__ volatile(
      "movdqa %[order], %%xmm15\n\t"
      "movdqu (%[rows]), %%xmm1\n\tmovdqu 16(%[rows]), %%xmm2\n\t"
      "movdqu 32(%[rows]), %%xmm7\n\tmovdqu 48(%[rows]), %%xmm8\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "movdqa %%xmm1, (%[before])\n\tmovdqa %%xmm2, 16(%[before])\n\t"
      "movdqa %%xmm7, 32(%[before])\n\tmovdqa %%xmm8, 48(%[before])\n\t"
      FIRST("0", A0, B0)
      FIRST("16", A1, B1) PREPARE(A0, A1) PREPARE(B0, B1)
      FIRST("32", A2, B2) PREPARE(A1, A2) PREPARE(B1, B2)
      LOAD("a", "48", A3) LOAD("b", "48", B3)
      STEP_3("48") STEP_0("64") STEP_1("80") STEP_2("96") STEP_3("112")
      STEP_0("128") STEP_1("144") STEP_2("160") STEP_3("176") STEP_0("192")
      LATE("208", A2, A0, A1, B2, B0, B1) LATE("224", A3, A1, A2, B3, B1, B2)
      ROUNDS("240", A3, B3)
      "paddd (%[before]), %%xmm1\n\tpaddd 16(%[before]), %%xmm2\n\t"
      "paddd 32(%[before]), %%xmm7\n\tpaddd 48(%[before]), %%xmm8\n\t"
      "add $64, %[a]\n\tadd $64, %[b]\n\tdec %[blocks]\n\tjnz 1b\n\t"
      "movdqu %%xmm1, (%[rows])\n\tmovdqu %%xmm2, 16(%[rows])\n\t"
      "movdqu %%xmm7, 32(%[rows])\n\tmovdqu %%xmm8, 48(%[rows])\n\t"
      : [a] "+r"(a), [b] "+r"(b), [blocks] "+r"(blocks)
      : [rows] "r"(rows), [before] "r"(before), [k] "r"(K), [order] "m"(BIG_ENDIAN_WORDS)
      : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  /* clang-format on */
}

/* Upper halves that other code has left in use slow every instruction above by a third. */
static void forget_upper_halves(void) {
  if (__builtin_cpu_supports("avx"))
    __asm__ volatile("vzeroupper" ::: "memory");
}

/* Where each word of the state stands in a lane's two rows. */
static const uint8_t PLACE[LANES_STATE_WORDS] = {3, 2, 7, 6, 1, 0, 5, 4};

void lanes_compress(struct lane *a, struct lane *b, size_t blocks) {
  uint32_t rows[4][4];
  if (blocks == 0)
    return;
  for (size_t i = 0; i < LANES_STATE_WORDS; i++) {
    rows[PLACE[i] / 4][PLACE[i] % 4] = a->state[i];
    rows[2 + PLACE[i] / 4][PLACE[i] % 4] = b->state[i];
  }
  forget_upper_halves();
  compress(rows, a->bytes, b->bytes, blocks);
  for (size_t i = 0; i < LANES_STATE_WORDS; i++) {
    a->state[i] = rows[PLACE[i] / 4][PLACE[i] % 4];
    b->state[i] = rows[2 + PLACE[i] / 4][PLACE[i] % 4];
  }
  a->bytes += blocks * LANES_BLOCK_BYTES;
  b->bytes += blocks * LANES_BLOCK_BYTES;
}

#elif defined(__aarch64__) && defined(__linux__)

#pragma GCC target("+crypto")
#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

bool lanes_available(void) {
  return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

struct words {
  uint32x4_t abcd;
  uint32x4_t efgh;
  uint32x4_t w[4];
};

static inline void load(struct words *lane, const uint8_t *bytes) {
  for (int i = 0; i < 4; i++)
    lane->w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes + 16 * i)));
}

/* Four rounds; while `extend`, the schedule words they used give way to those of 16 rounds later.
 */
static inline void rounds(struct words *lane, int i, bool extend) {
  uint32x4_t *const w = lane->w;
  const uint32x4_t sum = vaddq_u32(w[i % 4], vld1q_u32(K + 4 * i));
  const uint32x4_t abcd = lane->abcd;
  if (extend)
    w[i % 4] =
        vsha256su1q_u32(vsha256su0q_u32(w[i % 4], w[(i + 1) % 4]), w[(i + 2) % 4], w[(i + 3) % 4]);
  lane->abcd = vsha256hq_u32(abcd, lane->efgh, sum);
  lane->efgh = vsha256h2q_u32(lane->efgh, abcd, sum);
}

static inline void step(struct words *a, struct words *b) {
  const uint32x4_t before[] = {a->abcd, a->efgh, b->abcd, b->efgh};
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    rounds(a, i, i < 12);
    rounds(b, i, i < 12);
  }
  a->abcd = vaddq_u32(a->abcd, before[0]);
  a->efgh = vaddq_u32(a->efgh, before[1]);
  b->abcd = vaddq_u32(b->abcd, before[2]);
  b->efgh = vaddq_u32(b->efgh, before[3]);
}

void lanes_compress(struct lane *a, struct lane *b, size_t blocks) {
  struct words x = {.abcd = vld1q_u32(a->state), .efgh = vld1q_u32(a->state + 4)};
  struct words y = {.abcd = vld1q_u32(b->state), .efgh = vld1q_u32(b->state + 4)};
  for (; blocks > 0; blocks--) {
    load(&x, a->bytes);
    load(&y, b->bytes);
    step(&x, &y);
    a->bytes += LANES_BLOCK_BYTES;
    b->bytes += LANES_BLOCK_BYTES;
  }
  vst1q_u32(a->state, x.abcd);
  vst1q_u32(a->state + 4, x.efgh);
  vst1q_u32(b->state, y.abcd);
  vst1q_u32(b->state + 4, y.efgh);
}

#else

bool lanes_available(void) {
  return false;
}

void lanes_compress(struct lane *a, struct lane *b, size_t blocks) {
  (void)a;
  (void)b;
  (void)blocks;
  (void)K;
}

#endif
