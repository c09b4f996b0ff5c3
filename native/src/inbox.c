#include "inbox.h"

#include <errno.h>
#include <string.h>

static struct window *window_of(struct inbox *inbox, uint32_t request) {
  for (size_t i = 0; i < inbox->window_count; i++)
    if (inbox->windows[i].request == request)
      return &inbox->windows[i];
  return NULL;
}

/* NULL when the bytes were not asked for, or have come. */
static struct window *window_for(struct inbox *inbox, const struct frame_data *data) {
  struct window *window = window_of(inbox, data->request);
  const bool fits = window != NULL && data->size > 0 && data->offset >= window->next &&
                    data->offset <= window->size && data->size <= window->size - data->offset;
  return fits ? window : NULL;
}

static uint8_t *on_place(void *context, const struct frame_data *data) {
  const struct window *window = window_for(context, data);
  return window == NULL ? NULL : window->bytes + data->offset;
}

/* A lost frame is asked for again at once, and a whole window is wanted at once. */
static bool is_urgent(struct inbox *inbox, const struct window *window,
                      const struct frame_data *data) {
  const struct window *last = window_of(inbox, inbox->last_request);
  const bool is_left = last != NULL && last != window && last->next < last->size;
  return is_left || data->offset != window->next || data->offset + data->size == window->size;
}

static void on_data(void *context, const struct frame_data *data) {
  struct inbox *inbox = context;
  struct window *window = window_for(inbox, data);
  const int result = arrivals_add_data(&inbox->arrivals, data, window != NULL);
  if (result != 0)
    inbox->error = result;
  if (result != 0 || window == NULL)
    return;
  if (data->bytes != NULL)
    memcpy(window->bytes + data->offset, data->bytes, data->size);
  inbox->is_urgent = inbox->is_urgent || is_urgent(inbox, window, data);
  inbox->last_request = data->request;
  window->next = data->offset + data->size;
}

static void on_frame(void *context, const struct frame *frame) {
  struct inbox *inbox = context;
  const int result = arrivals_add_frame(&inbox->arrivals, frame);
  if (result != 0)
    inbox->error = result;
  inbox->is_urgent = true;
}

void inbox_init(struct inbox *inbox) {
  const struct frames_sink sink = {inbox, on_place, on_data, on_frame};
  memset(inbox, 0, offsetof(struct inbox, frames));
  frames_init(&inbox->frames, &sink);
}

void inbox_free(struct inbox *inbox) {
  arrivals_free(&inbox->arrivals);
}

/* What came or was lost is nobody's: lost bytes are asked for again while the rest still comes. */
static bool overlap(const struct window *a, const struct window *b) {
  return a->bytes + a->next < b->bytes + b->size && b->bytes + b->next < a->bytes + a->size;
}

int inbox_expect(struct inbox *inbox, const struct window *window) {
  for (size_t i = 0; i < inbox->window_count; i++)
    if (inbox->windows[i].request == window->request || overlap(&inbox->windows[i], window))
      return -EEXIST;
  if (inbox->window_count == WINDOWS_MAX)
    return -ENOSPC;
  inbox->windows[inbox->window_count++] = *window;
  return 0;
}

bool inbox_forget(struct inbox *inbox, uint32_t request) {
  struct window *window = window_of(inbox, request);
  if (window == NULL)
    return false;
  const uint8_t *at = inbox->frames.at;
  if (at != NULL && at >= window->bytes && at < window->bytes + window->size)
    frames_unplace(&inbox->frames);
  *window = inbox->windows[--inbox->window_count];
  return true;
}

void inbox_forget_all(struct inbox *inbox) {
  frames_unplace(&inbox->frames);
  inbox->window_count = 0;
}
