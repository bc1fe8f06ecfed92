/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/godwit.h>

struct _GodwitLiveBlock {
  GObject parent_instance;
};

#define GODWIT_TYPE_LIVE_BLOCK (godwit_live_block_get_type ())
G_DECLARE_FINAL_TYPE (GodwitLiveBlock, godwit_live_block, GODWIT, LIVE_BLOCK, GObject)

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

/* A copy of a disk that another guest goes on writing to would be worth nothing, and a mirror
 * onto what may be the very same object would destroy it. */
static gboolean
may_mirror (const GodwitDisk *disk, const char *destination, GodwitReport *report)
{
  const char *path = godwit_disk_get_top (disk)->path;

  if (disk->sharing == GODWIT_SHARING_UNKNOWN)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-sharing-unknown", disk->target,
                       "let the agents of both hosts see that path, then plan again",
                       "whether %s (%s) is the same on %s is not proven, and a disk is never "
                       "copied onto what may be itself: %s",
                       disk->target, path, destination, get_proof (disk));
  else if (disk->shareable)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-shareable", disk->target,
                       "put it on storage that both hosts see",
                       "%s (%s) is not on storage that %s sees, and other guests may write to it "
                       "while it is copied",
                       disk->target, path, destination);
  else
    return TRUE;
  return FALSE;
}

static void
treat (GodwitDisk *disk, const char *destination, GodwitReport *report)
{
  if (godwit_disk_get_top (disk) == NULL) {
    disk->treatment = GODWIT_TREATMENT_SKIP;
  } else if (disk->sharing == GODWIT_SHARING_YES) {
    disk->treatment = GODWIT_TREATMENT_ATTACH;
    godwit_report_add (report, GODWIT_SEVERITY_OK, "disk-attached", disk->target, NULL,
                       "%s is one object on both hosts and is not copied", disk->target);
  } else if (disk->read_only) {
    disk->treatment = GODWIT_TREATMENT_COPY;
  } else if (may_mirror (disk, destination, report)) {
    disk->treatment = GODWIT_TREATMENT_MIRROR;
    godwit_report_add (report, GODWIT_SEVERITY_OK, "disk-mirrored", disk->target, NULL,
                       "%s is not on storage that %s sees and is mirrored", disk->target,
                       destination);
  }
}

/* Refused only where there is nothing to do: one disk to mirror is enough. */
static void
refuse_idle (GPtrArray *disks, const char *destination, GodwitReport *report)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (disk->treatment == GODWIT_TREATMENT_UNDECIDED || disk->treatment == GODWIT_TREATMENT_MIRROR)
      return;
    if (disk->treatment == GODWIT_TREATMENT_ATTACH && !disk->read_only)
      g_string_append_printf (text, "%s%s (%s)", text->len > 0 ? ", " : "", disk->target,
                              get_proof (disk));
  }
  godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "nothing-to-mirror", NULL,
                     "--strategy live-shared",
                     text->len > 0 ? "every writable disk is on storage that %s sees: %s"
                                   : "no disk has to be copied to %s%s",
                     destination, text->str);
}

static gboolean
check (GodwitStrategy *self, GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
       GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;
  const char *destination = godwit_host_get_name (godwit_job_get_destination (job));

  for (guint i = 0; i < disks->len; i++)
    treat (g_ptr_array_index (disks, i), destination, report);
  refuse_idle (disks, destination, report);
  godwit_live_check (job, report);
  return godwit_disks_check_targets (job, report, cancellable, error);
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
  return godwit_live_open_tunnels (job, TRUE, cancellable, error);
}

static gboolean
close_tunnels (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  return godwit_live_close_tunnels (job, cancellable, error);
}

static gboolean
copy (GodwitJob *job, const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;
  g_autoptr (GPtrArray) mirror = g_ptr_array_new ();

  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (disk->treatment == GODWIT_TREATMENT_MIRROR)
      g_ptr_array_add (mirror, disk->target);
  }
  g_ptr_array_add (mirror, NULL);
  return godwit_live_copy (job, (const char *const *)mirror->pdata, cancellable, error);
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
    {"prepare-disks", "create and connect the disks at the destination", GODWIT_PHASE_PREPARING, 5,
     0, GODWIT_STEP_UNDO, prepare_disks, undo_prepare_disks},
    {"hold-autostart", "keep the source from starting the guest when it boots",
     GODWIT_PHASE_PREPARING, 0, 60, GODWIT_STEP_UNDO, hold_autostart, release_autostart},
    {"open-tunnels", "open encrypted channels between the hosts", GODWIT_PHASE_PREPARING, 0, 60,
     GODWIT_STEP_UNDO | GODWIT_STEP_VOLATILE, open_tunnels, close_tunnels},
    {"copy", "copy disks and memory while the guest runs", GODWIT_PHASE_COPYING, 90, 0,
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
    {"park-source", "put the source's copies aside", GODWIT_PHASE_RETIRING, 5, 120,
     GODWIT_STEP_MAY_OWE, park_source, NULL},
    {"finish-targets", "hand the new disks over to the guest", GODWIT_PHASE_RETIRING, 0, 120,
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
                    "%s moved while it ran: the copy at the source is older than its memory",
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

GODWIT_DEFINE_TYPE (GodwitLiveBlock, godwit_live_block, GODWIT_TYPE_STRATEGY, strategy_iface_init)

static void
godwit_live_block_class_init (GodwitLiveBlockClass *klass)
{
}

static void
godwit_live_block_init (GodwitLiveBlock *self)
{
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_live_block_provide (module, "live-block", error);
}

GODWIT_PLUGIN_DEFINE (live_block, "live-block", "0.1.0",
                      "live migration of a guest together with its disks", "LGPL-2.1-or-later",
                      "godwit", register_types)
