/* What JavaScript can ask of the simulated camera. The camera is in run.c. */
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "values.h"

static void free_sim(sim *it) {
  for (size_t i = 0; i < it->clip_count; i++) free(it->clips[i].path);
  free(it->clips);
  free(it->link);
  free(it->store);
  EVP_PKEY_free(it->key);
  for (int i = 0; i < 2; i++) {
    if (it->wake[i] >= 0) close(it->wake[i]);
  }
  pthread_mutex_destroy(&it->lock);
  bridge_free(it->bridge);
  free(it);
}

static void wake_up(sim *it) {
  if (write(it->wake[1], "", 1) < 0 && errno != EAGAIN) abort();
}

/* The thread has given the function back, or the environment goes down and every call of the thread
 * now fails. */
static void finalize_calls(napi_env env, void *data, void *hint) {
  sim *it = data;
  (void)env;
  (void)hint;
  pthread_mutex_lock(&it->lock);
  it->wanted = SIM_STOP;
  pthread_mutex_unlock(&it->lock);
  bridge_shut(it);
  wake_up(it);
  pthread_join(it->thread, NULL);
  free_sim(it);
}

static void *thread_main(void *context) {
  sim *it = context;
  sim_run(it);
  bridge_release(it);
  return NULL;
}

static napi_value fail(napi_env env, const char *reason) {
  napi_throw_error(env, NULL, reason);
  return NULL;
}

/* JavaScript drops its handle when the camera has stopped. */
static sim *get_sim(napi_env env, napi_value value) {
  void *it = NULL;
  if (napi_get_value_external(env, value, &it) != napi_ok || it == NULL) {
    fail(env, "not a camera");
    return NULL;
  }
  return it;
}

static bool add_clip(napi_env env, sim *it, napi_value value) {
  sim_clip clip;
  size_t length = 0;
  memset(&clip, 0, sizeof clip);
  clip.counter = get_count(env, value, "counter");
  if (!get_bytes(env, get(env, value, "record"), clip.record, sizeof clip.record,
                 &clip.record_length))
    return false;
  clip.path = get_text(env, get(env, value, "path"), &length);
  if (clip.path == NULL) return false;
  pthread_mutex_lock(&it->lock);
  sim_clip *clips = realloc(it->clips, (it->clip_count + 1) * sizeof *clips);
  if (clips != NULL) {
    clips[it->clip_count++] = clip;
    it->clips = clips;
    if (clip.counter > it->last_counter) it->last_counter = clip.counter;
  }
  pthread_mutex_unlock(&it->lock);
  if (clips == NULL) free(clip.path);
  return clips != NULL;
}

static bool read_clips(napi_env env, sim *it, napi_value clips) {
  uint32_t count = 0;
  if (napi_get_array_length(env, clips, &count) != napi_ok) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value clip;
    if (napi_get_element(env, clips, i, &clip) != napi_ok || !add_clip(env, it, clip)) return false;
  }
  return true;
}

static void read_faults(napi_env env, sim *it, napi_value value) {
  sim_faults faults = {
      .drop = get_number(env, value, "drop", 0),
      .corrupt = get_number(env, value, "corrupt", 0),
      .drop_in = get_number(env, value, "dropIn", 0),
      .corrupt_in = get_number(env, value, "corruptIn", 0),
      .stall_after = get_count(env, value, "stallAfter"),
      .stall_ms = get_count(env, value, "stallMs"),
      .vanish_after = get_count(env, value, "vanishAfter"),
      .vanish_back_ms = get_count(env, value, "vanishBackMs"),
      .power_after = get_count(env, value, "powerAfter"),
      .garbage = get_flag(env, value, "garbage"),
      .claim_4g = get_flag(env, value, "claim4g"),
      .flip_content = get_flag(env, value, "flipContent"),
      .no_erase_answer = get_flag(env, value, "noEraseAnswer"),
      .no_rate_answer = get_flag(env, value, "noRateAnswer"),
  };
  pthread_mutex_lock(&it->lock);
  /* Counted from now on, not from the first byte ever sent. */
  const uint64_t sent = it->sent_bytes;
  if (faults.stall_after != SIM_NEVER) faults.stall_after += sent;
  if (faults.vanish_after != SIM_NEVER) faults.vanish_after += sent;
  if (faults.power_after != SIM_NEVER) faults.power_after += sent;
  it->faults = faults;
  pthread_mutex_unlock(&it->lock);
}

