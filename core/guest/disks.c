/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/disks-private.h"

#include <godwit/error.h>
#include <godwit/hypervisor.h>

gboolean
godwit_disk_travels (const GodwitDisk *disk)
{
  return disk->treatment == GODWIT_TREATMENT_MIRROR || disk->treatment == GODWIT_TREATMENT_COPY;
}

static gboolean
visit (GodwitJob *job, GodwitDisk *disk, GodwitDiskFunc func, gpointer user_data,
       GCancellable *cancellable, GError **error)
{
  if (disk->treatment == GODWIT_TREATMENT_SKIP || godwit_disk_get_top (disk) == NULL)
    return TRUE;
  GodwitStorage *storage = godwit_job_get_storage (job, disk);
  if (storage == NULL) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "godwit plugins",
                      "disk %s (type '%s'): no storage plugin serves it", disk->target,
                      disk->type != NULL ? disk->type : "unknown");
    return FALSE;
  }
  if (!func (job, disk, storage, user_data, cancellable, error)) {
    g_prefix_error (error, "disk %s: ", disk->target);
    return FALSE;
  }
  return TRUE;
}

gboolean
godwit_disks_walk (GodwitJob *job, GodwitDiskFunc func, gpointer user_data, GodwitWalkFlags flags,
                   GCancellable *cancellable, GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;
  g_autoptr (GError) first = NULL;

  for (guint i = 0; i < disks->len; i++) {
    guint index = (flags & GODWIT_WALK_REVERSE) ? disks->len - 1 - i : i;
    g_autoptr (GError) local = NULL;
    if (!(flags & GODWIT_WALK_ALL) && g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (visit (job, g_ptr_array_index (disks, index), func, user_data, cancellable, &local))
      continue;
    if (!(flags & GODWIT_WALK_ALL)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    if (first == NULL)
      first = g_steal_pointer (&local);
    else
      godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL, "%s", local->message);
  }
  if (first != NULL) {
    g_propagate_error (error, g_steal_pointer (&first));
    return FALSE;
  }
  return TRUE;
}

/* --- prepare and its undo --------------------------------------------------------------- */

static gboolean
connect_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
             GCancellable *cancellable, GError **error)
{
  if (disk->treatment != GODWIT_TREATMENT_ATTACH)
    return TRUE;
  return godwit_storage_connect (storage, job, disk, godwit_job_get_destination (job), cancellable,
                                 error);
}

static gboolean
create_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
            GCancellable *cancellable, GError **error)
{
  if (!godwit_disk_travels (disk) || godwit_disk_get_top (disk)->present)
    return TRUE;
  if (!godwit_storage_create (storage, job, disk, cancellable, error))
    return FALSE;
  /* Nobody writes to read-only media: they travel while the guest still runs. */
  if (disk->treatment != GODWIT_TREATMENT_COPY || !disk->read_only)
    return TRUE;
  return godwit_disks_copy_one (job, disk, storage, cancellable, error) &&
         godwit_disks_verify_one (job, disk, storage, cancellable, error);
}

gboolean
godwit_disks_prepare (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  /* A volume that cannot be connected is found before anything is created. */
  return godwit_disks_walk (job, connect_one, NULL, GODWIT_WALK_FORWARD, cancellable, error) &&
         godwit_disks_walk (job, create_one, NULL, GODWIT_WALK_FORWARD, cancellable, error);
}

static gboolean
undo_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
          GCancellable *cancellable, GError **error)
{
  if (godwit_disk_travels (disk)) {
    g_autofree char *digest = g_strdup_printf ("disk.%s.digest", disk->target);
    g_autofree char *verified = g_strdup_printf ("disk.%s.verified", disk->target);
    /* Only a disk that is there was ever copied; forgotten first, so that a later attempt
     * copies it again. */
    return godwit_job_set_fact (job, verified, NULL, error) &&
           godwit_job_set_fact (job, digest, NULL, error) &&
           godwit_storage_remove_created (storage, job, disk, cancellable, error);
  }
  if (disk->treatment == GODWIT_TREATMENT_ATTACH)
    return godwit_storage_disconnect (storage, job, disk, godwit_job_get_destination (job),
                                      cancellable, error);
  return TRUE;
}

