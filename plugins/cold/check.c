/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cold.h"

static void
check_guest (const GodwitGuest *guest, GodwitReport *report)
{
  if (guest->state == GODWIT_GUEST_PAUSED)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-paused", guest->name,
                       "migrate it live, which keeps it paused, or resume it first",
                       "%s is paused: a cold migration would throw its memory away", guest->name);
  if (!guest->persistent)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-transient", guest->name,
                       "define it persistently, or migrate it live",
                       "%s has no definition that survives its shutdown", guest->name);
}

static gboolean
may_copy (const GodwitDisk *disk, const char *destination, GodwitReport *report)
{
  const char *path = godwit_disk_get_top (disk)->path;
  const char *proof = disk->proof != NULL ? disk->proof : "nothing more is known";

  if (disk->sharing == GODWIT_SHARING_UNKNOWN)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-sharing-unknown", disk->target,
                       "let the agents of both hosts see that path, then plan again",
                       "whether %s (%s) is the same on %s is not proven, and a disk is never "
                       "copied onto what may be itself: %s",
                       disk->target, path, destination, proof);
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

/* A shutdown would take it away before it could be copied. */
static void
check_live_only (const GodwitDisk *disk, GodwitReport *report)
{
  if (disk->live_only && !disk->read_only && godwit_disk_get_top (disk) != NULL)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-live-only", disk->target,
                       "attach it to the persistent definition too, detach it, or migrate live",
                       "%s (%s) is attached to the running guest only: it would be gone after the "
                       "shutdown",
                       disk->target, godwit_disk_get_top (disk)->path);
}

/* Whether a disk with backing files is flattened is for its storage plugin to say: it compares
 * the backing files of both hosts when it looks at the targets. */
static void
treat (GodwitDisk *disk, const char *destination, GodwitReport *report)
{
  check_live_only (disk, report);
  if (godwit_disk_get_top (disk) == NULL) {
    disk->treatment = GODWIT_TREATMENT_SKIP;
  } else if (disk->sharing == GODWIT_SHARING_YES) {
    disk->treatment = GODWIT_TREATMENT_ATTACH;
    godwit_report_add (report, GODWIT_SEVERITY_OK, "disk-attached", disk->target, NULL,
                       "%s is one object on both hosts and is not copied", disk->target);
  } else if (disk->read_only || may_copy (disk, destination, report)) {
    disk->treatment = GODWIT_TREATMENT_COPY;
    godwit_report_add (report, GODWIT_SEVERITY_OK, "disk-copied", disk->target, NULL,
                       "%s is not on storage that %s sees and is copied", disk->target,
                       destination);
  }
}

gboolean
cold_check (GodwitStrategy *self, GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
            GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const char *destination = godwit_host_get_name (godwit_job_get_destination (job));

  check_guest (guest, report);
  for (guint i = 0; i < guest->disks->len; i++)
    treat (g_ptr_array_index (guest->disks, i), destination, report);
  return cold_firmware_check (job, report, cancellable, error) &&
         godwit_disks_check_targets (job, report, cancellable, error);
}
