/*
 * Runs a program with a serial line as its standard input and output, its controlling terminal too,
 * and says what it cost.
 *
 *   launch END PROGRAM ARGUMENTS...
 *
 * An END is `tty:PATH`, or `new:LINK`: then the program gets the master of a new pty, whose slave
 * LINK leads to, so that nothing lies between it and who opens the link.
 * Prints `EXIT SECONDS CPU_SECONDS` of the program alone and closes its output. SIGTERM ends the
 * program first. A new pty stays until SIGTERM: what is in it has not been read yet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child;

static volatile sig_atomic_t ended;

static void on_signal(int number) {
  (void)number;
  ended = 1;
  if (child > 0)
    (void)kill((pid_t)child, SIGKILL);
}

static double seconds_now(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double seconds_of(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* The slave stays open, so that what was written is not lost with its writer. */
static int open_new(const char *link) {
  char path[64];
  struct termios raw;
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
      ptsname_r(master, path, sizeof path) != 0 || tcgetattr(master, &raw) != 0)
    return -1;
  cfmakeraw(&raw);
  (void)cfsetspeed(&raw, B4000000);
  if (tcsetattr(master, TCSANOW, &raw) != 0 || open(path, O_RDWR | O_NOCTTY) < 0 ||
      symlink(path, link) != 0)
    return -1;
  return master;
}

static int open_end(const char *end) {
  if (strncmp(end, "new:", 4) == 0)
    return open_new(end + 4);
  return open(end + 4, O_RDWR | O_NOCTTY);
}

static void become(int tty, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)setsid();
  if (dup2(tty, 0) == 0 && dup2(tty, 1) == 1) {
    (void)ioctl(0, TIOCSCTTY, 0);
    execvp(argv[2], argv + 2);
  }
  fprintf(stderr, "launch: %s on %s: %s\n", argv[2], argv[1], strerror(errno));
  _exit(127);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: launch END PROGRAM ARGUMENTS...\n");
    return 2;
  }
  const struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int tty = strlen(argv[1]) > 4 ? open_end(argv[1]) : -1;
  if (tty < 0) {
    fprintf(stderr, "launch: %s: %s\n", argv[1], strerror(errno));
    return 2;
  }
  const double started = seconds_now();
  const pid_t pid = fork();
  if (pid == 0)
    become(tty, argv);
  child = pid;
  int status = 0;
  struct rusage used = {0};
  while (wait4(pid, &status, 0, &used) < 0)
    if (errno != EINTR)
      return 1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  printf("%d %.6f %.6f\n", code, seconds_now() - started,
         seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
  (void)fclose(stdout);
  child = 0;
  sigset_t held;
  sigset_t before;
  sigemptyset(&held);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_BLOCK, &held, &before);
  while (!ended && strncmp(argv[1], "new:", 4) == 0)
    sigsuspend(&before);
  return 0;
}
