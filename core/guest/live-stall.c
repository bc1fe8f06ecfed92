/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"
#include "host/host-private.h"

#include <godwit/error.h>

#define HOSTS 2

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
get_hosts (GodwitJob *job, GodwitHost *hosts[HOSTS])
{
  hosts[0] = godwit_job_get_source (job);
  hosts[1] = godwit_job_get_destination (job);
}

/* NULL if both hosts answer, as far as is known. */
static GodwitHost *
find_silent (GodwitJob *job)
{
  GodwitHost *hosts[HOSTS];

  get_hosts (job, hosts);
  for (guint i = 0; i < HOSTS; i++)
    if (hosts[i] != NULL && !godwit_host_check_heard (hosts[i], NULL))
      return hosts[i];
  return NULL;
}

/* One that is known to be silent is being asked all the time. */
static void
ask_hosts (GodwitJob *job)
{
  GodwitHost *hosts[HOSTS];

  get_hosts (job, hosts);
  for (guint i = 0; i < HOSTS; i++)
    if (hosts[i] != NULL)
      godwit_host_suspect (hosts[i]);
}

gboolean
godwit_live_check_moving (GodwitJob *job, GodwitWatchdog *dog, const GodwitLiveStatus *status,
                          GError **error)
{
  gint64 now = g_get_monotonic_time ();
  GodwitHost *silent = find_silent (job);
  gboolean doubted = dog->doubtful;
  gboolean stalled = godwit_watchdog_is_stalled (dog, status, silent == NULL, now);
  gint64 idle_s = (now - dog->moved_us) / G_USEC_PER_SEC;

  if (dog->doubtful && !doubted)
    ask_hosts (job);
  if (!stalled)
    return TRUE;
  if (silent == NULL)
    godwit_set_error (error, GODWIT_ERROR_TRANSIENT,
                      "check the link between the hosts, then migrate again",
                      "not a byte moved for %" G_GINT64_FORMAT " s", idle_s);
  else
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE,
                      "look whether it is up and reachable, then migrate again",
                      "%s has fallen silent, and not a byte moved for %" G_GINT64_FORMAT " s",
                      godwit_host_get_name (silent), idle_s);
  return FALSE;
}
