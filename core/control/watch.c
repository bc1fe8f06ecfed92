/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/client.h"
#include "control/connection.h"
#include "control/leftovers.h"
#include "control/lock.h"
#include "control/server.h"

#include <godwit/error.h>

#define POLL_CONNECTED_MS 1000
#define POLL_ALONE_MS     50

typedef struct {
  GodwitJournal *journal;
  const char *job;
  guint64 last; /* serial of the last event that was told */
  GodwitEventFunc listener;
  gpointer user_data;
  GCancellable *cancellable;
  GMainContext *context;
  GDBusConnection *connection;
  guint subscription;
  gboolean connected;
  guint64 refused_epoch; /* of the worker that would not let us in */
} Watch;

/* The journal is the one source of what is kept, so nothing is told twice, late or in disorder. */
static gboolean
drain (Watch *self, GError **error)
{
  g_autoptr (GPtrArray) events =
      godwit_journal_get_events (self->journal, self->job, self->last, error);
  if (events == NULL)
    return FALSE;
  for (guint i = 0; i < events->len; i++) {
    const GodwitEvent *event = g_ptr_array_index (events, i);
    self->last = event->serial;
    self->listener (event, self->user_data);
  }
  return TRUE;
}

static void
on_event (GDBusConnection *connection, const char *sender, const char *object_path,
          const char *interface_name, const char *signal, GVariant *parameters, gpointer user_data)
{
  Watch *self = user_data;
  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(a{sv})")))
    return;
  g_autoptr (GVariant) content = g_variant_get_child_value (parameters, 0);
  g_autoptr (GodwitEvent) event = godwit_event_from_variant (content);
  if (event == NULL)
    return;
  /* What is in the journal is read there; what is not is progress. */
  if (event->serial == 0)
    self->listener (event, self->user_data);
  else
    drain (self, NULL);
}

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
  Watch *self = user_data;
  self->connected = FALSE;
  g_main_context_wakeup (self->context);
}

static void
disconnect (Watch *self)
{
  if (self->connection == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->connection, self);
  g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
  self->connected = FALSE;
}

static void
connect_to (Watch *self, const GodwitJobRecord *record)
{
  disconnect (self);
  if (record->control_path == NULL || record->epoch == self->refused_epoch)
    return;
  g_autoptr (GError) error = NULL;
  self->connection = godwit_connection_open (record, self->cancellable, &error);
  if (self->connection == NULL) {
    /* Without the right to connect everything but progress is read from the journal. */
    if (g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_DENIED))
      self->refused_epoch = record->epoch;
    return;
  }
  self->connected = TRUE;
  self->subscription =
      g_dbus_connection_signal_subscribe (self->connection, NULL, GODWIT_JOB_INTERFACE, "Event",
                                          GODWIT_JOB_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_event,
                                          self, NULL);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);
  g_dbus_connection_start_message_processing (self->connection);
}

static gboolean
is_worked_on (const GodwitJobRecord *record)
{
  switch (godwit_lock_look (record->id)) {
  case GODWIT_LOCK_HELD:
    return TRUE;
  case GODWIT_LOCK_FREE:
    return godwit_job_record_is_worker_alive (record);
  case GODWIT_LOCK_UNKNOWN:
    break;
  }
  return godwit_job_record_is_worker_alive (record) ||
         (!godwit_job_state_is_terminal (record->state) && record->error == NULL);
}

static gboolean
on_timeout (gpointer data)
{
  gboolean *over = data;
  *over = TRUE;
  return G_SOURCE_CONTINUE;
}

static void
wait_a_while (Watch *self)
{
  gboolean over = FALSE;
  g_autoptr (GSource) timeout =
      g_timeout_source_new (self->connected ? POLL_CONNECTED_MS : POLL_ALONE_MS);
  g_source_set_callback (timeout, on_timeout, &over, NULL);
  g_source_attach (timeout, self->context);
  gboolean connected = self->connected;
  while (!over && self->connected == connected && !g_cancellable_is_cancelled (self->cancellable))
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (timeout);
}

/* FALSE when there is nothing more to wait for. */
static gboolean
follow_once (Watch *self, GError **error)
{
  GError *local = NULL;
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (self->journal, self->job, &local);
  if (record == NULL) {
    g_propagate_error (error, local);
    return FALSE;
  }
  /* Asked before the journal is read: what the last worker wrote is then in it. */
  gboolean worked_on = is_worked_on (record);
  if (worked_on && !self->connected)
    connect_to (self, record);
  if (!drain (self, &local)) {
    g_propagate_error (error, local);
    return FALSE;
  }
  if (!worked_on || g_cancellable_is_cancelled (self->cancellable))
    return FALSE;
  wait_a_while (self);
  return TRUE;
}

static gboolean
wake_up (GCancellable *cancellable, gpointer data)
{
  return G_SOURCE_REMOVE;
}

gboolean
godwit_client_watch (GodwitClient *client, const char *job, guint64 after, GodwitEventFunc listener,
                     gpointer user_data, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CLIENT (client) && job != NULL && listener != NULL, FALSE);
  g_autoptr (GMainContext) context = g_main_context_new ();
  Watch self = {.journal = godwit_client_get_journal (client),
                .job = job,
                .last = after,
                .listener = listener,
                .user_data = user_data,
                .cancellable = cancellable,
                .context = context};
  g_autoptr (GSource) cancelled =
      cancellable != NULL ? g_cancellable_source_new (cancellable) : NULL;
  if (cancelled != NULL) {
    g_source_set_callback (cancelled, G_SOURCE_FUNC (wake_up), NULL, NULL);
    g_source_attach (cancelled, context);
  }
  GError *local = NULL;
  g_main_context_push_thread_default (context);
  while (follow_once (&self, &local))
    ;
  disconnect (&self);
  g_main_context_pop_thread_default (context);
  if (cancelled != NULL)
    g_source_destroy (cancelled);
  if (local != NULL) {
    g_propagate_error (error, local);
    return FALSE;
  }
  /* If worker and supervisor were killed after their last word, nobody else comes to clean up. */
  if (!g_cancellable_is_cancelled (cancellable))
    godwit_leftovers_sweep (job);
  return TRUE;
}
