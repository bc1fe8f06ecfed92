/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wait-pid SECONDS PID...: wait until processes that are not our children have
 * ended.  Exit code 0 if all have, 1 if the time was too short. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
main (int argc, char **argv)
{
  long deadline;

  if (argc < 3) {
    fprintf (stderr, "usage: wait-pid SECONDS PID...\n");
    return 2;
  }
  deadline = now_ms () + strtol (argv[1], NULL, 10) * 1000;
  for (int i = 2; i < argc; i++) {
    struct pollfd fd = {.events = POLLIN};
    long left = deadline - now_ms ();

    fd.fd = (int)syscall (SYS_pidfd_open, (pid_t)strtol (argv[i], NULL, 10), 0);
    if (fd.fd < 0 && errno == ESRCH)
      continue;
    if (fd.fd < 0) {
      perror ("pidfd_open");
      return 1;
    }
    if (poll (&fd, 1, left > 0 ? (int)left : 0) != 1)
      return 1;
    close (fd.fd);
  }
  return 0;
}
