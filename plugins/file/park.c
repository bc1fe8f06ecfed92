/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <string.h>

typedef struct {
  char *fact;
  char *from;
  char *to;
  char *token;
} Parked;

static void
parked_clear (Parked *parked)
{
  g_free (parked->fact);
  g_free (parked->from);
  g_free (parked->to);
  g_free (parked->token);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parked, parked_clear)

/* A directory is parked once for all the disks in it. */
static char *
fact_name (const GodwitDisk *disk, gboolean directory)
{
  return directory ? g_strdup ("parked.directory") : g_strdup_printf ("parked.%s", disk->target);
}

/* What the journal knows of that disk; FALSE if nothing is parked. */
static gboolean
find_parked (GodwitJob *job, const GodwitDisk *disk, Parked *parked)
{
  const char *path = godwit_disk_get_top (disk)->path;

  for (int directory = 0; directory < 2; directory++) {
    g_autofree char *name = fact_name (disk, directory);
    g_autoptr (GVariant) value = godwit_job_get_fact (job, name);
    if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE ("(sss)")))
      continue;
    g_variant_get (value, "(sss)", &parked->from, &parked->to, &parked->token);
    parked->fact = g_steal_pointer (&name);
    if (!directory || path_is_below (path, parked->from))
      return TRUE;
    parked_clear (parked);
    *parked = (Parked){0};
  }
  return FALSE;
}

static gboolean
look (GodwitHost *host, const Parked *parked, GodwitFileInfo *from, GodwitFileInfo *to,
      GCancellable *cancellable, GError **error)
{
  return godwit_host_stat (host, parked->from, from, cancellable, error) &&
         godwit_host_stat (host, parked->to, to, cancellable, error);
}

/* --- proof that the source's copy is not what the destination uses ---------------------- */

/* @path: where the source's copy is now */
static gboolean
prove_apart (GodwitJob *job, const GodwitDisk *disk, const char *path, GCancellable *cancellable,
             GError **error)
{
  const GodwitImage *top = godwit_disk_get_top (disk);
  const char *there = top->destination != NULL ? top->destination : top->path;
  g_auto (Observation) seen = {0};
  g_autofree char *why = NULL;

  if (!observe (job, path, there, &seen, cancellable, error))
    return FALSE;
  if (seen.trouble == NULL && seen.destination.type == GODWIT_FILE_ABSENT) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, "look for it before anything else",
                      "%s on %s is kept: %s is not on %s", path, seen.source_name, there,
                      seen.destination_name);
    return FALSE;
  }
  if (observation_identify (&seen, &why) == IDENTITY_DIFFERENT)
    return TRUE;
  /* Twin machines may give the same number at the same moment; only one of two files can carry
   * the token of the job that made it. */
  if (seen.trouble == NULL && g_strcmp0 (seen.destination.token, seen.after.token) != 0 &&
      g_strcmp0 (seen.destination.token, godwit_job_get_token (job)) == 0)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, "do not remove it; compare the two files by hand",
                    "%s on %s is kept: it may be what the guest uses on %s (%s)", path,
                    seen.source_name, seen.destination_name, why);
  return FALSE;
}

/* Where the source's copy of that disk is once @parked has been renamed. */
static char *
parked_path (const Parked *parked, const GodwitDisk *disk)
{
  return g_strconcat (parked->to, godwit_disk_get_top (disk)->path + strlen (parked->from), NULL);
}

/* Every disk that would go with it: the one file, or all in the directory. */
static gboolean
is_affected (const Parked *parked, const GodwitDisk *disk)
{
  const GodwitImage *top = godwit_disk_get_top (disk);
  return top != NULL && disk_travels (disk) &&
         (g_str_equal (top->path, parked->from) || path_is_below (top->path, parked->from));
}

