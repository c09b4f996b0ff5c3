/*
 * The simulated camera: the firmware library on its own thread behind a pty.
 *
 * INVARIANTS: `lock` guards clips, wanted and faults, which JavaScript changes; all else belongs to
 * the thread once it runs. The thread never holds `lock` while it asks JavaScript.
 */
#ifndef FWB_SIM_H
#define FWB_SIM_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fwb.h"

#define SIM_OUT_SIZE (FWB_FRAME_HEADER_SIZE + FWB_FRAME_PAYLOAD_MAX + FWB_FRAME_CRC_SIZE)
#define SIM_IN_SIZE 4096u
#define SIM_NEVER UINT64_MAX
#define SIM_RATES_MAX 16u

typedef struct sim_clip {
  uint64_t counter;
  uint8_t record[FWB_RECORD_SIZE_MAX];
  size_t record_length;
  char *path;
} sim_clip;

/* Shares are 0 to 1; an AFTER is a number of sent bytes, SIM_NEVER when the fault is off or has
 * happened. */
typedef struct sim_faults {
  double drop;
  double corrupt;
  double drop_in;
  double corrupt_in;
  uint64_t stall_after;
  uint64_t stall_ms;
  uint64_t vanish_after;
  uint64_t vanish_back_ms; /* SIM_NEVER: stays away */
  uint64_t power_after;
  bool garbage;
  bool claim_4g;
  bool flip_content;
  bool no_erase_answer;
  bool no_rate_answer;
} sim_faults;

typedef enum sim_wanted { SIM_RUN, SIM_STOP } sim_wanted;

typedef struct sim {
  void *bridge; /* bridge.c: the way to JavaScript */
  fwb_port port;
  fwb_camera camera;
  char serial[FWB_SERIAL_SIZE_MAX + 1u];
  char *link;
  bool is_device; /* `link` is a terminal that is there already, and no link to a pty of ours */
  char *store;
  EVP_PKEY *key;

  pthread_t thread;
  pthread_mutex_t lock;
  int wake[2];
  sim_wanted wanted;
  int plug_wanted; /* -1: pull out, 1: put in, 0: as it is */
  sim_faults faults;
  sim_clip *clips; /* counters ascending */
  size_t clip_count;
  uint64_t last_counter;

  int master; /* -1: unplugged */
  char slave[64];
  bool line_used;
  uint64_t plug_at_ms;
  uint64_t stalled_until_ms;
  uint64_t noise_at_ms;
  uint64_t sent_bytes;
  uint64_t random_state;
  int64_t clock_ahead_ms;
  uint8_t clock_quality;
  uint32_t rates[SIM_RATES_MAX]; /* the base rate first; none: the line has no rate */
  size_t rate_count;
  uint32_t rate;      /* of the camera's end of the line */
  uint32_t dead_rate; /* at which nothing gets through; 0: none */
  bool strict_rate;
  int clip_fd;
  uint64_t clip_fd_counter;
  bool docked;

  size_t out_length;
  size_t out_sent;
  size_t in_length;
  size_t in_taken;
  uint8_t in[SIM_IN_SIZE];
  uint8_t out[SIM_OUT_SIZE + FWB_FRAME_HEADER_SIZE]; /* room for a frame and the header that
                                                        `claim-4g` puts before it */
} sim;

/* port.c */
void sim_port_init(sim *sim);
void sim_clip_close(sim *sim);
uint64_t sim_monotonic_ms(void *context);
EVP_PKEY *sim_key_from_seed(const uint8_t seed[32]);
int sim_sign_with(EVP_PKEY *key, const uint8_t *bytes, size_t length, uint8_t signature[64]);

/* line.c: 0, or an errno. */
int sim_line_open(sim *sim);
void sim_line_close(sim *sim, bool unlink_it);

/* rate.c */
int sim_set_rate(void *context, uint32_t baud);
bool sim_line_garbles(const sim *sim);

/* run.c */
void *sim_run(void *context);

/* bridge.c. Events are queued; the two questions wait for JavaScript's answer. */
void sim_event(sim *sim, const char *name, uint64_t number, const char *text);
int sim_ask_dock(sim *sim, const char *dock_id, fwb_dock *dock);
int sim_ask_erase(sim *sim, uint64_t counter);

#endif
