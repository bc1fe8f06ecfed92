/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watching.h"

#include "background.h"
#include "jobs.h"
#include "json.h"
#include "output.h"
#include "outcome.h"
#include "progress.h"

#include <signal.h>

typedef struct {
  GodwitClient *client;
  const char *job;
  const CliWatch *watch;
  CliProgress *progress; /* NULL if nothing is shown to a person */
  GCancellable *cancellable;
  gboolean stopped; /* by a signal or the time limit; the job goes on */
  guint timeout;
  gboolean aborting;
} Watching;

typedef struct {
  Watching *watching;
  GodwitEvent *event;
} Shown;

static void
shown_free (gpointer data)
{
  Shown *self = data;

  godwit_event_free (self->event);
  g_free (self);
}

static gboolean
show (gpointer data)
{
  Shown *self = data;
  Watching *watching = self->watching;

  if (watching->watch->json) {
    g_autofree char *line = NULL;

    if (watching->watch->quiet)
      return G_SOURCE_REMOVE;
    line = godwit_event_to_json (self->event, watching->job);

    puts (line);
    fflush (stdout);
  } else if (watching->progress != NULL) {
    cli_progress_event (watching->progress, self->event);
  }
  return G_SOURCE_REMOVE;
}

/* Everything is printed by the main thread, in the order in which it came. */
static void
on_event (const GodwitEvent *event, gpointer data)
{
  Watching *self = data;
  Shown *shown = g_new0 (Shown, 1);

  shown->watching = self;
  shown->event = godwit_event_copy (event);
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT_IDLE, show, shown, shown_free);
}

static gboolean
follow (gpointer data, GCancellable *cancellable, GError **error)
{
  Watching *self = data;

  return godwit_client_watch (self->client, self->job, self->watch->after, on_event, self,
                              cancellable, error);
}

static void
stop (Watching *self, GCancellable *cancellable)
{
  self->stopped = TRUE;
  g_cancellable_cancel (cancellable);
}

static gboolean
on_timeout (gpointer data)
{
  Watching *self = data;

  self->timeout = 0;
  stop (self, self->cancellable);
  return G_SOURCE_REMOVE;
}

/* --- interrupts -------------------------------------------------------------------------- */

static gboolean
say (gpointer text)
{
  cli_note ("%s", (const char *)text);
  return G_SOURCE_REMOVE;
}

/* It outlives the watching if the operator does not wait for it. */
typedef struct {
  GodwitClient *client;
  char *job;
} Abort;

static void
abort_free (Abort *self)
{
  g_object_unref (self->client);
  g_free (self->job);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Abort, abort_free)

/* The worker may need a while to answer; meanwhile progress and a second interrupt are served. */
static gpointer
ask_for_abort (gpointer data)
{
  g_autoptr (Abort) self = data;
  g_autoptr (GMainContext) own = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (own);
  if (!godwit_client_abort (self->client, self->job, &error)) {
    g_autofree char *message = godwit_error_dup_message (error);
    char *text = g_strdup_printf ("finishing: %s (a second interrupt stops watching)", message);

    g_main_context_invoke_full (g_main_context_default (), G_PRIORITY_DEFAULT_IDLE, say, text,
                                g_free);
  }
  g_main_context_pop_thread_default (own);
  return NULL;
}

static void
on_signal (int number, guint count, gpointer data, GCancellable *cancellable)
{
  Watching *self = data;
  Abort *abort;

  if (number == SIGHUP || !self->watch->may_abort || self->aborting) {
    stop (self, cancellable);
    return;
  }
  if (self->progress != NULL)
    cli_progress_settle (self->progress);
  cli_note ("aborting: what was done is undone (a second interrupt stops watching)");
  self->aborting = TRUE;
  abort = g_new0 (Abort, 1);
  abort->client = g_object_ref (self->client);
  abort->job = g_strdup (self->job);
  g_thread_unref (g_thread_new ("abort", ask_for_abort, abort));
}

/* --- the end ----------------------------------------------------------------------------- */

static CliExit
say_it_goes_on (const Watching *self)
{
  if (self->watch->json)
    cli_print_job_id (self->job, TRUE);
  cli_note ("job %s goes on", self->job);
  g_printerr ("  next: godwit watch %s\n", self->job);
  return CLI_GOES_ON;
}

void
cli_print_job_id (const char *job, gboolean json)
{
  g_autoptr (JsonBuilder) builder = NULL;

  if (!json) {
    g_print ("%s\n", job);
    return;
  }
  builder = json_builder_new ();
  json_builder_begin_object (builder);
  cli_json_add_string (builder, "kind", "started");
  cli_json_add_string (builder, "job", job);
  json_builder_end_object (builder);
  cli_json_print (builder);
}

guint64
cli_get_last_serial (GodwitClient *client, const char *job)
{
  g_autoptr (GPtrArray) events =
      godwit_journal_get_events (godwit_client_get_journal (client), job, 0, NULL);

  if (events == NULL || events->len == 0)
    return 0;
  return ((GodwitEvent *)events->pdata[events->len - 1])->serial;
}

CliExit
cli_watch_job (CliContext *context, const char *job, const CliWatch *watch)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CliProgress) progress = NULL;
  g_autoptr (GCancellable) timed = g_cancellable_new ();
  Watching self = {.job = job, .watch = watch};
  gboolean followed;

  self.client = cli_context_get_client (context, &error);
  if (self.client == NULL)
    return cli_fail (error);
  if (!watch->json && !watch->quiet)
    progress = cli_progress_new (stdout, cli_is_terminal (stdout) ? cli_get_width (stdout) : 0);
  self.progress = progress;
  self.cancellable = timed;
  if (watch->timeout_s > 0)
    self.timeout = g_timeout_add_seconds (watch->timeout_s, on_timeout, &self);
  followed = cli_run_in_background (follow, on_signal, &self, timed, &error);
  if (self.timeout > 0)
    g_source_remove (self.timeout);
  if (progress != NULL)
    cli_progress_settle (progress);
  if (self.stopped)
    return say_it_goes_on (&self);
  if (!followed) {
    cli_fail (error);
    return say_it_goes_on (&self);
  }
  return cli_print_outcome (self.client, job, watch->json);
}
