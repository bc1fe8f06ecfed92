/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/disks-private.h"

#include <godwit/error.h>

/* One file system of the destination and what would be put on it. */
typedef struct {
  guint64 needed;
  guint64 free;
  GString *disks; /* "vda 1.2 GiB, vdb 300 MiB" */
  char *path;     /* one that lies on it */
} Space;

static void
space_free (gpointer data)
{
  Space *space = data;
  g_string_free (space->disks, TRUE);
  g_free (space->path);
  g_free (space);
}

typedef struct {
  GodwitReport *report;
  GHashTable *spaces; /* file system id -> Space */
} Check;

GHashTable *
godwit_disks_new_needed (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
}

static gpointer
copy_key (guint64 value)
{
  guint64 *key = g_new (guint64, 1);
  *key = value;
  return key;
}

void
godwit_disks_add_needed (GHashTable *needed, guint64 filesystem, guint64 bytes)
{
  const guint64 *old = g_hash_table_lookup (needed, &filesystem);
  guint64 sum = bytes;
  if (old != NULL)
    sum = *old > G_MAXUINT64 - bytes ? G_MAXUINT64 : *old + bytes;
  g_hash_table_insert (needed, copy_key (filesystem), copy_key (sum));
}

static Space *
get_space (GHashTable *spaces, guint64 filesystem)
{
  Space *space = g_hash_table_lookup (spaces, &filesystem);
  if (space == NULL) {
    space = g_new0 (Space, 1);
    space->disks = g_string_new (NULL);
    g_hash_table_insert (spaces, copy_key (filesystem), space);
  }
  return space;
}

static void
add_needed (Check *check, const GodwitDisk *disk, GHashTable *needed)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, needed);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    Space *space = get_space (check->spaces, *(guint64 *)key);
    guint64 bytes = *(guint64 *)value;
    g_autofree char *text = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
    space->needed = space->needed > G_MAXUINT64 - bytes ? G_MAXUINT64 : space->needed + bytes;
    g_string_append_printf (space->disks, "%s%s %s", space->disks->len > 0 ? ", " : "",
                            disk->target, text);
  }
}

/* The plugin says how much goes to which file system; how much is free there is asked with the
 * paths that it chose. */
static gboolean
ask_free (GodwitJob *job, Check *check, const GodwitDisk *disk, GCancellable *cancellable,
          GError **error)
{
  for (guint i = 0; i < disk->chain->len; i++) {
    const GodwitImage *image = g_ptr_array_index (disk->chain, i);
    guint64 bytes = 0;
    guint64 filesystem = 0;
    if (image->present || image->destination == NULL || image->destination[0] != '/')
      continue;
    if (!godwit_host_free_space (godwit_job_get_destination (job), image->destination, &bytes,
                                 &filesystem, cancellable, error))
      return FALSE;
    Space *space = g_hash_table_lookup (check->spaces, &filesystem);
    if (space == NULL || space->path != NULL)
      continue;
    space->free = bytes;
    space->path = g_path_get_dirname (image->destination);
  }
  return TRUE;
}

static gboolean
check_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage, gpointer user_data,
           GCancellable *cancellable, GError **error)
{
  Check *check = user_data;
  if (!godwit_disk_travels (disk))
    return TRUE;

  g_autoptr (GHashTable) needed = godwit_disks_new_needed ();
  if (!godwit_storage_check_target (storage, job, disk, check->report, needed, cancellable, error))
    return FALSE;
  add_needed (check, disk, needed);
  return ask_free (job, check, disk, cancellable, error);
}

static void
report_space (GodwitJob *job, GodwitReport *report, const Space *space)
{
  /* A target outside of any file system keeps its own account of space. */
  if (space->path == NULL)
    return;
  const char *host = godwit_host_get_name (godwit_job_get_destination (job));
  g_autofree char *needed = g_format_size_full (space->needed, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *available = g_format_size_full (space->free, G_FORMAT_SIZE_IEC_UNITS);

  if (space->needed <= space->free) {
    godwit_report_add (report, GODWIT_SEVERITY_OK, "destination-space", host, NULL,
                       "%s needs %s of %s free in %s (%s)", host, needed, available, space->path,
                       space->disks->str);
    return;
  }
  g_autofree char *missing =
      g_format_size_full (space->needed - space->free, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *remedy = g_strdup_printf ("free %s in %s on %s", missing, space->path, host);
  godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "destination-space", host, remedy,
                     "the disks need %s in %s on %s, where %s are free: %s", needed, space->path,
                     host, available, space->disks->str);
}

gboolean
godwit_disks_check_targets (GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
                            GError **error)
{
  g_autoptr (GHashTable) spaces =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, space_free);
  Check check = {.report = report, .spaces = spaces};
  GHashTableIter iter;
  gpointer space;

  if (!godwit_disks_walk (job, check_one, &check, GODWIT_WALK_FORWARD, cancellable, error))
    return FALSE;
  g_hash_table_iter_init (&iter, spaces);
  while (g_hash_table_iter_next (&iter, NULL, &space))
    report_space (job, report, space);
  return TRUE;
}
