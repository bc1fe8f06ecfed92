/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"

#include <godwit/error.h>
#include <godwit/live.h>

#define EXIT_POLL_MS        1000
#define INITIAL_DOWNTIME_MS 10
#define MAX_DOWNTIME_MS     300
#define STALL_MS            60000
/* One migration while it runs. */
typedef struct {
  GodwitJob *job;
  GodwitLiveRun *run;
  const char *const *mirror;
  GodwitLadder ladder;
  GodwitWatchdog dog;
  GError *different;  /* what the frozen guest's disks hold that was never written there */
  GError *stopped;    /* why it is being aborted; NULL while it may go on */
  gint64 deadline_us; /* of the abort, then of the cut */
  gboolean cut;
  gboolean noted; /* the time of the freeze is in the journal */
  guint iteration;
} Copy;

static void
copy_clear (Copy *copy)
{
  g_clear_error (&copy->stopped);
  g_clear_error (&copy->different);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Copy, copy_clear)

static guint
option_ms (GodwitJob *job, const char *name, guint fallback)
{
  guint64 value = godwit_job_get_option_uint64 (job, name);

  return value == 0 || value > G_MAXINT ? fallback : (guint)value;
}

static GodwitHypervisor *
source_of (const Copy *copy)
{
  return godwit_job_get_source_hypervisor (copy->job);
}

/* --- beginning ---------------------------------------------------------------------------- */

static gboolean
is_mirrored (const char *const *mirror, const GodwitDisk *disk)
{
  return mirror != NULL && g_strv_contains (mirror, disk->target);
}

static gboolean
all_proven (GodwitJob *job, const char *const *mirror)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;

  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (godwit_disk_get_top (disk) == NULL || disk->read_only || is_mirrored (mirror, disk))
      continue;
    if (disk->sharing != GODWIT_SHARING_YES || g_strcmp0 (disk->cache, "unsafe") == 0)
      return FALSE;
  }
  return TRUE;
}

/* A watched process tells of its end 0.2 s before its hypervisor does, which is downtime saved;
 * without it the migration is as correct and a little slower. */
static GodwitProcess *
watch_guest (GodwitJob *job, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  GodwitHost *source = godwit_job_get_source (job);
  g_autofree char *pid_file =
      godwit_hypervisor_get_pid_file (godwit_job_get_source_hypervisor (job),
                                      godwit_job_get_guest (job)->uuid, cancellable, &error);
  GodwitProcess *process = NULL;

  if (pid_file != NULL)
    process = godwit_host_watch_process (source, pid_file, cancellable, &error);
  if (process == NULL)
    godwit_live_log_error (
        job, GODWIT_SEVERITY_INFO,
        "the guest's process cannot be watched, so the stop lasts about 0.2 s longer", error);
  return process;
}

static gboolean
check_still_there (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean persistent = FALSE;

  if (!godwit_hypervisor_get_state (godwit_job_get_source_hypervisor (job), guest->uuid, &state,
                                    &persistent, cancellable, error))
    return FALSE;
  if (state == guest->state)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_BUSY, "migrate it again",
                    "%s was %s when the migration was planned and is %s now", guest->name,
                    godwit_guest_state_to_string (guest->state),
                    godwit_guest_state_to_string (state));
  return FALSE;
}

static gboolean
begin (Copy *copy, GCancellable *cancellable, GError **error)
{
  GodwitJob *job = copy->job;
  g_autoptr (GVariant) directory = godwit_job_get_fact (job, "live.directory");

  if (directory == NULL || !check_still_there (job, cancellable, error) ||
      !godwit_guest_check_unchanged (job, cancellable, error)) {
    if (directory == NULL)
      godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "no tunnels were opened");
    return FALSE;
  }
  const char *path = g_variant_get_string (directory, NULL);
  g_autofree char *memory = g_build_filename (path, "ram.sock", NULL);
  g_autofree char *disk = g_build_filename (path, "nbd.sock", NULL);
  g_autofree char *definition =
      godwit_hypervisor_adapt_definition (godwit_job_get_destination_hypervisor (job), job,
                                          godwit_job_get_guest (job), TRUE, cancellable, error);
  if (definition == NULL)
    return FALSE;

  copy->run->watch = watch_guest (job, cancellable);
  godwit_ladder_init (&copy->ladder, option_ms (job, "initial-downtime", INITIAL_DOWNTIME_MS),
                      option_ms (job, "max-downtime", MAX_DOWNTIME_MS));
  GodwitLiveParams params = {
      .memory_socket = memory,
      .disk_socket = disk,
      .mirror = copy->mirror,
      .proven_safe = all_proven (job, copy->mirror),
      .definition = definition,
      .max_downtime_ms = copy->ladder.limit_ms,
  };
  if (!godwit_job_set_fact (job, "live.begun", g_variant_new_boolean (TRUE), error))
    return FALSE;
  copy->run->live =
      godwit_hypervisor_live_begin (source_of (copy), godwit_job_get_destination_hypervisor (job),
                                    godwit_job_get_guest (job), &params, cancellable, error);
  if (copy->run->live == NULL)
    return FALSE;
  godwit_watchdog_init (&copy->dog, (gint64)option_ms (job, "stall-timeout", STALL_MS) * 1000,
                        g_get_monotonic_time ());
  return TRUE;
}

