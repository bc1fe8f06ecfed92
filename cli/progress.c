/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "progress.h"

#include "journal/journal.h"
#include "output.h"

#include <string.h>

#define PLAIN_INTERVAL_US (10 * G_USEC_PER_SEC)
#define BAR_WIDTH         20

/* Something that moves: a disk, the memory. */
typedef struct {
  char *what;
  guint64 done;
  guint64 total;
  guint64 rate;
  double fraction;   /* the largest that was ever shown: a total that grows must not set it back */
  gint64 printed_us; /* plain lines: when the last one was */
  gboolean complete; /* plain lines: the last one was the end */
} Item;

struct _CliProgress {
  FILE *stream;
  guint width; /* 0: plain lines */
  char *phase;
  char *step;
  gint64 phase_began_us;
  GPtrArray *items; /* of this phase */
  guint drawn;      /* lines that stand on the screen and may be redrawn */
};

static void
item_free (Item *item)
{
  g_free (item->what);
  g_free (item);
}

CliProgress *
cli_progress_new (FILE *stream, guint width)
{
  CliProgress *self = g_new0 (CliProgress, 1);

  self->stream = stream;
  self->width = width;
  self->items = g_ptr_array_new_with_free_func ((GDestroyNotify)item_free);
  return self;
}

void
cli_progress_free (CliProgress *self)
{
  g_ptr_array_unref (self->items);
  g_free (self->phase);
  g_free (self->step);
  g_free (self);
}

static Item *
find_item (CliProgress *self, const char *what)
{
  Item *item;

  for (guint i = 0; i < self->items->len; i++) {
    item = self->items->pdata[i];
    if (g_str_equal (item->what, what))
      return item;
  }
  item = g_new0 (Item, 1);
  item->what = g_strdup (what);
  g_ptr_array_add (self->items, item);
  return item;
}

static gboolean
update_item (Item *item, const GodwitEvent *event)
{
  guint64 done = event->total > 0 ? MIN (event->done, event->total) : event->done;
  double fraction = event->total > 0 ? (double)done / event->total : 0;

  item->done = MAX (item->done, done);
  item->total = MAX (item->total, event->total);
  item->rate = event->rate;
  item->fraction = MAX (item->fraction, fraction);
  return event->total > 0 && done >= event->total;
}

