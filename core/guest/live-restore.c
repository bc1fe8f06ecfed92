/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/disks-private.h"
#include "guest/live-private.h"
#include "guest/past.h"

#include <godwit/error.h>
#include <godwit/live.h>

G_DEFINE_FINAL_TYPE (GodwitLiveRun, godwit_live_run, G_TYPE_OBJECT)

static void
godwit_live_run_finalize (GObject *object)
{
  GodwitLiveRun *self = GODWIT_LIVE_RUN (object);

  g_clear_object (&self->live);
  if (self->watch != NULL)
    godwit_process_stop (self->watch, NULL);
  g_clear_object (&self->watch);
  g_clear_object (&self->verify);
  g_free (self->unverified);
  G_OBJECT_CLASS (godwit_live_run_parent_class)->finalize (object);
}

static void
godwit_live_run_class_init (GodwitLiveRunClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_live_run_finalize;
}

static void
godwit_live_run_init (GodwitLiveRun *self)
{
}

GodwitLiveRun *
godwit_live_get_run (GodwitJob *job)
{
  GObject *object = godwit_job_kept (job, "live");

  return object != NULL ? GODWIT_LIVE_RUN (object) : NULL;
}

void
godwit_live_log_error (GodwitJob *job, GodwitSeverity severity, const char *what,
                       const GError *error)
{
  g_autofree char *message = godwit_error_dup_message (error);

  godwit_job_log (job, severity, NULL, "%s%s%s", what != NULL ? what : "", what != NULL ? ": " : "",
                  message);
}

/* --- the call ----------------------------------------------------------------------------- */

static gboolean
wait_for_return (GodwitJob *job, GodwitLiveRun *run, gint64 milliseconds)
{
  gint64 deadline = g_get_monotonic_time () + milliseconds * 1000;

  while (!run->returned && g_get_monotonic_time () < deadline) {
    g_autoptr (GError) error = NULL;
    if (!godwit_hypervisor_live_wait (godwit_job_get_source_hypervisor (job), run->live,
                                      godwit_live_times.poll_ms, &run->status, &error)) {
      godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, "cannot watch the migration", error);
      g_usleep (godwit_live_times.poll_ms * 1000);
    }
    run->returned = run->status.returned;
  }
  return run->returned;
}

gboolean
godwit_live_end_call (GodwitJob *job, gboolean abort)
{
  GodwitLiveRun *run = godwit_live_get_run (job);
  g_autoptr (GError) error = NULL;

  if (run == NULL || run->live == NULL || run->returned)
    return TRUE;
  if (godwit_job_get_source_hypervisor (job) == NULL)
    return FALSE;
  if (abort &&
      !godwit_hypervisor_live_abort (godwit_job_get_source_hypervisor (job), run->live, &error))
    godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, "the abort was refused", error);
  if (wait_for_return (job, run, godwit_live_times.abort_ms))
    return TRUE;
  godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL,
                  "the migration does not end by itself: cutting its channels");
  godwit_live_cut_tunnels (job);
  return wait_for_return (job, run, godwit_live_times.cut_ms);
}

/* --- who has the guest -------------------------------------------------------------------- */

static gboolean
ask (GodwitHypervisor *hypervisor, GodwitHost *host, const char *where, GodwitJob *job,
     GodwitGuestState *state, GError **error)
{
  gboolean persistent = FALSE;

  *state = GODWIT_GUEST_UNKNOWN;
  if (hypervisor == NULL || host == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "the %s host cannot be reached", where);
    return FALSE;
  }
  if (!godwit_hypervisor_get_state (hypervisor, godwit_job_get_guest (job)->uuid, state,
                                    &persistent, NULL, error)) {
    *state = GODWIT_GUEST_UNKNOWN;
    g_prefix_error (error, "%s: ", godwit_host_get_name (host));
    return FALSE;
  }
  return TRUE;
}

static gboolean
ask_source (GodwitJob *job, GodwitGuestState *state, GError **error)
{
  return ask (godwit_job_get_source_hypervisor (job), godwit_job_get_source (job), "source", job,
              state, error);
}

static gboolean
ask_destination (GodwitJob *job, GodwitGuestState *state, GError **error)
{
  return ask (godwit_job_get_destination_hypervisor (job), godwit_job_get_destination (job),
              "destination", job, state, error);
}

static gboolean
has_no_process (GodwitGuestState state)
{
  return state == GODWIT_GUEST_ABSENT || state == GODWIT_GUEST_SHUT_OFF;
}

