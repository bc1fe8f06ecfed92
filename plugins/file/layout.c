/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <string.h>

gboolean
disk_travels (const GodwitDisk *disk)
{
  return disk->treatment == GODWIT_TREATMENT_MIRROR || disk->treatment == GODWIT_TREATMENT_COPY;
}

gboolean
disk_is_flattened (const GodwitDisk *disk)
{
  return disk->flatten && disk->chain->len > 1;
}

guint
disk_count_targets (const GodwitDisk *disk)
{
  return disk_is_flattened (disk) ? 1 : disk->chain->len;
}

GodwitImage *
disk_get_layer (const GodwitDisk *disk, guint layer)
{
  return g_ptr_array_index (disk->chain, layer);
}

gboolean
path_is_below (const char *path, const char *directory)
{
  if (path == NULL || directory == NULL || directory[0] != '/')
    return FALSE;
  gsize length = strlen (directory);
  while (length > 1 && directory[length - 1] == '/')
    length--;
  return length > 1 && strncmp (path, directory, length) == 0 && path[length] == '/' &&
         path[length + 1] != '\0';
}

guint64
disk_needed_bytes (const GodwitDisk *disk, guint layer)
{
  const GodwitImage *image = disk_get_layer (disk, layer);

  if (layer == 0 && disk->preallocated)
    return MAX (image->virtual_size, image->allocated);
  if (!disk_is_flattened (disk))
    return image->allocated;
  /* What lies in several layers is written once: never more than the guest can see, and the
   * tables that map it. */
  guint64 sum = 0;
  for (guint i = 0; i < disk->chain->len; i++)
    sum += disk_get_layer (disk, i)->allocated;
  return MIN (sum, image->virtual_size + image->virtual_size / 1024 + 1024 * 1024);
}

char *
disk_get_parkable (const GodwitGuest *guest, const GodwitDisk *disk)
{
  const GodwitImage *top = godwit_disk_get_top (disk);

  if (top == NULL || !disk_travels (disk))
    return NULL;
  if (!path_is_below (top->path, guest->instance_directory)) {
    /* A medium in a library, or a disk of a cluster, is not only this guest's. */
    return disk->read_only || disk->shareable ? NULL : g_strdup (top->path);
  }
  /* A disk that stays attached must stay where it is. */
  for (guint i = 0; i < guest->disks->len; i++) {
    const GodwitDisk *other = g_ptr_array_index (guest->disks, i);
    const GodwitImage *image = godwit_disk_get_top (other);
    if (image != NULL && other->treatment == GODWIT_TREATMENT_ATTACH &&
        path_is_below (image->path, guest->instance_directory))
      return g_strdup (top->path);
  }
  return g_canonicalize_filename (guest->instance_directory, "/");
}

char *
disk_fact (const GodwitDisk *disk, const char *what)
{
  return g_strdup_printf ("disk.%s.%s", disk->target, what);
}

ParkAction
park_decide (const GodwitFileInfo *from, const GodwitFileInfo *to, const char *token)
{
  gboolean ours = to->type != GODWIT_FILE_ABSENT && g_strcmp0 (to->token, token) == 0;

  if (from->type == GODWIT_FILE_ABSENT)
    return ours ? PARK_DONE : PARK_MISSING;
  return to->type == GODWIT_FILE_ABSENT ? PARK_RENAME : PARK_CONFLICT;
}
