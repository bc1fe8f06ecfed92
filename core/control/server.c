/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/server.h"

#include <godwit/error.h>

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FLUSH_TIMEOUT_MS 1000

struct _GodwitServer {
  GodwitJob *job;
  char *path;
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  GDBusServer *server;
  GDBusNodeInfo *info;
  GPtrArray *connections; /* GDBusConnection; used in the thread only */
  guint flushing;
  gboolean stopping;
};

static const char introspection[] =
    "<node><interface name='" GODWIT_JOB_INTERFACE "'>"
    "<method name='Abort'/>"
    "<method name='GetRecord'><arg name='record' type='a{sv}' direction='out'/></method>"
    "<signal name='Event'><arg name='event' type='a{sv}'/></signal>"
    "</interface></node>";

/* --- methods ----------------------------------------------------------------------------- */

static char *
describe_peer (GDBusConnection *connection)
{
  GCredentials *credentials = g_dbus_connection_get_peer_credentials (connection);
  uid_t uid = credentials != NULL ? g_credentials_get_unix_user (credentials, NULL) : (uid_t)-1;
  if (uid == (uid_t)-1)
    return g_strdup ("somebody unknown");
  const struct passwd *user = getpwuid (uid);
  return g_strdup_printf ("%s (uid %u)", user != NULL ? user->pw_name : "somebody", (guint)uid);
}

static void
call_abort (GodwitServer *self, GDBusConnection *connection, GDBusMethodInvocation *invocation)
{
  g_autofree char *who = describe_peer (connection);
  g_autoptr (GError) error = NULL;
  if (!godwit_job_abort (self->job, who, &error)) {
    g_dbus_method_invocation_return_gerror (invocation, error);
    return;
  }
  godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL, "aborted by %s", who);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
call_get_record (GodwitServer *self, GDBusMethodInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  /* From the journal: the record in memory belongs to the engine's thread. */
  g_autoptr (GodwitJobRecord) record =
      godwit_journal_get_job (godwit_job_get_journal (self->job), godwit_job_get_id (self->job),
                              &error);
  if (record == NULL)
    g_dbus_method_invocation_return_gerror (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation,
                                           g_variant_new ("(@a{sv})",
                                                          godwit_job_record_to_variant (record)));
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *object_path,
         const char *interface_name, const char *method, GVariant *parameters,
         GDBusMethodInvocation *invocation, gpointer user_data)
{
  if (g_str_equal (method, "Abort"))
    call_abort (user_data, connection, invocation);
  else
    call_get_record (user_data, invocation);
}

static const GDBusInterfaceVTable vtable = {.method_call = on_call};

/* --- connections ------------------------------------------------------------------------- */

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
  GodwitServer *self = user_data;
  g_ptr_array_remove (self->connections, connection);
}

static gboolean
on_new_connection (GDBusServer *server, GDBusConnection *connection, gpointer user_data)
{
  GodwitServer *self = user_data;
  if (self->stopping ||
      g_dbus_connection_register_object (connection, GODWIT_JOB_PATH, self->info->interfaces[0],
                                         &vtable, self, NULL, NULL) == 0)
    return FALSE;
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
  g_ptr_array_add (self->connections, g_object_ref (connection));
  return TRUE;
}

/* Whoever could open root's socket is in its group; anybody else must be the same person. */
static gboolean
on_authorize (GDBusAuthObserver *observer, GIOStream *stream, GCredentials *credentials,
              gpointer user_data)
{
  uid_t uid = credentials != NULL ? g_credentials_get_unix_user (credentials, NULL) : (uid_t)-1;
  return uid != (uid_t)-1 && (uid == 0 || uid == geteuid () || geteuid () == 0);
}

static gboolean
on_allow_mechanism (GDBusAuthObserver *observer, const char *mechanism, gpointer user_data)
{
  return g_str_equal (mechanism, "EXTERNAL");
}

/* --- events ------------------------------------------------------------------------------ */

typedef struct {
  GodwitServer *server;
  GVariant *event;
} Sending;

static void
sending_free (gpointer data)
{
  Sending *sending = data;
  g_variant_unref (sending->event);
  g_free (sending);
}

static gboolean
send (gpointer data)
{
  const Sending *sending = data;
  GPtrArray *connections = sending->server->connections;
  for (guint i = 0; i < connections->len; i++)
    g_dbus_connection_emit_signal (g_ptr_array_index (connections, i), NULL, GODWIT_JOB_PATH,
                                   GODWIT_JOB_INTERFACE, "Event",
                                   g_variant_new ("(@a{sv})", sending->event), NULL);
  return G_SOURCE_REMOVE;
}

static void
invoke (GodwitServer *self, GSourceFunc function, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, self->context);
}

void
godwit_server_send (GodwitServer *self, const GodwitEvent *event)
{
  Sending *sending = g_new0 (Sending, 1);
  sending->server = self;
  sending->event = g_variant_ref_sink (godwit_event_to_variant (event));
  invoke (self, send, sending, sending_free);
}

/* --- the thread -------------------------------------------------------------------------- */

