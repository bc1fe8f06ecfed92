/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"

#include <godwit/disks.h>
#include <godwit/error.h>
#include <godwit/live.h>

#define RESUME_ATTEMPTS 4

static const char *
destination_name (GodwitJob *job)
{
  return godwit_host_get_name (godwit_job_get_destination (job));
}

static gboolean
need_destination (GodwitJob *job, GError **error)
{
  if (godwit_job_get_destination (job) != NULL &&
      godwit_job_get_destination_hypervisor (job) != NULL)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                    "the destination host cannot be reached");
  return FALSE;
}

static gboolean
ask_destination (GodwitJob *job, GodwitGuestState *state, gboolean *persistent,
                 GCancellable *cancellable, GError **error)
{
  return need_destination (job, error) &&
         godwit_hypervisor_get_state (godwit_job_get_destination_hypervisor (job),
                                      godwit_job_get_guest (job)->uuid, state, persistent,
                                      cancellable, error);
}

/* Everything here is downtime: two questions and one look at the files, nothing that can wait. */
gboolean
godwit_live_prove_frozen (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean gone = FALSE;

  if (!ask_destination (job, &state, NULL, cancellable, error))
    return FALSE;
  /* Running: somebody else resumed it. With the source gone it is at home there all the same. */
  if (state != GODWIT_GUEST_PAUSED && state != GODWIT_GUEST_RUNNING) {
    godwit_set_error (error, GODWIT_ERROR_BUSY, NULL, "%s is %s at %s, not complete and paused",
                      guest->name, godwit_guest_state_to_string (state), destination_name (job));
    return FALSE;
  }
  if (!godwit_live_verify_allows (job, state, error))
    return FALSE;
  if (!godwit_live_source_is_gone (job, &gone, cancellable, error)) {
    g_prefix_error (error, "whether %s still runs at the source cannot be told: ", guest->name);
    return FALSE;
  }
  if (!gone) {
    godwit_set_error (error, GODWIT_ERROR_BUSY, NULL, "the process of %s at the source still runs",
                      guest->name);
    return FALSE;
  }
  return godwit_disks_repair_access (job, godwit_job_get_destination (job), cancellable, error);
}

static void
note_downtime (GodwitJob *job)
{
  g_autoptr (GVariant) frozen = godwit_job_get_fact (job, "live.frozen-us");
  g_autoptr (GVariant) known = godwit_job_get_fact (job, "downtime-us");

  /* A worker that took over cannot know when the guest really went on. */
  if (frozen == NULL || known != NULL || godwit_live_get_run (job) == NULL)
    return;
  gint64 downtime = g_get_real_time () - g_variant_get_int64 (frozen);
  if (downtime < 0)
    return;
  godwit_job_set_fact (job, "downtime-us", g_variant_new_int64 (downtime), NULL);
  godwit_job_log (job, GODWIT_SEVERITY_INFO, destination_name (job),
                  "%s stood still for about %" G_GINT64_FORMAT " ms",
                  godwit_job_get_guest (job)->name, downtime / 1000);
}

/* It was complete there and has no process any more: it crashed, was killed, or its host went down.
 * Its disks there are the newest; nothing else could be resumed. */
static gboolean
has_ended_there (GodwitJob *job)
{
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  g_autoptr (GError) error = NULL;
  if (!ask_destination (job, &state, NULL, NULL, NULL) || !godwit_guest_state_is_down (state))
    return FALSE;
  /* The log says it all the same, if the job's last words cannot. */
  if (!godwit_guest_note_ended_there (job, &error))
    godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, "that it ended could not be noted", error);
  godwit_job_log (job, GODWIT_SEVERITY_BLOCKER, destination_name (job),
                  "%s has ended since it moved, and what was in its memory is lost: its disks here "
                  "are the newest, start it from them",
                  godwit_job_get_guest (job)->name);
  return TRUE;
}

gboolean
godwit_live_resume (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  if (!need_destination (job, error))
    return FALSE;
  if (guest->state != GODWIT_GUEST_RUNNING) {
    if (has_ended_there (job))
      return TRUE;
    godwit_job_log (job, GODWIT_SEVERITY_INFO, destination_name (job),
                    "%s was paused and stays paused", guest->name);
    return TRUE;
  }
  for (guint attempt = 1;; attempt++) {
    g_autoptr (GError) local = NULL;
    if (godwit_hypervisor_resume (godwit_job_get_destination_hypervisor (job), guest->uuid, NULL,
                                  &local)) {
      note_downtime (job);
      return TRUE;
    }
    if (has_ended_there (job))
      return TRUE;
    if (attempt == RESUME_ATTEMPTS) {
      g_propagate_prefixed_error (error, g_steal_pointer (&local),
                                  "%s is complete at %s and cannot be resumed: ", guest->name,
                                  destination_name (job));
      return FALSE;
    }
    /* The source's daemon may have taken the images away in between; a failed resume harms
     * nothing, the guest stays complete and paused. */
    godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, "the resume failed, trying again", local);
    godwit_disks_repair_access (job, godwit_job_get_destination (job), NULL, NULL);
    if (attempt > 1)
      g_usleep (godwit_live_times.retry_ms * 1000);
  }
}

/* FALSE with @error if the call still has not returned; its own failure is only worth a line,
 * since the guest has moved. */
static gboolean
finish_call (GodwitJob *job, GError **error)
{
  GodwitLiveRun *run = godwit_live_get_run (job);
  GodwitHypervisor *source = godwit_job_get_source_hypervisor (job);
  g_autoptr (GError) local = NULL;
  GodwitLiveStatus status = {0};

  if (run == NULL || run->live == NULL || source == NULL)
    return TRUE;
  if (godwit_hypervisor_live_finish (source, run->live, godwit_live_times.settle_ms, &local)) {
    run->returned = TRUE;
    return TRUE;
  }
  run->returned =
      godwit_hypervisor_live_wait (source, run->live, 0, &status, NULL) && status.returned;
  if (run->returned) {
    godwit_live_log_error (job, GODWIT_SEVERITY_WARNING,
                           "the guest has moved, though the migration call ended with an error",
                           local);
    return TRUE;
  }
  g_propagate_prefixed_error (error, g_steal_pointer (&local),
                              "the migration call has not returned: ");
  return FALSE;
}

gboolean
godwit_live_settle (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) local = NULL;

  finish_call (job, &first);
  godwit_live_report_verify (job);
  /* The source's daemon gives images "back" at the very end of its call, which would make the
   * next opening at the destination fail. */
  if (!need_destination (job, &local) ||
      !godwit_disks_repair_access (job, godwit_job_get_destination (job), cancellable, &local)) {
    if (first == NULL)
      first = g_steal_pointer (&local);
    g_clear_error (&local);
  }
  if (!godwit_live_close_tunnels (job, cancellable, &local) && first == NULL)
    first = g_steal_pointer (&local);
  godwit_job_keep (job, "live", NULL);
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}
