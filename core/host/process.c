/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/fd.h"
#include "channel/wire.h"
#include "host/host-internal.h"

#include <godwit/error.h>

#include <string.h>

#define READY_MS 12000

void
godwit_run_result_free (GodwitRunResult *result)
{
  if (result == NULL)
    return;
  g_free (result->output);
  g_free (result->errors);
  g_free (result);
}

static char *
lookup_text (GVariant *details, const char *key)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (details, key, G_VARIANT_TYPE_BYTESTRING);
  if (value == NULL)
    return g_strdup ("");
  gsize length;
  const char *data = g_variant_get_fixed_array (value, &length, 1);
  /* An empty array has no data at all, and callers may print what they get. */
  return length > 0 ? g_strndup (data, length) : g_strdup ("");
}

GodwitRunResult *
godwit_host_run (GodwitHost *self, const char *const *argv, guint deadline,
                 GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && argv != NULL, NULL);
  guint id = godwit_host_start (self, "StartRun", g_variant_new ("(^asu)", argv, deadline),
                                cancellable, error);
  g_autoptr (GVariant) details = id != 0 ? godwit_host_finish (self, id, cancellable, error) : NULL;
  if (details == NULL)
    return NULL;
  GodwitRunResult *result = g_new0 (GodwitRunResult, 1);
  g_variant_lookup (details, "status", "i", &result->status);
  result->output = lookup_text (details, "output");
  result->errors = lookup_text (details, "errors");
  return result;
}

char *
godwit_host_run_checked (GodwitHost *self, const char *const *argv, guint deadline,
                         GCancellable *cancellable, GError **error)
{
  g_autoptr (GodwitRunResult) result = godwit_host_run (self, argv, deadline, cancellable, error);
  if (result == NULL)
    return NULL;
  if (result->status == 0)
    return g_steal_pointer (&result->output);
  g_autofree char *command = g_strjoinv (" ", (char **)argv);
  g_strstrip (result->errors);
  g_strstrip (result->output);
  const char *said = *result->errors != '\0' ? result->errors : result->output;
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s: '%s' failed with status %d%s%s",
                    self->name, command, result->status, *said != '\0' ? ": " : "", said);
  return NULL;
}

/* --- processes ------------------------------------------------------------------------------ */

struct _GodwitProcess {
  GObject parent_instance;
  GodwitHost *host;
  guint id;
  GMutex lock;
  gboolean exited;
  gboolean stopped;
};

G_DEFINE_FINAL_TYPE (GodwitProcess, godwit_process, G_TYPE_OBJECT)

static void
godwit_process_finalize (GObject *object)
{
  GodwitProcess *self = GODWIT_PROCESS (object);
  godwit_process_stop (self, NULL);
  g_clear_object (&self->host);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (godwit_process_parent_class)->finalize (object);
}

static void
godwit_process_class_init (GodwitProcessClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_process_finalize;
}

static void
godwit_process_init (GodwitProcess *self)
{
  g_mutex_init (&self->lock);
}

static GodwitProcess *
new_process (GodwitHost *host, guint id)
{
  if (id == 0)
    return NULL;
  GodwitProcess *self = g_object_new (GODWIT_TYPE_PROCESS, NULL);
  self->host = g_object_ref (host);
  self->id = id;
  return self;
}

GodwitProcess *
godwit_host_start_service (GodwitHost *self, const char *const *argv, const char *ready_path,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && argv != NULL, NULL);
  const char *path = ready_path != NULL ? ready_path : "";
  g_autoptr (GodwitProcess) process =
      new_process (self,
                   godwit_host_start (self, "StartService", g_variant_new ("(^ass)", argv, path),
                                      cancellable, error));
  gint64 deadline = godwit_deadline_in_ms (READY_MS);
  while (process != NULL) {
    gboolean done;
    g_autoptr (GVariant) details = NULL;
    gboolean ready = FALSE;
    if (!godwit_host_poll (self, process->id, GODWIT_AGENT_POLL_MS, &done, &details, cancellable,
                           error))
      return NULL;
    g_variant_lookup (details, "ready", "b", &ready);
    if (ready)
      return g_steal_pointer (&process);
    if (done || g_get_monotonic_time () > deadline) {
      godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s: %s ended at once", self->name,
                        argv[0]);
      return NULL;
    }
  }
  return NULL;
}

GodwitProcess *
godwit_host_watch_process (GodwitHost *self, const char *pid_file, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && pid_file != NULL, NULL);
  return new_process (self, godwit_host_start (self, "Watch", g_variant_new ("(s)", pid_file),
                                               cancellable, error));
}

static gboolean
check_known (GodwitProcess *self, gboolean *exited, GError **error)
{
  g_mutex_lock (&self->lock);
  *exited = self->exited;
  gboolean usable = self->exited || !self->stopped;
  g_mutex_unlock (&self->lock);
  if (!usable)
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL,
                      "%s: a process is asked for that is no longer watched", self->host->name);
  return usable;
}

gboolean
godwit_process_wait (GodwitProcess *self, guint timeout_ms, gboolean *exited,
                     GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_PROCESS (self) && exited != NULL, FALSE);
  gint64 deadline = godwit_deadline_in_ms (timeout_ms);
  while (TRUE) {
    gboolean done = FALSE;
    if (!check_known (self, exited, error))
      return FALSE;
    if (*exited)
      return TRUE;
    gint64 left_ms = MAX (0, deadline - g_get_monotonic_time ()) / 1000;
    if (!godwit_host_poll (self->host, self->id, (guint)MIN (left_ms, GODWIT_AGENT_POLL_MS), &done,
                           NULL, cancellable, error))
      return FALSE;
    if (done) {
      g_mutex_lock (&self->lock);
      self->exited = TRUE;
      g_mutex_unlock (&self->lock);
    } else if (left_ms == 0) {
      return TRUE;
    }
  }
}

gboolean
godwit_process_stop (GodwitProcess *self, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_PROCESS (self), FALSE);
  g_mutex_lock (&self->lock);
  gboolean first = !self->stopped;
  self->stopped = TRUE;
  g_mutex_unlock (&self->lock);
  if (!first ||
      godwit_host_call_nothing (self->host, "Cancel", g_variant_new ("(u)", self->id), NULL, error))
    return TRUE;
  /* It may not even have been sent, so whoever tries again must not be told that it was. */
  g_mutex_lock (&self->lock);
  self->stopped = FALSE;
  g_mutex_unlock (&self->lock);
  godwit_host_post_cancel (self->host, self->id);
  return FALSE;
}