static gboolean
on_signal (gpointer data)
{
  GodwitServer *self = data;
  g_autoptr (GError) error = NULL;
  if (godwit_job_abort (self->job, "a signal", &error))
    godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL, "aborted by a signal");
  return G_SOURCE_CONTINUE;
}

static void
add_signal (GodwitServer *self, int number)
{
  g_autoptr (GSource) source = g_unix_signal_source_new (number);
  g_source_set_callback (source, on_signal, self, NULL);
  g_source_attach (source, self->context);
}

static gpointer
serve (gpointer data)
{
  GodwitServer *self = data;
  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* --- starting ---------------------------------------------------------------------------- */

static gboolean
create_server (GodwitServer *self, GError **error)
{
  struct sockaddr_un address;
  if (strlen (self->path) >= sizeof address.sun_path) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "choose a shorter GODWIT_RUNTIME_DIR",
                      "the path of the control socket %s is longer than the %zu bytes that a "
                      "socket's path may have",
                      self->path, sizeof address.sun_path - 1);
    return FALSE;
  }
  g_unlink (self->path);
  g_autofree char *escaped = g_dbus_address_escape_value (self->path);
  g_autofree char *where = g_strconcat ("unix:path=", escaped, NULL);
  g_autofree char *guid = g_dbus_generate_guid ();
  g_autoptr (GDBusAuthObserver) observer = g_dbus_auth_observer_new ();
  g_signal_connect (observer, "authorize-authenticated-peer", G_CALLBACK (on_authorize), self);
  g_signal_connect (observer, "allow-mechanism", G_CALLBACK (on_allow_mechanism), self);
  g_main_context_push_thread_default (self->context);
  self->server =
      g_dbus_server_new_sync (where, G_DBUS_SERVER_FLAGS_NONE, guid, observer, NULL, error);
  g_main_context_pop_thread_default (self->context);
  return self->server != NULL;
}

static gboolean
set_access (const char *path, GError **error)
{
  const struct group *group = geteuid () == 0 ? getgrnam ("godwit") : NULL;
  if ((group == NULL || chown (path, 0, group->gr_gid) == 0) &&
      chmod (path, group != NULL ? 0660 : 0600) == 0)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                    "cannot set the access to the control socket %s: %s", path, g_strerror (errno));
  return FALSE;
}

static void
server_free (GodwitServer *self)
{
  g_clear_object (&self->server);
  g_ptr_array_unref (self->connections);
  g_dbus_node_info_unref (self->info);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_object_unref (self->job);
  g_free (self->path);
  g_free (self);
}

GodwitServer *
godwit_server_start (GodwitJob *job, const char *path, GError **error)
{
  GodwitServer *self = g_new0 (GodwitServer, 1);
  self->job = g_object_ref (job);
  self->path = g_strdup (path);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->info = g_dbus_node_info_new_for_xml (introspection, NULL);
  self->connections = g_ptr_array_new_with_free_func (g_object_unref);
  /* Nobody can connect before the access is set: it listens only once it is started. */
  if (!create_server (self, error) || !set_access (path, error)) {
    server_free (self);
    return NULL;
  }
  g_signal_connect (self->server, "new-connection", G_CALLBACK (on_new_connection), self);
  add_signal (self, SIGTERM);
  add_signal (self, SIGINT);
  self->thread = g_thread_new ("control", serve, self);
  g_dbus_server_start (self->server);
  return self;
}

/* --- stopping ---------------------------------------------------------------------------- */

static gboolean
quit (gpointer data)
{
  GodwitServer *self = data;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
on_flushed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GodwitServer *self = user_data;
  g_dbus_connection_flush_finish (G_DBUS_CONNECTION (source), result, NULL);
  if (--self->flushing == 0)
    g_main_loop_quit (self->loop);
}

static gboolean
flush (gpointer data)
{
  GodwitServer *self = data;
  self->stopping = TRUE;
  g_dbus_server_stop (self->server);
  if (self->connections->len == 0)
    return quit (self);
  self->flushing = self->connections->len;
  for (guint i = 0; i < self->connections->len; i++)
    g_dbus_connection_flush (g_ptr_array_index (self->connections, i), NULL, on_flushed, self);
  g_autoptr (GSource) timeout = g_timeout_source_new (FLUSH_TIMEOUT_MS);
  g_source_set_callback (timeout, quit, self, NULL);
  g_source_attach (timeout, self->context);
  return G_SOURCE_REMOVE;
}

void
godwit_server_stop (GodwitServer *self)
{
  if (self == NULL)
    return;
  invoke (self, flush, self, NULL);
  g_thread_join (self->thread);
  g_unlink (self->path);
  g_main_context_push_thread_default (self->context);
  for (guint i = 0; i < self->connections->len; i++) {
    GDBusConnection *connection = g_ptr_array_index (self->connections, i);
    g_signal_handlers_disconnect_by_data (connection, self);
    g_dbus_connection_close (connection, NULL, NULL, NULL);
  }
  /* The closing needs the context once more; what is left of it afterwards has no callback. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  server_free (self);
}
