/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/wire.h"

#include <godwit/error.h>

void
godwit_wire_register_errors (void)
{
  static gsize once;
  static const GDBusErrorEntry entries[] = {
      {GODWIT_ERROR_NOT_SUPPORTED, "org.godwit.Error.NotSupported"},
      {GODWIT_ERROR_UNAVAILABLE, "org.godwit.Error.Unavailable"},
      {GODWIT_ERROR_CONFIG, "org.godwit.Error.Config"},
      {GODWIT_ERROR_DENIED, "org.godwit.Error.Denied"},
      {GODWIT_ERROR_BUSY, "org.godwit.Error.Busy"},
      {GODWIT_ERROR_TRANSIENT, "org.godwit.Error.Transient"},
      {GODWIT_ERROR_CORRUPT, "org.godwit.Error.Corrupt"},
      {GODWIT_ERROR_PEER, "org.godwit.Error.Peer"},
      {GODWIT_ERROR_CANCELLED, "org.godwit.Error.Cancelled"},
      {GODWIT_ERROR_EXISTS, "org.godwit.Error.Exists"},
      {GODWIT_ERROR_NOT_FOUND, "org.godwit.Error.NotFound"},
      {GODWIT_ERROR_REFUSED, "org.godwit.Error.Refused"},
      {GODWIT_ERROR_IN_DOUBT, "org.godwit.Error.InDoubt"},
      {GODWIT_ERROR_INTERNAL, "org.godwit.Error.Internal"},
  };
  if (!g_once_init_enter (&once))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    g_dbus_error_register_error (GODWIT_ERROR, entries[i].error_code, entries[i].dbus_error_name);
  g_once_init_leave (&once, 1);
}

static gboolean
allow_mechanism (G_GNUC_UNUSED GDBusAuthObserver *observer, const char *mechanism,
                 G_GNUC_UNUSED gpointer user_data)
{
  return g_str_equal (mechanism, "ANONYMOUS");
}

static gboolean
authorize (G_GNUC_UNUSED GDBusAuthObserver *observer, G_GNUC_UNUSED GIOStream *stream,
           G_GNUC_UNUSED GCredentials *credentials, G_GNUC_UNUSED gpointer user_data)
{
  return TRUE;
}

typedef struct {
  GCancellable *cancellable;
  GAsyncResult *result;
  gboolean late;
} Handshake;

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Handshake *handshake = user_data;
  handshake->result = g_object_ref (result);
}

static gboolean
on_late (gpointer user_data)
{
  Handshake *handshake = user_data;
  handshake->late = TRUE;
  g_cancellable_cancel (handshake->cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer inner)
{
  g_cancellable_cancel (inner);
}

GDBusConnection *
godwit_wire_connect (GIOStream *stream, gboolean server, guint timeout_ms,
                     GCancellable *cancellable, GError **error)
{
  godwit_wire_register_errors ();
  g_autoptr (GDBusAuthObserver) observer = g_dbus_auth_observer_new ();
  g_signal_connect (observer, "allow-mechanism", G_CALLBACK (allow_mechanism), NULL);
  g_signal_connect (observer, "authorize-authenticated-peer", G_CALLBACK (authorize), NULL);
  g_autofree char *guid = server ? g_dbus_generate_guid () : NULL;
  GDBusConnectionFlags flags = server ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
                                            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS |
                                            G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING
                                      : G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;

  /* The connection's signals go to the context it was made in. The agent has a main loop for
   * them; on the controller's side calls only block, in whatever thread. */
  g_autoptr (GMainContext) context =
      server ? g_main_context_ref (g_main_context_default ()) : g_main_context_new ();
  g_autoptr (GCancellable) inner = g_cancellable_new ();
  g_autoptr (GSource) timer = g_timeout_source_new (timeout_ms);
  Handshake handshake = {.cancellable = inner};
  g_source_set_callback (timer, on_late, &handshake, NULL);
  g_source_attach (timer, context);
  gulong handler = 0;
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), inner, NULL);
  g_main_context_push_thread_default (context);
  g_dbus_connection_new (stream, guid, flags, observer, inner, on_connected, &handshake);
  while (handshake.result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  g_cancellable_disconnect (cancellable, handler);
  g_source_destroy (timer);

  g_autoptr (GAsyncResult) result = handshake.result;
  g_autoptr (GError) local = NULL;
  GDBusConnection *connection = g_dbus_connection_new_finish (result, &local);
  if (connection != NULL)
    return connection;
  if (handshake.late)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "timed out");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

GVariant *
godwit_wire_error_to_variant (const GError *error)
{
  guint32 code = error->domain == GODWIT_ERROR ? (guint32)error->code : GODWIT_ERROR_INTERNAL;
  if (error->domain != GODWIT_ERROR && godwit_error_is_cancelled (error))
    code = GODWIT_ERROR_CANCELLED;
  return g_variant_new ("(us)", code, error->message);
}

GError *
godwit_wire_error_from_variant (GVariant *variant)
{
  guint32 code = GODWIT_ERROR_INTERNAL;
  const char *message = "";
  g_variant_get (variant, "(u&s)", &code, &message);
  return g_error_new_literal (GODWIT_ERROR, MIN (code, GODWIT_ERROR_INTERNAL), message);
}
