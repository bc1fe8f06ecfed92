/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

/* A plan is to be quick: what is larger is hashed when the migration runs. */
#define PLAN_HASH_MAX (G_GUINT64_CONSTANT (64) * 1024 * 1024)

typedef struct {
  GodwitJob *job;
  GodwitDisk *disk;
  GodwitReport *report;
  GodwitHost *source;
  GodwitHost *destination;
} Check;

/* --- equality of contents --------------------------------------------------------------- */

typedef struct {
  GodwitEnd end;
  GodwitJob *job;   /* NULL: report no progress */
  const char *what; /* for the progress */
  GCancellable *cancellable;
  char *digest;
  GError *error;
} Hash;

static void
on_progress (const GodwitTransferStats *stats, gpointer user_data)
{
  const Hash *hash = user_data;
  if (hash->job != NULL)
    godwit_job_progress (hash->job, hash->what, stats->done, stats->total);
}

static gpointer
hash_thread (gpointer user_data)
{
  Hash *hash = user_data;
  hash->digest =
      godwit_transfer_digest (&hash->end, on_progress, hash, hash->cancellable, &hash->error);
  return NULL;
}

/* Both hosts hash at the same time. */
static gboolean
hash_both (const Check *check, const GodwitImage *image, char **here, char **there,
           GCancellable *cancellable, GError **error)
{
  g_autofree char *name = g_path_get_basename (image->path);
  g_autofree char *what = g_strdup_printf ("compare %s of %s", name, check->disk->target);
  Hash source = {.end = {.host = check->source, .path = image->path}, .cancellable = cancellable};
  Hash destination = {.end = {.host = check->destination, .path = image->destination},
                      .job = check->job,
                      .what = what,
                      .cancellable = cancellable};
  GThread *thread = g_thread_new ("hash", hash_thread, &source);

  hash_thread (&destination);
  g_thread_join (thread);
  *here = source.digest;
  *there = destination.digest;
  if (source.error == NULL && destination.error == NULL)
    return TRUE;
  g_propagate_error (error, source.error != NULL ? g_steal_pointer (&source.error)
                                                 : g_steal_pointer (&destination.error));
  g_clear_error (&source.error);
  g_clear_error (&destination.error);
  return FALSE;
}

/* Several strategies ask in turn; files that have not changed are hashed once. */
static gboolean
hash_once (const Check *check, const GodwitImage *image, const Observation *seen, char **here,
           char **there, GCancellable *cancellable, GError **error)
{
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_MD5, image->path, -1);
  g_autofree char *what = g_strdup_printf ("compared.%s", name);
  g_autofree char *fact = disk_fact (check->disk, what);
  g_autoptr (GVariant) known = godwit_job_get_fact (check->job, fact);
  gint64 source_time = 0, destination_time = 0;

  if (known != NULL && g_variant_is_of_type (known, G_VARIANT_TYPE ("(xxss)"))) {
    g_variant_get (known, "(xxss)", &source_time, &destination_time, here, there);
    if (source_time == seen->after.ctime_ns && destination_time == seen->destination.ctime_ns)
      return TRUE;
    g_clear_pointer (here, g_free);
    g_clear_pointer (there, g_free);
  }
  return hash_both (check, image, here, there, cancellable, error) &&
         godwit_job_set_fact (check->job, fact,
                              g_variant_new ("(xxss)", seen->after.ctime_ns,
                                             seen->destination.ctime_ns, *here, *there),
                              error);
}

typedef enum {
  CONTENTS_EQUAL,
  CONTENTS_DIFFERENT,
  CONTENTS_LATER, /* same size; hashed when the migration runs */
} Contents;

/* @why (transfer full): the values that were compared. */
static gboolean
compare_contents (const Check *check, const GodwitImage *image, Contents *result, char **why,
                  GCancellable *cancellable, GError **error)
{
  g_auto (Observation) seen = {0};
  g_autofree char *identity = NULL;
  g_autofree char *here = NULL;
  g_autofree char *there = NULL;

  if (!observe (check->job, image->path, image->destination, &seen, cancellable, error))
    return FALSE;
  if (observation_identify (&seen, &identity) == IDENTITY_SAME) {
    *result = CONTENTS_EQUAL;
    *why = g_strdup_printf ("it is the same file: %s", identity);
    return TRUE;
  }
  if (seen.destination.type != GODWIT_FILE_REGULAR || seen.after.size != seen.destination.size) {
    *result = CONTENTS_DIFFERENT;
    *why = g_strdup_printf ("%" G_GUINT64_FORMAT " bytes on %s, %" G_GUINT64_FORMAT " bytes on %s",
                            seen.after.size, seen.source_name, seen.destination.size,
                            seen.destination_name);
    return TRUE;
  }
  if (!godwit_job_may_touch (check->job) && seen.after.size > PLAN_HASH_MAX) {
    *result = CONTENTS_LATER;
    *why = g_strdup_printf ("%" G_GUINT64_FORMAT " bytes on both hosts; the contents are compared "
                            "when the migration runs",
                            seen.after.size);
    return TRUE;
  }
  if (!hash_once (check, image, &seen, &here, &there, cancellable, error))
    return FALSE;
  *result = g_strcmp0 (here, there) == 0 ? CONTENTS_EQUAL : CONTENTS_DIFFERENT;
  *why = *result == CONTENTS_EQUAL
             ? g_strdup_printf ("SHA-256 %s on both hosts", here)
             : g_strdup_printf ("SHA-256 %s on %s, %s on %s", here, seen.source_name, there,
                                seen.destination_name);
  return TRUE;
}

