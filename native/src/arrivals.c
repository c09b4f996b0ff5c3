#include "arrivals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MIN = 16, BYTES_MIN = 1024 };

static bool grow(void **memory, size_t *capacity, size_t item_size) {
  void *grown = realloc(*memory, 2 * *capacity * item_size);
  if (grown == NULL)
    return false;
  *memory = grown;
  *capacity *= 2;
  return true;
}

static struct arrival *add(struct arrivals *arrivals) {
  if (arrivals->items == NULL) {
    arrivals->items = malloc(ITEMS_MIN * sizeof *arrivals->items);
    arrivals->capacity = arrivals->items == NULL ? 0 : ITEMS_MIN;
  }
  void *memory = arrivals->items;
  if (arrivals->count == arrivals->capacity &&
      (memory == NULL || !grow(&memory, &arrivals->capacity, sizeof *arrivals->items)))
    return NULL;
  arrivals->items = memory;
  return &arrivals->items[arrivals->count++];
}

static bool make_room(struct arrivals *arrivals, size_t size) {
  if (arrivals->bytes == NULL) {
    arrivals->bytes = malloc(BYTES_MIN);
    arrivals->room = arrivals->bytes == NULL ? 0 : BYTES_MIN;
  }
  while (arrivals->room - arrivals->size < size) {
    void *memory = arrivals->bytes;
    if (memory == NULL || !grow(&memory, &arrivals->room, 1))
      return false;
    arrivals->bytes = memory;
  }
  return true;
}

int arrivals_add_frame(struct arrivals *arrivals, const struct frame *frame) {
  struct arrival *item = make_room(arrivals, frame->size) ? add(arrivals) : NULL;
  if (item == NULL)
    return -ENOMEM;
  *item = (struct arrival){.type = frame->type,
                           .request = frame->request,
                           .frames = 1,
                           .offset = arrivals->size,
                           .size = frame->size};
  memcpy(arrivals->bytes + arrivals->size, frame->payload, frame->size);
  arrivals->size += frame->size;
  return 0;
}

int arrivals_add_data(struct arrivals *arrivals, const struct frame_data *data, bool is_placed) {
  struct arrival *last = arrivals->count > 0 ? &arrivals->items[arrivals->count - 1] : NULL;
  if (last != NULL && last->is_data && last->request == data->request &&
      last->is_placed == is_placed && (!is_placed || last->offset + last->size == data->offset)) {
    last->size += data->size;
    last->frames++;
    return 0;
  }
  struct arrival *item = add(arrivals);
  if (item == NULL)
    return -ENOMEM;
  *item = (struct arrival){.type = FRAME_DATA,
                           .is_data = true,
                           .is_placed = is_placed,
                           .request = data->request,
                           .frames = 1,
                           .offset = data->offset,
                           .size = data->size};
  return 0;
}

bool arrivals_full(const struct arrivals *arrivals) {
  return arrivals->count >= ARRIVALS_MAX || arrivals->size >= ARRIVED_BYTES_MAX;
}

void arrivals_clear(struct arrivals *arrivals) {
  arrivals->count = 0;
  arrivals->size = 0;
}

void arrivals_free(struct arrivals *arrivals) {
  free(arrivals->items);
  free(arrivals->bytes);
  *arrivals = (struct arrivals){0};
}
