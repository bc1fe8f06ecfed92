/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PID 1 of the lab's guest: no shell, no libraries.
 *
 * It loads the few modules the guest needs, mounts the disk, runs the
 * workload, and on the power button unmounts and switches off, as an ordinary
 * guest does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/reboot.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"
#include "lines.h"

#define MAX_BUTTONS 8

struct knobs knobs = {.beat_ms = 10,
                      .record_ms = 20,
                      .dirty_mib = 1,
                      .dirty_span_mib = 8,
                      .disk_mib = 0,
                      .disk_span_mib = 64};
volatile bool stopping;

static int console = 2;
static pthread_mutex_t console_lock = PTHREAD_MUTEX_INITIALIZER;

/* One write per line, so that the lines of two threads are never mixed. */
void
say (const char *format, ...)
{
  char line[256];
  va_list args;
  int length;

  va_start (args, format);
  length = vsnprintf (line, sizeof line - 8, format, args);
  va_end (args);
  if (length > (int)sizeof line - 9)
    length = (int)sizeof line - 9;
  length += sprintf (line + length, "*%04x\n", line_sum (line, (size_t)length));

  pthread_mutex_lock (&console_lock);
  for (int done = 0; done < length;) {
    ssize_t n = write (console, line + done, (size_t)(length - done));

    if (n < 0 && errno != EINTR)
      break;
    done += n > 0 ? (int)n : 0;
  }
  pthread_mutex_unlock (&console_lock);
}

static void
open_console (void)
{
  struct termios raw;
  int fd = open ("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);

  if (fd < 0)
    return;
  if (tcgetattr (fd, &raw) == 0) {
    cfmakeraw (&raw);
    tcsetattr (fd, TCSANOW, &raw);
  }
  console = fd;
}

static void
load_modules (void)
{
  FILE *list = fopen ("/modules/order", "re");
  char name[64], path[96];

  while (list != NULL && fscanf (list, "%63s", name) == 1) {
    snprintf (path, sizeof path, "/modules/%s", name);
    int fd = open (path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || (syscall (SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
      say ("E module %s: %s", name, strerror (errno));
    if (fd >= 0)
      close (fd);
  }
  if (list != NULL)
    fclose (list);
}

static void
read_knobs (void)
{
  static const struct {
    const char *name;
    long *value;
  } table[] = {
      {"lab.beat_ms=", &knobs.beat_ms},     {"lab.record_ms=", &knobs.record_ms},
      {"lab.dirty_mib=", &knobs.dirty_mib}, {"lab.dirty_span_mib=", &knobs.dirty_span_mib},
      {"lab.disk_mib=", &knobs.disk_mib},   {"lab.disk_span_mib=", &knobs.disk_span_mib},
  };
  FILE *file = fopen ("/proc/cmdline", "re");
  char word[256];

  while (file != NULL && fscanf (file, "%255s", word) == 1) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
      size_t length = strlen (table[i].name);

      if (strncmp (word, table[i].name, length) == 0)
        *table[i].value = strtol (word + length, NULL, 10);
    }
  }
  if (file != NULL)
    fclose (file);
  if (knobs.beat_ms < 1)
    knobs.beat_ms = 10;
}

/* Waits for the power button; there may be several input devices, and which
 * one it is differs between machine types. */
static void *
watch_button (void *unused)
{
  struct pollfd fds[MAX_BUTTONS];
  struct input_event event;
  nfds_t n = 0;

  (void)unused;
  for (int i = 0; i < MAX_BUTTONS; i++) {
    char path[32];

    snprintf (path, sizeof path, "/dev/input/event%d", i);
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
      fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  if (n == 0)
    say ("E no power button");
  while (n > 0 && !stopping) {
    if (poll (fds, n, -1) < 0)
      continue;
    for (nfds_t i = 0; i < n; i++) {
      if (!(fds[i].revents & POLLIN) ||
          read (fds[i].fd, &event, sizeof event) != (ssize_t)sizeof event)
        continue;
      if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
        stopping = true;
    }
  }
  return NULL;
}

static bool
mount_disk (void)
{
  mkdir ("/disk", 0755);
  if (mount ("/dev/vda", "/disk", "ext4", MS_NOATIME, "") == 0)
    return true;
  say ("E mount /dev/vda: %s", strerror (errno));
  return false;
}

int
main (void)
{
  pthread_t button;
  bool disk;

  mkdir ("/proc", 0555);
  mkdir ("/sys", 0555);
  mkdir ("/dev", 0755);
  mount ("proc", "/proc", "proc", 0, "");
  mount ("sysfs", "/sys", "sysfs", 0, "");
  mount ("devtmpfs", "/dev", "devtmpfs", 0, "");
  open_console ();
  load_modules ();
  read_knobs ();
  disk = mount_disk ();
  pthread_create (&button, NULL, watch_button, NULL);
  workload_run (disk);
  if (disk && umount ("/disk") != 0)
    say ("E umount: %s", strerror (errno));
  sync ();
  say ("W off");
  tcdrain (console);
  reboot (LINUX_REBOOT_CMD_POWER_OFF);
  return 1;
}