/* --- places ----------------------------------------------------------------------------- */

static gboolean
check_directory (const Check *check, const char *path, GCancellable *cancellable, GError **error)
{
  const GodwitGuest *guest = godwit_job_get_guest (check->job);
  const char *host = godwit_host_get_name (check->destination);
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *parent = g_path_get_dirname (directory);
  GodwitFileInfo info;

  if (!godwit_host_stat (check->destination, directory, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_DIRECTORY)
    return TRUE;
  if (info.type == GODWIT_FILE_ABSENT && guest->instance_directory != NULL) {
    g_autofree char *own = g_canonicalize_filename (guest->instance_directory, "/");
    if (g_str_equal (own, directory)) {
      if (!godwit_host_stat (check->destination, parent, &info, cancellable, error))
        return FALSE;
      if (info.type == GODWIT_FILE_DIRECTORY) {
        godwit_report_add (check->report, GODWIT_SEVERITY_INFO, "destination-directory", host, NULL,
                           "disk %s: %s will be created on %s", check->disk->target, directory,
                           host);
        return TRUE;
      }
    }
  }
  g_autofree char *remedy = g_strdup_printf ("on %s: mkdir -p %s", host, directory);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "destination-directory", host, remedy,
                     "disk %s: %s is not a directory on %s", check->disk->target, directory, host);
  return TRUE;
}

static void
block_existing (const Check *check, const GodwitImage *image, const GodwitFileInfo *info)
{
  const char *host = godwit_host_get_name (check->destination);
  g_autofree char *remedy =
      g_strdup_printf ("look at it on %s; if nobody needs it, move %s away there", host,
                       image->destination);
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "target-exists", image->destination,
                     remedy,
                     "disk %s: %s is already on %s (%" G_GUINT64_FORMAT
                     " bytes, owner %u:%u); godwit never overwrites what it did not make",
                     check->disk->target, image->destination, host, info->size, info->uid,
                     info->gid);
}

static gboolean
is_ours (const Check *check, const GodwitFileInfo *info)
{
  /* A plan has no token: nothing can be its own. */
  return info->token[0] != '\0' && g_strcmp0 (info->token, godwit_job_get_token (check->job)) == 0;
}

/* What carries the token of another job may be gone again when that is undone. */
static gboolean
is_of_another_job (const Check *check, const GodwitFileInfo *info, const char *path)
{
  if (info->token[0] == '\0' || is_ours (check, info))
    return FALSE;
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "target-busy", path,
                     "wait for that job, or finish it: godwit jobs; godwit recover JOB",
                     "disk %s: %s on %s belongs to another job, which is not done with it",
                     check->disk->target, path, godwit_host_get_name (check->destination));
  return TRUE;
}

static gboolean
check_top (const Check *check, GCancellable *cancellable, GError **error)
{
  GodwitImage *top = godwit_disk_get_top (check->disk);
  GodwitFileInfo info;
  Contents contents;
  g_autofree char *why = NULL;

  if (!godwit_host_stat (check->destination, top->destination, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT)
    return check_directory (check, top->destination, cancellable, error);
  if (is_ours (check, &info) || is_of_another_job (check, &info, top->destination))
    return TRUE;
  if (!check->disk->read_only || info.type != GODWIT_FILE_REGULAR) {
    block_existing (check, top, &info);
    return TRUE;
  }
  /* The same medium may well be in the destination's library. */
  if (!compare_contents (check, top, &contents, &why, cancellable, error))
    return FALSE;
  if (contents == CONTENTS_DIFFERENT) {
    block_existing (check, top, &info);
    return TRUE;
  }
  top->present = TRUE;
  godwit_report_add (check->report,
                     contents == CONTENTS_EQUAL ? GODWIT_SEVERITY_OK : GODWIT_SEVERITY_INFO,
                     "media-present", check->disk->target, NULL, "disk %s: %s is on %s already: %s",
                     check->disk->target, top->destination,
                     godwit_host_get_name (check->destination), why);
  return TRUE;
}

/* --- backing files ---------------------------------------------------------------------- */

static void
flatten (const Check *check, const GodwitImage *image, const char *why)
{
  check->disk->flatten = TRUE;
  godwit_report_add (check->report, GODWIT_SEVERITY_INFO, "base-image", check->disk->target, NULL,
                     "disk %s arrives as one image without backing files, because %s %s",
                     check->disk->target, image->path, why);
}

/* A base of that name with other contents: an overlay on it would be silent corruption. */
static void
refuse_base (const Check *check, const GodwitImage *image, const char *why)
{
  g_autofree char *remedy = g_strdup_printf (
      "put the right %s on %s, or migrate with --strategy cold, which flattens the disk",
      image->destination, godwit_host_get_name (check->destination));
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "base-differs", image->destination,
                     remedy, "disk %s: its backing file %s differs between the hosts: %s",
                     check->disk->target, image->path, why);
}

