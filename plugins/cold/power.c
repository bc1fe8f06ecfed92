/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cold.h"

#define SHUTDOWN_TIMEOUT_MS 60000
#define ASK_AGAIN_MS        10000
#define DESTROY_MS          15000
#define POLL_MS             100
/* A guest that was asked to shut down may still obey after an abort; so long it is watched. */
#define UNDO_WATCH_MS 30000

guint
cold_get_shutdown_timeout_ms (GodwitJob *job)
{
  guint64 value = godwit_job_get_option_uint64 (job, "shutdown-timeout");

  return value == 0 || value > G_MAXINT ? SHUTDOWN_TIMEOUT_MS : (guint)value;
}

static gboolean
reach (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host, GError **error)
{
  if (hypervisor != NULL && host != NULL)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                    "%s cannot be asked about: its host cannot be reached",
                    godwit_job_get_guest (job)->name);
  return FALSE;
}

static gboolean
ask (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitGuestState *state,
     GCancellable *cancellable, GError **error)
{
  gboolean persistent = FALSE;

  *state = GODWIT_GUEST_UNKNOWN;
  return godwit_hypervisor_get_state (hypervisor, godwit_job_get_guest (job)->uuid, state,
                                      &persistent, cancellable, error);
}

static gboolean
has_no_process (GodwitGuestState state)
{
  return state == GODWIT_GUEST_SHUT_OFF || state == GODWIT_GUEST_ABSENT;
}

/* A crashed guest may still have a process, which is of no use to anybody: it is ended. */
static gboolean
is_off (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitGuestState state,
        GCancellable *cancellable)
{
  return has_no_process (state) ||
         (state == GODWIT_GUEST_CRASHED &&
          godwit_hypervisor_destroy (hypervisor, godwit_job_get_guest (job)->uuid, cancellable,
                                     NULL));
}

static char *
fact_name (const char *what, const char *name)
{
  return g_strdup_printf ("%s.%s", what, name);
}

gboolean
cold_was_running (GodwitJob *job, const char *what)
{
  g_autofree char *name = fact_name (what, "was-running");
  g_autoptr (GVariant) value = godwit_job_get_fact (job, name);

  return value != NULL && g_variant_get_boolean (value);
}

/* Waits until the guest is off; @off tells whether it is. */
static gboolean
wait_off (GodwitJob *job, GodwitHypervisor *hypervisor, guint timeout_ms, gboolean ask_again,
          gboolean *off, GCancellable *cancellable, GError **error)
{
  const char *uuid = godwit_job_get_guest (job)->uuid;
  gint64 begin = g_get_monotonic_time ();
  gint64 next_ask = begin + ASK_AGAIN_MS * 1000;
  GodwitGuestState state;

  *off = FALSE;
  for (;;) {
    if (!ask (job, hypervisor, &state, cancellable, error))
      return FALSE;
    if (is_off (job, hypervisor, state, cancellable)) {
      *off = TRUE;
      return TRUE;
    }
    gint64 now = g_get_monotonic_time ();
    if (now - begin >= (gint64)timeout_ms * 1000)
      return TRUE;
    /* A guest that was still booting has missed the first request. */
    if (ask_again && now >= next_ask) {
      godwit_hypervisor_shut_down (hypervisor, uuid, cancellable, NULL);
      next_ask = now + ASK_AGAIN_MS * 1000;
    }
    if (g_cancellable_is_cancelled (cancellable)) {
      godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "aborted while %s was shutting down",
                        godwit_job_get_guest (job)->name);
      return FALSE;
    }
    g_usleep (POLL_MS * 1000);
  }
}

