/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/connection.h"

#include "channel/wire.h"

#include "control/server.h"

#include <godwit/error.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OPEN_TIMEOUT_MS 5000

/* A worker that is stopped still has its socket open, and would let us wait for ever. */
typedef struct {
  GDBusConnection *connection;
  GError *error;
  gboolean done;
} Opening;

static void
on_open (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Opening *opening = user_data;
  opening->connection = g_dbus_connection_new_for_address_finish (result, &opening->error);
  opening->done = TRUE;
}

static gboolean
on_timeout (gpointer data)
{
  g_cancellable_cancel (data);
  return G_SOURCE_REMOVE;
}

static void
pass_on (GCancellable *parent, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
open_in_context (Opening *opening, const char *address, GMainContext *context,
                 GCancellable *cancellable)
{
  g_autoptr (GSource) timeout = g_timeout_source_new (OPEN_TIMEOUT_MS);
  g_source_set_callback (timeout, on_timeout, cancellable, NULL);
  g_source_attach (timeout, context);
  g_main_context_push_thread_default (context);
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                         G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                     NULL, cancellable, on_open, opening);
  while (!opening->done)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  g_source_destroy (timeout);
}

static GDBusConnection *
open_in_time (const char *address, GCancellable *parent, GError **error)
{
  /* A connection tells of its end in the context in which it was made: the caller's, if it has
   * one of its own. */
  GMainContext *own = g_main_context_get_thread_default ();
  g_autoptr (GMainContext) context = own != NULL ? g_main_context_ref (own) : g_main_context_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Opening opening = {NULL};
  gulong handler =
      parent != NULL ? g_cancellable_connect (parent, G_CALLBACK (pass_on), cancellable, NULL) : 0;
  open_in_context (&opening, address, context, cancellable);
  if (parent != NULL)
    g_cancellable_disconnect (parent, handler);
  if (opening.error != NULL)
    g_propagate_error (error, opening.error);
  return opening.connection;
}

GDBusConnection *
godwit_connection_open (const GodwitJobRecord *record, GCancellable *cancellable, GError **error)
{
  g_autofree char *recover = g_strdup_printf ("godwit recover %s", record->id);
  if (record->control_path == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, recover,
                      "job %s has no worker that could be asked", record->id);
    return NULL;
  }
  g_autofree char *escaped = g_dbus_address_escape_value (record->control_path);
  g_autofree char *address = g_strconcat ("unix:path=", escaped, NULL);
  g_autoptr (GError) local = NULL;
  GDBusConnection *connection = open_in_time (address, cancellable, &local);
  if (connection != NULL)
    return connection;
  gboolean denied = g_error_matches (local, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  godwit_set_error (error, denied ? GODWIT_ERROR_DENIED : GODWIT_ERROR_UNAVAILABLE,
                    denied ? "become root or a member of the group godwit" : recover,
                    "the worker of job %s cannot be reached at %s: %s", record->id,
                    record->control_path, local->message);
  return NULL;
}

GVariant *
godwit_connection_call (GDBusConnection *connection, const char *method, int timeout_ms,
                        GError **error)
{
  /* The worker, which speaks to agents too, sends its errors by these names. */
  godwit_wire_register_errors ();
  g_autoptr (GError) local = NULL;
  GVariant *reply =
      g_dbus_connection_call_sync (connection, NULL, GODWIT_JOB_PATH, GODWIT_JOB_INTERFACE, method,
                                   NULL, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, timeout_ms, NULL,
                                   &local);
  if (reply != NULL)
    return reply;
  g_dbus_error_strip_remote_error (local);
  if (local->domain == GODWIT_ERROR)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "the worker does not answer: %s",
                      local->message);
  return NULL;
}

gboolean
godwit_connection_ask (const GodwitJobRecord *record, const char *method, int timeout_ms,
                       GError **error)
{
  g_autoptr (GDBusConnection) connection = godwit_connection_open (record, NULL, error);
  if (connection == NULL)
    return FALSE;
  g_dbus_connection_start_message_processing (connection);
  g_autoptr (GVariant) reply = godwit_connection_call (connection, method, timeout_ms, error);
  g_dbus_connection_close_sync (connection, NULL, NULL);
  return reply != NULL;
}

int
godwit_connection_find_listener (const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct ucred peer = {0};
  socklen_t length = sizeof peer;
  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    return 0;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && (connect (fd, (struct sockaddr *)&address, sizeof address) != 0 ||
                  getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0))
    peer.pid = 0;
  if (fd >= 0)
    close (fd);
  return peer.pid;
}
