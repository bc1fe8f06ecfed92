/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heartbeat: what the guests' stamped consoles tell.
 *
 *   heartbeat now                          CLOCK_MONOTONIC in microseconds
 *   heartbeat wait SECONDS FILE [WORD]     until the next beat, or next line
 *                                          that starts with WORD
 *   heartbeat report SINCE UNTIL HOST=FILE...
 *                                          longest silence and more, as JSON
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "lines.h"

struct beat {
  unsigned long time_us; /* when it was seen outside */
  unsigned long count;   /* which beat of its boot it is */
  unsigned long guest_us;
  unsigned boot;
  int host;
};

/* A line that a move may have cut in two. */
struct part {
  unsigned long time_us;
  int host;
  char *text;
};

static struct beat *beats;
static size_t n_beats;
static struct part *parts;
static size_t n_parts;
static unsigned long acked, errors, boots, torn;

static unsigned long
now_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (unsigned long)now.tv_sec * 1000000 + (unsigned long)now.tv_nsec / 1000;
}

/* ARRAY of N elements of SIZE bytes, with room for one more. */
static void *
grow (void *array, size_t n, size_t size)
{
  /* Powers of two, from none. */
  if ((n & (n - 1)) == 0)
    array = realloc (array, (n > 0 ? n * 2 : 1) * size);
  if (array == NULL)
    abort ();
  return array;
}

static void
keep_part (const char *text, int host, unsigned long time_us)
{
  parts = grow (parts, n_parts, sizeof *parts);
  parts[n_parts] = (struct part){.time_us = time_us, .host = host, .text = strdup (text)};
  if (parts[n_parts++].text == NULL)
    abort ();
}

/* False if TEXT, which is changed, is no whole line. */
static bool
take (char *text, int host, unsigned long time_us)
{
  struct beat beat = {.time_us = time_us, .host = host};
  unsigned long number;

  if (!line_check (text))
    return false;
  if (sscanf (text, "H %x %lu %lu", &beat.boot, &beat.count, &beat.guest_us) == 3) {
    beats = grow (beats, n_beats, sizeof *beats);
    beats[n_beats++] = beat;
  } else if (sscanf (text, "A %lu", &number) == 1) {
    acked = number > acked ? number : acked;
  } else if (strncmp (text, "W boot", 6) == 0) {
    boots++;
  } else if (text[0] == 'E') {
    errors++;
  }
  return true;
}

/* Without trying: the kernel says much that has no sum. */
static bool
may_join (const struct part *begin, const struct part *end)
{
  return begin->host != end->host &&
         (strchr (begin->text, '*') != NULL || strchr (end->text, '*') != NULL);
}

/* The end of a line on one host may have its beginning on another. */
static bool
joins (const struct part *begin, const struct part *end)
{
  char text[1024];
  int length = snprintf (text, sizeof text, "%s%s", begin->text, end->text);

  return length < (int)sizeof text && take (text, end->host, end->time_us);
}

/* A line without its sum is torn, or the kernel's or the firmware's. */
static void
join (void)
{
  torn = n_parts;
  for (size_t i = 0; i < n_parts; i++)
    for (size_t k = 0; k < n_parts; k++) {
      if (parts[i].text == NULL || parts[k].text == NULL || !may_join (&parts[i], &parts[k]) ||
          !joins (&parts[i], &parts[k]))
        continue;
      free (parts[i].text);
      free (parts[k].text);
      parts[i].text = parts[k].text = NULL;
      torn -= 2;
    }
}

static int
load (const char *path, int host, unsigned long since, unsigned long until)
{
  FILE *file = fopen (path, "re");
  char *line = NULL, *text;
  unsigned long time_us;
  size_t size = 0;
  ssize_t n;

  /* The guest was never on that host. */
  if (file == NULL && errno == ENOENT)
    return 0;
  if (file == NULL) {
    perror (path);
    return 1;
  }
  while ((n = getline (&line, &size, file)) > 0) {
    if (line[n - 1] == '\n')
      line[n - 1] = '\0';
    time_us = strtoul (line, &text, 10);
    if (*text++ != ' ' || time_us < since || time_us > until)
      continue;
    /* Its sum is cut off a line that is taken, and only then. */
    if (!take (text, host, time_us))
      keep_part (text, host, time_us);
  }
  free (line);
  fclose (file);
  return 0;
}

