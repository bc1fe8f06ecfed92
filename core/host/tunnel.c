/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/wire.h"
#include "host/relay.h"

#include <godwit/error.h>

/* What appears at the other end appears when a hypervisor there has started. */
#define TARGET_WAIT_MS 60000
/* Open to everybody by mode: who reaches it is decided by the directory that it is in. */
#define SOCKET_MODE 0666

struct _GodwitTunnel {
  GObject parent_instance;
  GodwitHost *from;
  GodwitHost *to;
  char *to_path;
  guint offer;
  guint listen;
  GodwitRelay *relay; /* NULL if the source opens the channels itself */
  GThread *thread;
  GCancellable *stop;
  GMutex lock;
  gboolean closed;
  guint64 bytes;
  char *last_error;
};

G_DEFINE_FINAL_TYPE (GodwitTunnel, godwit_tunnel, G_TYPE_OBJECT)

static void
take_details (GodwitTunnel *self, GVariant *details)
{
  const char *text = NULL;
  g_mutex_lock (&self->lock);
  g_variant_lookup (details, "bytes", "t", &self->bytes);
  if (g_variant_lookup (details, "last-error", "&s", &text)) {
    g_free (self->last_error);
    self->last_error = g_strdup (text);
  }
  g_mutex_unlock (&self->lock);
}

/* Brings the channels that the source's agent asks for. */
static gpointer
run_relay (gpointer user_data)
{
  GodwitTunnel *self = user_data;
  gboolean done = FALSE;
  while (!done) {
    g_autoptr (GVariant) details = NULL;
    if (!godwit_host_poll (self->from, self->listen, GODWIT_AGENT_POLL_MS, &done, &details,
                           self->stop, NULL))
      break;
    take_details (self, details);
    godwit_relay_serve (self->relay, details);
  }
  return NULL;
}

GodwitTunnel *
godwit_tunnel_new_with (GodwitHost *from, const char *from_path, GodwitHost *to,
                        const char *to_path, const GodwitTunnelOptions *how,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (from) && GODWIT_IS_HOST (to), NULL);
  g_autoptr (GodwitTunnel) self = g_object_new (GODWIT_TYPE_TUNNEL, NULL);
  self->from = g_object_ref (from);
  self->to = g_object_ref (to);
  self->to_path = g_strdup (to_path);
  g_autofree char *token = godwit_host_offer_connect (to, to_path, TARGET_WAIT_MS, how,
                                                      &self->offer, cancellable, error);
  if (token == NULL)
    return NULL;
  GVariantDict options;
  gboolean relayed;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "path", "s", from_path);
  g_variant_dict_insert (&options, "mode", "u", (guint32)SOCKET_MODE);
  if (!godwit_relay_add_route (&options, from, to, token, TARGET_WAIT_MS, &relayed, error)) {
    g_variant_dict_clear (&options);
    return NULL;
  }
  self->listen = godwit_host_start (from, "StartListen",
                                    g_variant_new ("(@a{sv})", g_variant_dict_end (&options)),
                                    cancellable, error);
  if (self->listen == 0)
    return NULL;
  if (relayed) {
    self->relay = godwit_relay_new (from, to, token, TARGET_WAIT_MS);
    self->thread = g_thread_new ("godwit-relay", run_relay, self);
  }
  return g_steal_pointer (&self);
}

GodwitTunnel *
godwit_tunnel_new (GodwitHost *from, const char *from_path, GodwitHost *to, const char *to_path,
                   GCancellable *cancellable, GError **error)
{
  return godwit_tunnel_new_with (from, from_path, to, to_path, NULL, cancellable, error);
}

GodwitHost *
godwit_tunnel_get_target (GodwitTunnel *self)
{
  return self->to;
}

const char *
godwit_tunnel_get_target_path (GodwitTunnel *self)
{
  return self->to_path;
}

gboolean
godwit_tunnel_is_relayed (GodwitTunnel *self)
{
  g_return_val_if_fail (GODWIT_IS_TUNNEL (self), FALSE);
  /* With one end on the controller there is no shorter way. */
  return self->relay != NULL && !godwit_host_is_local (self->from) &&
         !godwit_host_is_local (self->to);
}

static void
refresh (GodwitTunnel *self)
{
  g_autoptr (GVariant) details = NULL;
  gboolean done;
  g_mutex_lock (&self->lock);
  gboolean closed = self->closed;
  g_mutex_unlock (&self->lock);
  if (closed || !godwit_host_poll (self->from, self->listen, 0, &done, &details, self->stop, NULL))
    return;
  take_details (self, details);
  if (self->relay != NULL)
    godwit_relay_serve (self->relay, details);
}

guint64
godwit_tunnel_get_bytes (GodwitTunnel *self)
{
  g_return_val_if_fail (GODWIT_IS_TUNNEL (self), 0);
  refresh (self);
  g_mutex_lock (&self->lock);
  guint64 bytes = self->bytes;
  g_mutex_unlock (&self->lock);
  return bytes;
}

char *
godwit_tunnel_dup_error (GodwitTunnel *self)
{
  g_return_val_if_fail (GODWIT_IS_TUNNEL (self), NULL);
  refresh (self);
  char *text = self->relay != NULL ? godwit_relay_dup_error (self->relay) : NULL;
  g_mutex_lock (&self->lock);
  if (text == NULL)
    text = g_strdup (self->last_error);
  g_mutex_unlock (&self->lock);
  return text;
}

void
godwit_tunnel_close (GodwitTunnel *self)
{
  g_return_if_fail (GODWIT_IS_TUNNEL (self));
  g_mutex_lock (&self->lock);
  gboolean first = !self->closed;
  self->closed = TRUE;
  g_mutex_unlock (&self->lock);
  if (!first)
    return;
  /* To both at once: the tunnel must end also when one of the two cannot be reached. */
  godwit_host_post_cancel (self->to, self->offer);
  godwit_host_post_cancel (self->from, self->listen);
  g_cancellable_cancel (self->stop);
  g_clear_pointer (&self->thread, g_thread_join);
  g_clear_pointer (&self->relay, godwit_relay_free);
  godwit_host_cancel (self->from, self->listen);
}

static void
godwit_tunnel_finalize (GObject *object)
{
  GodwitTunnel *self = GODWIT_TUNNEL (object);
  if (self->from != NULL)
    godwit_tunnel_close (self);
  g_clear_object (&self->from);
  g_clear_object (&self->to);
  g_clear_object (&self->stop);
  g_free (self->to_path);
  g_free (self->last_error);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (godwit_tunnel_parent_class)->finalize (object);
}

static void
godwit_tunnel_class_init (GodwitTunnelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_tunnel_finalize;
}

static void
godwit_tunnel_init (GodwitTunnel *self)
{
  g_mutex_init (&self->lock);
  self->stop = g_cancellable_new ();
}
