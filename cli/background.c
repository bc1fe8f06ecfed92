/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "background.h"

#include "cli.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

typedef struct {
  CliWork work;
  CliSignal on_signal;
  gpointer data;
  GCancellable *cancellable;
  GMainLoop *loop;
  guint count;
  gboolean success;
  GError *error;
} Background;

typedef struct {
  Background *background;
  int number;
} Watch;

static gboolean
finish (gpointer data)
{
  Background *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run (gpointer data)
{
  Background *self = data;
  /* Synchronous calls over D-Bus must not need the main thread's context. */
  g_autoptr (GMainContext) own = g_main_context_new ();

  g_main_context_push_thread_default (own);
  self->success = self->work (self->data, self->cancellable, &self->error);
  g_main_context_pop_thread_default (own);
  g_idle_add (finish, self);
  return NULL;
}

static gboolean
on_signal (gpointer data)
{
  Watch *watch = data;
  Background *self = watch->background;

  self->count++;
  if (self->on_signal != NULL)
    self->on_signal (watch->number, self->count, self->data, self->cancellable);
  else if (self->count == 1)
    g_cancellable_cancel (self->cancellable);
  else
    _exit (CLI_INTERRUPTED);
  return G_SOURCE_CONTINUE;
}

/* A shell that starts us with a signal ignored (nohup, or a script's background job) wants us to
 * live through it. */
static gboolean
is_ignored (int number)
{
  struct sigaction action;

  return sigaction (number, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) &&
         action.sa_handler == SIG_IGN;
}

gboolean
cli_run_in_background (CliWork work, CliSignal handler, gpointer data, GCancellable *cancellable,
                       GError **error)
{
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  Background self = {.work = work, .on_signal = handler, .data = data};
  Watch watches[G_N_ELEMENTS (numbers)];
  guint sources[G_N_ELEMENTS (numbers)];
  GThread *thread;

  self.cancellable = cancellable != NULL ? g_object_ref (cancellable) : g_cancellable_new ();
  self.loop = g_main_loop_new (NULL, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    watches[i] = (Watch){&self, numbers[i]};
    sources[i] =
        is_ignored (numbers[i]) ? 0 : g_unix_signal_add (numbers[i], on_signal, &watches[i]);
  }
  thread = g_thread_new ("work", run, &self);
  g_main_loop_run (self.loop);
  g_thread_join (thread);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (sources[i] != 0)
      g_source_remove (sources[i]);
  g_main_loop_unref (self.loop);
  g_object_unref (self.cancellable);
  if (self.error != NULL)
    g_propagate_error (error, self.error);
  return self.success;
}