static int
by_time (const void *a, const void *b)
{
  const struct beat *x = a, *y = b;

  return (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

/* A lost beat is one that the guest counted and nobody saw.  A repeated beat
 * means that two copies of one guest ran. */
static int
report (int argc, char **argv)
{
  unsigned long since = strtoul (argv[2], NULL, 10), until = strtoul (argv[3], NULL, 10);
  unsigned long gap = 0, guest_gap = 0, at = 0, lost = 0, repeated = 0, moves = 0;
  unsigned long move = 0, move_at = 0;
  const char *from = "", *to = "";

  for (int i = 4; i < argc; i++) {
    char *path = strchr (argv[i], '=');

    if (path == NULL)
      return 2;
    *path++ = '\0';
    if (load (path, i, since, until > 0 ? until : ~0UL) != 0)
      return 1;
  }
  join ();
  if (n_beats > 0)
    qsort (beats, n_beats, sizeof *beats, by_time);
  for (size_t i = 1; i < n_beats; i++) {
    const struct beat *a = &beats[i - 1], *b = &beats[i];

    if (a->host != b->host) {
      moves++;
      move = b->time_us - a->time_us;
      move_at = a->time_us;
    }
    if (b->time_us - a->time_us > gap) {
      gap = b->time_us - a->time_us;
      at = a->time_us;
      from = argv[a->host];
      to = argv[b->host];
    }
    if (a->boot != b->boot)
      continue;
    if (b->count <= a->count)
      repeated++;
    else
      lost += b->count - a->count - 1;
    if (b->guest_us > a->guest_us && b->guest_us - a->guest_us > guest_gap)
      guest_gap = b->guest_us - a->guest_us;
  }
  printf ("{\"beats\":%zu,\"gap_ms\":%.1f,\"gap_at_us\":%lu,\"from\":\"%s\",\"to\":\"%s\","
          "\"move_ms\":%.1f,\"move_at_us\":%lu,"
          "\"guest_gap_ms\":%.1f,\"moves\":%lu,\"lost\":%lu,\"repeated\":%lu,\"boots\":%lu,"
          "\"acked\":%lu,\"errors\":%lu,\"torn\":%lu,\"last_us\":%lu,\"last_host\":\"%s\"}\n",
          n_beats, (double)gap / 1000, at, from, to, (double)move / 1000, move_at,
          (double)guest_gap / 1000, moves, lost, repeated, boots, acked, errors, torn,
          n_beats > 0 ? beats[n_beats - 1].time_us : 0,
          n_beats > 0 ? argv[beats[n_beats - 1].host] : "");
  return 0;
}

/* Looks at what was added to FILE; true once a line starts with WORD. */
static bool
look (FILE **file, const char *path, const char *word, bool from_end)
{
  char line[1024], *text;

  if (*file == NULL) {
    *file = fopen (path, "re");
    if (*file == NULL)
      return false;
    if (from_end)
      fseek (*file, 0, SEEK_END);
  }
  clearerr (*file);
  while (fgets (line, sizeof line, *file) != NULL) {
    text = strchr (line, ' ');
    if (text != NULL && strncmp (text + 1, word, strlen (word)) == 0)
      return true;
  }
  return false;
}

static int
wait_for (int argc, char **argv)
{
  unsigned long deadline = now_us () + strtoul (argv[2], NULL, 10) * 1000000, now;
  const char *word = argc > 4 ? argv[4] : "H ";
  char *path = argv[3], *copy = strdup (path), buffer[4096];
  struct pollfd fd = {.fd = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK), .events = POLLIN};
  FILE *file = NULL;

  /* The directory, for the file may not be there yet. */
  if (copy == NULL || fd.fd < 0 ||
      inotify_add_watch (fd.fd, dirname (copy), IN_MODIFY | IN_CREATE) < 0) {
    perror (path);
    return 1;
  }
  if (look (&file, path, word, true))
    return 0;
  while ((now = now_us ()) < deadline) {
    if (poll (&fd, 1, (int)((deadline - now) / 1000) + 1) < 0 && errno != EINTR)
      break;
    while (read (fd.fd, buffer, sizeof buffer) > 0)
      continue;
    if (look (&file, path, word, false))
      return 0;
  }
  return 1;
}

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "now") == 0)
    return printf ("%lu\n", now_us ()) < 0;
  if (argc >= 4 && strcmp (argv[1], "wait") == 0)
    return wait_for (argc, argv);
  if (argc >= 5 && strcmp (argv[1], "report") == 0)
    return report (argc, argv);
  fprintf (stderr,
           "usage: heartbeat now | wait SECONDS FILE [WORD] | report SINCE UNTIL HOST=FILE...\n");
  return 2;
}
