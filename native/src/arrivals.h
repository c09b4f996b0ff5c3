#ifndef DOCKET_ARRIVALS_H
#define DOCKET_ARRIVALS_H

/* What a line brought, in order, until JavaScript takes it. */
#include "frames.h"

enum { ARRIVALS_MAX = 512, ARRIVED_BYTES_MAX = 256 * 1024 };

/* One frame, or DATA frames of one request that follow each other without a gap. */
struct arrival {
  uint8_t type;
  /* DATA with an offset; a shorter one is a frame like any other. */
  bool is_data;
  /* DATA: the clip bytes are in the window of their request. */
  bool is_placed;
  uint32_t request;
  uint32_t frames;
  /* DATA: of the first frame. Others: where the payload lies in `bytes` of the list. */
  size_t offset;
  size_t size;
};

struct arrivals {
  struct arrival *items;
  size_t count;
  size_t capacity;
  uint8_t *bytes;
  size_t size;
  size_t room;
};

/* 0 or -ENOMEM. */
int arrivals_add_frame(struct arrivals *arrivals, const struct frame *frame);
int arrivals_add_data(struct arrivals *arrivals, const struct frame_data *data, bool is_placed);
/* Nothing more is to be read before these are taken. What one read brings beyond it is kept all the
 * same. */
bool arrivals_full(const struct arrivals *arrivals);
void arrivals_clear(struct arrivals *arrivals);
void arrivals_free(struct arrivals *arrivals);

#endif
