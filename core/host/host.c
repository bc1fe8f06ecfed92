/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/paths.h"
#include "channel/fd.h"
#include "channel/wire.h"
#include "host/forward.h"
#include "host/host-internal.h"

#include <godwit/error.h>

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>

#include <signal.h>

#define CONNECT_S     30
#define HANDSHAKE_MS  10000
#define PING_S        15
#define SILENT_PING_S 1
#define GRACE_MS      2500

G_DEFINE_FINAL_TYPE (GodwitHost, godwit_host, G_TYPE_OBJECT)

static const char *const *local_agent;

void
godwit_host_set_local_agent (const char *const *argv)
{
  local_agent = argv;
}

/* --- what is known of it -------------------------------------------------------------------- */

const char *
godwit_host_get_name (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return self->name;
}

gboolean
godwit_host_is_local (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), FALSE);
  return self->transport == NULL;
}

GodwitTransport *
godwit_host_get_transport (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return self->transport;
}

const char *
godwit_host_get_config (GodwitHost *self, const char *key)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return self->config != NULL ? g_hash_table_lookup (self->config, key) : NULL;
}

static const char *
get_info_text (GodwitHost *self, const char *key)
{
  const char *text = NULL;
  if (self->info != NULL)
    g_variant_lookup (self->info, key, "&s", &text);
  return text;
}

const char *
godwit_host_get_machine_id (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return get_info_text (self, "machine-id");
}

const char *
godwit_host_get_hostname (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return get_info_text (self, "hostname");
}

const char *
godwit_host_get_state_dir (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return get_info_text (self, "state-dir");
}

const char *
godwit_host_get_boot_id (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return get_info_text (self, "boot-id");
}

const char *
godwit_host_get_agent_version (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return self->channel->hello.version;
}

guint
godwit_host_get_agent_protocol (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), 0);
  return self->channel->protocol;
}

const char *
godwit_host_get_banner (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), NULL);
  return self->channel->hello.banner;
}

guint32
godwit_host_get_agent_uid (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), 0);
  guint32 uid = G_MAXUINT32;
  g_variant_lookup (self->info, "uid", "u", &uid);
  return uid;
}

gint64
godwit_host_get_clock_offset_us (GodwitHost *self)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), 0);
  return self->clock_offset_us;
}

/* --- opening -------------------------------------------------------------------------------- */

GStrv
godwit_host_get_own_command (void)
{
  const char *own[] = {godwit_paths_get_self (), "agent", "--stdio", NULL};
  return g_strdupv ((char **)(local_agent != NULL ? local_agent : own));
}

static GStrv
get_command (GodwitHost *self, gboolean control, GError **error)
{
  if (self->transport != NULL)
    return godwit_transport_get_command (self->transport, GODWIT_ROUTE_OPERATOR, self->session,
                                         (const char *const *)self->agent, error);
  GStrv argv = godwit_host_get_own_command ();
  if (!control)
    return argv;
  /* Whoever started us here could run any command himself. */
  guint length = g_strv_length (argv);
  argv = g_renew (char *, argv, length + 2);
  argv[length] = g_strdup ("--any-channel");
  argv[length + 1] = NULL;
  return argv;
}

static void
explain (int status, const char *printed, gpointer transport, GError **error)
{
  godwit_transport_explain (transport, status, printed, error);
}

static GodwitChannel *
open_channel (GodwitHost *self, const char *token, guint offer_ms, GCancellable *cancellable,
              GError **error)
{
  g_auto (GStrv) argv = get_command (self, token == NULL, error);
  if (argv == NULL) {
    g_prefix_error (error, "cannot reach %s: ", self->name);
    return NULL;
  }
  const char *timeout = godwit_host_get_config (self, "connect-timeout");
  guint64 seconds = CONNECT_S;
  if (timeout != NULL)
    g_ascii_string_to_unsigned (timeout, 10, 1, 600, &seconds, NULL);
  GodwitChannelOptions options = {.host = self->name,
                                  .argv = (const char *const *)argv,
                                  .token = token,
                                  .connect_ms = (guint)seconds * 1000,
                                  .offer_ms = offer_ms,
                                  .explain = self->transport != NULL ? explain : NULL,
                                  .explain_data = self->transport};
  return godwit_channel_open (&options, cancellable, error);
}

GodwitChannel *
godwit_host_open_channel (GodwitHost *self, const char *token, guint wait_ms,
                          GCancellable *cancellable, GError **error)
{
  return open_channel (self, token, wait_ms + 10000, cancellable, error);
}

static gboolean
connect_bus (GodwitHost *self, GCancellable *cancellable, GError **error)
{
  GodwitStream pipes = godwit_channel_steal_stream (self->channel);
  g_autoptr (GInputStream) input = g_unix_input_stream_new (pipes.in, TRUE);
  g_autoptr (GOutputStream) output = g_unix_output_stream_new (pipes.out, TRUE);
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (input, output);
  g_autoptr (GError) local = NULL;
  self->connection = godwit_wire_connect (stream, FALSE, HANDSHAKE_MS, cancellable, &local);
  if (self->connection != NULL)
    return TRUE;
  if (godwit_error_is_cancelled (local)) {
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "connecting to %s was cancelled",
                      self->name);
    return FALSE;
  }
  g_autofree char *errors = godwit_channel_dup_errors (self->channel, 500);
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                    "the agent on %s answered and then failed: %s%s%s", self->name, local->message,
                    *errors != '\0' ? "; it printed: " : "", errors);
  return FALSE;
}

