/*
 * SPEC 9 on a pty, which carries bytes at any rate: with `strict_rate` a byte that is sent at
 * another rate than that at which the other end listens comes as noise, as on a UART.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include "sim.h"

int sim_set_rate(void *context, uint32_t baud) {
  sim *it = context;
  it->rate = baud;
  sim_event(it, "rate", baud, NULL);
  return FWB_OK;
}

/* Of a master this is the rate to which the slave was set. */
static uint32_t rate_of_slave(int master) {
  struct termios2 settings;
  return ioctl(master, TCGETS2, &settings) == 0 ? settings.c_ospeed : 0;
}

bool sim_line_garbles(const sim *sim) {
  if (sim->dead_rate != 0 && sim->rate == sim->dead_rate) return true;
  return sim->strict_rate && rate_of_slave(sim->master) != sim->rate;
}