/* "301 MiB of 1.0 GiB  29%  110 MiB/s, 7 s left" */
static char *
describe_item (const Item *item)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *done = cli_format_bytes (item->done);
  g_autofree char *total = cli_format_bytes (item->total);

  g_string_append_printf (text, "%s of %s %3.0f%%", done, total, item->fraction * 100);
  if (item->rate > 0) {
    g_autofree char *rate = cli_format_rate (item->rate);

    g_string_append_printf (text, "  %s", rate);
    if (item->total > item->done) {
      guint64 left = (item->total - item->done) / item->rate + 1;
      g_autofree char *duration = left < 60 ? g_strdup_printf ("%" G_GUINT64_FORMAT " s", left)
                                            : cli_format_duration ((gint64)left * G_USEC_PER_SEC);

      g_string_append_printf (text, ", %s left", duration);
    }
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* A line that is wider than the screen would wrap, and the way back up would be miscounted. */
static void
draw_line (CliProgress *self, const char *text)
{
  g_autofree char *cut = g_utf8_strlen (text, -1) < self->width
                             ? g_strdup (text)
                             : g_utf8_substring (text, 0, self->width - 1);

  fprintf (self->stream, "\r\033[K%s\n", cut);
  self->drawn++;
}

static void
erase (CliProgress *self)
{
  if (self->drawn > 0)
    fprintf (self->stream, "\033[%uA\r\033[J", self->drawn);
  self->drawn = 0;
}

static void
draw_item (CliProgress *self, const Item *item)
{
  g_autofree char *description = describe_item (item);
  g_autofree char *line = NULL;
  char bar[BAR_WIDTH + 1];
  guint filled = item->fraction * BAR_WIDTH;

  memset (bar, '.', BAR_WIDTH);
  memset (bar, '#', MIN (filled, BAR_WIDTH));
  bar[BAR_WIDTH] = '\0';
  line = g_strdup_printf ("  %-12s [%s] %s", item->what, bar, description);
  draw_line (self, line);
}

static void
draw (CliProgress *self, gint64 phase_took_us)
{
  g_autofree char *line = NULL;

  erase (self);
  if (self->phase != NULL) {
    if (phase_took_us >= 0) {
      g_autofree char *duration = cli_format_duration (phase_took_us);

      line = g_strdup_printf ("%-14s %s", self->phase, duration);
    } else {
      line = g_strdup_printf ("%-14s %s", self->phase, self->step != NULL ? self->step : "...");
    }
    draw_line (self, line);
  }
  for (guint i = 0; i < self->items->len; i++)
    draw_item (self, self->items->pdata[i]);
  fflush (self->stream);
}

/* What was drawn becomes history. */
static void
settle (CliProgress *self, gint64 now_us)
{
  if (self->width > 0 && (self->phase != NULL || self->items->len > 0))
    draw (self, self->phase != NULL ? MAX (0, now_us - self->phase_began_us) : -1);
  self->drawn = 0;
  g_clear_pointer (&self->phase, g_free);
  g_clear_pointer (&self->step, g_free);
  g_ptr_array_set_size (self->items, 0);
}

void
cli_progress_settle (CliProgress *self)
{
  settle (self, g_get_real_time ());
}

static void
print_line (CliProgress *self, const GodwitEvent *event, const char *what, const char *text)
{
  /* A step says by itself how it ended. */
  gboolean loud = event->severity >= GODWIT_SEVERITY_WARNING && event->kind != GODWIT_EVENT_STEP;

  if (self->width > 0) {
    erase (self);
  } else {
    g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (event->time_us / G_USEC_PER_SEC);
    g_autofree char *clock = g_date_time_format (time, "%H:%M:%S");

    fprintf (self->stream, "%s ", clock);
  }
  if (loud)
    fprintf (self->stream, "%s: ", godwit_severity_to_string (event->severity));
  if (event->host != NULL && *event->host != '\0')
    fprintf (self->stream, "%s: ", event->host);
  if (what != NULL)
    fprintf (self->stream, "%s: ", what);
  fprintf (self->stream, "%s\n", text);
  if (self->width > 0 && (self->phase != NULL || self->items->len > 0))
    draw (self, -1);
  fflush (self->stream);
}

static void
show_progress (CliProgress *self, const GodwitEvent *event)
{
  Item *item = find_item (self, event->what);
  gboolean complete = update_item (item, event);
  g_autofree char *description = NULL;

  if (self->width > 0) {
    draw (self, -1);
    return;
  }
  if (item->complete || (!complete && event->time_us - item->printed_us < PLAIN_INTERVAL_US))
    return;
  item->complete = complete;
  item->printed_us = event->time_us;
  description = describe_item (item);
  print_line (self, event, event->what, description);
}

/* The end of a job is told by its summary, not by a phase that lasts. */
static gboolean
is_end (const char *state)
{
  for (int i = GODWIT_JOB_DONE; i <= GODWIT_JOB_IN_DOUBT; i++)
    if (g_strcmp0 (state, godwit_job_state_to_string (i)) == 0)
      return TRUE;
  return FALSE;
}

/* A phase lasts until another one begins, however many steps and states it has. */
static void
begin_phase (CliProgress *self, const GodwitEvent *event, const char *phase)
{
  if (g_strcmp0 (self->phase, phase) == 0)
    return;
  if (self->width == 0) {
    g_ptr_array_set_size (self->items, 0);
    print_line (self, event, NULL, phase);
  } else {
    settle (self, event->time_us);
  }
  g_free (self->phase);
  self->phase = g_strdup (phase);
  self->phase_began_us = event->time_us;
}

static void
show_state (CliProgress *self, const GodwitEvent *event)
{
  if (self->width == 0) {
    begin_phase (self, event, event->what);
    return;
  }
  if (is_end (event->what)) {
    settle (self, event->time_us);
    return;
  }
  begin_phase (self, event, event->what);
  draw (self, -1);
}

static void
show_step (CliProgress *self, const GodwitEvent *event)
{
  const char *outcome = NULL;
  const char *phase = NULL;

  if (event->data != NULL) {
    g_variant_lookup (event->data, "outcome", "&s", &outcome);
    g_variant_lookup (event->data, "phase", "&s", &phase);
  }
  /* While steps are undone the phases run backwards; that is no new phase. */
  if (phase != NULL && g_strcmp0 (outcome, "begun") == 0)
    begin_phase (self, event, phase);
  if (event->severity >= GODWIT_SEVERITY_WARNING) {
    print_line (self, event, outcome, event->message);
    return;
  }
  /* That a step is done shows in the next one that begins. */
  if (event->severity == GODWIT_SEVERITY_OK)
    return;
  if (self->width == 0) {
    print_line (self, event, NULL, event->message);
    return;
  }
  g_free (self->step);
  self->step = g_strdup (event->message);
  draw (self, -1);
}

static gboolean
is_about_one_strategy (const GodwitEvent *event)
{
  g_autoptr (GVariant) scope =
      event->data != NULL ? g_variant_lookup_value (event->data, "scope", NULL) : NULL;

  return event->kind == GODWIT_EVENT_FINDING && scope != NULL &&
         event->severity == GODWIT_SEVERITY_BLOCKER;
}

void
cli_progress_event (CliProgress *self, const GodwitEvent *event)
{
  switch (event->kind) {
  case GODWIT_EVENT_PROGRESS:
    show_progress (self, event);
    break;
  case GODWIT_EVENT_STATE:
    show_state (self, event);
    break;
  case GODWIT_EVENT_STEP:
    show_step (self, event);
    break;
  case GODWIT_EVENT_LOG:
  case GODWIT_EVENT_FINDING:
    /* What was checked and found good is for `godwit log`, and so is why another strategy was not
     * taken: the choice names that, and so does a refusal. */
    if (event->severity > GODWIT_SEVERITY_OK && !is_about_one_strategy (event))
      print_line (self, event, event->kind == GODWIT_EVENT_FINDING ? event->what : NULL,
                  event->message);
    break;
  case GODWIT_EVENT_RESULT:
    cli_progress_settle (self);
    break;
  }
}
