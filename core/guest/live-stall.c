/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"
#include "host/host-private.h"

#include <godwit/error.h>

void
godwit_watchdog_init (GodwitWatchdog *dog, gint64 timeout_us, gint64 now_us)
{
  dog->bytes = 0;
  dog->moved_us = now_us;
  dog->timeout_us = timeout_us;
  dog->doubtful = FALSE;
}

gboolean
godwit_watchdog_is_stalled (GodwitWatchdog *dog, const GodwitLiveStatus *status, gboolean heard,
                            gint64 now_us)
{
  guint64 bytes = status->disk_done + status->memory_done;

  if (bytes != dog->bytes) {
    dog->bytes = bytes;
    dog->moved_us = now_us;
  }
  gint64 idle_us = now_us - dog->moved_us;
  dog->doubtful = idle_us >= dog->timeout_us / GODWIT_WATCHDOG_DOUBT;
  return idle_us >= (heard ? dog->timeout_us : dog->timeout_us / GODWIT_WATCHDOG_SILENT);
}

static void
set_stalled (GodwitHost *silent, gint64 idle_s, GError **error)
{
  if (silent == NULL)
    godwit_set_error (error, GODWIT_ERROR_TRANSIENT,
                      "check the link between the hosts, then migrate again",
                      "not a byte moved for %" G_GINT64_FORMAT " s", idle_s);
  else
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE,
                      "look whether it is up and reachable, then migrate again",
                      "%s has fallen silent, and not a byte moved for %" G_GINT64_FORMAT " s",
                      godwit_host_get_name (silent), idle_s);
}

/* The figures are the source's: of one that is silent they are old and prove nothing. Nor are there
 * any while the guest stands still for the switch-over. */
static GodwitHost *
find_silent (GodwitJob *job, const GodwitLiveStatus *status)
{
  GodwitHost *source = godwit_job_get_source (job);
  GodwitHost *destination = godwit_job_get_destination (job);

  if (status->source_state == GODWIT_GUEST_PAUSED_MIGRATION ||
      (source != NULL && !godwit_host_check_heard (source, NULL)) || destination == NULL ||
      godwit_host_check_heard (destination, NULL))
    return NULL;
  return destination;
}

GodwitMoving
godwit_live_check_moving (GodwitJob *job, GodwitWatchdog *dog, const GodwitLiveStatus *status,
                          GError **error)
{
  gint64 now = g_get_monotonic_time ();
  GodwitHost *silent = find_silent (job, status);
  gboolean doubted = dog->doubtful;
  gboolean stalled = godwit_watchdog_is_stalled (dog, status, silent == NULL, now);

  if (dog->doubtful && !doubted) {
    if (godwit_job_get_source (job) != NULL)
      godwit_host_ask (godwit_job_get_source (job));
    if (godwit_job_get_destination (job) != NULL)
      godwit_host_ask (godwit_job_get_destination (job));
  }
  if (!stalled)
    return GODWIT_MOVING_YES;
  set_stalled (silent, (now - dog->moved_us) / G_USEC_PER_SEC, error);
  return silent == NULL ? GODWIT_MOVING_STALLED : GODWIT_MOVING_SILENT;
}
