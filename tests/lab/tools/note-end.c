/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes the moment at which a process ends into a file: note-end PID FILE. It returns as soon as
 * nothing can be missed and goes on in the background. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
note (int file, int pid)
{
  struct timespec now;
  char line[96];
  clock_gettime (CLOCK_REALTIME, &now);
  int length = snprintf (line, sizeof line, "%d@%lld.%06ld:ended\n", pid, (long long)now.tv_sec,
                         now.tv_nsec / 1000);
  if (write (file, line, (size_t)length) < 0)
    exit (1);
}

/* Whatever was inherited belongs to the process that is watched: its monitor would never be seen
 * to close, and who waits for its end would wait for ours too. */
static void
let_go (int pidfd, int file)
{
  if (dup2 (pidfd, 0) < 0 || dup2 (file, 1) < 0)
    exit (1);
  close_range (2, ~0u, 0);
  setsid ();
  if (fork () != 0)
    _exit (0);
}

int
main (int argc, char **argv)
{
  if (argc != 3) {
    fprintf (stderr, "usage: note-end PID FILE\n");
    return 2;
  }
  int pid = atoi (argv[1]);
  int pidfd = (int)syscall (SYS_pidfd_open, pid, 0);
  int file = open (argv[2], O_WRONLY | O_APPEND | O_CREAT, 0644);
  if (pidfd < 0 || file < 0) {
    perror ("note-end");
    return 1;
  }
  if (fork () != 0)
    return 0;
  let_go (pidfd, file);
  struct pollfd end = {.fd = 0, .events = POLLIN};
  while (poll (&end, 1, -1) != 1)
    ;
  note (1, pid);
  return 0;
}