gboolean
godwit_live_source_is_gone (GodwitJob *job, gboolean *gone, GCancellable *cancellable,
                            GError **error)
{
  GodwitLiveRun *run = godwit_live_get_run (job);
  GodwitGuestState state;

  *gone = FALSE;
  /* The process itself is asked first: the hypervisor notices its end 0.2 s later, and those
   * would be downtime. */
  if (run != NULL && run->watch != NULL && !run->exited &&
      !godwit_process_wait (run->watch, 0, &run->exited, cancellable, NULL))
    run->exited = FALSE;
  if (run != NULL && run->exited) {
    *gone = TRUE;
    return TRUE;
  }
  if (!ask_source (job, &state, error))
    return FALSE;
  *gone = has_no_process (state);
  return TRUE;
}

static GodwitLiveOutcome
doubt (GodwitJob *job, GError **error, const char *what)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  g_autofree char *remedy = g_strdup_printf ("godwit recover %s", godwit_job_get_id (job));

  godwit_set_error (error, GODWIT_ERROR_IN_DOUBT, remedy, "where %s is cannot be decided: %s",
                    guest->name, what);
  return GODWIT_LIVE_IN_DOUBT;
}

/* Until nothing works on it any more: a hypervisor that lost the client of a migration ends that
 * by itself, but not at once. */
static gboolean
wait_until_idle (GodwitJob *job, GodwitGuestState *state, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)godwit_live_times.idle_ms * 1000;
  GodwitLiveRun *run = godwit_live_get_run (job);

  for (;;) {
    if (!ask_source (job, state, error))
      return FALSE;
    if (has_no_process (*state) || (run != NULL && run->returned))
      return TRUE;
    g_autoptr (GodwitGuest) now =
        godwit_hypervisor_describe_guest (godwit_job_get_source_hypervisor (job),
                                          godwit_job_get_guest (job)->uuid, NULL, NULL);
    if (now != NULL && now->busy == NULL)
      return ask_source (job, state, error);
    if (g_get_monotonic_time () >= deadline) {
      godwit_set_error (error, GODWIT_ERROR_BUSY, "godwit recover", "%s is still busy at %s: %s",
                        godwit_job_get_guest (job)->name,
                        godwit_host_get_name (godwit_job_get_source (job)),
                        now != NULL ? now->busy : "it cannot be described");
      return FALSE;
    }
    g_usleep (godwit_live_times.poll_ms * 1000);
  }
}

/* The source goes on as it was when the job began. */
static GodwitLiveOutcome
revive (GodwitJob *job, GodwitGuestState source, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *host = godwit_host_get_name (godwit_job_get_source (job));

  /* Its daemon may have let it run, when the answer to the last call was lost. */
  if (source == GODWIT_GUEST_RUNNING && !godwit_guest_note_ran_on (job, error))
    return GODWIT_LIVE_STUCK;
  if (guest->state != GODWIT_GUEST_RUNNING || source == GODWIT_GUEST_RUNNING)
    return GODWIT_LIVE_AT_SOURCE;
  /* Only one who stopped for the migration is resumed: an operator's pause stays. */
  if (source != GODWIT_GUEST_PAUSED_MIGRATION)
    return GODWIT_LIVE_AT_SOURCE;
  if (!godwit_guest_note_ran_on (job, error))
    return GODWIT_LIVE_STUCK;
  if (!godwit_hypervisor_resume (godwit_job_get_source_hypervisor (job), guest->uuid, NULL,
                                 error)) {
    g_prefix_error (error, "%s is paused at %s and cannot be resumed: ", guest->name, host);
    return GODWIT_LIVE_STUCK;
  }
  godwit_job_log (job, GODWIT_SEVERITY_INFO, host, "%s runs on", guest->name);
  return GODWIT_LIVE_AT_SOURCE;
}

static void
set_lost (GodwitJob *job, GError **error)
{
  const GodwitGuest *guest = godwit_job_get_guest (job);
  const char *host = godwit_host_get_name (godwit_job_get_source (job));
  GodwitGuestEnd end = GODWIT_END_UNKNOWN;

  if (godwit_hypervisor_get_end (godwit_job_get_source_hypervisor (job), guest->uuid, &end, NULL,
                                 NULL) &&
      end == GODWIT_END_MIGRATED)
    godwit_set_error (
        error, GODWIT_ERROR_PEER, NULL,
        "%s had left %s and ended at the destination before it could be resumed there", guest->name,
        host);
  else
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL,
                      "%s ended at %s before it had moved: it crashed or was stopped there, its "
                      "disks at %s are as it left them",
                      guest->name, host, host);
}

