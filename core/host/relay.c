/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/relay.h"

#include <godwit/error.h>

struct _GodwitRelay {
  GodwitHost *from;
  GodwitHost *to;
  char *token;
  guint wait_ms;
  GCancellable *stop;
  GMutex lock;
  GCond changed;
  guint channels;
  char *last_error;
};

typedef struct {
  GodwitRelay *relay;
  char *from_token;
} Carried;

GodwitRelay *
godwit_relay_new (GodwitHost *from, GodwitHost *to, const char *to_token, guint wait_ms)
{
  GodwitRelay *self = g_new0 (GodwitRelay, 1);
  self->from = from;
  self->to = to;
  self->token = g_strdup (to_token);
  self->wait_ms = wait_ms;
  self->stop = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

static gpointer
run_carried (gpointer user_data)
{
  g_autofree Carried *carried = user_data;
  GodwitRelay *self = carried->relay;
  g_autoptr (GError) error = NULL;
  gboolean ok = godwit_relay_run (self->from, carried->from_token, self->to, self->token,
                                  self->wait_ms, self->stop, &error);
  g_free (carried->from_token);
  g_mutex_lock (&self->lock);
  if (!ok && !godwit_error_is_cancelled (error)) {
    g_free (self->last_error);
    self->last_error = g_strdup (error->message);
  }
  self->channels--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

void
godwit_relay_serve (GodwitRelay *self, GVariant *details)
{
  g_autofree const char **tokens = NULL;
  if (!g_variant_lookup (details, "pending", "^a&s", &tokens))
    return;
  for (gsize i = 0; tokens[i] != NULL; i++) {
    Carried *carried = g_new (Carried, 1);
    *carried = (Carried){.relay = self, .from_token = g_strdup (tokens[i])};
    g_mutex_lock (&self->lock);
    self->channels++;
    g_mutex_unlock (&self->lock);
    g_thread_unref (g_thread_new ("godwit-relay", run_carried, carried));
  }
}

char *
godwit_relay_dup_error (GodwitRelay *self)
{
  g_mutex_lock (&self->lock);
  char *text = g_strdup (self->last_error);
  g_mutex_unlock (&self->lock);
  return text;
}

void
godwit_relay_free (GodwitRelay *self)
{
  if (self == NULL)
    return;
  g_cancellable_cancel (self->stop);
  g_mutex_lock (&self->lock);
  while (self->channels > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  g_object_unref (self->stop);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->last_error);
  g_free (self->token);
  g_free (self);
}

gboolean
godwit_relay_add_route (GVariantDict *options, GodwitHost *from, GodwitHost *to, const char *token,
                        guint wait_ms, gboolean *relayed, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) command = godwit_host_get_direct_command (from, to, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_variant_dict_insert (options, "host", "s", to->name);
  if (command != NULL) {
    g_variant_dict_insert_value (options, "command",
                                 g_variant_new_strv ((const char *const *)command, -1));
    g_variant_dict_insert (options, "token", "s", token);
    g_variant_dict_insert (options, "wait", "u", wait_ms);
  } else {
    g_variant_dict_insert (options, "relay", "b", TRUE);
  }
  *relayed = command == NULL;
  return TRUE;
}
