/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loaded into a worker beside the library, it writes down each point that the worker passes, and
 * at the points that its orders name it strikes. Orders are in GODWIT_STRIKE, divided by ';':
 *
 *   in=run|recover|confirm at=KIND:NAME#NUMBER:before|after do=kill|kill-both|stop|wait
 *
 * In GODWIT_STRIKE_DIR are `trace`, to which points are appended, and `fired-N`, made when order
 * N is carried out: an order is carried out once, by whichever worker comes first. For `wait`
 * there must be two FIFOs, `arrived-N` and `release-N`. Only the C library is used, for the
 * programs that a worker starts load this too. */
#include "strike.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_ORDERS 4
#define MAX_NAMES  128
#define MAX_NAME   96

typedef struct {
  char in[16];
  char at[2 * MAX_NAME];
  char what[16];
} Order;

static char purpose[16]; /* empty in whatever is no worker */
static const char *directory;
static Order orders[MAX_ORDERS];
static int n_orders;
static int trace_fd = -1;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
  char name[MAX_NAME];
  unsigned count[2];
} seen[MAX_NAMES];

/* --- setting up ---------------------------------------------------------------------------- */

/* The words are `godwit work JOB PURPOSE ...`. */
static void
read_purpose (void)
{
  char words[4096];
  int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd >= 0 ? read (fd, words, sizeof words - 1) : -1;
  if (fd >= 0)
    close (fd);
  const char *word[4] = {"", "", "", ""};
  words[length > 0 ? length : 0] = '\0';
  for (ssize_t i = 0, n = 0; n < 4 && i < length; n++) {
    word[n] = words + i;
    i += (ssize_t)strlen (word[n]) + 1;
  }
  if (strcmp (word[0], "godwit") == 0 && strcmp (word[1], "work") == 0)
    snprintf (purpose, sizeof purpose, "%s", word[3]);
}

static void
read_orders (const char *text)
{
  char copy[1024];
  char *rest = copy;
  snprintf (copy, sizeof copy, "%s", text);
  for (char *one; n_orders < MAX_ORDERS && (one = strsep (&rest, ";")) != NULL;) {
    Order *order = &orders[n_orders];
    if (sscanf (one, " in=%15s at=%191s do=%15s", order->in, order->at, order->what) == 3)
      n_orders++;
  }
}

__attribute__ ((constructor)) static void
set_up (void)
{
  directory = getenv ("GODWIT_STRIKE_DIR");
  const char *text = getenv ("GODWIT_STRIKE");
  if (directory == NULL)
    return;
  read_purpose ();
  if (purpose[0] == '\0')
    return;
  if (text != NULL)
    read_orders (text);
  char path[512];
  snprintf (path, sizeof path, "%s/trace", directory);
  trace_fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  /* What this worker starts is not to be slowed down by us. */
  unsetenv ("LD_PRELOAD");
}

/* --- striking ------------------------------------------------------------------------------ */

static int
take (int number)
{
  char path[512];
  snprintf (path, sizeof path, "%s/fired-%d", directory, number);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0)
    return 0;
  close (fd);
  return 1;
}

/* Opening a FIFO waits for the other side, so neither has to ask again and again. */
static void
meet (const char *name, int number, int flags)
{
  char path[512];
  snprintf (path, sizeof path, "%s/%s-%d", directory, name, number);
  int fd;
  do
    fd = open (path, flags | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  char text[32];
  int length = snprintf (text, sizeof text, "%d\n", (int)getpid ());
  if (fd >= 0 && flags == O_WRONLY && write (fd, text, (size_t)length) < 0)
    abort ();
  if (fd >= 0)
    close (fd);
}

static void
carry_out (const Order *order, int number)
{
  if (!take (number))
    return;
  if (strcmp (order->what, "wait") == 0) {
    meet ("arrived", number, O_WRONLY);
    meet ("release", number, O_RDONLY);
    return;
  }
  if (strcmp (order->what, "stop") == 0) {
    meet ("arrived", number, O_WRONLY);
    raise (SIGSTOP);
    return;
  }
  /* The supervisor first: it must not see that its worker died. */
  if (strcmp (order->what, "kill-both") == 0)
    kill (getppid (), SIGKILL);
  raise (SIGKILL);
}

static unsigned
count (const char *name, int after)
{
  unsigned number = 0;
  pthread_mutex_lock (&mutex);
  for (int i = 0; i < MAX_NAMES && number == 0; i++) {
    if (seen[i].name[0] == '\0')
      snprintf (seen[i].name, sizeof seen[i].name, "%s", name);
    if (strcmp (seen[i].name, name) == 0)
      number = ++seen[i].count[after];
  }
  pthread_mutex_unlock (&mutex);
  return number;
}

void
strike_point (const char *kind, const char *name, int after)
{
  if (trace_fd < 0)
    return;
  int saved = errno;
  char key[MAX_NAME], point[2 * MAX_NAME], line[3 * MAX_NAME];
  snprintf (key, sizeof key, "%s:%s", kind, name);
  snprintf (point, sizeof point, "%s#%u:%s", key, count (key, after), after ? "after" : "before");
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  int length = snprintf (line, sizeof line, "%lld.%06ld %d %s %s\n", (long long)now.tv_sec,
                         now.tv_nsec / 1000, (int)getpid (), purpose, point);
  if (write (trace_fd, line, (size_t)length) < 0)
    abort ();
  for (int i = 0; i < n_orders; i++) {
    if (strcmp (orders[i].in, purpose) == 0 && strcmp (orders[i].at, point) == 0)
      carry_out (&orders[i], i);
  }
  errno = saved;
}
