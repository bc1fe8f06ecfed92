/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/guest.h>

const char *
godwit_guest_state_to_string (GodwitGuestState state)
{
  static const char *const names[] = {
      "absent",        "shut off", "running", "paused", "paused by a migration",
      "shutting down", "crashed",  "unknown"};
  return (guint)state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

gboolean
godwit_guest_state_is_down (GodwitGuestState state)
{
  return state == GODWIT_GUEST_ABSENT || state == GODWIT_GUEST_SHUT_OFF ||
         state == GODWIT_GUEST_CRASHED;
}

const char *
godwit_sharing_to_string (GodwitSharing sharing)
{
  static const char *const names[] = {"unknown", "no", "yes"};
  return (guint)sharing < G_N_ELEMENTS (names) ? names[sharing] : "unknown";
}

const char *
godwit_treatment_to_string (GodwitTreatment treatment)
{
  static const char *const names[] = {"undecided", "attach", "mirror", "copy", "skip"};
  return (guint)treatment < G_N_ELEMENTS (names) ? names[treatment] : "undecided";
}

GodwitImage *
godwit_image_new (const char *path, const char *format)
{
  GodwitImage *image = g_new0 (GodwitImage, 1);
  image->path = g_strdup (path);
  image->format = g_strdup (format);
  return image;
}

void
godwit_image_free (GodwitImage *image)
{
  if (image == NULL)
    return;
  g_free (image->path);
  g_free (image->format);
  g_free (image->destination);
  g_free (image);
}

GodwitDisk *
godwit_disk_new (const char *target)
{
  GodwitDisk *disk = g_new0 (GodwitDisk, 1);
  disk->target = g_strdup (target);
  disk->chain = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_image_free);
  return disk;
}

void
godwit_disk_free (GodwitDisk *disk)
{
  if (disk == NULL)
    return;
  g_free (disk->target);
  g_free (disk->device);
  g_free (disk->type);
  g_free (disk->bus);
  g_free (disk->cache);
  g_clear_pointer (&disk->chain, g_ptr_array_unref);
  g_free (disk->storage);
  g_free (disk->proof);
  g_free (disk);
}

GodwitImage *
godwit_disk_get_top (const GodwitDisk *disk)
{
  g_return_val_if_fail (disk != NULL, NULL);
  return disk->chain->len > 0 ? g_ptr_array_index (disk->chain, 0) : NULL;
}

GodwitGuest *
godwit_guest_new (const char *name, const char *uuid)
{
  GodwitGuest *guest = g_new0 (GodwitGuest, 1);
  guest->name = g_strdup (name);
  guest->uuid = g_strdup (uuid);
  guest->state = GODWIT_GUEST_UNKNOWN;
  guest->disks = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_disk_free);
  return guest;
}

void
godwit_guest_free (GodwitGuest *guest)
{
  if (guest == NULL)
    return;
  g_free (guest->name);
  g_free (guest->uuid);
  g_free (guest->definition);
  g_free (guest->live_definition);
  g_clear_pointer (&guest->disks, g_ptr_array_unref);
  g_free (guest->busy);
  g_strfreev (guest->passthrough);
  g_free (guest->nvram);
  g_free (guest->instance_directory);
  g_free (guest);
}

gboolean
godwit_guest_is_active (const GodwitGuest *guest)
{
  g_return_val_if_fail (guest != NULL, FALSE);
  switch (guest->state) {
  case GODWIT_GUEST_RUNNING:
  case GODWIT_GUEST_PAUSED:
  case GODWIT_GUEST_PAUSED_MIGRATION:
  case GODWIT_GUEST_SHUTTING_DOWN:
    return TRUE;
  case GODWIT_GUEST_ABSENT:
  case GODWIT_GUEST_SHUT_OFF:
  case GODWIT_GUEST_CRASHED:
  case GODWIT_GUEST_UNKNOWN:
  default:
    return FALSE;
  }
}

GodwitDisk *
godwit_guest_find_disk (const GodwitGuest *guest, const char *target)
{
  g_return_val_if_fail (guest != NULL, NULL);
  for (guint i = 0; i < guest->disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    if (g_strcmp0 (disk->target, target) == 0)
      return disk;
  }
  return NULL;
}
