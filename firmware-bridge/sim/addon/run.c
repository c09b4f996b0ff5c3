#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

enum { TICK_MS = 100, REOPEN_MS = 100, NOISE_MS = 50, WRITES_A_TURN = 16 };

/* xorshift64*: repeatable from a seed, for faults alone. */
static double draw(sim *sim) {
  sim->random_state ^= sim->random_state >> 12;
  sim->random_state ^= sim->random_state << 25;
  sim->random_state ^= sim->random_state >> 27;
  return (double)((sim->random_state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static size_t draw_below(sim *sim, size_t bound) {
  return (size_t)(draw(sim) * (double)bound) % bound;
}

static sim_faults faults_now(sim *sim) {
  pthread_mutex_lock(&sim->lock);
  const sim_faults faults = sim->faults;
  pthread_mutex_unlock(&sim->lock);
  return faults;
}

static void forget_line(sim *sim) {
  fwb_camera_line_lost(&sim->camera);
  sim->out_length = 0;
  sim->out_sent = 0;
  sim->in_length = 0;
  sim->in_taken = 0;
  sim->docked = false;
}

static void unplug(sim *sim) {
  if (sim->master < 0) return;
  forget_line(sim);
  sim_line_close(sim, true);
  sim_event(sim, "unplugged", 0, NULL);
}

static void plug(sim *sim) {
  sim->plug_at_ms = SIM_NEVER;
  if (sim->master >= 0) return;
  const int reason = sim_line_open(sim);
  if (reason == 0) {
    sim_event(sim, "plugged", 0, NULL);
  } else if (sim->is_device) {
    sim->plug_at_ms = sim_monotonic_ms(NULL) + REOPEN_MS;
  } else {
    sim_event(sim, "line-failed", (uint64_t)reason, strerror(reason));
  }
}

static void line_lost(sim *sim) {
  forget_line(sim);
  const int reason = sim_line_open(sim);
  if (reason != 0) sim_line_close(sim, true);
  sim_event(sim, "line-lost", 0, NULL);
  if (reason != 0) sim_event(sim, "line-failed", (uint64_t)reason, strerror(reason));
  /* A terminal that is being hung up refuses for a moment to be opened anew. */
  if (reason != 0 && sim->is_device) sim->plug_at_ms = sim_monotonic_ms(NULL) + REOPEN_MS;
}

static void report_frame(sim *sim) {
  const uint8_t type = sim->out[2];
  if (type == FWB_PROVED && !sim->docked) {
    sim->docked = true;
    sim_event(sim, "docked", 0, fwb_camera_docked(&sim->camera));
  }
  if (type == FWB_ERROR) sim_event(sim, "refused", sim->out[FWB_FRAME_HEADER_SIZE], NULL);
}

static void claim_4g(sim *sim) {
  uint8_t header[FWB_FRAME_HEADER_SIZE] = {0xd0, 0xc4, FWB_DATA, 0,    1,    0,
                                           0,    0,    0xff,     0xff, 0xff, 0xff};
  const uint32_t crc = fwb_crc32(0, header, 12);
  for (unsigned i = 0; i < 4; i++) header[12 + i] = (uint8_t)(crc >> (8 * i));
  memmove(sim->out + sizeof header, sim->out, sim->out_length);
  memcpy(sim->out, header, sizeof header);
  sim->out_length += sizeof header;
}

/* Takes the library's next frame, if any, and does to it what the faults say. */
static void next_frame(sim *sim, const sim_faults *faults) {
  sim->out_sent = 0;
  sim->out_length = fwb_camera_output(&sim->camera, sim->out, SIM_OUT_SIZE);
  if (sim->out_length == 0) return;
  report_frame(sim);
  if (faults->no_erase_answer && sim->out[2] == FWB_RELEASED) {
    pthread_mutex_lock(&sim->lock);
    sim->faults.no_erase_answer = false;
    pthread_mutex_unlock(&sim->lock);
    sim->out_length = 0;
  } else if (faults->no_rate_answer && sim->out[2] == FWB_RATE_OK) {
    pthread_mutex_lock(&sim->lock);
    sim->faults.no_rate_answer = false;
    pthread_mutex_unlock(&sim->lock);
    sim->out_length = 0;
  } else if (faults->drop > 0 && draw(sim) < faults->drop) {
    sim->out_length = 0;
  } else if (faults->corrupt > 0 && draw(sim) < faults->corrupt) {
    sim->out[draw_below(sim, sim->out_length)] ^= (uint8_t)(1u << draw_below(sim, 8));
  }
  if (faults->claim_4g && sim->out_length > 0) claim_4g(sim);
}

/* Bytes that may be sent before the next fault that counts them. */
static size_t until_fault(const sim *sim, const sim_faults *faults, size_t length) {
  const uint64_t afters[] = {faults->stall_after, faults->vanish_after, faults->power_after};
  for (size_t i = 0; i < sizeof afters / sizeof afters[0]; i++) {
    if (afters[i] <= sim->sent_bytes) return 0;
    if (afters[i] - sim->sent_bytes < length) length = (size_t)(afters[i] - sim->sent_bytes);
  }
  return length;
}

/* True when the thread goes on. A fault that counts bytes happens once. */
static bool apply_counted_faults(sim *sim, const sim_faults *faults) {
  pthread_mutex_lock(&sim->lock);
  const uint64_t now = sim_monotonic_ms(NULL);
  const bool stall = faults->stall_after <= sim->sent_bytes;
  const bool vanish = faults->vanish_after <= sim->sent_bytes;
  if (stall) sim->faults.stall_after = SIM_NEVER;
  if (vanish) sim->faults.vanish_after = SIM_NEVER;
  pthread_mutex_unlock(&sim->lock);
  if (faults->power_after <= sim->sent_bytes) return false;
  if (stall) sim->stalled_until_ms = now + faults->stall_ms;
  if (vanish) {
    if (faults->vanish_back_ms != SIM_NEVER) sim->plug_at_ms = now + faults->vanish_back_ms;
    unplug(sim);
  }
  return true;
}

static void make_noise(sim *sim, uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)draw_below(sim, 256);
}

/* Sends until the pty is full, and then generates nothing more. */
static bool send_output(sim *sim) {
  for (int i = 0; i < WRITES_A_TURN && sim->master >= 0; i++) {
    const sim_faults faults = faults_now(sim);
    if (sim->out_sent == sim->out_length) {
      if (!fwb_camera_has_output(&sim->camera)) return true;
      next_frame(sim, &faults);
      continue;
    }
    const size_t allowed = until_fault(sim, &faults, sim->out_length - sim->out_sent);
    if (allowed == 0) return apply_counted_faults(sim, &faults);
    if (sim_line_garbles(sim)) make_noise(sim, sim->out + sim->out_sent, allowed);
    const ssize_t count = write(sim->master, sim->out + sim->out_sent, allowed);
    if (count <= 0) return true;
    sim->out_sent += (size_t)count;
    sim->sent_bytes += (uint64_t)count;
  }
  return true;
}

static bool has_output(const sim *sim) {
  return sim->out_sent < sim->out_length || fwb_camera_has_output(&sim->camera);
}

static void feed_camera(sim *sim) {
  if (sim->in_taken == sim->in_length) return;
  sim->in_taken +=
      fwb_camera_input(&sim->camera, sim->in + sim->in_taken, sim->in_length - sim->in_taken);
}

/* False: the dock has closed the line. Nothing is read while the camera still holds input back. */
static bool receive_input(sim *sim) {
  feed_camera(sim);
  if (sim->in_taken < sim->in_length) return true;
  const ssize_t count = read(sim->master, sim->in, sizeof sim->in);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return false;
  if (count < 0) return true;
  const sim_faults faults = faults_now(sim);
  sim->line_used = true;
  sim->in_taken = 0;
  sim->in_length = (size_t)count;
  if (sim_line_garbles(sim)) make_noise(sim, sim->in, sim->in_length);
  if (faults.garbage || (faults.drop_in > 0 && draw(sim) < faults.drop_in)) {
    sim->in_length = 0;
  } else if (faults.corrupt_in > 0 && draw(sim) < faults.corrupt_in) {
    sim->in[draw_below(sim, sim->in_length)] ^= (uint8_t)(1u << draw_below(sim, 8));
  }
  feed_camera(sim);
  return true;
}

/* A foreign device: noise at its own pace, some of it with the magic of a frame. */
static void send_noise(sim *sim, uint64_t now) {
  uint8_t noise[64];
  if (!sim->line_used || now < sim->noise_at_ms) return;
  sim->noise_at_ms = now + NOISE_MS;
  make_noise(sim, noise, sizeof noise);
  noise[8] = 0xd0;
  noise[9] = 0xc4;
  const ssize_t count = write(sim->master, noise, sizeof noise);
  if (count > 0) sim->sent_bytes += (uint64_t)count;
}

/* True when the thread goes on. */
static bool obey(sim *sim) {
  char bytes[64];
  while (read(sim->wake[0], bytes, sizeof bytes) > 0) continue;
  pthread_mutex_lock(&sim->lock);
  const sim_wanted wanted = sim->wanted;
  const int plug_wanted = sim->plug_wanted;
  sim->plug_wanted = 0;
  pthread_mutex_unlock(&sim->lock);
  if (wanted == SIM_STOP) return false;
  if (plug_wanted > 0) plug(sim);
  if (plug_wanted < 0) unplug(sim);
  return true;
}

static int wait_ms(const sim *sim, uint64_t now, uint64_t until) {
  if (until != SIM_NEVER) return until > now ? (int)(until - now) : 0;
  return sim->master < 0 ? -1 : TICK_MS;
}

static bool stalled(const sim *sim, uint64_t now) { return now < sim->stalled_until_ms; }

/* Waits for the line, for JavaScript or for a moment; true when the thread goes on. */
static bool turn(sim *sim) {
  const uint64_t now = sim_monotonic_ms(NULL);
  const bool quiet = stalled(sim, now);
  const bool listening = sim->master >= 0 && !quiet;
  struct pollfd fds[2] = {{sim->wake[0], POLLIN, 0}, {listening ? sim->master : -1, 0, 0}};
  if (sim->in_taken == sim->in_length) fds[1].events |= POLLIN;
  if (has_output(sim)) fds[1].events |= POLLOUT;
  const int timeout =
      quiet ? (int)(sim->stalled_until_ms - now) : wait_ms(sim, now, sim->plug_at_ms);
  if (poll(fds, 2, timeout) < 0 && errno != EINTR) return false;

  if (fds[0].revents != 0 && !obey(sim)) return false;
  if (sim->master < 0) {
    if (sim_monotonic_ms(NULL) >= sim->plug_at_ms) plug(sim);
    return true;
  }
  if (!listening) return true;
  const bool held_back = sim->in_taken < sim->in_length;
  const bool closed =
      (fds[1].revents & (POLLHUP | POLLERR)) != 0 && (held_back || (fds[1].revents & POLLIN) == 0);
  if (closed || ((fds[1].revents & POLLIN) != 0 && !receive_input(sim))) {
    line_lost(sim);
    return true;
  }
  fwb_camera_tick(&sim->camera);
  if (faults_now(sim).garbage) {
    send_noise(sim, sim_monotonic_ms(NULL));
    return true;
  }
  const bool alive = send_output(sim);
  feed_camera(sim);
  return alive;
}

void *sim_run(void *context) {
  sim *it = context;
  bool alive = true;
  while (alive) alive = turn(it);
  pthread_mutex_lock(&it->lock);
  const bool asked = it->wanted == SIM_STOP;
  pthread_mutex_unlock(&it->lock);
  /* A power loss cleans nothing up: the link stays and leads nowhere. */
  sim_line_close(it, asked);
  sim_clip_close(it);
  sim_event(it, asked ? "stopped" : "power-loss", 0, NULL);
  return NULL;
}
