/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#define MIB (G_GUINT64_CONSTANT (1) << 20)

typedef struct {
  char *text;
  size_t size;
  FILE *stream;
  CliProgress *progress;
  gint64 now_us;
} Fixture;

static void
begin (Fixture *self, gconstpointer width)
{
  self->stream = open_memstream (&self->text, &self->size);
  self->progress = cli_progress_new (self->stream, GPOINTER_TO_UINT (width));
  self->now_us = G_USEC_PER_SEC;
}

static void
end (Fixture *self, gconstpointer width)
{
  cli_progress_free (self->progress);
  fclose (self->stream);
  free (self->text);
}

static void
send (Fixture *self, GodwitEventKind kind, const char *what, const char *message)
{
  g_autoptr (GodwitEvent) event = godwit_event_new (kind, what, message);

  event->time_us = self->now_us;
  event->severity = GODWIT_SEVERITY_INFO;
  cli_progress_event (self->progress, event);
}

static void
move (Fixture *self, const char *what, guint64 done, guint64 total)
{
  g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_PROGRESS, what, NULL);

  event->time_us = self->now_us;
  event->done = done * MIB;
  event->total = total * MIB;
  event->rate = 10 * MIB;
  cli_progress_event (self->progress, event);
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  for (const char *at = strstr (text, part); at != NULL; at = strstr (at + strlen (part), part))
    n++;
  return n;
}

static void
test_plain (Fixture *self, gconstpointer data)
{
  send (self, GODWIT_EVENT_STATE, "copying", NULL);
  for (guint i = 0; i < 100; i++) {
    move (self, "disk vda", i, 100);
    self->now_us += G_USEC_PER_SEC / 2;
  }
  for (guint i = 0; i < 3; i++)
    move (self, "disk vda", 100, 100);
  send (self, GODWIT_EVENT_LOG, NULL, "the guest is at host-b");
  fflush (self->stream);

  /* 50 seconds: one line every ten, and one at the end however often the end is told. */
  g_assert_cmpuint (count (self->text, "disk vda: "), ==, 6);
  g_assert_cmpuint (count (self->text, "100%"), ==, 1);
  g_assert_nonnull (strstr (self->text, "copying\n"));
  g_assert_nonnull (strstr (self->text, "the guest is at host-b\n"));
  g_assert_null (strchr (self->text, '\033'));
  g_assert_null (strchr (self->text, '\r'));
}

/* The last line that says something of @what, as it stands on the screen. */
static char *
get_last_line (const char *text, const char *what)
{
  const char *at = g_strrstr (text, what);

  g_assert_nonnull (at);
  return g_strndup (at, strcspn (at, "\n"));
}

static void
test_never_backwards (Fixture *self, gconstpointer data)
{
  g_autofree char *line = NULL;
  g_autofree char *later = NULL;

  send (self, GODWIT_EVENT_STATE, "copying", NULL);
  move (self, "memory", 80, 100);
  fflush (self->stream);
  line = get_last_line (self->text, "memory");
  g_assert_nonnull (strstr (line, "80%"));
  g_assert_nonnull (strstr (line, "10 MiB/s, 3 s left"));

  /* The guest dirtied what had been sent, and then the total grew. */
  move (self, "memory", 60, 100);
  move (self, "memory", 90, 200);
  fflush (self->stream);
  later = get_last_line (self->text, "memory");
  g_assert_nonnull (strstr (later, "90 MiB of 200 MiB"));
  g_assert_nonnull (strstr (later, "80%"));
}

static void
test_redrawn_in_place (Fixture *self, gconstpointer data)
{
  gsize before;

  send (self, GODWIT_EVENT_STATE, "copying", NULL);
  move (self, "disk vda", 1, 100);
  move (self, "disk vdb", 1, 100);
  fflush (self->stream);
  g_assert_true (g_str_has_suffix (self->text, "\n"));

  /* Phase and two disks: three lines up, and each drawn again. */
  before = strlen (self->text);
  move (self, "disk vda", 2, 100);
  fflush (self->stream);
  g_assert_true (g_str_has_prefix (self->text + before, "\033[3A\r\033[J"));
  g_assert_cmpuint (count (self->text + before, "\n"), ==, 3);
}

static void
test_narrow (Fixture *self, gconstpointer width)
{
  g_auto (GStrv) lines = NULL;

  send (self, GODWIT_EVENT_STATE, "copying", NULL);
  send (self, GODWIT_EVENT_STEP, "copy", "a step with a summary that is wider than the screen");
  move (self, "disk vda", 50, 100);
  fflush (self->stream);
  lines = g_strsplit (self->text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    const char *drawn = g_strrstr (lines[i], "\033[K");

    if (drawn != NULL)
      g_assert_cmpuint (strlen (drawn + 3), <, GPOINTER_TO_UINT (width));
  }
}