/* The source has no process of the guest any more. */
static GodwitLiveOutcome
without_source (GodwitJob *job, GodwitGuestState destination, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  gboolean ran_on = godwit_guest_get_past (job) == GODWIT_PAST_RAN_ON;
  if (destination == GODWIT_GUEST_RUNNING || (destination == GODWIT_GUEST_PAUSED && !ran_on))
    return GODWIT_LIVE_MOVED;
  if (destination == GODWIT_GUEST_UNKNOWN)
    return doubt (job, error, "it is gone from the source, and the destination cannot be asked");
  if (destination == GODWIT_GUEST_PAUSED_MIGRATION || destination == GODWIT_GUEST_CRASHED ||
      destination == GODWIT_GUEST_PAUSED)
    godwit_hypervisor_destroy (godwit_job_get_destination_hypervisor (job), guest->uuid, NULL,
                               NULL);
  set_lost (job, error);
  return GODWIT_LIVE_LOST;
}

/* The source still has the guest, so whatever the destination has is a copy that never ran. */
static GodwitLiveOutcome
with_source (GodwitJob *job, GodwitGuestState source, GodwitGuestState destination,
             const GError *asked, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *there = godwit_job_get_destination_hypervisor (job);

  if (destination == GODWIT_GUEST_RUNNING)
    return doubt (job, error, "both hosts have it, and it runs at the destination");
  if (destination == GODWIT_GUEST_UNKNOWN) {
    if (source == GODWIT_GUEST_PAUSED_MIGRATION)
      return doubt (job, error,
                    "it stands paused at the source, and the destination cannot be asked");
    GodwitLiveOutcome outcome = revive (job, source, error);
    if (outcome == GODWIT_LIVE_AT_SOURCE && error != NULL && *error == NULL)
      *error = g_error_copy (asked);
    return outcome;
  }
  if (destination != GODWIT_GUEST_ABSENT && destination != GODWIT_GUEST_SHUT_OFF &&
      !godwit_hypervisor_destroy (there, guest->uuid, NULL, error)) {
    g_prefix_error (error,
                    "what is left of %s at the destination cannot be removed: ", guest->name);
    /* It never ran and only we would resume it, so the source may go on. */
    g_autoptr (GError) ignored = NULL;
    return revive (job, source, &ignored);
  }
  return revive (job, source, error);
}

GodwitLiveOutcome
godwit_live_restore_source (GodwitJob *job, GError **error)
{
  GodwitGuestState source, destination;
  g_autoptr (GError) source_error = NULL;
  g_autoptr (GError) destination_error = NULL;
  gboolean gone = FALSE;

  ask_destination (job, &destination, &destination_error);
  if (godwit_live_source_is_gone (job, &gone, NULL, &source_error) && gone)
    return without_source (job, destination, error);
  if (source_error != NULL || !wait_until_idle (job, &source, &source_error))
    return doubt (job, error, source_error->message);
  /* While we waited a crash, or a confirm that was under way, may have ended it. */
  g_clear_error (&destination_error);
  ask_destination (job, &destination, &destination_error);
  if (has_no_process (source))
    return without_source (job, destination, error);
  if (source == GODWIT_GUEST_CRASHED) {
    if (destination == GODWIT_GUEST_PAUSED || destination == GODWIT_GUEST_RUNNING)
      return doubt (job, error, "it has crashed at the source and is complete at the destination");
    return without_source (job, destination, error);
  }
  return with_source (job, source, destination, destination_error, error);
}

/* A destination that ends its half of a migration by itself, after a restart of its daemon for
 * example, gives images that both hosts see back to their owner of before, under the hands of the
 * guest. What it has open it keeps, but the next opening would fail. */
static gboolean
give_images_back (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  if (godwit_disks_repair_shared (job, cancellable, error))
    return TRUE;
  g_prefix_error (error, "whether %s may still open its disks cannot be told: ",
                  godwit_job_get_guest (job)->name);
  return FALSE;
}

gboolean
godwit_live_undo_copy (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GVariant) begun = godwit_job_get_fact (job, "live.begun");

  if (begun == NULL)
    return TRUE;
  if (!godwit_live_end_call (job, TRUE)) {
    doubt (job, error, "the migration call does not return");
    return FALSE;
  }
  GodwitLiveOutcome outcome = godwit_live_restore_source (job, &local);
  if (outcome == GODWIT_LIVE_AT_SOURCE && local == NULL)
    give_images_back (job, cancellable, &local);
  if (outcome == GODWIT_LIVE_MOVED)
    godwit_set_error (&local, GODWIT_ERROR_IN_DOUBT, "godwit recover",
                      "%s is complete at the destination and gone from the source: its memory is "
                      "only there, so the migration can only be finished",
                      godwit_job_get_guest (job)->name);
  if (outcome == GODWIT_LIVE_LOST) {
    /* Nothing can be undone for a guest that died by itself; the rest of the rollback can. */
    godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, NULL, local);
    g_clear_error (&local);
    outcome = GODWIT_LIVE_AT_SOURCE;
  }
  if (outcome == GODWIT_LIVE_AT_SOURCE && local == NULL) {
    godwit_job_keep (job, "live", NULL);
    return godwit_job_set_fact (job, "live.begun", NULL, error);
  }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
