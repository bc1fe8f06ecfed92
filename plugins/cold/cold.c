/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cold.h"

struct _GodwitCold {
  GObject parent_instance;
};

#define GODWIT_TYPE_COLD (godwit_cold_get_type ())
G_DECLARE_FINAL_TYPE (GodwitCold, godwit_cold, GODWIT, COLD, GObject)

static gboolean
stops_guest (GodwitStrategy *self)
{
  return TRUE;
}

/* --- the steps ----------------------------------------------------------------------------- */

static gboolean
prepare_disks (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_prepare (job, cancellable, error);
}

static gboolean
undo_prepare_disks (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                    GError **error)
{
  return godwit_disks_undo_prepare (job, cancellable, error);
}

static gboolean
shut_down (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return cold_stop (job, godwit_job_get_source_hypervisor (job), godwit_job_get_source (job),
                    "cold", cancellable, error) &&
         godwit_guest_check_unchanged (job, cancellable, error);
}

static gboolean
undo_shut_down (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return cold_undo_stop (job, godwit_job_get_source_hypervisor (job), godwit_job_get_source (job),
                         "cold", cancellable, error);
}

static gboolean
copy_disks (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return cold_firmware_copy (job, cancellable, error) &&
         godwit_disks_copy (job, cancellable, error);
}

static gboolean
undo_copy_disks (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return cold_firmware_undo (job, cancellable, error);
}

static gboolean
verify (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_verify (job, cancellable, error) &&
         godwit_disks_finish_targets (job, FALSE, cancellable, error);
}

static gboolean
commit (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;

  if (!cold_prove_stopped (job, godwit_job_get_source_hypervisor (job), godwit_job_get_source (job),
                           cancellable, error) ||
      !godwit_disks_check_sources (job, cancellable, error))
    return FALSE;
  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    GodwitImage *top = godwit_disk_get_top (disk);
    if (disk->treatment != GODWIT_TREATMENT_COPY || disk->read_only || top->present)
      continue;
    g_autofree char *name = g_strdup_printf ("disk.%s.verified", disk->target);
    g_autoptr (GVariant) verified = godwit_job_get_fact (job, name);
    if (verified == NULL) {
      godwit_set_error (error, GODWIT_ERROR_BUSY, NULL, "the copy of %s has not been verified",
                        disk->target);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
define_destination (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                    GError **error)
{
  return godwit_guest_define_destination (job, cancellable, error);
}

static gboolean
undefine_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_guest_undefine_source (job, cancellable, error);
}

/* From when it was off to when it was started again; its boot comes on top. */
static void
note_downtime (GodwitJob *job)
{
  g_autoptr (GVariant) off = godwit_job_get_fact (job, "cold.off-us");
  gint64 downtime = off != NULL ? g_get_real_time () - g_variant_get_int64 (off) : -1;

  if (downtime >= 0)
    godwit_job_set_fact (job, "downtime-us", g_variant_new_int64 (downtime), NULL);
}

static gboolean
start_destination (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                   GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *hypervisor = godwit_job_get_destination_hypervisor (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean persistent = FALSE;

  if (!cold_was_running (job, "cold"))
    return TRUE;
  if (hypervisor == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "%s cannot be started: the destination cannot be reached", guest->name);
    return FALSE;
  }
  if (!godwit_hypervisor_get_state (hypervisor, guest->uuid, &state, &persistent, cancellable,
                                    error))
    return FALSE;
  if (state == GODWIT_GUEST_RUNNING)
    return TRUE;
  if (godwit_job_get_source_hypervisor (job) != NULL &&
      !cold_prove_stopped (job, godwit_job_get_source_hypervisor (job), godwit_job_get_source (job),
                           cancellable, error))
    return FALSE;
  if (!godwit_disks_repair_access (job, godwit_job_get_destination (job), cancellable, error) ||
      !godwit_hypervisor_start (hypervisor, guest->uuid, cancellable, error))
    return FALSE;
  note_downtime (job);
  return TRUE;
}

static gboolean
park_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_park_source (job, cancellable, error) &&
         cold_firmware_park (job, cancellable, error);
}

static gboolean
finish_targets (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_finish_targets (job, TRUE, cancellable, error) &&
         cold_firmware_finish (job, cancellable, error);
}

