/* What the harnesses share. */
#ifndef FWB_FUZZ_H
#define FWB_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fwb.h"

#define MUST(condition)                                               \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                        \
    }                                                                 \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