static gboolean
read_info (GodwitHost *self, GCancellable *cancellable, GError **error)
{
  gint64 before = g_get_real_time ();
  g_autoptr (GVariant) reply =
      godwit_host_call (self, "GetInfo", NULL, "(a{sv})", 0, cancellable, error);
  if (reply == NULL)
    return FALSE;
  gint64 after = g_get_real_time ();
  self->info = g_variant_get_child_value (reply, 0);
  gint64 there = after;
  g_variant_lookup (self->info, "time-us", "x", &there);
  self->clock_offset_us = there - (before + (after - before) / 2);
  return TRUE;
}

static void
wake_keep_alive (GodwitHost *self, gboolean *reason)
{
  g_mutex_lock (&self->lock);
  *reason = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
godwit_host_suspect (GodwitHost *self)
{
  wake_keep_alive (self, &self->suspect);
}

void
godwit_host_ask (GodwitHost *self)
{
  wake_keep_alive (self, &self->asked);
}

/* Tells the agent that we are there. It gives up when it hears nothing for long, because a cut
 * network tells it nothing. Two questions without an answer, of which one may be another call, tell
 * us the same of the agent. A session that has ended says so itself. */
static gpointer
keep_alive (gpointer user_data)
{
  GodwitHost *self = user_data;
  guint misses = 0;
  g_mutex_lock (&self->lock);
  while (!self->closed && !g_dbus_connection_is_closed (self->connection)) {
    guint pause_s = misses > 0 ? SILENT_PING_S : PING_S;
    gint64 next = godwit_deadline_in_ms (pause_s * 1000);
    while (!self->closed && !self->suspect && !self->asked &&
           g_cond_wait_until (&self->changed, &self->lock, next))
      ;
    if (self->closed)
      continue;
    self->asked = FALSE;
    g_mutex_unlock (&self->lock);
    gboolean answered = godwit_host_call_nothing (self, "Ping", NULL, self->closing, NULL);
    g_mutex_lock (&self->lock);
    misses = answered ? 0 : misses + 1 + self->suspect;
    self->suspect = FALSE;
    g_atomic_int_set (&self->silent, misses > 1 && !g_dbus_connection_is_closed (self->connection));
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

static GHashTable *
copy_config (GHashTable *config)
{
  if (config == NULL)
    return NULL;
  GHashTable *copy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, config);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (copy, g_strdup (key), g_strdup (value));
  return copy;
}

GodwitHost *
godwit_host_open (const GodwitHostOptions *options, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (options != NULL && options->name != NULL, NULL);
  static const char *const usual_agent[] = {"godwit", "agent", "--stdio", NULL};
  g_autoptr (GodwitHost) self = g_object_new (GODWIT_TYPE_HOST, NULL);
  self->name = g_strdup (options->name);
  self->transport = options->transport != NULL ? g_object_ref (options->transport) : NULL;
  self->agent = g_strdupv ((char **)(options->agent != NULL ? options->agent : usual_agent));
  self->session = g_strdup (options->session);
  self->config = copy_config (options->config);
  self->channel = open_channel (self, NULL, 0, cancellable, error);
  if (self->channel == NULL || !connect_bus (self, cancellable, error) ||
      !read_info (self, cancellable, error))
    return NULL;
  self->keepalive = g_thread_new ("godwit-ping", keep_alive, self);
  return g_steal_pointer (&self);
}

/* --- closing -------------------------------------------------------------------------------- */

void
godwit_host_close (GodwitHost *self)
{
  g_return_if_fail (GODWIT_IS_HOST (self));
  g_mutex_lock (&self->lock);
  gboolean first = !self->closed;
  self->closed = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (!first)
    return;
  g_ptr_array_set_size (self->forwards, 0);
  g_cancellable_cancel (self->closing);
  /* The end of its input tells the agent to end. Not waited for: a peer that hangs does not
   * take what is still to be written. */
  if (self->connection != NULL)
    g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_pointer (&self->keepalive, g_thread_join);
  if (self->channel == NULL)
    return;
  godwit_child_close_input (self->channel->child);
  if (!godwit_child_wait (self->channel->child, GRACE_MS, NULL, NULL)) {
    godwit_child_signal (self->channel->child, SIGTERM);
    godwit_child_wait (self->channel->child, 500, NULL, NULL);
  }
}

static void
godwit_host_finalize (GObject *object)
{
  GodwitHost *self = GODWIT_HOST (object);
  godwit_host_close (self);
  g_clear_object (&self->connection);
  g_clear_object (&self->closing);
  g_clear_pointer (&self->channel, godwit_channel_free);
  g_clear_object (&self->transport);
  g_clear_pointer (&self->info, g_variant_unref);
  g_clear_pointer (&self->config, g_hash_table_unref);
  g_ptr_array_unref (self->forwards);
  g_hash_table_unref (self->paired);
  g_strfreev (self->agent);
  g_free (self->session);
  g_free (self->name);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (godwit_host_parent_class)->finalize (object);
}

static void
godwit_host_class_init (GodwitHostClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_host_finalize;
}

static void
godwit_host_init (GodwitHost *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->closing = g_cancellable_new ();
  self->forwards = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_forward_free);
  self->paired = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}
