/*
 * Runs a harness without libFuzzer, with any compiler: driver RUNS FILE... runs each file, and then
 * RUNS times one of them with bytes changed, cut out, doubled or taken from another. The memory of
 * the process must not grow meanwhile.
 */
#include <sys/resource.h>

#include "fuzz.h"

enum { INPUTS_MAX = 512, LENGTH_MAX = 2048, WARM_RUNS = 1000, GROWTH_KIB_MAX = 1024 };

typedef struct input {
  uint8_t bytes[LENGTH_MAX];
  size_t length;
} input;

static input inputs[INPUTS_MAX];
static size_t input_count;
static uint64_t state = 88172645463325252u;

/* xorshift64: the same runs every time. */
static size_t draw(size_t bound) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (size_t)(state >> 11) % bound;
}

static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || input_count == INPUTS_MAX) {
    perror(path);
    exit(2);
  }
  input *into = &inputs[input_count++];
  into->length = fread(into->bytes, 1, LENGTH_MAX, file);
  fclose(file);
}

static void splice(input *changed) {
  const input *other = &inputs[draw(input_count)];
  if (other->length == 0) return;
  const size_t at = draw(changed->length + 1);
  const size_t from = draw(other->length);
  size_t count = 1 + draw(other->length - from);
  if (count > LENGTH_MAX - at) count = LENGTH_MAX - at;
  memcpy(changed->bytes + at, other->bytes + from, count);
  if (at + count > changed->length) changed->length = at + count;
}

static void change(input *changed) {
  static const uint8_t EXTREMES[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff, 0xd0, 0xc4};
  const size_t at = draw(changed->length);
  const size_t count = 1 + draw(changed->length - at);
  switch (draw(6)) {
    case 0:
      changed->bytes[at] ^= (uint8_t)(1u << draw(8));
      break;
    case 1:
      changed->bytes[at] = (uint8_t)draw(256);
      break;
    case 2:
      changed->bytes[at] = EXTREMES[draw(sizeof EXTREMES)];
      break;
    case 3:
      changed->length = at + 1;
      break;
    case 4:
      memmove(changed->bytes + at, changed->bytes + at + count, changed->length - at - count);
      changed->length -= count;
      break;
    default:
      splice(changed);
      break;
  }
}

static long memory_kib(void) {
  struct rusage usage;
  MUST(getrusage(RUSAGE_SELF, &usage) == 0);
  return usage.ru_maxrss;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: %s RUNS FILE...\n", arguments[0]);
    return 2;
  }
  for (int i = 2; i < count; i++) load(arguments[i]);
  for (size_t i = 0; i < input_count; i++)
    LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].length);
  const unsigned long runs = strtoul(arguments[1], NULL, 10);
  long warm_kib = memory_kib();
  for (unsigned long run = 0; run < runs; run++) {
    static input changed;
    if (run == WARM_RUNS) warm_kib = memory_kib();
    changed = inputs[draw(input_count)];
    for (size_t changes = 1 + draw(5); changes > 0 && changed.length > 0; changes--)
      change(&changed);
    LLVMFuzzerTestOneInput(changed.bytes, changed.length);
  }
  MUST(memory_kib() - warm_kib <= GROWTH_KIB_MAX);
  printf("%s: %zu kept inputs, %lu changed ones, no failure\n", arguments[0], input_count, runs);
  return 0;
}