static gboolean
check_base (const Check *check, GodwitImage *image, GCancellable *cancellable, GError **error)
{
  gboolean cold = check->disk->treatment == GODWIT_TREATMENT_COPY;
  GodwitFileInfo info;
  Contents contents;
  g_autofree char *why = NULL;

  if (!godwit_host_stat (check->destination, image->destination, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT || is_ours (check, &info)) {
    if (cold) {
      flatten (check, image, "is not at the destination");
      return TRUE;
    }
    godwit_report_add (check->report, GODWIT_SEVERITY_INFO, "base-image", check->disk->target, NULL,
                       "disk %s: its backing file %s is not on %s and is copied from %s",
                       check->disk->target, image->path, godwit_host_get_name (check->destination),
                       godwit_host_get_name (check->source));
    return check_directory (check, image->destination, cancellable, error);
  }
  if (is_of_another_job (check, &info, image->destination))
    return TRUE;
  if (!compare_contents (check, image, &contents, &why, cancellable, error))
    return FALSE;
  if (contents == CONTENTS_DIFFERENT) {
    if (cold)
      flatten (check, image, "has other contents at the destination");
    else
      refuse_base (check, image, why);
    return TRUE;
  }
  image->present = TRUE;
  godwit_report_add (check->report,
                     contents == CONTENTS_EQUAL ? GODWIT_SEVERITY_OK : GODWIT_SEVERITY_INFO,
                     "base-image", check->disk->target, NULL,
                     "disk %s: its backing file %s is on %s already: %s", check->disk->target,
                     image->path, godwit_host_get_name (check->destination), why);
  return TRUE;
}

/* --- what the source's copy will be called ---------------------------------------------- */

static gboolean
check_park (const Check *check, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = file_find_parkable (check->job, check->disk, cancellable, &local);
  const char *host = godwit_host_get_name (check->source);
  GodwitFileInfo info;

  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (path == NULL)
    return TRUE;
  g_autofree char *parked = g_strconcat (path, PARK_SUFFIX, NULL);
  if (!godwit_host_stat (check->source, parked, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT || is_ours (check, &info))
    return TRUE;
  godwit_report_add (check->report, GODWIT_SEVERITY_BLOCKER, "park-exists", parked,
                     "confirm the earlier migration (godwit jobs; godwit confirm JOB), or move it "
                     "away",
                     "disk %s: %s is already on %s, and that is where the source's copy is put "
                     "after the move",
                     check->disk->target, parked, host);
  return TRUE;
}

static gboolean
add_needed (const Check *check, GHashTable *needed, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < disk_count_targets (check->disk); i++) {
    const GodwitImage *image = disk_get_layer (check->disk, i);
    guint64 available = 0;
    guint64 filesystem = 0;
    if (image->present)
      continue;
    if (!godwit_host_free_space (check->destination, image->destination, &available, &filesystem,
                                 cancellable, error))
      return FALSE;
    godwit_disks_add_needed (needed, filesystem, disk_needed_bytes (check->disk, i));
  }
  return TRUE;
}

gboolean
file_check_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
                   GHashTable *needed, GCancellable *cancellable, GError **error)
{
  Check check = {.job = job,
                 .disk = disk,
                 .report = report,
                 .source = godwit_job_get_source (job),
                 .destination = godwit_job_get_destination (job)};

  for (guint i = 0; i < disk->chain->len; i++) {
    GodwitImage *image = disk_get_layer (disk, i);
    g_free (image->destination);
    image->destination = g_strdup (image->path);
    image->present = FALSE;
  }
  if (!check_top (&check, cancellable, error))
    return FALSE;
  for (guint i = 1; i < disk_count_targets (disk); i++) {
    if (!check_base (&check, disk_get_layer (disk, i), cancellable, error))
      return FALSE;
  }
  return check_park (&check, cancellable, error) && add_needed (&check, needed, cancellable, error);
}