static gboolean
hold_autostart (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_guest_hold_autostart (job, cancellable, error);
}

static gboolean
release_autostart (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                   GError **error)
{
  return godwit_guest_release_autostart (job, cancellable, error);
}

/* Targets are made before the guest is stopped: what can fail there costs no downtime then. The
 * source's copies are put aside last: until the commit the guest must be able to start from
 * them, whatever dies. */
static const GodwitStepEntry steps[] = {
    {"prepare-disks", "create and connect the disks at the destination", GODWIT_PHASE_PREPARING, 2,
     0, GODWIT_STEP_UNDO, prepare_disks, undo_prepare_disks},
    {"shut-down", "shut the guest down", GODWIT_PHASE_PREPARING, 2, 0, GODWIT_STEP_UNDO, shut_down,
     undo_shut_down},
    {"copy-disks", "copy the disks", GODWIT_PHASE_COPYING, 70, 0, GODWIT_STEP_UNDO, copy_disks,
     undo_copy_disks},
    {"verify", "compare the copies with what was read", GODWIT_PHASE_FROZEN, 20, 0, 0, verify,
     NULL},
    {"hold-autostart", "keep the source from starting the guest when it boots", GODWIT_PHASE_FROZEN,
     0, 60, GODWIT_STEP_UNDO, hold_autostart, release_autostart},
    {"commit", "prove that the guest is shut off at the source", GODWIT_PHASE_FROZEN, 0, 60,
     GODWIT_STEP_COMMIT, commit, NULL},
    {"define-destination", "define the guest at the destination", GODWIT_PHASE_RESUMING, 1, 60, 0,
     define_destination, NULL},
    {"undefine-source", "forget the guest's definition at the source", GODWIT_PHASE_RESUMING, 0, 60,
     GODWIT_STEP_MAY_OWE, undefine_source, NULL},
    {"start-destination", "start the guest at the destination", GODWIT_PHASE_RESUMING, 3, 120, 0,
     start_destination, NULL},
    {"park-source", "put the source's copies aside", GODWIT_PHASE_RETIRING, 1, 120,
     GODWIT_STEP_MAY_OWE, park_source, NULL},
    {"finish-targets", "hand the new disks over to the guest", GODWIT_PHASE_RETIRING, 1, 120,
     GODWIT_STEP_MAY_OWE, finish_targets, NULL},
    {NULL},
};

static GPtrArray *
plan (GodwitStrategy *self, GodwitJob *job, GError **error)
{
  return godwit_guest_plan_steps (job, steps);
}

static const GodwitStepEntry *
find_table (const GodwitStep *step)
{
  return g_str_has_prefix (step->name, "revert-") ? cold_revert_steps : steps;
}

static gboolean
run_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
          GError **error)
{
  return godwit_step_entries_run (find_table (step), FALSE, job, step, cancellable, error);
}

static gboolean
undo_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
           GError **error)
{
  return godwit_step_entries_run (find_table (step), TRUE, job, step, cancellable, error);
}

static gboolean
confirm (GodwitStrategy *self, GodwitJob *job, GCancellable *cancellable, GError **error)
{
  /* The disks' release asks the destination whether the guest has arrived. */
  return godwit_disks_release_parked (job, cancellable, error) &&
         cold_firmware_release (job, cancellable, error);
}

/* --- the plugin ---------------------------------------------------------------------------- */

static void
strategy_iface_init (GodwitStrategyInterface *iface)
{
  iface->stops_guest = stops_guest;
  iface->check = cold_check;
  iface->plan = plan;
  iface->run_step = run_step;
  iface->undo_step = undo_step;
  iface->confirm = confirm;
  iface->plan_revert = cold_plan_revert;
}

GODWIT_DEFINE_TYPE (GodwitCold, godwit_cold, GODWIT_TYPE_STRATEGY, strategy_iface_init)

static void
godwit_cold_class_init (GodwitColdClass *klass)
{
}

static void
godwit_cold_init (GodwitCold *self)
{
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_cold_provide (module, "cold", error);
}

GODWIT_PLUGIN_DEFINE (cold, "cold", "0.1.0", "shut the guest down, copy its disks, start it again",
                      "LGPL-2.1-or-later", "godwit", register_types)
