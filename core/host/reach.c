/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/paths.h"
#include "channel/pump.h"
#include "host/forward.h"

#include <godwit/error.h>

/* How bytes get from one host to another: straight, or through the controller. */

char *
godwit_host_offer_connect (GodwitHost *self, const char *path, guint wait_ms,
                           const GodwitTunnelOptions *options, guint *id, GCancellable *cancellable,
                           GError **error)
{
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "kind", "s", "connect");
  g_variant_dict_insert (&dict, "path", "s", path);
  g_variant_dict_insert (&dict, "wait", "u", wait_ms);
  if (options != NULL && options->tap)
    g_variant_dict_insert (&dict, "tap", "b", TRUE);
  if (options != NULL && options->after != NULL) {
    g_variant_dict_insert (&dict, "after", "s", options->after);
    g_variant_dict_insert (&dict, "rest", "t", options->rest);
  }
  return godwit_host_offer (self, g_variant_dict_end (&dict), id, cancellable, error);
}

char *
godwit_host_offer (GodwitHost *self, GVariant *options, guint *id, GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (GVariant) reply = godwit_host_call (self, "Offer", g_variant_new ("(@a{sv})", options),
                                                 "(us)", 0, cancellable, error);
  char *token = NULL;
  if (reply != NULL)
    g_variant_get (reply, "(us)", id, &token);
  return token;
}

char *
godwit_host_forward_socket (GodwitHost *self, const char *remote_path, GCancellable *cancellable,
                            GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && remote_path != NULL, NULL);
  if (godwit_host_is_local (self))
    return g_strdup (remote_path);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->forwards->len; i++)
    if (g_str_equal (godwit_forward_get_remote_path (self->forwards->pdata[i]), remote_path)) {
      char *known = g_strdup (godwit_forward_get_path (self->forwards->pdata[i]));
      g_mutex_unlock (&self->lock);
      return known;
    }
  g_mutex_unlock (&self->lock);
  GodwitForward *forward = godwit_forward_new (self, remote_path, cancellable, error);
  if (forward == NULL)
    return NULL;
  char *path = g_strdup (godwit_forward_get_path (forward));
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->forwards, forward);
  g_mutex_unlock (&self->lock);
  return path;
}

/* Its own agent is the one that will run the command, so it is asked: trust that was set up for
 * another command than today's would only fail in the middle of a migration. */
static gboolean
may_call (GodwitHost *from, GodwitHost *to)
{
  g_auto (GStrv) command = godwit_transport_get_command (to->transport, GODWIT_ROUTE_PAIR, NULL,
                                                         (const char *const *)to->agent, NULL);
  g_autoptr (GVariant) reply =
      command != NULL ? godwit_host_call (from, "MayCall", g_variant_new ("(^as)", command), "(b)",
                                          0, NULL, NULL)
                      : NULL;
  gboolean allowed = FALSE;
  if (reply != NULL)
    g_variant_get (reply, "(b)", &allowed);
  return allowed;
}

gboolean
godwit_host_are_paired (GodwitHost *from, GodwitHost *to)
{
  g_return_val_if_fail (GODWIT_IS_HOST (from) && GODWIT_IS_HOST (to), FALSE);
  /* Where one of the two is the controller, bytes pass through it anyway. */
  if (from->transport == NULL || to->transport == NULL)
    return TRUE;
  g_mutex_lock (&from->lock);
  int known = GPOINTER_TO_INT (g_hash_table_lookup (from->paired, to->name));
  g_mutex_unlock (&from->lock);
  if (known != 0)
    return known == 1;
  gboolean paired = may_call (from, to);
  g_mutex_lock (&from->lock);
  g_hash_table_insert (from->paired, g_strdup (to->name), GINT_TO_POINTER (paired ? 1 : 2));
  g_mutex_unlock (&from->lock);
  return paired;
}

GStrv
godwit_host_get_direct_command (GodwitHost *from, GodwitHost *to, GError **error)
{
  const char *const *agent = (const char *const *)to->agent;
  if (to->transport == NULL)
    return from->transport == NULL ? godwit_host_get_own_command () : NULL;
  if (from->transport == NULL)
    return godwit_transport_get_command (to->transport, GODWIT_ROUTE_OPERATOR, to->session, agent,
                                         error);
  if (!godwit_host_are_paired (from, to))
    return NULL;
  return godwit_transport_get_command (to->transport, GODWIT_ROUTE_PAIR, NULL, agent, error);
}

gboolean
godwit_relay_run (GodwitHost *from, const char *from_token, GodwitHost *to, const char *to_token,
                  guint wait_ms, GCancellable *cancellable, GError **error)
{
  /* The waiting side first: the agent of the other gives up after a while. */
  g_autoptr (GodwitChannel) source =
      godwit_host_open_channel (from, from_token, 0, cancellable, error);
  if (source == NULL)
    return FALSE;
  g_autoptr (GodwitChannel) target =
      godwit_host_open_channel (to, to_token, wait_ms, cancellable, error);
  if (target == NULL)
    return FALSE;
  GodwitStream a = godwit_channel_steal_stream (source);
  GodwitStream b = godwit_channel_steal_stream (target);
  godwit_pump_run (&a, &b, NULL, cancellable);
  godwit_stream_close (&a);
  godwit_stream_close (&b);
  return TRUE;
}
