/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/variant.h"

#include <godwit/error.h>
#include <godwit/guest.h>

static void
add_flag (GVariantBuilder *builder, const char *key, gboolean value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_boolean (value));
}

static void
add_number (GVariantBuilder *builder, const char *key, guint64 value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint64 (value));
}

static void
add_word (GVariantBuilder *builder, const char *key, guint32 value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint32 (value));
}

static GVariant *
image_to_variant (const GodwitImage *image)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "path", image->path);
  godwit_variant_add_text (&builder, "format", image->format);
  add_number (&builder, "virtual-size", image->virtual_size);
  add_number (&builder, "allocated", image->allocated);
  godwit_variant_add_text (&builder, "destination", image->destination);
  add_flag (&builder, "present", image->present);
  return g_variant_builder_end (&builder);
}

static GVariant *
disk_to_variant (const GodwitDisk *disk)
{
  GVariantBuilder chain;
  g_variant_builder_init (&chain, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < disk->chain->len; i++)
    g_variant_builder_add_value (&chain, image_to_variant (g_ptr_array_index (disk->chain, i)));

  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "target", disk->target);
  godwit_variant_add_text (&builder, "device", disk->device);
  godwit_variant_add_text (&builder, "type", disk->type);
  godwit_variant_add_text (&builder, "bus", disk->bus);
  godwit_variant_add_text (&builder, "cache", disk->cache);
  add_flag (&builder, "read-only", disk->read_only);
  add_flag (&builder, "shareable", disk->shareable);
  g_variant_builder_add (&builder, "{sv}", "chain", g_variant_builder_end (&chain));
  add_flag (&builder, "preallocated", disk->preallocated);
  godwit_variant_add_text (&builder, "storage", disk->storage);
  add_word (&builder, "sharing", disk->sharing);
  godwit_variant_add_text (&builder, "proof", disk->proof);
  add_word (&builder, "treatment", disk->treatment);
  add_flag (&builder, "flatten", disk->flatten);
  add_flag (&builder, "live-only", disk->live_only);
  return g_variant_builder_end (&builder);
}

GVariant *
godwit_guest_to_variant (const GodwitGuest *guest)
{
  g_return_val_if_fail (guest != NULL, NULL);

  GVariantBuilder disks;
  g_variant_builder_init (&disks, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < guest->disks->len; i++)
    g_variant_builder_add_value (&disks, disk_to_variant (g_ptr_array_index (guest->disks, i)));

  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "name", guest->name);
  godwit_variant_add_text (&builder, "uuid", guest->uuid);
  add_word (&builder, "state", guest->state);
  add_flag (&builder, "persistent", guest->persistent);
  add_flag (&builder, "autostart", guest->autostart);
  add_number (&builder, "memory", guest->memory);
  add_word (&builder, "vcpus", guest->vcpus);
  godwit_variant_add_text (&builder, "definition", guest->definition);
  godwit_variant_add_text (&builder, "live-definition", guest->live_definition);
  g_variant_builder_add (&builder, "{sv}", "disks", g_variant_builder_end (&disks));
  add_word (&builder, "snapshots", guest->snapshots);
  godwit_variant_add_text (&builder, "busy", guest->busy);
  if (guest->passthrough != NULL)
    g_variant_builder_add (&builder, "{sv}", "passthrough",
                           g_variant_new_bytestring_array ((const char *const *)guest->passthrough,
                                                           -1));
  godwit_variant_add_text (&builder, "nvram", guest->nvram);
  godwit_variant_add_text (&builder, "instance-directory", guest->instance_directory);
  return g_variant_builder_end (&builder);
}

static GodwitImage *
image_from_variant (GVariant *dict)
{
  g_autoptr (GodwitImage) image = godwit_image_new (NULL, NULL);
  image->path = godwit_variant_dup_text (dict, "path");
  image->format = godwit_variant_dup_text (dict, "format");
  image->virtual_size = godwit_variant_get_uint64 (dict, "virtual-size");
  image->allocated = godwit_variant_get_uint64 (dict, "allocated");
  image->destination = godwit_variant_dup_text (dict, "destination");
  image->present = godwit_variant_get_boolean (dict, "present");
  return g_steal_pointer (&image);
}

static gboolean
corrupt (GError **error, const char *what)
{
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "the record of a guest has no valid %s",
                    what);
  return FALSE;
}

