/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cold.h"

/* --- what stands against it --------------------------------------------------------------- */

static gboolean
is_own_copy (const GodwitDisk *disk)
{
  return disk->treatment == GODWIT_TREATMENT_COPY && !disk->read_only;
}

static gboolean
has_own_copies (const GodwitGuest *guest)
{
  for (guint i = 0; i < guest->disks->len; i++)
    if (is_own_copy (g_ptr_array_index (guest->disks, i)))
      return TRUE;
  return FALSE;
}

/* Somebody may have started the guest at the destination and shut it off again: what is on the
 * disk there says so. */
static gboolean
has_changed (GodwitJob *job, GodwitDisk *disk, gboolean *changed, GCancellable *cancellable,
             GError **error)
{
  g_autofree char *name = g_strdup_printf ("disk.%s.digest", disk->target);
  g_autoptr (GVariant) sent = godwit_job_get_fact (job, name);
  GodwitStorage *storage = godwit_job_get_storage (job, disk);
  GodwitEnd end = {0};

  *changed = TRUE;
  if (sent == NULL || storage == NULL)
    return TRUE;
  g_autoptr (GObject) target =
      godwit_storage_open_target (storage, job, disk, &end, cancellable, error);
  if (target == NULL)
    return FALSE;
  g_autofree char *now = godwit_transfer_digest (&end, NULL, NULL, cancellable, error);
  if (now == NULL)
    return FALSE;
  *changed = g_strcmp0 (now, g_variant_get_string (sent, NULL)) != 0;
  return TRUE;
}

static gboolean
any_changed (GodwitJob *job, gboolean *changed, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  *changed = FALSE;
  for (guint i = 0; i < guest->disks->len && !*changed; i++) {
    GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    if (is_own_copy (disk) && !has_changed (job, disk, changed, cancellable, error)) {
      g_prefix_error (error, "disk %s: ", disk->target);
      return FALSE;
    }
  }
  return TRUE;
}

static char *
describe_writes (GodwitJob *job, gboolean active)
{
  guint64 bytes = 0;

  if (!active ||
      !godwit_hypervisor_get_written (godwit_job_get_destination_hypervisor (job),
                                      godwit_job_get_guest (job)->uuid, &bytes, NULL, NULL))
    return g_strdup ("has written to its disks there (how much is not known any more)");
  g_autofree char *size = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  return g_strdup_printf ("has written %" G_GUINT64_FORMAT " bytes (%s) to its disks there", bytes,
                          size);
}

/* What the guest wrote at the destination is lost by going back to the source's copy. */
static gboolean
check_writes (GodwitJob *job, GodwitReport *report, gboolean active, GCancellable *cancellable,
              GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *host = godwit_host_get_name (godwit_job_get_destination (job));
  gboolean changed = active || cold_was_running (job, "cold");

  if (!has_own_copies (guest))
    return TRUE;
  if (!changed && !any_changed (job, &changed, cancellable, error))
    return FALSE;
  if (!changed) {
    godwit_report_add (report, GODWIT_SEVERITY_OK, "destination-writes", guest->name, NULL,
                       "the disks of %s at %s are as they were copied", guest->name, host);
    return TRUE;
  }
  g_autofree char *writes = describe_writes (job, active);
  gboolean discard = godwit_job_get_option_boolean (job, "discard-destination-writes");
  godwit_report_add (report, discard ? GODWIT_SEVERITY_WARNING : GODWIT_SEVERITY_BLOCKER,
                     "destination-writes", guest->name,
                     discard ? NULL
                             : "revert with --copy-back to keep that, or with "
                               "--discard-destination-writes to throw it away",
                     "%s ran at %s and %s: the copy at %s does not have that", guest->name, host,
                     writes, godwit_host_get_name (godwit_job_get_source (job)));
  return TRUE;
}

static void
check_source (GodwitJob *job, GodwitGuestState state, GodwitReport *report)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *host = godwit_host_get_name (godwit_job_get_source (job));

  if (state != GODWIT_GUEST_ABSENT && state != GODWIT_GUEST_SHUT_OFF)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-state", guest->name,
                       "look at both hosts before anything else",
                       "%s is %s at %s, where it should be gone", guest->name,
                       godwit_guest_state_to_string (state), host);
}

static void
check_destination (GodwitJob *job, GodwitGuestState state, gboolean persistent,
                   GodwitReport *report)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *host = godwit_host_get_name (godwit_job_get_destination (job));

  if (state == GODWIT_GUEST_ABSENT || !persistent)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-exists", guest->name, "godwit jobs",
                       "%s is not at %s any more: it has moved on or was removed there",
                       guest->name, host);
  else if (state == GODWIT_GUEST_PAUSED_MIGRATION)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-busy", guest->name, "godwit jobs",
                       "%s is being migrated away from %s", guest->name, host);
}