static gboolean
stop_active (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host,
             GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *name = godwit_host_get_name (host);
  guint timeout = cold_get_shutdown_timeout_ms (job);
  g_autoptr (GError) local = NULL;
  gboolean off = FALSE;

  godwit_job_log (job, GODWIT_SEVERITY_INFO, name, "asking %s to shut down, for up to %u s",
                  guest->name, timeout / 1000);
  if (!godwit_hypervisor_shut_down (hypervisor, guest->uuid, cancellable, &local)) {
    g_autofree char *message = godwit_error_dup_message (local);
    godwit_job_log (job, GODWIT_SEVERITY_WARNING, name, "%s cannot be asked to shut down: %s",
                    guest->name, message);
  }
  if (!wait_off (job, hypervisor, local == NULL ? timeout : 0, TRUE, &off, cancellable, error))
    return FALSE;
  if (off) {
    godwit_job_log (job, GODWIT_SEVERITY_INFO, name, "%s has shut down", guest->name);
    return TRUE;
  }
  godwit_job_log (job, GODWIT_SEVERITY_WARNING, name, "%s did not shut down: ending it",
                  guest->name);
  if (!godwit_hypervisor_destroy (hypervisor, guest->uuid, cancellable, error) ||
      !wait_off (job, hypervisor, DESTROY_MS, FALSE, &off, cancellable, error))
    return FALSE;
  if (off)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_PEER, "look at the guest on that host",
                    "%s on %s can neither be shut down nor ended", guest->name, name);
  return FALSE;
}

/* The last moment at which it costs the guest nothing that the other host has gone away, and before
 * anything says that the guest was stopped. */
static gboolean
check_other (GodwitJob *job, GodwitHost *host, GCancellable *cancellable, GError **error)
{
  GodwitHost *other = host == godwit_job_get_source (job) ? godwit_job_get_destination (job)
                                                          : godwit_job_get_source (job);

  return other == NULL || godwit_host_ping (other, cancellable, error);
}

gboolean
cold_stop (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host, const char *what,
           GCancellable *cancellable, GError **error)
{
  g_autofree char *fact = fact_name (what, "was-running");
  g_autoptr (GVariant) known = godwit_job_get_fact (job, fact);
  GodwitGuestState state;

  if (!reach (job, hypervisor, host, error) || !ask (job, hypervisor, &state, cancellable, error))
    return FALSE;
  if (!has_no_process (state) && !check_other (job, host, cancellable, error))
    return FALSE;
  /* Known already: an earlier worker died here, and what it saw is what counts. */
  if (known == NULL &&
      !godwit_job_set_fact (job, fact, g_variant_new_boolean (!has_no_process (state)), error))
    return FALSE;
  if (has_no_process (state))
    return TRUE;
  g_autofree char *off = fact_name (what, "off-us");
  return stop_active (job, hypervisor, host, cancellable, error) &&
         godwit_job_set_fact (job, off, g_variant_new_int64 (g_get_real_time ()), error);
}

gboolean
cold_undo_stop (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host, const char *what,
                GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  gboolean off = FALSE;

  if (!cold_was_running (job, what))
    return TRUE;
  if (!reach (job, hypervisor, host, error) ||
      !wait_off (job, hypervisor, MIN (cold_get_shutdown_timeout_ms (job), UNDO_WATCH_MS), FALSE,
                 &off, cancellable, error))
    return FALSE;
  if (!off) {
    godwit_job_log (job, GODWIT_SEVERITY_INFO, godwit_host_get_name (host),
                    "%s did not obey the request to shut down and runs on", guest->name);
    return TRUE;
  }
  if (!godwit_hypervisor_start (hypervisor, guest->uuid, cancellable, error)) {
    g_prefix_error (error, "%s ran before and cannot be started again: ", guest->name);
    return FALSE;
  }
  godwit_job_log (job, GODWIT_SEVERITY_INFO, godwit_host_get_name (host), "%s runs again",
                  guest->name);
  return TRUE;
}

gboolean
cold_prove_stopped (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host,
                    GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitGuestState state;

  if (!reach (job, hypervisor, host, error) || !ask (job, hypervisor, &state, cancellable, error))
    return FALSE;
  if (is_off (job, hypervisor, state, cancellable))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_BUSY, "migrate it again",
                    "%s is %s on %s: somebody started it while it was to stand still", guest->name,
                    godwit_guest_state_to_string (state), godwit_host_get_name (host));
  return FALSE;
}