gboolean
godwit_disks_undo_prepare (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) marker_error = NULL;
  gboolean markers = godwit_disks_remove_markers (job, cancellable, &marker_error);

  if (!godwit_disks_walk (job, undo_one, NULL, GODWIT_WALK_REVERSE | GODWIT_WALK_ALL, cancellable,
                          error))
    return FALSE;
  if (!markers)
    g_propagate_error (error, g_steal_pointer (&marker_error));
  return markers;
}

static gboolean
remove_marker (GodwitJob *job, const char *fact, GCancellable *cancellable, GError **error)
{
  const char *token = godwit_job_get_token (job);
  GodwitHost *hosts[] = {godwit_job_get_source (job), godwit_job_get_destination (job)};
  g_autoptr (GVariant) value = godwit_job_get_fact (job, fact);
  if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY))
    return TRUE;
  g_autofree const char **paths = g_variant_get_strv (value, NULL);

  /* The marker may be seen from either host and may have been renamed; it carries the token, so
   * asking for every name on both hosts can only ever remove ours. */
  for (gsize host = 0; host < G_N_ELEMENTS (hosts); host++) {
    if (hosts[host] == NULL) {
      godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                        "marker files of the sharing check: the %s host cannot be asked",
                        host == 0 ? "source" : "destination");
      return FALSE;
    }
    for (gsize i = 0; paths[i] != NULL; i++) {
      g_autoptr (GError) local = NULL;
      if (godwit_host_remove_owned (hosts[host], paths[i], token, cancellable, &local))
        continue;
      /* A directory that this host may not touch cannot hold a marker that it made. */
      if (host == 1 && g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_DENIED))
        continue;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  return godwit_job_set_fact (job, fact, NULL, error);
}

gboolean
godwit_disks_remove_markers (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) facts = godwit_job_list_facts (job, "marker.");
  for (gsize i = 0; facts != NULL && facts[i] != NULL; i++) {
    if (!remove_marker (job, facts[i], cancellable, error))
      return FALSE;
  }
  return TRUE;
}

/* --- copy, verify, finish --------------------------------------------------------------- */

static gboolean
is_copied_cold (const GodwitDisk *disk)
{
  return disk->treatment == GODWIT_TREATMENT_COPY && !disk->read_only;
}

static gboolean
copy_writable (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
               GCancellable *cancellable, GError **error)
{
  return !is_copied_cold (disk) || godwit_disks_copy_one (job, disk, storage, cancellable, error);
}

gboolean
godwit_disks_copy (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_walk (job, copy_writable, NULL, GODWIT_WALK_FORWARD, cancellable, error);
}

static gboolean
verify_writable (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
                 GCancellable *cancellable, GError **error)
{
  return !is_copied_cold (disk) || godwit_disks_verify_one (job, disk, storage, cancellable, error);
}

gboolean
godwit_disks_verify (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_walk (job, verify_writable, NULL, GODWIT_WALK_FORWARD, cancellable, error);
}

static gboolean
finish_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
            GCancellable *cancellable, GError **error)
{
  if (!godwit_disk_travels (disk))
    return TRUE;
  return godwit_storage_finish_target (storage, job, disk, GPOINTER_TO_INT (user_data), cancellable,
                                       error);
}

gboolean
godwit_disks_finish_targets (GodwitJob *job, gboolean committed, GCancellable *cancellable,
                             GError **error)
{
  /* After the commit a failure on one disk must not leave the others unfinished. */
  return godwit_disks_walk (job, finish_one, GINT_TO_POINTER (committed),
                            committed ? GODWIT_WALK_ALL : GODWIT_WALK_FORWARD, cancellable, error);
}

static gboolean
reclaim_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
             GCancellable *cancellable, GError **error)
{
  return !godwit_disk_travels (disk) ||
         godwit_storage_reclaim (storage, job, disk, cancellable, error);
}

gboolean
godwit_disks_reclaim_targets (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_walk (job, reclaim_one, NULL, GODWIT_WALK_ALL, cancellable, error);
}

static gboolean
repair_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
            GCancellable *cancellable, GError **error)
{
  return godwit_storage_repair_access (storage, job, disk, user_data, cancellable, error);
}

gboolean
godwit_disks_repair_access (GodwitJob *job, GodwitHost *host, GCancellable *cancellable,
                            GError **error)
{
  return godwit_disks_walk (job, repair_one, host, GODWIT_WALK_ALL, cancellable, error);
}

static gboolean
repair_shared_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
                   GCancellable *cancellable, GError **error)
{
  return godwit_disk_travels (disk) || disk->read_only ||
         repair_one (job, disk, storage, user_data, cancellable, error);
}

