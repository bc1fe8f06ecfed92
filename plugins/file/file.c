/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

struct _GodwitFileStorage {
  GObject parent_instance;
};

#define GODWIT_TYPE_FILE_STORAGE (godwit_file_storage_get_type ())
G_DECLARE_FINAL_TYPE (GodwitFileStorage, godwit_file_storage, GODWIT, FILE_STORAGE, GObject)

static gboolean
claims (GodwitStorage *self, const GodwitDisk *disk)
{
  const GodwitImage *top = godwit_disk_get_top (disk);

  /* The hypervisor resolves a volume of a pool to a path; a block device has type 'block'. */
  return top != NULL && top->path != NULL && g_path_is_absolute (top->path) &&
         (g_strcmp0 (disk->type, "file") == 0 || g_strcmp0 (disk->type, "volume") == 0);
}

static void
storage_iface_init (GodwitStorageInterface *iface)
{
  iface->claims = claims;
  iface->inspect = file_inspect;
  iface->check_sharing = file_check_sharing;
  iface->check_target = file_check_target;
  iface->create = file_create;
  iface->remove_created = file_remove_created;
  iface->open_source = file_open_source;
  iface->open_target = file_open_target;
  iface->finish_target = file_finish_target;
  iface->repair_access = file_repair_access;
  iface->park = file_park;
  iface->unpark = file_unpark;
  iface->release = file_release;
  iface->reclaim = file_reclaim;
}

GODWIT_DEFINE_TYPE (GodwitFileStorage, godwit_file_storage, GODWIT_TYPE_STORAGE, storage_iface_init)

static void
godwit_file_storage_class_init (GodwitFileStorageClass *klass)
{
}

static void
godwit_file_storage_init (GodwitFileStorage *self)
{
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_file_storage_provide (module, "file", error);
}

GODWIT_PLUGIN_DEFINE (file, "file", "0.1.0",
                      "disks in files, raw and qcow2, on local or shared directories",
                      "LGPL-2.1-or-later", "godwit", register_types)