static GodwitDisk *
disk_from_variant (GVariant *dict, GError **error)
{
  g_autofree char *target = godwit_variant_dup_text (dict, "target");
  g_autoptr (GVariant) chain = g_variant_lookup_value (dict, "chain", G_VARIANT_TYPE ("aa{sv}"));
  guint32 sharing = godwit_variant_get_uint32 (dict, "sharing");
  guint32 treatment = godwit_variant_get_uint32 (dict, "treatment");
  if (target == NULL || chain == NULL || sharing > GODWIT_SHARING_YES ||
      treatment > GODWIT_TREATMENT_SKIP) {
    corrupt (error, "disk");
    return NULL;
  }

  g_autoptr (GodwitDisk) disk = godwit_disk_new (target);
  disk->device = godwit_variant_dup_text (dict, "device");
  disk->type = godwit_variant_dup_text (dict, "type");
  disk->bus = godwit_variant_dup_text (dict, "bus");
  disk->cache = godwit_variant_dup_text (dict, "cache");
  disk->read_only = godwit_variant_get_boolean (dict, "read-only");
  disk->shareable = godwit_variant_get_boolean (dict, "shareable");
  disk->preallocated = godwit_variant_get_boolean (dict, "preallocated");
  disk->storage = godwit_variant_dup_text (dict, "storage");
  disk->sharing = sharing;
  disk->proof = godwit_variant_dup_text (dict, "proof");
  disk->treatment = treatment;
  disk->flatten = godwit_variant_get_boolean (dict, "flatten");
  disk->live_only = godwit_variant_get_boolean (dict, "live-only");
  for (gsize i = 0; i < g_variant_n_children (chain); i++) {
    g_autoptr (GVariant) layer = g_variant_get_child_value (chain, i);
    g_ptr_array_add (disk->chain, image_from_variant (layer));
  }
  return g_steal_pointer (&disk);
}

static gboolean
read_disks (GodwitGuest *guest, GVariant *dict, GError **error)
{
  g_autoptr (GVariant) disks = g_variant_lookup_value (dict, "disks", G_VARIANT_TYPE ("aa{sv}"));
  if (disks == NULL)
    return corrupt (error, "list of disks");
  for (gsize i = 0; i < g_variant_n_children (disks); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (disks, i);
    GodwitDisk *disk = disk_from_variant (child, error);
    if (disk == NULL)
      return FALSE;
    g_ptr_array_add (guest->disks, disk);
  }
  return TRUE;
}

GodwitGuest *
godwit_guest_from_variant (GVariant *variant, GError **error)
{
  if (variant == NULL || !g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT)) {
    corrupt (error, "form");
    return NULL;
  }

  g_autofree char *name = godwit_variant_dup_text (variant, "name");
  g_autofree char *uuid = godwit_variant_dup_text (variant, "uuid");
  guint32 state = GODWIT_GUEST_UNKNOWN + 1;
  g_variant_lookup (variant, "state", "u", &state);
  if (name == NULL || uuid == NULL || state > GODWIT_GUEST_UNKNOWN) {
    corrupt (error, "name, UUID or state");
    return NULL;
  }

  g_autoptr (GodwitGuest) guest = godwit_guest_new (name, uuid);
  guest->state = state;
  guest->persistent = godwit_variant_get_boolean (variant, "persistent");
  guest->autostart = godwit_variant_get_boolean (variant, "autostart");
  guest->memory = godwit_variant_get_uint64 (variant, "memory");
  guest->vcpus = godwit_variant_get_uint32 (variant, "vcpus");
  guest->definition = godwit_variant_dup_text (variant, "definition");
  guest->live_definition = godwit_variant_dup_text (variant, "live-definition");
  guest->snapshots = godwit_variant_get_uint32 (variant, "snapshots");
  guest->busy = godwit_variant_dup_text (variant, "busy");
  g_autoptr (GVariant) passthrough =
      g_variant_lookup_value (variant, "passthrough", G_VARIANT_TYPE_BYTESTRING_ARRAY);
  if (passthrough != NULL)
    guest->passthrough = g_variant_dup_bytestring_array (passthrough, NULL);
  guest->nvram = godwit_variant_dup_text (variant, "nvram");
  guest->instance_directory = godwit_variant_dup_text (variant, "instance-directory");
  if (!read_disks (guest, variant, error))
    return NULL;
  return g_steal_pointer (&guest);
}