static bool read_rates(napi_env env, sim *it, napi_value options) {
  const napi_value rates = get(env, options, "rates");
  uint32_t count = 0;
  it->strict_rate = get_flag(env, options, "strictRate");
  it->dead_rate = (uint32_t)get_number(env, options, "deadRate", 0);
  if (!has(env, rates)) return true;
  if (napi_get_array_length(env, rates, &count) != napi_ok || count > SIM_RATES_MAX) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value rate;
    if (napi_get_element(env, rates, i, &rate) != napi_ok ||
        napi_get_value_uint32(env, rate, &it->rates[i]) != napi_ok)
      return false;
  }
  it->rate_count = count;
  it->rate = it->rates[0];
  return true;
}

static bool read_options(napi_env env, sim *it, napi_value options) {
  uint8_t seed[32];
  size_t length = 0;
  char *serial = get_text(env, get(env, options, "serial"), &length);
  const bool fits = serial != NULL && length <= FWB_SERIAL_SIZE_MAX;
  if (fits) memcpy(it->serial, serial, length);
  free(serial);
  it->link = get_text(env, get(env, options, "link"), &length);
  it->store = get_text(env, get(env, options, "store"), &length);
  if (!fits || it->link == NULL || it->store == NULL) return false;
  const napi_value key = get(env, options, "keySeed");
  if (has(env, key)) {
    if (!get_exactly(env, key, seed, sizeof seed)) return false;
    it->key = sim_key_from_seed(seed);
    OPENSSL_cleanse(seed, sizeof seed);
    if (it->key == NULL) return false;
  }
  it->last_counter = (uint64_t)get_number(env, options, "lastCounter", 0);
  it->random_state = (uint64_t)get_number(env, options, "seed", 1) * 2u + 1u;
  it->clock_quality = 1;
  it->is_device = get_flag(env, options, "isDevice");
  read_faults(env, it, get(env, options, "faults"));
  return read_rates(env, it, options) && read_clips(env, it, get(env, options, "clips"));
}

static sim *new_sim(void) {
  sim *it = calloc(1, sizeof *it);
  if (it == NULL) return NULL;
  it->master = -1;
  it->clip_fd = -1;
  it->plug_at_ms = SIM_NEVER;
  it->wake[0] = -1;
  it->wake[1] = -1;
  pthread_mutex_init(&it->lock, NULL);
  it->bridge = bridge_new();
  if (it->bridge != NULL && pipe2(it->wake, O_CLOEXEC | O_NONBLOCK) == 0) return it;
  free_sim(it);
  return NULL;
}

static bool begin(napi_env env, sim *it, napi_value on_event) {
  if (bridge_begin(env, it, on_event, finalize_calls) != napi_ok) return false;
  if (pthread_create(&it->thread, NULL, thread_main, it) != 0) abort();
  return true;
}

/* start(options, onEvent(name, number, text)) -> handle */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  napi_value handle;
  size_t count = 2;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2)
    return fail(env, "start(options, onEvent)");
  sim *it = new_sim();
  if (it == NULL) return fail(env, "no memory or no pipe");
  if (!read_options(env, it, arguments[0])) {
    free_sim(it);
    return fail(env, "options are not those of a camera");
  }
  sim_port_init(it);
  if (fwb_camera_init(&it->camera, &it->port) != FWB_OK) {
    free_sim(it);
    return fail(env, "the serial is outside its grammar");
  }
  const int reason = sim_line_open(it);
  if (reason != 0) {
    free_sim(it);
    return fail(env, strerror(reason));
  }
  if (napi_create_external(env, it, NULL, NULL, &handle) == napi_ok && begin(env, it, arguments[1]))
    return handle;
  sim_line_close(it, true);
  free_sim(it);
  return fail(env, "the camera's thread did not begin");
}

static napi_value order(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments,
                        sim **it) {
  napi_value nothing = NULL;
  size_t count = wanted;
  *it = NULL;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != wanted)
    return fail(env, "wrong arguments");
  *it = get_sim(env, arguments[0]);
  napi_get_undefined(env, &nothing);
  return nothing;
}

