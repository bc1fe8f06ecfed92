/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/godwit.h>

struct _GodwitLiveShared {
  GObject parent_instance;
};

#define GODWIT_TYPE_LIVE_SHARED (godwit_live_shared_get_type ())
G_DECLARE_FINAL_TYPE (GodwitLiveShared, godwit_live_shared, GODWIT, LIVE_SHARED, GObject)

static gboolean
stops_guest (GodwitStrategy *self)
{
  return FALSE;
}

/* --- what stands against it --------------------------------------------------------------- */

static const char *
get_proof (const GodwitDisk *disk)
{
  return disk->proof != NULL ? disk->proof : "nothing more is known";
}

static void
refuse (const GodwitDisk *disk, const char *destination, GodwitReport *report)
{
  const char *path = godwit_disk_get_top (disk)->path;

  if (disk->sharing == GODWIT_SHARING_NO)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-not-shared", disk->target,
                       "--strategy live-block", "%s (%s) is not on storage that %s sees: %s",
                       disk->target, path, destination, get_proof (disk));
  else
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-sharing-unknown", disk->target,
                       "let the agents of both hosts see that path, or use --strategy live-block "
                       "if it is not shared",
                       "whether %s (%s) is the same on %s is not proven: %s", disk->target, path,
                       destination, get_proof (disk));
}

/* Every writable disk stays where it is; read-only media may be copied. */
static void
treat (GodwitDisk *disk, const char *destination, GodwitReport *report)
{
  if (godwit_disk_get_top (disk) == NULL) {
    disk->treatment = GODWIT_TREATMENT_SKIP;
  } else if (disk->sharing == GODWIT_SHARING_YES) {
    disk->treatment = GODWIT_TREATMENT_ATTACH;
    godwit_report_add (report, GODWIT_SEVERITY_OK, "disk-shared", disk->target, NULL,
                       "%s is one object on both hosts", disk->target);
  } else if (disk->read_only) {
    disk->treatment = GODWIT_TREATMENT_COPY;
  } else {
    refuse (disk, destination, report);
  }
}

static gboolean
check (GodwitStrategy *self, GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
       GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;
  const char *destination = godwit_host_get_name (godwit_job_get_destination (job));
  gboolean copies = FALSE;

  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    treat (disk, destination, report);
    copies = copies || disk->treatment == GODWIT_TREATMENT_COPY;
  }
  godwit_live_check (job, report);
  return !copies || godwit_disks_check_targets (job, report, cancellable, error);
}

/* --- how it is done ------------------------------------------------------------------------ */

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
open_tunnels (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_open_tunnels (job, FALSE, cancellable, error);
}

static gboolean
close_tunnels (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_close_tunnels (job, cancellable, error);
}

static gboolean
copy (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  static const char *const nothing[] = {NULL};

  return godwit_live_copy (job, nothing, cancellable, error);
}

static gboolean
undo_copy (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_undo_copy (job, cancellable, error);
}

static gboolean
commit (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_prove_frozen (job, cancellable, error);
}

static gboolean
resume (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_resume (job, cancellable, error);
}

static gboolean
settle (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_settle (job, cancellable, error);
}

static gboolean
define_destination (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
                    GError **error)
{
  return godwit_guest_define_destination (job, cancellable, error);
}

/* A daemon at the source that was away when the guest left takes its images back into its own hands
 * when it returns, and it must have returned for the guest to be forgotten there. */
static gboolean
undefine_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_guest_undefine_source (job, cancellable, error) &&
         godwit_disks_repair_access (job, godwit_job_get_destination (job), cancellable, error);
}

static gboolean
park_source (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_park_source (job, cancellable, error);
}

static gboolean
finish_targets (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_disks_finish_targets (job, TRUE, cancellable, error);
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

/* Nothing slow stands between commit and resume: the guest stands still meanwhile. Targets keep
 * the job's token until the source's copies are put aside, which tells the two apart. */
static const GodwitStepEntry steps[] = {
    {"prepare-disks", "connect the disks at the destination", GODWIT_PHASE_PREPARING, 5, 0,
     GODWIT_STEP_UNDO, prepare_disks, undo_prepare_disks},
    {"hold-autostart", "keep the source from starting the guest when it boots",
     GODWIT_PHASE_PREPARING, 0, 60, GODWIT_STEP_UNDO, hold_autostart, release_autostart},
    {"open-tunnels", "open encrypted channels between the hosts", GODWIT_PHASE_PREPARING, 0, 60,
     GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE, open_tunnels, close_tunnels},
    {"copy", "copy the memory while the guest runs", GODWIT_PHASE_COPYING, 90, 0,
     GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE, copy, undo_copy},
    {"commit", "prove that the guest is at the destination alone", GODWIT_PHASE_FROZEN, 0, 30,
     GODWIT_STEP_COMMIT, commit, NULL},
    {"resume", "run the guest at the destination", GODWIT_PHASE_RESUMING, 0, 60, 0, resume, NULL},
    {"settle", "end the migration and its channels", GODWIT_PHASE_RESUMING, 0, 120,
     GODWIT_STEP_MAY_OWE, settle, NULL},
    {"define-destination", "define the guest at the destination", GODWIT_PHASE_RESUMING, 0, 60, 0,
     define_destination, NULL},
    {"undefine-source", "forget the guest's definition at the source", GODWIT_PHASE_RETIRING, 0, 60,
     GODWIT_STEP_MAY_OWE, undefine_source, NULL},
    {"park-source", "disconnect the disks at the source", GODWIT_PHASE_RETIRING, 5, 120,
     GODWIT_STEP_MAY_OWE, park_source, NULL},
    {"finish-targets", "hand the copied media over to the guest", GODWIT_PHASE_RETIRING, 0, 120,
     GODWIT_STEP_MAY_OWE, finish_targets, NULL},
    {NULL},
};

static GPtrArray *
plan (GodwitStrategy *self, GodwitJob *job, GError **error)
{
  return godwit_guest_plan_steps (job, steps);
}

static gboolean
run_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
          GError **error)
{
  return godwit_step_entries_run (steps, FALSE, job, step, cancellable, error);
}

static gboolean
undo_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step, GCancellable *cancellable,
           GError **error)
{
  return godwit_step_entries_run (steps, TRUE, job, step, cancellable, error);
}

static gboolean
confirm (GodwitStrategy *self, GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_release_parked (job, cancellable, error);
}

static GPtrArray *
plan_revert (GodwitStrategy *self, GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
             GError **error)
{
  godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED,
                    "revert with --copy-back: it moves back live",
                    "%s moved while it ran: it has no state to go back to at the source",
                    godwit_job_get_guest (job)->name);
  return NULL;
}

/* --- the plugin ---------------------------------------------------------------------------- */

static void
strategy_iface_init (GodwitStrategyInterface *iface)
{
  iface->stops_guest = stops_guest;
  iface->check = check;
  iface->plan = plan;
  iface->run_step = run_step;
  iface->undo_step = undo_step;
  iface->confirm = confirm;
  iface->plan_revert = plan_revert;
}

GODWIT_DEFINE_TYPE (GodwitLiveShared, godwit_live_shared, GODWIT_TYPE_STRATEGY, strategy_iface_init)

static void
godwit_live_shared_class_init (GodwitLiveSharedClass *klass)
{
}

static void
godwit_live_shared_init (GodwitLiveShared *self)
{
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_live_shared_provide (module, "live-shared", error);
}

GODWIT_PLUGIN_DEFINE (live_shared, "live-shared", "0.1.0",
                      "live migration of a guest whose disks both hosts see", "LGPL-2.1-or-later",
                      "godwit", register_types)
