/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* console-stamp FROM TO: note when each line of the guests' consoles arrived.
 *
 * Follows every FROM/NAME.log and appends "MICROSECONDS LINE" to
 * TO/NAME.stamps.  An emulated guest's own clock stands still while the guest
 * is stopped, so its downtime can only be seen from outside.  CLOCK_MONOTONIC
 * is the same on all hosts of a lab.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE 512

struct console {
  struct console *next;
  char name[128]; /* without ".log" */
  int from, to;
  off_t offset;
  char line[MAX_LINE];
  size_t length;
  unsigned long heard_us;
};

static struct console *consoles;
static int from_dir, to_dir;

static struct console *
find (const char *file)
{
  const char *dot = strrchr (file, '.');
  struct console *console;
  char path[160];
  size_t length;

  if (dot == NULL || strcmp (dot, ".log") != 0)
    return NULL;
  length = (size_t)(dot - file);
  if (length >= sizeof console->name)
    return NULL;
  for (console = consoles; console != NULL; console = console->next)
    if (strlen (console->name) == length && strncmp (console->name, file, length) == 0)
      return console;

  console = calloc (1, sizeof *console);
  if (console == NULL)
    abort ();
  memcpy (console->name, file, length);
  console->from = -1;
  snprintf (path, sizeof path, "%s.stamps", console->name);
  console->to = openat (to_dir, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  console->next = consoles;
  consoles = console;
  return console;
}

static unsigned long
now_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (unsigned long)now.tv_sec * 1000000 + (unsigned long)now.tv_nsec / 1000;
}

static void
put (struct console *console, unsigned long time_us)
{
  char out[MAX_LINE + 32];
  int length =
      snprintf (out, sizeof out, "%lu %.*s\n", time_us, (int)console->length, console->line);

  if (write (console->to, out, (size_t)length) != length)
    perror ("console-stamp: write");
  console->length = 0;
}

static void
follow (struct console *console)
{
  unsigned long time_us = now_us ();
  char path[160], buffer[16384];
  struct stat info;
  ssize_t n;

  if (console->from < 0) {
    snprintf (path, sizeof path, "%s.log", console->name);
    console->from = openat (from_dir, path, O_RDONLY | O_CLOEXEC);
    console->offset = 0;
  }
  if (console->from < 0)
    return;
  /* Someone emptied the log: begin again. */
  if (fstat (console->from, &info) == 0 && info.st_size < console->offset)
    console->offset = 0;
  while ((n = pread (console->from, buffer, sizeof buffer, console->offset)) > 0) {
    console->offset += n;
    console->heard_us = time_us;
    for (ssize_t i = 0; i < n; i++) {
      if (buffer[i] == '\n')
        put (console, time_us);
      else if (buffer[i] != '\r' && buffer[i] != '\0' && console->length < MAX_LINE)
        console->line[console->length++] = buffer[i];
    }
  }
}

static void
handle (const struct inotify_event *event)
{
  struct console *console = find (event->name);

  if (console == NULL)
    return;
  if (event->mask & (IN_DELETE | IN_MOVED_FROM | IN_CREATE | IN_MOVED_TO)) {
    if (console->from >= 0)
      close (console->from);
    console->from = -1;
  }
  if (!(event->mask & (IN_DELETE | IN_MOVED_FROM)))
    follow (console);
  /* The guest is gone in the middle of a line: the rest of it comes elsewhere,
   * and nothing that is said here later belongs to it. */
  if (event->mask & IN_CLOSE_WRITE && console->length > 0)
    put (console, console->heard_us);
}

int
main (int argc, char **argv)
{
  _Alignas(struct inotify_event) char buffer[16384];
  ssize_t n;
  int fd;

  if (argc != 3) {
    fprintf (stderr, "usage: console-stamp FROM TO\n");
    return 2;
  }
  from_dir = open (argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  to_dir = open (argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  fd = inotify_init1 (IN_CLOEXEC);
  if (from_dir < 0 || to_dir < 0 || fd < 0 ||
      inotify_add_watch (fd, argv[1],
                         IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVE) < 0) {
    perror ("console-stamp");
    return 1;
  }
  /* A stamp is as good as our promptness; two busy emulators share this
   * machine's processors with us.  Not allowed is not a fault. */
  sched_setscheduler (0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
  while ((n = read (fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    for (char *at = buffer; at < buffer + n;) {
      const struct inotify_event *event = (const struct inotify_event *)at;

      if (event->len > 0)
        handle (event);
      at += sizeof *event + event->len;
    }
  }
  return 1;
}