/* --- watching ----------------------------------------------------------------------------- */

static void
show_progress (Copy *copy)
{
  const GodwitLiveStatus *status = &copy->run->status;

  if (status->disk_total > 0) {
    gboolean one = copy->mirror != NULL && copy->mirror[0] != NULL && copy->mirror[1] == NULL;
    g_autofree char *what = one ? g_strconcat ("disk ", copy->mirror[0], NULL) : g_strdup ("disks");
    godwit_job_progress (copy->job, what, status->disk_done, status->disk_total);
  }
  if (status->memory_done > 0)
    godwit_job_progress (copy->job, "memory", status->memory_done,
                         status->memory_done + status->memory_remaining);
  if (status->iteration > copy->iteration) {
    copy->iteration = status->iteration;
    g_autofree char *remaining =
        g_format_size_full (status->memory_remaining, G_FORMAT_SIZE_IEC_UNITS);
    godwit_job_log (copy->job, GODWIT_SEVERITY_INFO, NULL,
                    "memory: pass %u, %s left, expected downtime %u ms, limit %u ms",
                    status->iteration, remaining, status->downtime_ms, copy->ladder.limit_ms);
  }
}

static void
steer (Copy *copy)
{
  g_autoptr (GError) error = NULL;

  if (!godwit_ladder_step (&copy->ladder, &copy->run->status))
    return;
  if (godwit_hypervisor_live_set_downtime (source_of (copy), copy->run->live, copy->ladder.limit_ms,
                                           &error))
    godwit_job_log (copy->job, GODWIT_SEVERITY_INFO, NULL,
                    "passes over memory do not get shorter: the guest may stop for up to %u ms "
                    "now",
                    copy->ladder.limit_ms);
  else
    godwit_live_log_error (copy->job, GODWIT_SEVERITY_WARNING,
                           "the downtime limit cannot be raised", error);
}

static void
note_frozen (Copy *copy)
{
  GodwitLiveRun *run = copy->run;

  if (run->frozen_us == 0 && run->status.source_state == GODWIT_GUEST_PAUSED_MIGRATION &&
      godwit_job_get_guest (copy->job)->state == GODWIT_GUEST_RUNNING)
    run->frozen_us = g_get_real_time ();
}

/* Asks for the end of the migration; the loop then sees how it ends. */
static void
stop (Copy *copy, GError *reason)
{
  g_autoptr (GError) error = NULL;

  copy->stopped = reason;
  copy->deadline_us = g_get_monotonic_time () + (gint64)godwit_live_times.abort_ms * 1000;
  godwit_live_log_error (copy->job, GODWIT_SEVERITY_WARNING, "aborting the migration", reason);
  if (!godwit_hypervisor_live_abort (source_of (copy), copy->run->live, &error))
    godwit_live_log_error (copy->job, GODWIT_SEVERITY_WARNING, "the abort was refused", error);
}

static void
stop_if_asked_or_stalled (Copy *copy, GCancellable *cancellable)
{
  GError *reason = NULL;

  /* Memory may have to wait for the disks to be read, which is progress too. */
  GodwitLiveStatus moved = copy->run->status;
  moved.disk_done += copy->run->looked_at;
  GodwitMoving moving = godwit_live_check_moving (copy->job, &copy->dog, &moved, &reason);
  if (g_cancellable_is_cancelled (cancellable)) {
    g_clear_error (&reason);
    godwit_set_error (&reason, GODWIT_ERROR_CANCELLED, NULL, "the migration was aborted");
  }
  if (reason == NULL)
    return;
  stop (copy, reason);
  /* What waits for a host that is gone rarely obeys. */
  if (moving == GODWIT_MOVING_SILENT)
    copy->deadline_us = g_get_monotonic_time () + (gint64)godwit_live_times.gone_ms * 1000;
}

