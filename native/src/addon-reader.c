/*
 * INVARIANTS: everything here runs on the thread of its environment, except tell_news. A window is
 * pinned from expectData until forgetData or closeReader. The reader's thread ends before its
 * thread-safe function does: the hook that closes it was added later, so it runs first.
 */
#include "addon-reader.h"

#include "addon-args.h"
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const napi_type_tag READER_TAG = {0x646f636b65742d72, 0x65616465722d2d31};

struct pin {
  uint32_t request;
  napi_ref window;
};

/* Freed by the last of its two users: the object that JavaScript holds, and the thread-safe
 * function. */
struct line {
  napi_env env;
  struct reader *reader;
  napi_threadsafe_function news;
  struct pin pins[WINDOWS_MAX];
  size_t pin_count;
  size_t users;
  bool is_closed;
};

static void tell_news(void *context) {
  const struct line *line = context;
  (void)napi_call_threadsafe_function(line->news, NULL, napi_tsfn_nonblocking);
}

static void release_line(struct line *line) {
  if (--line->users > 0)
    return;
  if (line->reader != NULL)
    reader_free(line->reader);
  free(line);
}

static void finalize_news(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release_line(data);
}

/* At the end of the environment, which frees its references and functions itself. */
static void end_line(void *data) {
  struct line *line = data;
  line->is_closed = true;
  reader_close(line->reader);
}

static void close_line(struct line *line) {
  if (line->is_closed)
    return;
  end_line(line);
  for (size_t i = 0; i < line->pin_count; i++)
    (void)napi_delete_reference(line->env, line->pins[i].window);
  line->pin_count = 0;
  (void)napi_remove_env_cleanup_hook(line->env, end_line, line);
  (void)napi_release_threadsafe_function(line->news, napi_tsfn_abort);
}

static void finalize_line(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  close_line(data);
  release_line(data);
}

static int start_line(napi_env env, struct line *line, int fd, napi_value on_news) {
  napi_value name;
  const struct reader_listener listener = {line, tell_news};
  (void)napi_create_string_utf8(env, "docket_reader", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, on_news, NULL, name, 0, 1, line, finalize_news, line,
                                      NULL, &line->news) != napi_ok)
    return -ENOMEM;
  line->users++;
  const int result = reader_open(fd, &listener, &line->reader);
  if (result != 0)
    (void)napi_release_threadsafe_function(line->news, napi_tsfn_abort);
  else
    (void)napi_add_env_cleanup_hook(env, end_line, line);
  return result;
}

static napi_value wrap_line(napi_env env, struct line *line) {
  napi_value object = NULL;
  if (napi_create_object(env, &object) == napi_ok &&
      napi_type_tag_object(env, object, &READER_TAG) == napi_ok &&
      napi_wrap(env, object, line, finalize_line, NULL, NULL) == napi_ok)
    return object;
  finalize_line(env, line, NULL);
  return throw_error(env, -ENOMEM);
}

/* openReader(fd, onNews): handle. Keeps the process alive until it is closed. */
napi_value open_reader(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[2];
  napi_valuetype type;
  int fd;
  if (!get_args(env, info, 2, args, &addon) || !get_fd(env, args[0], &fd))
    return throw_type(env, "fd: not a file descriptor");
  if (napi_typeof(env, args[1], &type) != napi_ok || type != napi_function)
    return throw_type(env, "onNews: not a function");
  struct line *line = calloc(1, sizeof *line);
  if (line == NULL)
    return throw_error(env, -ENOMEM);
  line->env = env;
  line->users = 1;
  const int result = start_line(env, line, fd, args[1]);
  if (result == 0)
    return wrap_line(env, line);
  release_line(line);
  return throw_error(env, result);
}

/* Throws and returns NULL when the value is not a reader. */
static struct line *get_line(napi_env env, napi_value value) {
  void *line = NULL;
  bool ok = false;
  if (napi_check_object_type_tag(env, value, &READER_TAG, &ok) == napi_ok && ok &&
      napi_unwrap(env, value, &line) == napi_ok)
    return line;
  (void)throw_type(env, "first argument: not a reader");
  return NULL;
}

static bool get_request(napi_env env, napi_value value, uint32_t *request) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 1) ||
      number > UINT32_MAX || number != (double)(uint32_t)number) {
    (void)throw_type(env, "request: not a whole number from 1 to 4294967295");
    return false;
  }
  *request = (uint32_t)number;
  return true;
}