static void
test_phase_settles (Fixture *self, gconstpointer data)
{
  send (self, GODWIT_EVENT_STATE, "preparing", NULL);
  self->now_us += 1500000;
  send (self, GODWIT_EVENT_STATE, "done", NULL);
  fflush (self->stream);
  g_assert_nonnull (strstr (self->text, "preparing      1.50 s\n"));
  /* The end has no line of its own: the summary tells it. */
  g_assert_null (strstr (self->text, "done"));
}

static void
step (Fixture *self, const char *phase, const char *outcome, GodwitSeverity severity,
      const char *message)
{
  g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_STEP, "make", message);
  GVariantDict data;

  g_variant_dict_init (&data, NULL);
  g_variant_dict_insert (&data, "phase", "s", phase);
  g_variant_dict_insert (&data, "outcome", "s", outcome);
  event->data = g_variant_ref_sink (g_variant_dict_end (&data));
  event->time_us = self->now_us;
  event->severity = severity;
  cli_progress_event (self->progress, event);
}

static void
test_steps (Fixture *self, gconstpointer data)
{
  step (self, "preparing", "begun", GODWIT_SEVERITY_INFO, "make room");
  step (self, "preparing", "done", GODWIT_SEVERITY_OK, "make room");
  step (self, "preparing", "begun", GODWIT_SEVERITY_INFO, "make disks");
  step (self, "copying", "begun", GODWIT_SEVERITY_INFO, "copy");
  step (self, "copying", "failed", GODWIT_SEVERITY_BLOCKER, "copy: the link is down");
  step (self, "preparing", "undoing", GODWIT_SEVERITY_INFO, "make disks: undoing");
  fflush (self->stream);

  g_assert_cmpuint (count (self->text, " preparing\n"), ==, 1);
  g_assert_cmpuint (count (self->text, " copying\n"), ==, 1);
  g_assert_cmpuint (count (self->text, " make room\n"), ==, 1);
  g_assert_nonnull (strstr (self->text, " failed: copy: the link is down\n"));
  g_assert_nonnull (strstr (self->text, " make disks: undoing\n"));
}

static void
find (Fixture *self, const char *scope, GodwitSeverity severity, const char *message)
{
  g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_FINDING, "check", message);
  GVariantDict data;

  g_variant_dict_init (&data, NULL);
  if (scope != NULL)
    g_variant_dict_insert (&data, "scope", "s", scope);
  event->data = g_variant_ref_sink (g_variant_dict_end (&data));
  event->time_us = self->now_us;
  event->severity = severity;
  cli_progress_event (self->progress, event);
}

/* Why a strategy was not taken is said with the choice; what stands against the move is said here.
 */
static void
test_findings (Fixture *self, gconstpointer data)
{
  find (self, "live-shared", GODWIT_SEVERITY_BLOCKER, "vda is not shared");
  find (self, "live-block", GODWIT_SEVERITY_WARNING, "it takes long");
  find (self, NULL, GODWIT_SEVERITY_BLOCKER, "no such guest");
  find (self, NULL, GODWIT_SEVERITY_OK, "the host is reachable");
  fflush (self->stream);

  g_assert_null (strstr (self->text, "not shared"));
  g_assert_nonnull (strstr (self->text, "it takes long"));
  g_assert_nonnull (strstr (self->text, "no such guest"));
  g_assert_null (strstr (self->text, "reachable"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/cli/progress/plain", Fixture, GUINT_TO_POINTER (0), begin, test_plain, end);
  g_test_add ("/cli/progress/never-backwards", Fixture, GUINT_TO_POINTER (100), begin,
              test_never_backwards, end);
  g_test_add ("/cli/progress/redrawn-in-place", Fixture, GUINT_TO_POINTER (100), begin,
              test_redrawn_in_place, end);
  g_test_add ("/cli/progress/narrow", Fixture, GUINT_TO_POINTER (30), begin, test_narrow, end);
  g_test_add ("/cli/progress/phase-settles", Fixture, GUINT_TO_POINTER (100), begin,
              test_phase_settles, end);
  g_test_add ("/cli/progress/steps", Fixture, GUINT_TO_POINTER (0), begin, test_steps, end);
  g_test_add ("/cli/progress/findings", Fixture, GUINT_TO_POINTER (0), begin, test_findings, end);
  return g_test_run ();
}
