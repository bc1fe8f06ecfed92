/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/relay.h"

#include <godwit/error.h>
#include <godwit/transfer.h>

#define TICK_MS 500
#define STALL_S G_GINT64_CONSTANT (300)
#define SYNC_S  G_GINT64_CONSTANT (1800)

static void
read_stats (GVariant *details, GodwitTransferStats *stats)
{
  g_variant_lookup (details, "size", "t", &stats->size);
  g_variant_lookup (details, "total", "t", &stats->total);
  g_variant_lookup (details, "done", "t", &stats->done);
  g_variant_lookup (details, "wire", "t", &stats->wire);
  g_variant_lookup (details, "zeroes", "t", &stats->zeroes);
}

static void
add_end (GVariantDict *options, const GodwitEnd *end)
{
  g_variant_dict_insert (options, "path", "s", end->path);
  g_variant_dict_insert (options, "nbd", "b", end->nbd);
}

typedef struct {
  const GodwitEnd *source;
  const GodwitEnd *target;
  char *token;
  guint receive; /* the target's task */
  guint send;    /* the source's task */
  GodwitRelay *relay;
} Transfer;

static gboolean
begin (Transfer *self, gboolean *relayed, GCancellable *cancellable, GError **error)
{
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "kind", "s", "receive");
  add_end (&options, self->target);
  self->token = godwit_host_offer (self->target->host, g_variant_dict_end (&options),
                                   &self->receive, cancellable, error);
  if (self->token == NULL)
    return FALSE;
  g_variant_dict_init (&options, NULL);
  add_end (&options, self->source);
  if (!godwit_relay_add_route (&options, self->source->host, self->target->host, self->token, 10000,
                               relayed, error)) {
    g_variant_dict_clear (&options);
    return FALSE;
  }
  if (*relayed)
    self->relay = godwit_relay_new (self->source->host, self->target->host, self->token, 10000);
  self->send = godwit_host_start (self->source->host, "StartSend",
                                  g_variant_new ("(@a{sv})", g_variant_dict_end (&options)),
                                  cancellable, error);
  return self->send != 0;
}

/* The receiver's side of a failure is told by the sender, but not why no channel came. */
static void
add_relay_error (Transfer *self, GError **error)
{
  g_autofree char *why = self->relay != NULL ? godwit_relay_dup_error (self->relay) : NULL;
  if (why == NULL || error == NULL || *error == NULL ||
      !g_error_matches (*error, GODWIT_ERROR, GODWIT_ERROR_TRANSIENT))
    return;
  g_clear_error (error);
  godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL, "%s", why);
}

static void
finish (Transfer *self)
{
  godwit_host_post_cancel (self->target->host, self->receive);
  godwit_host_post_cancel (self->source->host, self->send);
  g_clear_pointer (&self->relay, godwit_relay_free);
  /* Nothing writes to the target any more when this returns, if its host can be asked. */
  godwit_host_cancel (self->source->host, self->send);
  godwit_host_cancel (self->target->host, self->receive);
  g_free (self->token);
}

/* The agent answers even if the disk beneath it does not. */
typedef struct {
  guint64 bytes;
  gint64 moved_us;
} Stall;

static gboolean
is_stalled (Stall *stall, const GodwitTransferStats *now, const GodwitEnd *source,
            const GodwitEnd *target, GError **error)
{
  /* What is left when every byte has moved is the last sync. */
  gint64 limit_s = now->total > 0 && now->done >= now->total ? SYNC_S : STALL_S;
  guint64 bytes = now->done + now->wire;
  gint64 time_us = g_get_monotonic_time ();
  if (stall->moved_us == 0 || bytes != stall->bytes) {
    stall->bytes = bytes;
    stall->moved_us = time_us;
  }
  if (time_us - stall->moved_us < limit_s * G_USEC_PER_SEC)
    return FALSE;
  godwit_set_error (error, GODWIT_ERROR_TRANSIENT,
                    "look for a hung file system or link, then migrate again",
                    "%s%s%s: not a byte moved for %" G_GINT64_FORMAT " s",
                    godwit_host_get_name (source->host), target != NULL ? " to " : "",
                    target != NULL ? godwit_host_get_name (target->host) : "", limit_s);
  return TRUE;
}

gboolean
godwit_transfer_run (const GodwitEnd *source, const GodwitEnd *target,
                     GodwitTransferProgress progress, gpointer user_data,
                     GodwitTransferStats *stats, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (source != NULL && target != NULL, FALSE);
  GodwitTransferStats now = {0};
  Transfer self = {.source = source, .target = target};
  g_autoptr (GError) local = NULL;
  gboolean done = FALSE;
  Stall stall = {0};
  gboolean ok = begin (&self, &now.relayed, cancellable, &local);
  now.relayed =
      now.relayed && !godwit_host_is_local (source->host) && !godwit_host_is_local (target->host);
  while (ok && !done) {
    g_autoptr (GVariant) details = NULL;
    ok = godwit_host_poll (source->host, self.send, TICK_MS, &done, &details, cancellable, &local);
    if (!ok)
      break;
    read_stats (details, &now);
    if (self.relay != NULL)
      godwit_relay_serve (self.relay, details);
    if (progress != NULL)
      progress (&now, user_data);
    ok = done || !is_stalled (&stall, &now, source, target, &local);
  }
  if (!ok)
    add_relay_error (&self, &local);
  finish (&self);
  if (stats != NULL)
    *stats = now;
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

char *
godwit_transfer_digest (const GodwitEnd *end, GodwitTransferProgress progress, gpointer user_data,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (end != NULL, NULL);
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  add_end (&options, end);
  guint id = godwit_host_start (end->host, "StartHash",
                                g_variant_new ("(@a{sv})", g_variant_dict_end (&options)),
                                cancellable, error);
  GodwitTransferStats now = {0};
  Stall stall = {0};
  char *digest = NULL;
  gboolean done = FALSE;
  while (id != 0 && !done) {
    g_autoptr (GVariant) details = NULL;
    if (!godwit_host_poll (end->host, id, TICK_MS, &done, &details, cancellable, error))
      break;
    read_stats (details, &now);
    now.total = now.size;
    if (done)
      g_variant_lookup (details, "digest", "s", &digest);
    else if (progress != NULL)
      progress (&now, user_data);
    if (!done && is_stalled (&stall, &now, end, NULL, error))
      break;
  }
  godwit_host_cancel (end->host, id);
  return digest;
}