static void unpin(struct line *line, uint32_t request) {
  for (size_t i = 0; i < line->pin_count; i++) {
    if (line->pins[i].request != request)
      continue;
    (void)napi_delete_reference(line->env, line->pins[i].window);
    line->pins[i] = line->pins[--line->pin_count];
    return;
  }
}

/* expectData(reader, request, window): void */
napi_value expect_data(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[3];
  struct window window = {0};
  const uint8_t *bytes;
  if (!get_args(env, info, 3, args, &addon))
    return throw_type(env, "expectData needs three arguments");
  struct line *line = get_line(env, args[0]);
  if (line == NULL || !get_request(env, args[1], &window.request))
    return NULL;
  if (!get_bytes(env, args[2], &bytes, &window.size) || window.size == 0)
    return throw_type(env, "window: not a plain Uint8Array with bytes");
  window.bytes = (uint8_t *)(uintptr_t)bytes;
  const int result = reader_expect(line->reader, &window);
  if (result != 0)
    return throw_error(env, DOCKET_ERR_STATE);
  struct pin *pin = &line->pins[line->pin_count];
  *pin = (struct pin){.request = window.request};
  if (napi_create_reference(env, args[2], 1, &pin->window) == napi_ok) {
    line->pin_count++;
    return NULL;
  }
  (void)reader_forget(line->reader, window.request);
  return throw_error(env, -ENOMEM);
}

/* forgetData(reader, request): void */
napi_value forget_data(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[2];
  uint32_t request;
  if (!get_args(env, info, 2, args, &addon))
    return throw_type(env, "forgetData needs two arguments");
  struct line *line = get_line(env, args[0]);
  if (line == NULL || !get_request(env, args[1], &request))
    return NULL;
  (void)reader_forget(line->reader, request);
  unpin(line, request);
  return NULL;
}

static void set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  (void)napi_create_double(env, number, &value);
  (void)napi_set_named_property(env, object, name, value);
}

static napi_value make_bytes(napi_env env, const uint8_t *bytes, size_t size) {
  napi_value buffer, array = NULL;
  void *data = NULL;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok)
    return NULL;
  if (size > 0)
    memcpy(data, bytes, size);
  (void)napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &array);
  return array;
}

static napi_value make_arrival(napi_env env, const struct arrivals *arrivals,
                               const struct arrival *arrival) {
  napi_value object, placed, payload;
  (void)napi_create_object(env, &object);
  set_number(env, object, "type", arrival->type);
  set_number(env, object, "request", arrival->request);
  if (!arrival->is_data) {
    payload = make_bytes(env, arrivals->bytes + arrival->offset, arrival->size);
    (void)napi_set_named_property(env, object, "payload", payload);
    return object;
  }
  set_number(env, object, "offset", (double)arrival->offset);
  set_number(env, object, "sizeBytes", (double)arrival->size);
  set_number(env, object, "frames", arrival->frames);
  (void)napi_get_boolean(env, arrival->is_placed, &placed);
  (void)napi_set_named_property(env, object, "placed", placed);
  return object;
}

/* takeArrivals(reader): {arrivals, heardBytes, discardedBytes, failedBytes, failure?} */
napi_value take_arrivals(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[1], object, list;
  struct reader_news news;
  if (!get_args(env, info, 1, args, &addon))
    return throw_type(env, "takeArrivals needs one argument");
  struct line *line = get_line(env, args[0]);
  if (line == NULL)
    return NULL;
  reader_take(line->reader, &news);
  (void)napi_create_object(env, &object);
  (void)napi_create_array_with_length(env, news.arrivals->count, &list);
  for (size_t i = 0; i < news.arrivals->count; i++) {
    const struct arrival *arrival = &news.arrivals->items[i];
    (void)napi_set_element(env, list, (uint32_t)i, make_arrival(env, news.arrivals, arrival));
  }
  (void)napi_set_named_property(env, object, "arrivals", list);
  set_number(env, object, "heardBytes", (double)news.heard);
  set_number(env, object, "discardedBytes", (double)news.discarded);
  set_number(env, object, "failedBytes", (double)news.failed);
  if (news.ended != 0)
    (void)napi_set_named_property(env, object, "failure",
                                  make_error(env, news.ended == READER_END ? -EIO : news.ended));
  return object;
}

/* closeReader(reader): void. What came can still be taken. May be called twice. */
napi_value close_reader(napi_env env, napi_callback_info info) {
  struct addon *addon;
  napi_value args[1];
  if (!get_args(env, info, 1, args, &addon))
    return throw_type(env, "closeReader needs one argument");
  struct line *line = get_line(env, args[0]);
  if (line != NULL)
    close_line(line);
  return NULL;
}
