/* Bit errors at a given rate, repeatable from a seed: which bits of a stream are flipped depends on
 * the seed and the rate alone, never on how the bytes were cut. */
#ifndef NOISE_H
#define NOISE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct noise {
  double log_good; /* ln(1 - rate); 0: no errors */
  uint64_t state;
  uint64_t gap; /* good bits before the next flip */
  uint64_t flipped_bits;
  uint64_t bytes;
};

/* splitmix64 */
static uint64_t noise_draw(struct noise *noise) {
  uint64_t z = noise->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void noise_draw_gap(struct noise *noise) {
  const double uniform = ((double)(noise_draw(noise) >> 11) + 1.0) / 9007199254740993.0;
  noise->gap = (uint64_t)(log(uniform) / noise->log_good);
}

static void noise_init(struct noise *noise, double rate, uint64_t seed) {
  *noise = (struct noise){.log_good = log1p(-rate), .state = seed};
  if (rate > 0)
    noise_draw_gap(noise);
}

static void noise_apply(struct noise *noise, uint8_t *bytes, size_t length) {
  noise->bytes += length;
  if (noise->log_good >= 0)
    return;
  uint64_t at = noise->gap;
  while (at < (uint64_t)length * 8) {
    bytes[at / 8] ^= (uint8_t)(1U << (at % 8));
    noise->flipped_bits++;
    noise_draw_gap(noise);
    at += 1 + noise->gap;
  }
  noise->gap = at - (uint64_t)length * 8;
}

#endif