gboolean
godwit_disks_repair_shared (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_walk (job, repair_shared_one, godwit_job_get_source (job), GODWIT_WALK_ALL,
                            cancellable, error);
}

/* --- the source's copies ---------------------------------------------------------------- */

static gboolean
park_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
          GCancellable *cancellable, GError **error)
{
  if (godwit_disk_travels (disk))
    return godwit_storage_park (storage, job, disk, cancellable, error);
  return godwit_storage_disconnect (storage, job, disk, godwit_job_get_source (job), cancellable,
                                    error);
}

gboolean
godwit_disks_park_source (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_walk (job, park_one, NULL, GODWIT_WALK_ALL, cancellable, error);
}

static gboolean
unpark_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
            GCancellable *cancellable, GError **error)
{
  if (godwit_disk_travels (disk))
    return godwit_storage_unpark (storage, job, disk, cancellable, error);
  return godwit_storage_connect (storage, job, disk, godwit_job_get_source (job), cancellable,
                                 error);
}

gboolean
godwit_disks_unpark_source (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  return godwit_disks_walk (job, unpark_one, NULL, GODWIT_WALK_REVERSE | GODWIT_WALK_ALL,
                            cancellable, error);
}

static gboolean
ask_for_guest (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host,
               GodwitGuestState *state, gboolean *persistent, GCancellable *cancellable,
               GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  if (hypervisor == NULL || host == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "the parked copy of %s is kept: a host that may have it cannot be asked",
                      guest->name);
    return FALSE;
  }
  if (godwit_hypervisor_get_state (hypervisor, guest->uuid, state, persistent, cancellable, error))
    return TRUE;
  g_prefix_error (error, "the parked copy of %s is kept: ", guest->name);
  return FALSE;
}

static gboolean
is_at_home (GodwitGuestState state, gboolean persistent)
{
  return persistent && state != GODWIT_GUEST_CRASHED && state != GODWIT_GUEST_UNKNOWN &&
         state != GODWIT_GUEST_PAUSED_MIGRATION;
}

/* "It vanished from the source" is no success: only a host that really has the guest, running or
 * defined, makes the parked copy superfluous. That may be the source again, if another job moved
 * the guest back onto newer disks. */
static GodwitHost *
find_home (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitHost *source = godwit_job_get_source (job), *destination = godwit_job_get_destination (job);
  GodwitGuestState there = GODWIT_GUEST_UNKNOWN, here = GODWIT_GUEST_UNKNOWN;
  gboolean persistent = FALSE, persistent_here = FALSE;

  if (!ask_for_guest (job, godwit_job_get_destination_hypervisor (job), destination, &there,
                      &persistent, cancellable, error))
    return NULL;
  if (is_at_home (there, persistent))
    return destination;
  if (there == GODWIT_GUEST_ABSENT) {
    if (!ask_for_guest (job, godwit_job_get_source_hypervisor (job), source, &here,
                        &persistent_here, cancellable, error))
      return NULL;
    if (is_at_home (here, persistent_here))
      return source;
  }
  godwit_set_error (error, GODWIT_ERROR_BUSY, "look at the guest there, then confirm or revert",
                    "the parked copy of %s is kept: at %s the guest is %s and %s",
                    godwit_job_get_guest (job)->name, godwit_host_get_name (destination),
                    godwit_guest_state_to_string (there), persistent ? "defined" : "not defined");
  return NULL;
}

static gboolean
release_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
             GCancellable *cancellable, GError **error)
{
  if (!godwit_disk_travels (disk))
    return TRUE;
  return godwit_storage_release (storage, job, disk, user_data, cancellable, error);
}

gboolean
godwit_disks_release_parked (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  if (!godwit_disks_has_parked (job))
    return TRUE;
  GodwitHost *home = find_home (job, cancellable, error);
  /* From here on something may be gone, and a revert would find less than it needs. */
  return home != NULL &&
         godwit_job_set_fact (job, "release.begun", g_variant_new_boolean (TRUE), error) &&
         godwit_disks_walk (job, release_one, home, GODWIT_WALK_ALL, cancellable, error);
}

gboolean
godwit_disks_has_parked (GodwitJob *job)
{
  g_auto (GStrv) facts = godwit_job_list_facts (job, "parked.");
  return facts != NULL && facts[0] != NULL;
}
