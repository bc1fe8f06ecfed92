/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <string.h>

/* What the job made becomes the guest's own at the commit and loses the token. A revert may have
 * to remove it all the same, so what it was is written down: the inode's number and its birth,
 * which together no later file shares. */

/* "disk.vda.created.0" -> "disk.vda.given.0"; "created.directory" -> "given.directory". */
static char *
given_fact (const char *created)
{
  const char *word = strstr (created, "created.");
  return g_strdup_printf ("%.*sgiven.%s", (int)(word - created), created,
                          word + strlen ("created."));
}

/* The facts that name what this disk's create() made, its directory last. */
static GStrv
list_created (GodwitJob *job, const GodwitDisk *disk)
{
  g_autofree char *prefix = disk_fact (disk, "created.");
  g_auto (GStrv) facts = godwit_job_list_facts (job, prefix);
  g_autoptr (GVariant) directory = godwit_job_get_fact (job, DIRECTORY_FACT);
  GPtrArray *all = g_ptr_array_new ();

  for (gsize i = 0; facts != NULL && facts[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (facts[i]));
  if (directory != NULL)
    g_ptr_array_add (all, g_strdup (DIRECTORY_FACT));
  g_ptr_array_add (all, NULL);
  return (GStrv)g_ptr_array_free (all, FALSE);
}

static gboolean
give_one (GodwitJob *job, const char *created, GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_destination (job);
  g_autofree char *given = given_fact (created);
  g_autoptr (GVariant) path = godwit_job_get_fact (job, created);
  GodwitFileInfo info;

  if (!godwit_host_stat (host, g_variant_get_string (path, NULL), &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "%s is not on %s any more",
                      g_variant_get_string (path, NULL), godwit_host_get_name (host));
    return FALSE;
  }
  /* Given before: the object that is there now need not be the one that was given. */
  if (g_strcmp0 (info.token, godwit_job_get_token (job)) != 0)
    return TRUE;
  return godwit_job_set_fact (job, given, g_variant_new ("(tx)", info.inode, info.birth_ns),
                              error) &&
         godwit_host_set_token (host, g_variant_get_string (path, NULL), NULL, cancellable, error);
}

/* A live mirror writes zeroes as holes, whatever the disk's own settings are, and so takes back
 * what was allocated when the target was made. */
static gboolean
allocate_again (GodwitJob *job, const GodwitDisk *disk, GCancellable *cancellable, GError **error)
{
  const GodwitImage *top = godwit_disk_get_top (disk);

  return !disk->preallocated || disk->treatment != GODWIT_TREATMENT_MIRROR || top == NULL ||
         godwit_host_allocate (godwit_job_get_destination (job),
                               top->destination != NULL ? top->destination : top->path, cancellable,
                               error);
}

gboolean
file_finish_target (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, gboolean committed,
                    GCancellable *cancellable, GError **error)
{
  /* Owner and mode are right since the file was made; the hypervisor may have changed them. */
  if (!committed)
    return file_repair_access (storage, job, disk, godwit_job_get_destination (job), cancellable,
                               error);
  if (!file_remove_runtime (job, cancellable, error) ||
      !allocate_again (job, disk, cancellable, error))
    return FALSE;
  g_auto (GStrv) facts = list_created (job, disk);
  for (gsize i = 0; facts[i] != NULL; i++) {
    if (!give_one (job, facts[i], cancellable, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
reclaim_one (GodwitJob *job, const char *created, GCancellable *cancellable, GError **error)
{
  GodwitHost *host = godwit_job_get_destination (job);
  g_autofree char *given = given_fact (created);
  g_autoptr (GVariant) path = godwit_job_get_fact (job, created);
  g_autoptr (GVariant) value = godwit_job_get_fact (job, given);
  GodwitFileInfo info;
  guint64 inode = 0;
  gint64 birth = 0;

  /* Not given away: it still carries the token, or is gone. */
  if (value == NULL)
    return TRUE;
  if (!godwit_host_stat (host, g_variant_get_string (path, NULL), &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT || g_strcmp0 (info.token, godwit_job_get_token (job)) == 0)
    return TRUE;
  g_variant_get (value, "(tx)", &inode, &birth);
  if (info.token[0] == '\0' && birth != 0 && info.inode == inode && info.birth_ns == birth)
    return godwit_host_set_token (host, g_variant_get_string (path, NULL),
                                  godwit_job_get_token (job), cancellable, error);
  godwit_set_error (error, GODWIT_ERROR_DENIED, "look at it, and remove it by hand",
                    "%s on %s is kept: %s", g_variant_get_string (path, NULL),
                    godwit_host_get_name (host),
                    birth == 0 ? "its file system does not tell when a file was made, so it could "
                                 "be another file by now"
                               : "it is not what the reverted job made");
  return FALSE;
}

gboolean
file_reclaim (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
              GError **error)
{
  g_auto (GStrv) facts = list_created (job, disk);

  for (gsize i = 0; facts[i] != NULL; i++) {
    if (!reclaim_one (job, facts[i], cancellable, error))
      return FALSE;
  }
  return TRUE;
}