static gboolean
prove_all_apart (GodwitJob *job, const Parked *parked, gboolean renamed, GCancellable *cancellable,
                 GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;

  for (guint i = 0; i < disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (!is_affected (parked, disk))
      continue;
    g_autofree char *path =
        renamed ? parked_path (parked, disk) : g_strdup (godwit_disk_get_top (disk)->path);
    if (!prove_apart (job, disk, path, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

/* --- park ------------------------------------------------------------------------------- */

static gboolean
is_file_of (const GodwitGuest *guest, const char *path)
{
  for (guint i = 0; i < guest->disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    for (guint j = 0; j < disk->chain->len; j++)
      if (g_strcmp0 (disk_get_layer (disk, j)->path, path) == 0)
        return TRUE;
  }
  return FALSE;
}

/* A directory is put aside, and removed later, only if all that is in it is the guest's: it may be
 * a pool of many guests, or hold a disk that is detached at the moment. Else each file goes alone.
 * NULL without @error: nothing of this disk is put aside. */
char *
file_find_parkable (GodwitJob *job, const GodwitDisk *disk, GCancellable *cancellable,
                    GError **error)
{
  const GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHost *host = godwit_job_get_source (job);
  g_autofree char *path = disk_get_parkable (guest, disk);
  GodwitFileInfo info;

  if (path == NULL || g_str_equal (path, godwit_disk_get_top (disk)->path))
    return g_steal_pointer (&path);
  if (!godwit_host_stat (host, path, &info, cancellable, error))
    return NULL;
  if (info.type == GODWIT_FILE_ABSENT)
    return g_steal_pointer (&path);
  g_auto (GStrv) names = godwit_host_list (host, path, cancellable, error);
  if (names == NULL)
    return NULL;
  for (gsize i = 0; names[i] != NULL; i++) {
    g_autofree char *file = g_build_filename (path, names[i], NULL);
    if (!is_file_of (guest, file))
      return g_strdup (godwit_disk_get_top (disk)->path);
  }
  return g_steal_pointer (&path);
}

static gboolean
rename_to_park (GodwitJob *job, const Parked *parked, GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_source (job);

  if (!prove_all_apart (job, parked, FALSE, cancellable, error) ||
      !godwit_job_set_fact (job, parked->fact,
                            g_variant_new ("(sss)", parked->from, parked->to, parked->token),
                            error) ||
      !godwit_host_set_token (host, parked->from, parked->token, cancellable, error) ||
      !godwit_host_rename (host, parked->from, parked->to, cancellable, error))
    return FALSE;
  godwit_job_log (job, GODWIT_SEVERITY_INFO, godwit_host_get_name (host), "%s is now %s",
                  parked->from, parked->to);
  return TRUE;
}

gboolean
file_park (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
           GError **error)
{
  GodwitHost *host = godwit_job_get_source (job);
  const char *name = godwit_host_get_name (host);
  g_auto (Parked) parked = {0};
  GodwitFileInfo from, to;

  if (!find_parked (job, disk, &parked)) {
    g_autoptr (GError) local = NULL;
    parked.from = file_find_parkable (job, disk, cancellable, &local);
    if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    if (parked.from == NULL)
      return TRUE;
    parked.to = g_strconcat (parked.from, PARK_SUFFIX, NULL);
    parked.token = g_strdup (godwit_job_get_token (job));
    parked.fact = fact_name (disk, !g_str_equal (parked.from, godwit_disk_get_top (disk)->path));
  }
  if (!look (host, &parked, &from, &to, cancellable, error))
    return FALSE;
  switch (park_decide (&from, &to, parked.token)) {
  case PARK_DONE:
    return TRUE;
  case PARK_RENAME:
    return rename_to_park (job, &parked, cancellable, error);
  case PARK_CONFLICT:
    godwit_set_error (error, GODWIT_ERROR_EXISTS, "move it away, then: godwit recover",
                      "%s on %s cannot be put aside: %s is already there", parked.from, name,
                      parked.to);
    return FALSE;
  case PARK_MISSING:
  default:
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL,
                      "%s on %s cannot be put aside: it is not there", parked.from, name);
    return FALSE;
  }
}

/* --- unpark ----------------------------------------------------------------------------- */

static gboolean
restore_owners (GodwitJob *job, const GodwitDisk *disk, GCancellable *cancellable, GError **error)
{
  g_autofree char *prefix = disk_fact (disk, "owner.source.");
  g_auto (GStrv) facts = godwit_job_list_facts (job, prefix);

  for (gsize i = 0; facts != NULL && facts[i] != NULL; i++) {
    g_autoptr (GVariant) value = godwit_job_get_fact (job, facts[i]);
    const char *path = NULL;
    guint32 uid = 0, gid = 0, mode = 0;
    if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE ("(suuu)")))
      continue;
    g_variant_get (value, "(&suuu)", &path, &uid, &gid, &mode);
    if (!godwit_host_set_owner (godwit_job_get_source (job), path, uid, gid, mode, cancellable,
                                error) ||
        !godwit_job_set_fact (job, facts[i], NULL, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
rename_back (GodwitJob *job, const Parked *parked, GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_source (job);
  const char *name = godwit_host_get_name (host);
  GodwitFileInfo from, to;

  if (!look (host, parked, &from, &to, cancellable, error))
    return FALSE;
  /* The same question with the names exchanged, but the token lies on what is moved. */
  if (from.type == GODWIT_FILE_ABSENT && g_strcmp0 (to.token, parked->token) != 0) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "%s on %s cannot be put back: %s %s",
                      parked->from, name, parked->to,
                      to.type == GODWIT_FILE_ABSENT ? "is gone" : "is not what this job put there");
    return FALSE;
  }
  if (from.type == GODWIT_FILE_ABSENT) {
    if (!godwit_host_rename (host, parked->to, parked->from, cancellable, error))
      return FALSE;
  } else if (g_strcmp0 (to.token, parked->token) == 0) {
    godwit_set_error (error, GODWIT_ERROR_EXISTS, "move one of them away, then: godwit recover",
                      "%s on %s cannot be put back: %s is there again", parked->to, name,
                      parked->from);
    return FALSE;
  } else if (g_strcmp0 (from.token, parked->token) != 0) {
    /* It has been put back already, or was never put aside. */
    return TRUE;
  }
  return godwit_host_set_token (host, parked->from, NULL, cancellable, error);
}

gboolean
file_unpark (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
             GError **error)
{
  g_auto (Parked) parked = {0};

  if (find_parked (job, disk, &parked)) {
    if (!rename_back (job, &parked, cancellable, error) ||
        !godwit_job_set_fact (job, parked.fact, NULL, error))
      return FALSE;
  }
  return restore_owners (job, disk, cancellable, error);
}

/* --- release ---------------------------------------------------------------------------- */

/* "It is there" is not enough: a file of the wrong size is no disk of this guest. */
static gboolean
prove_arrived (GodwitHost *host, const GodwitImage *top, const char *path,
               GCancellable *cancellable, GError **error)
{
  guint64 size = 0;
  GodwitFileInfo info;

  if (g_strcmp0 (top->format, "qcow2") == 0) {
    g_auto (Qcow2Header) header = {0};
    if (!read_qcow2_header (host, path, &header, cancellable, error))
      return FALSE;
    size = header.virtual_size;
  } else {
    if (!godwit_host_stat (host, path, &info, cancellable, error))
      return FALSE;
    size = info.type == GODWIT_FILE_REGULAR ? (info.size + 511) & ~G_GUINT64_CONSTANT (511) : 0;
  }
  if (size >= top->virtual_size)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, "look at it before anything is removed",
                    "the source's copy is kept: %s on %s holds %" G_GUINT64_FORMAT
                    " bytes instead of %" G_GUINT64_FORMAT,
                    path, godwit_host_get_name (host), size, top->virtual_size);
  return FALSE;
}

/* The guest went back to the source, where the same path is a newer disk now. */
static gboolean
prove_replaced (GodwitHost *host, const GodwitDisk *disk, const Parked *parked,
                GCancellable *cancellable, GError **error)
{
  const GodwitImage *top = godwit_disk_get_top (disk);
  g_autofree char *old = parked_path (parked, disk);
  GodwitFileInfo now, before;

  if (!prove_arrived (host, top, top->path, cancellable, error) ||
      !godwit_host_stat (host, top->path, &now, cancellable, error) ||
      !godwit_host_stat (host, old, &before, cancellable, error))
    return FALSE;
  if (before.type == GODWIT_FILE_ABSENT || now.device != before.device || now.inode != before.inode)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, "do not remove it; look at both by hand",
                    "%s is kept: it is the same file as %s, which the guest uses", old, top->path);
  return FALSE;
}

static gboolean
prove_superfluous (GodwitJob *job, const Parked *parked, GodwitHost *home,
                   GCancellable *cancellable, GError **error)
{
  GPtrArray *disks = godwit_job_get_guest (job)->disks;
  gboolean back = home == godwit_job_get_source (job);

  for (guint i = 0; i < disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (!is_affected (parked, disk))
      continue;
    const GodwitImage *top = godwit_disk_get_top (disk);
    const char *path = top->destination != NULL ? top->destination : top->path;
    if (back ? !prove_replaced (home, disk, parked, cancellable, error)
             : !prove_arrived (home, top, path, cancellable, error))
      return FALSE;
  }
  return back || prove_all_apart (job, parked, TRUE, cancellable, error);
}

gboolean
file_release (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitHost *home,
              GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_source (job);
  g_auto (Parked) parked = {0};
  GodwitFileInfo from, to;

  if (!find_parked (job, disk, &parked))
    return TRUE;
  if (!look (host, &parked, &from, &to, cancellable, error))
    return FALSE;
  if (to.type != GODWIT_FILE_ABSENT) {
    if (!prove_superfluous (job, &parked, home, cancellable, error) ||
        !godwit_host_remove_parked (host, parked.to, parked.token, cancellable, error))
      return FALSE;
    godwit_job_log (job, GODWIT_SEVERITY_INFO, godwit_host_get_name (host), "removed %s",
                    parked.to);
  }
  return godwit_job_set_fact (job, parked.fact, NULL, error);
}
