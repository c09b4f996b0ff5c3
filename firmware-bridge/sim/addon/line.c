#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sim.h"

static int close_failed(int fd) {
  const int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

static bool make_raw(int fd) {
  struct termios raw;
  if (tcgetattr(fd, &raw) != 0) return false;
  cfmakeraw(&raw);
  return tcsetattr(fd, TCSANOW, &raw) == 0;
}

static int open_master(char *slave, size_t size) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0) return -1;
  const bool ready = grantpt(master) == 0 && unlockpt(master) == 0 &&
                     ptsname_r(master, slave, size) == 0 && make_raw(master);
  return ready ? master : close_failed(master);
}

static int open_device(sim *sim) {
  if (sim->master >= 0) close(sim->master);
  sim->master = -1;
  const int device = open(sim->link, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (device >= 0) sim->master = make_raw(device) ? device : close_failed(device);
  sim->line_used = false;
  return sim->master >= 0 ? 0 : errno;
}

/* By rename, so that the path always leads to a whole pty. */
static int point_link(const sim *sim, const char *slave) {
  char temporary[4096];
  if (snprintf(temporary, sizeof temporary, "%s.%ld", sim->link, (long)getpid()) >=
      (int)sizeof temporary)
    return ENAMETOOLONG;
  (void)unlink(temporary);
  if (symlink(slave, temporary) != 0) return errno;
  if (rename(temporary, sim->link) == 0) return 0;
  const int reason = errno;
  (void)unlink(temporary);
  return reason;
}

/*
 * Each time the dock closes the line it gets a new pty behind the same link: a pty whose slave was
 * opened exclusively (TIOCEXCL, as serial libraries do) stays exclusive as long as its master is
 * open, and would refuse the same dock the second time.
 */
int sim_line_open(sim *sim) {
  char slave[sizeof sim->slave];
  if (sim->is_device) return open_device(sim);
  const int master = open_master(slave, sizeof slave);
  if (master < 0) return errno;
  const int reason = point_link(sim, slave);
  if (reason != 0) {
    close(master);
    return reason;
  }
  if (sim->master >= 0) close(sim->master);
  sim->master = master;
  memcpy(sim->slave, slave, sizeof slave);
  sim->line_used = false;
  return 0;
}

void sim_line_close(sim *sim, bool unlink_it) {
  char target[sizeof sim->slave];
  if (sim->master < 0) return;
  const ssize_t length = readlink(sim->link, target, sizeof target);
  const bool ours =
      length == (ssize_t)strlen(sim->slave) && memcmp(target, sim->slave, (size_t)length) == 0;
  if (unlink_it && ours) (void)unlink(sim->link);
  close(sim->master);
  sim->master = -1;
}
