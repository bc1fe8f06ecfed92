/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include <godwit/error.h>

/* The storage plugins that the journaled disks name. One that cannot be loaded any more is a
 * blocker: without it nobody can tell what the job made. */
static void
reopen_storages (GodwitJob *job, GodwitRegistry *registry, GodwitReport *report)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < guest->disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    g_autoptr (GError) error = NULL;
    if (disk->storage == NULL || !g_hash_table_add (seen, disk->storage))
      continue;
    g_autoptr (GObject) object =
        godwit_plan_load_one (job, registry, GODWIT_TYPE_STORAGE, disk->storage, &error);
    if (object == NULL)
      godwit_report_add_error (report, "storage-plugins", disk->storage, error);
    else
      godwit_job_add_storage (job, disk->storage, GODWIT_STORAGE (object));
  }
}

GodwitStrategy *
godwit_plan_reopen (GodwitJob *job, GodwitRegistry *registry, GodwitReport *report,
                    GCancellable *cancellable, GError **error)
{
  GodwitJobRecord *record = godwit_job_get_record (job);

  if (record->guest_facts == NULL || record->strategy == NULL) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, "godwit log JOB",
                      "job %s has no plan in the journal: it ended before anything was touched",
                      record->id);
    return NULL;
  }
  g_autoptr (GodwitGuest) guest = godwit_guest_from_variant (record->guest_facts, error);
  if (guest == NULL || !godwit_job_set_guest (job, g_steal_pointer (&guest), error))
    return NULL;
  g_autoptr (GObject) strategy =
      godwit_plan_load_one (job, registry, GODWIT_TYPE_STRATEGY, record->strategy, error);
  if (strategy == NULL)
    return NULL;
  reopen_storages (job, registry, report);
  godwit_plan_open_hosts (job, registry, report, cancellable);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (!godwit_plan_check_identity (job, error))
    return NULL;
  if (godwit_plan_is_fenced (job)) {
    g_autofree char *remedy = g_strdup_printf ("go on there; or take it from one of its hosts "
                                               "again: godwit recover %s --take-over-from %s",
                                               record->id, record->destination);
    godwit_set_error (error, GODWIT_ERROR_DENIED, remedy,
                      "job %s was taken over by another controller, which alone may go on with it",
                      record->id);
    return NULL;
  }
  return GODWIT_STRATEGY (g_steal_pointer (&strategy));
}