static napi_value add(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  sim *it;
  const napi_value nothing = order(env, info, 2, arguments, &it);
  if (it != NULL && !add_clip(env, it, arguments[1])) return fail(env, "not a clip");
  return nothing;
}

static napi_value fault(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  sim *it;
  const napi_value nothing = order(env, info, 2, arguments, &it);
  if (it != NULL) read_faults(env, it, arguments[1]);
  if (it != NULL) wake_up(it);
  return nothing;
}

static napi_value plug(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  bool in = false;
  sim *it;
  const napi_value nothing = order(env, info, 2, arguments, &it);
  if (it == NULL || napi_get_value_bool(env, arguments[1], &in) != napi_ok) return nothing;
  pthread_mutex_lock(&it->lock);
  it->plug_wanted = in ? 1 : -1;
  pthread_mutex_unlock(&it->lock);
  wake_up(it);
  return nothing;
}

static napi_value stop(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  sim *it;
  const napi_value nothing = order(env, info, 1, arguments, &it);
  if (it == NULL) return nothing;
  pthread_mutex_lock(&it->lock);
  it->wanted = SIM_STOP;
  pthread_mutex_unlock(&it->lock);
  wake_up(it);
  return nothing;
}

/* signRecord(keySeed or undefined, serial, fields) -> the record's bytes (SPEC 5) */
static napi_value sign_record(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3)
    return fail(env, "wrong arguments");
  sim *it = new_sim();
  if (it == NULL) return fail(env, "no memory or no pipe");
  uint8_t seed[32];
  size_t serial_length = 0;
  size_t name_length = 0;
  size_t wearer_length = 0;
  char *serial = get_text(env, arguments[1], &serial_length);
  char *name = get_text(env, get(env, arguments[2], "name"), &name_length);
  char *wearer = get_text(env, get(env, arguments[2], "wearer"), &wearer_length);
  if (serial != NULL && serial_length <= FWB_SERIAL_SIZE_MAX)
    memcpy(it->serial, serial, serial_length);
  const bool keyed = has(env, arguments[0]);
  bool whole = name != NULL && wearer != NULL &&
               (!keyed || get_exactly(env, arguments[0], seed, sizeof seed));
  if (whole && keyed) it->key = sim_key_from_seed(seed);
  fwb_record record = {
      .counter = get_count(env, arguments[2], "counter"),
      .size = get_count(env, arguments[2], "size"),
      .started_ms = (int64_t)get_number(env, arguments[2], "startedAtMs", 0),
      .ended_ms = (int64_t)get_number(env, arguments[2], "endedAtMs", 0),
      .clock_quality = (uint8_t)get_number(env, arguments[2], "clockQuality", 0),
      .trigger = (uint8_t)get_number(env, arguments[2], "trigger", 0),
      .flags = get_flag(env, arguments[2], "incident") ? 1 : 0,
      .name = {(const uint8_t *)name, name_length},
      .wearer = {(const uint8_t *)wearer, wearer_length},
  };
  uint8_t bytes[FWB_RECORD_SIZE_MAX];
  size_t length = 0;
  whole =
      whole && get_exactly(env, get(env, arguments[2], "sha256"), record.sha256, FWB_SHA256_SIZE);
  sim_port_init(it);
  whole = whole && (it->key != NULL || !keyed) &&
          fwb_record_sign(&it->port, &record, bytes, &length) == FWB_OK;
  free(serial);
  free(name);
  free(wearer);
  free_sim(it);
  napi_value copy;
  if (!whole || napi_create_buffer_copy(env, length, bytes, NULL, &copy) != napi_ok)
    return fail(env, "the record's fields are outside SPEC 5");
  return copy;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"start", NULL, start, NULL, NULL, NULL, napi_enumerable, NULL},
      {"add", NULL, add, NULL, NULL, NULL, napi_enumerable, NULL},
      {"fault", NULL, fault, NULL, NULL, NULL, napi_enumerable, NULL},
      {"plug", NULL, plug, NULL, NULL, NULL, napi_enumerable, NULL},
      {"stop", NULL, stop, NULL, NULL, NULL, napi_enumerable, NULL},
      {"signRecord", NULL, sign_record, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