static gboolean
need_hosts (GodwitJob *job, GError **error)
{
  if (godwit_job_get_source (job) != NULL && godwit_job_get_source_hypervisor (job) != NULL &&
      godwit_job_get_destination (job) != NULL &&
      godwit_job_get_destination_hypervisor (job) != NULL)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                    "a revert needs both hosts, and one cannot be reached");
  return FALSE;
}

GPtrArray *
cold_plan_revert (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                  GCancellable *cancellable, GError **error)
{
  const char *uuid = godwit_job_get_guest (job)->uuid;
  GodwitGuestState here = GODWIT_GUEST_UNKNOWN, there = GODWIT_GUEST_UNKNOWN;
  gboolean persistent_here = FALSE, persistent_there = FALSE;

  if (!need_hosts (job, error) ||
      !godwit_hypervisor_get_state (godwit_job_get_source_hypervisor (job), uuid, &here,
                                    &persistent_here, cancellable, error) ||
      !godwit_hypervisor_get_state (godwit_job_get_destination_hypervisor (job), uuid, &there,
                                    &persistent_there, cancellable, error))
    return NULL;
  check_source (job, here, report);
  check_destination (job, there, persistent_there, report);
  gboolean active = there != GODWIT_GUEST_SHUT_OFF && there != GODWIT_GUEST_ABSENT;
  if (!check_writes (job, report, active, cancellable, error))
    return NULL;
  return godwit_step_entries_plan (cold_revert_steps);
}

/* --- how it is done ------------------------------------------------------------------------ */

static gboolean
stop_destination (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return cold_stop (job, godwit_job_get_destination_hypervisor (job),
                    godwit_job_get_destination (job), "revert", cancellable, error);
}

static gboolean
undo_stop_destination (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                       GError **error)
{
  return cold_undo_stop (job, godwit_job_get_destination_hypervisor (job),
                         godwit_job_get_destination (job), "revert", cancellable, error);
}

static gboolean
prove_stopped (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return cold_prove_stopped (job, godwit_job_get_destination_hypervisor (job),
                             godwit_job_get_destination (job), cancellable, error);
}

/* The definition goes first: from here on nobody can start the guest at the destination. */
static gboolean
undefine_destination (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                      GError **error)
{
  return need_hosts (job, error) &&
         godwit_hypervisor_undefine (godwit_job_get_destination_hypervisor (job),
                                     godwit_job_get_guest (job)->uuid, cancellable, error);
}

static gboolean
unpark_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_unpark_source (job, cancellable, error) &&
         cold_firmware_unpark (job, cancellable, error);
}

static gboolean
define_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  return need_hosts (job, error) &&
         godwit_hypervisor_define (godwit_job_get_source_hypervisor (job), guest->definition,
                                   guest->autostart, cancellable, error);
}

static gboolean
start_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *hypervisor = godwit_job_get_source_hypervisor (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean persistent = FALSE;

  if (!cold_was_running (job, "cold"))
    return TRUE;
  if (!need_hosts (job, error) || !godwit_hypervisor_get_state (hypervisor, guest->uuid, &state,
                                                                &persistent, cancellable, error))
    return FALSE;
  if (state == GODWIT_GUEST_RUNNING)
    return TRUE;
  return godwit_disks_repair_access (job, godwit_job_get_source (job), cancellable, error) &&
         godwit_hypervisor_start (hypervisor, guest->uuid, cancellable, error);
}

static gboolean
remove_copies (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return need_hosts (job, error) && godwit_disks_reclaim_targets (job, cancellable, error) &&
         godwit_disks_undo_prepare (job, cancellable, error) &&
         cold_firmware_reclaim (job, cancellable, error);
}

const GodwitStepEntry cold_revert_steps[] = {
    {"revert-stop-destination", "shut the guest down at the destination", GODWIT_PHASE_PREPARING,
     60, 0, GODWIT_STEP_UNDO, stop_destination, undo_stop_destination},
    {"revert-commit", "prove that the guest is shut off at the destination", GODWIT_PHASE_FROZEN, 0,
     60, GODWIT_STEP_COMMIT, prove_stopped, NULL},
    {"revert-undefine-destination", "forget the guest's definition at the destination",
     GODWIT_PHASE_RESUMING, 0, 60, 0, undefine_destination, NULL},
    {"revert-unpark-source", "put the source's disks back", GODWIT_PHASE_RESUMING, 10, 120, 0,
     unpark_source, NULL},
    {"revert-define-source", "define the guest at the source as it was", GODWIT_PHASE_RESUMING, 5,
     60, 0, define_source, NULL},
    {"revert-start-source", "start the guest at the source", GODWIT_PHASE_RESUMING, 15, 120, 0,
     start_source, NULL},
    {"revert-remove-copies", "remove the copies at the destination", GODWIT_PHASE_RETIRING, 10, 120,
     GODWIT_STEP_MAY_OWE, remove_copies, NULL},
    {NULL},
};