/* A guest that has crashed gets through at once, since nothing of it changes any more. But what is
 * to happen to it is for its host to do, and the other one would not know of it. */
static void
stop_if_crashed (Copy *copy)
{
  GodwitGuest *guest = godwit_job_get_guest (copy->job);
  GError *reason = NULL;

  if (copy->stopped != NULL || copy->run->status.source_state != GODWIT_GUEST_CRASHED)
    return;
  godwit_set_error (&reason, GODWIT_ERROR_PEER, NULL, "%s crashed at %s while it moved",
                    guest->name, godwit_host_get_name (godwit_job_get_source (copy->job)));
  stop (copy, reason);
}

/* An abort that the hypervisor does not carry out is helped by ending what the migration runs
 * through. FALSE once there is nothing more to try. */
static gboolean
press_abort (Copy *copy)
{
  if (g_get_monotonic_time () < copy->deadline_us)
    return TRUE;
  if (copy->cut)
    return FALSE;
  godwit_job_log (copy->job, GODWIT_SEVERITY_WARNING, NULL,
                  "the migration does not end by itself: cutting its channels");
  godwit_live_cut_tunnels (copy->job);
  copy->cut = TRUE;
  copy->deadline_us = g_get_monotonic_time () + (gint64)godwit_live_times.cut_ms * 1000;
  return TRUE;
}

/* Done while the source's process still has to end, where it costs no downtime. */
static void
journal_freeze (Copy *copy)
{
  if (copy->noted || copy->run->frozen_us == 0)
    return;
  copy->noted = TRUE;
  godwit_job_set_fact (copy->job, "live.frozen-us", g_variant_new_int64 (copy->run->frozen_us),
                       NULL);
}

/* The guest is complete at the destination. Its process at the source ends within some 40 ms;
 * only that makes the destination the guest's one place. */
static gboolean
wait_for_exit (Copy *copy)
{
  GodwitLiveRun *run = copy->run;
  g_autoptr (GError) error = NULL;

  if (run->watch != NULL && !run->exited &&
      !godwit_process_wait (run->watch, EXIT_POLL_MS, &run->exited, NULL, &error)) {
    godwit_live_log_error (copy->job, GODWIT_SEVERITY_WARNING,
                           "the guest's process cannot be watched any more", error);
    g_clear_object (&run->watch);
  }
  return run->exited || (run->returned && !run->status.failed);
}

/* The source's process ended while the destination was not seen complete. */
static gboolean
arrived_after_all (Copy *copy)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)godwit_live_times.arrival_ms * 1000;
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean persistent;

  do {
    if (godwit_hypervisor_get_state (godwit_job_get_destination_hypervisor (copy->job),
                                     godwit_job_get_guest (copy->job)->uuid, &state, &persistent,
                                     NULL, NULL) &&
        (state == GODWIT_GUEST_PAUSED || state == GODWIT_GUEST_ABSENT))
      break;
    g_usleep (20 * 1000);
  } while (g_get_monotonic_time () < deadline);
  return state == GODWIT_GUEST_PAUSED;
}

static void
ask_process (Copy *copy)
{
  GodwitLiveRun *run = copy->run;

  if (run->watch != NULL && !run->exited &&
      !godwit_process_wait (run->watch, 0, &run->exited, NULL, NULL))
    run->exited = FALSE;
}

static void
stop_if_different (Copy *copy)
{
  GError *reason = NULL;

  if (copy->stopped == NULL && !godwit_live_verify (copy->job, copy->mirror, &reason))
    stop (copy, reason);
}

/* As long as the source's process takes to end, this costs no downtime. */
static void
verify_rest (Copy *copy)
{
  if (copy->different == NULL)
    godwit_live_verify_rest (copy->job, copy->mirror, &copy->different);
}

typedef enum {
  GO_ON,
  FROZEN,
  ENDED,
} Turn;

