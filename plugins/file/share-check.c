/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#define ATTEMPTS      4
#define ATTEMPT_US    (100 * 1000)
#define MARKER_SUFFIX "-seen"

typedef struct {
  GodwitJob *job;
  GodwitDisk *disk;
  char *directory;
  char *first;  /* as it is created */
  char *second; /* as the destination renames it */
} Marker;

static void
marker_clear (Marker *marker)
{
  g_free (marker->directory);
  g_free (marker->first);
  g_free (marker->second);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Marker, marker_clear)

static gboolean
host_is_lost (const GError *error)
{
  return godwit_error_is_cancelled (error) ||
         g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
}

/* Turns an answer of a host into a state of the marker; FALSE if there was no answer. */
static gboolean
give_up (Observation *observation, MarkerState state, GError *failure, GError **error)
{
  g_autoptr (GError) owned = failure;

  if (host_is_lost (owned)) {
    g_propagate_error (error, g_steal_pointer (&owned));
    return FALSE;
  }
  observation->marker = state;
  g_free (observation->marker_trouble);
  observation->marker_trouble = godwit_error_dup_message (owned);
  return TRUE;
}

/* Lists the directory first: a listing is answered by the file system's server where a look-up
 * of one name may be answered by a cache. */
static gboolean
sees (GodwitHost *host, const Marker *marker, const char *path, GodwitFileInfo *info,
      GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) names = godwit_host_list (host, marker->directory, cancellable, error);
  return names != NULL && godwit_host_stat (host, path, info, cancellable, error);
}

static gboolean
write_marker (const Marker *marker, Observation *observation, guint64 *inode,
              GCancellable *cancellable, GError **error)
{
  GodwitHost *source = godwit_job_get_source (marker->job);
  GodwitFileInfo info;
  g_autoptr (GError) local = NULL;

  /* As the image's owner: where root is mapped to nobody, that is who may write there. */
  if (!godwit_host_create_file (source, marker->first, 0, FALSE, 0600, observation->before.uid,
                                observation->before.gid, godwit_job_get_token (marker->job),
                                cancellable, &local) ||
      !godwit_host_stat (source, marker->first, &info, cancellable, &local))
    return give_up (observation, MARKER_REFUSED, g_steal_pointer (&local), error);
  *inode = info.inode;
  return TRUE;
}

/* The destination has its own say: it renames what it sees, and the source must see that. */
static gboolean
answer_marker (const Marker *marker, Observation *observation, guint64 inode,
               GCancellable *cancellable, GError **error)
{
  GodwitHost *source = godwit_job_get_source (marker->job);
  GodwitHost *destination = godwit_job_get_destination (marker->job);
  GodwitFileInfo info;
  g_autoptr (GError) local = NULL;

  if (!sees (destination, marker, marker->first, &info, cancellable, &local)) {
    if (host_is_lost (local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    /* A directory that is not there holds no marker; one that may not be read might. */
    observation->marker = MARKER_NOT_SEEN;
    if (!g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
      observation->trouble = g_strdup_printf ("%s cannot be read on %s: %s", marker->directory,
                                              observation->destination_name, local->message);
    return TRUE;
  }
  if (info.type != GODWIT_FILE_REGULAR || info.inode != inode) {
    observation->marker = MARKER_NOT_SEEN;
    return TRUE;
  }
  if (!godwit_host_rename (destination, marker->first, marker->second, cancellable, &local) ||
      !sees (source, marker, marker->second, &info, cancellable, &local))
    return give_up (observation, MARKER_SEEN, g_steal_pointer (&local), error);
  observation->marker =
      info.type == GODWIT_FILE_REGULAR && info.inode == inode ? MARKER_PROVEN : MARKER_SEEN;
  if (observation->marker == MARKER_SEEN && observation->marker_trouble == NULL)
    observation->marker_trouble = g_strdup ("the new name is not seen at the source");
  return TRUE;
}

static gboolean
run_marker (GodwitJob *job, GodwitDisk *disk, Observation *observation, GCancellable *cancellable,
            GError **error)
{
  const char *path = godwit_disk_get_top (disk)->path;
  g_auto (Marker) marker = {.job = job, .disk = disk, .directory = g_path_get_dirname (path)};
  g_autofree char *name =
      g_strdup_printf (".godwit-%s-%s", godwit_job_get_token (job), disk->target);
  g_autofree char *fact = g_strdup_printf ("marker.%s", disk->target);
  guint64 inode = 0;

  marker.first = g_build_filename (marker.directory, name, NULL);
  marker.second = g_strconcat (marker.first, MARKER_SUFFIX, NULL);
  const char *paths[] = {marker.first, marker.second};
  if (!godwit_job_set_fact (job, fact, g_variant_new_strv (paths, G_N_ELEMENTS (paths)), error))
    return FALSE;
  gboolean answered = write_marker (&marker, observation, &inode, cancellable, error) &&
                      (observation->marker == MARKER_REFUSED ||
                       answer_marker (&marker, observation, inode, cancellable, error));

  /* The marker goes even if the check was cancelled; what cannot be removed now stays a fact,
   * and the undo of the job tries again. */
  g_autoptr (GError) local = NULL;
  if (!godwit_disks_remove_markers (job, NULL, &local))
    godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL,
                    "disk %s: the marker of the sharing check is still there: %s", disk->target,
                    local->message);
  return answered;
}

/* Nobody writes to lower layers, so being the same file now is enough for them. */
static gboolean
check_lower_layers (GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable, GError **error)
{
  for (guint i = 1; i < disk->chain->len; i++) {
    const char *path = disk_get_layer (disk, i)->path;
    g_auto (Observation) seen = {0};
    g_autofree char *why = NULL;
    if (!observe (job, path, path, &seen, cancellable, error))
      return FALSE;
    if (observation_identify (&seen, &why) == IDENTITY_SAME)
      continue;
    g_autofree char *old = disk->proof;
    disk->proof = g_strdup_printf ("%s; but its backing file %s is not proven to be the same: %s",
                                   old, path, why);
    disk->sharing = GODWIT_SHARING_UNKNOWN;
    return TRUE;
  }
  return TRUE;
}

gboolean
file_check_sharing (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk,
                    GCancellable *cancellable, GError **error)
{
  const char *path = godwit_disk_get_top (disk)->path;
  g_auto (Observation) seen = {0};

  /* Learnt here, where the guest runs, and needed where it stands still: see access.c. */
  guint32 uid, gid;
  if (godwit_job_get_destination_hypervisor (job) != NULL)
    get_guest_owner (godwit_job_get_destination_hypervisor (job), &uid, &gid, cancellable, NULL);
  g_clear_pointer (&disk->proof, g_free);
  disk->sharing = GODWIT_SHARING_UNKNOWN;
  for (guint attempt = 0; attempt < ATTEMPTS; attempt++) {
    g_autofree char *why = NULL;
    if (attempt > 0)
      g_usleep (ATTEMPT_US);
    if (!observe (job, path, path, &seen, cancellable, error))
      return FALSE;
    if (seen.trouble != NULL || observation_identify (&seen, &why) != IDENTITY_UNSURE)
      break;
  }
  /* A medium that nobody writes to needs no marker, and its library may be read-only. */
  if (godwit_job_may_touch (job) && !disk->read_only && seen.trouble == NULL &&
      seen.before.type == GODWIT_FILE_REGULAR && !run_marker (job, disk, &seen, cancellable, error))
    return FALSE;
  disk->sharing = observation_decide (&seen, &disk->proof);
  return disk->sharing != GODWIT_SHARING_YES || check_lower_layers (job, disk, cancellable, error);
}
