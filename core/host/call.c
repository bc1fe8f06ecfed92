/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/wire.h"
#include "host/host-internal.h"

#include <godwit/error.h>

#define MARGIN_MS 3000

static void
set_dead (GodwitHost *self, const char *why, GError **error)
{
  g_autofree char *errors = godwit_channel_dup_errors (self->channel, 300);
  g_autofree char *remedy = g_strdup_printf ("check that %s is up and reachable, then run "
                                             "'godwit recover'",
                                             self->name);
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, remedy, "the session with %s has ended: %s",
                    self->name, *errors != '\0' ? errors : why);
}

/* Every error is ours and names the host. */
static void
translate (GodwitHost *self, const char *method, guint limit_ms, GError *inner, GError **error)
{
  if (inner->domain == GODWIT_ERROR) {
    g_dbus_error_strip_remote_error (inner);
    g_set_error (error, GODWIT_ERROR, inner->code, "%s: %s", self->name, inner->message);
  } else if (godwit_error_is_cancelled (inner) && !self->closed) {
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "%s: cancelled", self->name);
  } else if (g_error_matches (inner, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
             g_error_matches (inner, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE,
                      "look there for a hung file system or an overload",
                      "%s did not answer within %u s (%s)", self->name, limit_ms / 1000, method);
    if (!g_str_equal (method, "Ping"))
      godwit_host_suspect (self);
  } else if (g_error_matches (inner, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)) {
    g_autofree char *remedy = g_strdup_printf ("upgrade godwit on %s", self->name);
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, remedy,
                      "the agent on %s is too old: it has no %s", self->name, method);
  } else if (inner->domain == G_DBUS_ERROR) {
    g_dbus_error_strip_remote_error (inner);
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s: %s: %s", self->name, method,
                      inner->message);
  } else {
    set_dead (self, inner->message, error);
  }
}

/* Waiting for each answer of a host that has lost power would keep the other one waiting. */
gboolean
godwit_host_check_heard (GodwitHost *self, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), FALSE);
  if (!g_atomic_int_get (&self->silent))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "look whether it is up and reachable",
                    "%s has fallen silent", self->name);
  return FALSE;
}

GVariant *
godwit_host_call (GodwitHost *self, const char *method, GVariant *arguments, const char *reply,
                  guint extra_ms, GCancellable *cancellable, GError **error)
{
  guint limit_ms = GODWIT_AGENT_CALL_MS + MARGIN_MS + extra_ms;
  g_autoptr (GError) local = NULL;
  if (!g_str_equal (method, "Ping") && !godwit_host_check_heard (self, error))
    return NULL;
  GVariant *result =
      g_dbus_connection_call_sync (self->connection, NULL, GODWIT_AGENT_PATH,
                                   GODWIT_AGENT_INTERFACE, method, arguments,
                                   G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NO_AUTO_START,
                                   (int)limit_ms, cancellable, &local);
  if (result == NULL)
    translate (self, method, limit_ms, local, error);
  return result;
}

gboolean
godwit_host_call_nothing (GodwitHost *self, const char *method, GVariant *arguments,
                          GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) reply =
      godwit_host_call (self, method, arguments, "()", 0, cancellable, error);
  return reply != NULL;
}

gboolean
godwit_host_ping (GodwitHost *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), FALSE);
  if (!godwit_host_call_nothing (self, "Ping", NULL, cancellable, error))
    return FALSE;
  g_atomic_int_set (&self->silent, FALSE);
  return TRUE;
}

gboolean
godwit_host_claim_job (GodwitHost *self, const char *job_id, guint64 epoch,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self), FALSE);
  return godwit_host_call_nothing (self, "ClaimJob", g_variant_new ("(st)", job_id, epoch),
                                   cancellable, error);
}

/* --- tasks ---------------------------------------------------------------------------------- */

guint
godwit_host_start (GodwitHost *self, const char *method, GVariant *arguments,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) reply =
      godwit_host_call (self, method, arguments, "(u)", 0, cancellable, error);
  guint32 id = 0;
  if (reply != NULL)
    g_variant_get (reply, "(u)", &id);
  return id;
}

gboolean
godwit_host_poll (GodwitHost *self, guint id, guint wait_ms, gboolean *done, GVariant **details,
                  GCancellable *cancellable, GError **error)
{
  wait_ms = MIN (wait_ms, GODWIT_AGENT_POLL_MS);
  g_autoptr (GVariant) reply = godwit_host_call (self, "Poll", g_variant_new ("(uu)", id, wait_ms),
                                                 "(sa{sv})", wait_ms, cancellable, error);
  if (reply == NULL)
    return FALSE;
  const char *state;
  g_autoptr (GVariant) found = NULL;
  g_variant_get (reply, "(&s@a{sv})", &state, &found);
  if (g_str_equal (state, GODWIT_TASK_FAILED)) {
    g_autoptr (GVariant) failure = g_variant_lookup_value (found, "error", G_VARIANT_TYPE ("(us)"));
    if (failure == NULL) {
      godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s: failed without a reason", self->name);
      return FALSE;
    }
    g_propagate_prefixed_error (error, godwit_wire_error_from_variant (failure),
                                "%s: ", self->name);
    return FALSE;
  }
  *done = g_str_equal (state, GODWIT_TASK_DONE);
  if (details != NULL)
    *details = g_steal_pointer (&found);
  return TRUE;
}

GVariant *
godwit_host_finish (GodwitHost *self, guint id, GCancellable *cancellable, GError **error)
{
  gboolean done = FALSE;
  g_autoptr (GVariant) details = NULL;
  gboolean ok = TRUE;
  while (ok && !done) {
    g_clear_pointer (&details, g_variant_unref);
    ok = godwit_host_poll (self, id, GODWIT_AGENT_POLL_MS, &done, &details, cancellable, error);
  }
  godwit_host_cancel (self, id);
  return ok ? g_steal_pointer (&details) : NULL;
}

void
godwit_host_cancel (GodwitHost *self, guint id)
{
  /* One that is silent hears it when the link is back; until then nobody waits. */
  if (g_atomic_int_get (&self->silent))
    godwit_host_post_cancel (self, id);
  else if (id != 0)
    godwit_host_call_nothing (self, "Cancel", g_variant_new ("(u)", id), NULL, NULL);
}

void
godwit_host_post_cancel (GodwitHost *self, guint id)
{
  if (id != 0)
    g_dbus_connection_call (self->connection, NULL, GODWIT_AGENT_PATH, GODWIT_AGENT_INTERFACE,
                            "Cancel", g_variant_new ("(u)", id), NULL,
                            G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}