static Turn
take_turn (Copy *copy, GCancellable *cancellable)
{
  GodwitLiveRun *run = copy->run;
  g_autoptr (GError) error = NULL;

  if (!godwit_hypervisor_live_wait (source_of (copy), run->live, godwit_live_times.poll_ms,
                                    &run->status, &error)) {
    if (copy->stopped == NULL)
      stop (copy, g_steal_pointer (&error));
    g_usleep (godwit_live_times.poll_ms * 1000);
    return press_abort (copy) ? GO_ON : ENDED;
  }
  run->returned = run->status.returned;
  note_frozen (copy);
  if (run->status.destination_state == GODWIT_GUEST_PAUSED) {
    journal_freeze (copy);
    verify_rest (copy);
    if (wait_for_exit (copy))
      return FROZEN;
  }
  if (run->returned)
    return !run->status.failed && arrived_after_all (copy) ? FROZEN : ENDED;
  ask_process (copy);
  if (run->exited)
    return arrived_after_all (copy) ? FROZEN : ENDED;
  show_progress (copy);
  if (copy->stopped != NULL)
    return press_abort (copy) ? GO_ON : ENDED;
  steer (copy);
  stop_if_asked_or_stalled (copy, cancellable);
  stop_if_different (copy);
  stop_if_crashed (copy);
  return GO_ON;
}

/* --- ending ------------------------------------------------------------------------------- */

/* It did not get through. Whatever the call said, both sides are asked what is true. */
static gboolean
conclude_failure (Copy *copy, GError **error)
{
  GodwitJob *job = copy->job;
  GodwitGuest *guest = godwit_job_get_guest (job);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GError) trouble = NULL;

  /* The call of a guest whose process died returns soon by itself. */
  if (!godwit_live_end_call (job, FALSE)) {
    godwit_set_error (error, GODWIT_ERROR_IN_DOUBT, "godwit recover",
                      "the migration of %s does not end, though its channels are cut", guest->name);
    return FALSE;
  }
  godwit_hypervisor_live_finish (source_of (copy), copy->run->live, 0, &cause);
  GodwitLiveOutcome outcome = godwit_live_restore_source (job, &trouble);
  if (outcome == GODWIT_LIVE_MOVED) {
    if (cause != NULL)
      godwit_live_log_error (job, GODWIT_SEVERITY_WARNING,
                             "the guest is complete at the destination, though the call failed",
                             cause);
    return TRUE;
  }
  if (outcome != GODWIT_LIVE_AT_SOURCE && trouble != NULL) {
    g_propagate_error (error, g_steal_pointer (&trouble));
    if (cause != NULL)
      godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, "the migration failed", cause);
    return FALSE;
  }
  if (copy->stopped != NULL)
    g_propagate_error (error, g_steal_pointer (&copy->stopped));
  else if (cause != NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&cause),
                                "live migration of %s: ", guest->name);
  else
    godwit_set_error (error, GODWIT_ERROR_PEER, "godwit log",
                      "the live migration of %s ended without a reason", guest->name);
  if (trouble != NULL)
    godwit_live_log_error (job, GODWIT_SEVERITY_WARNING, NULL, trouble);
  return FALSE;
}

static gboolean
conclude_failed_begin (Copy *copy, GError **error)
{
  /* Nothing runs; whether anything was left at the destination is for the undo to see. */
  godwit_job_keep (copy->job, "live", NULL);
  g_prefix_error (error, "the live migration of %s cannot begin: ",
                  godwit_job_get_guest (copy->job)->name);
  return FALSE;
}

gboolean
godwit_live_copy (GodwitJob *job, const char *const *mirror, GCancellable *cancellable,
                  GError **error)
{
  g_auto (Copy) copy = {.job = job, .mirror = mirror};
  Turn turn;

  copy.run = g_object_new (GODWIT_TYPE_LIVE_RUN, NULL);
  godwit_job_keep (job, "live", G_OBJECT (copy.run));
  if (!begin (&copy, cancellable, error))
    return conclude_failed_begin (&copy, error);
  do
    turn = take_turn (&copy, cancellable);
  while (turn == GO_ON);

  if (turn == ENDED && !conclude_failure (&copy, error))
    return FALSE;
  verify_rest (&copy);
  if (copy.different != NULL) {
    g_propagate_error (error, g_steal_pointer (&copy.different));
    return FALSE;
  }
  if (copy.stopped != NULL)
    godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL,
                    "the abort came too late: %s is complete at the destination",
                    godwit_job_get_guest (job)->name);
  return TRUE;
}
