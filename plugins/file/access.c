/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

typedef struct {
  guint32 uid;
  guint32 gid;
} Owner;

gboolean
get_guest_owner (GodwitHypervisor *hypervisor, guint32 *uid, guint32 *gid,
                 GCancellable *cancellable, GError **error)
{
  if (hypervisor == NULL) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                      "the user that guests run as is not known: the hypervisor cannot be asked");
    return FALSE;
  }
  /* It is asked for while a guest stands still, and each question is a round trip or more. */
  Owner *owner = g_object_get_data (G_OBJECT (hypervisor), "godwit-file-owner");
  if (owner == NULL) {
    g_autoptr (GodwitHostFacts) facts =
        godwit_hypervisor_get_facts (hypervisor, cancellable, error);
    if (facts == NULL)
      return FALSE;
    owner = g_new (Owner, 1);
    *owner = (Owner){.uid = facts->guest_uid, .gid = facts->guest_gid};
    g_object_set_data_full (G_OBJECT (hypervisor), "godwit-file-owner", owner, g_free);
  }
  *uid = owner->uid;
  *gid = owner->gid;
  return TRUE;
}

static gboolean
may_read (const GodwitFileInfo *info, guint32 uid, guint32 gid)
{
  if (info->uid == uid)
    return (info->mode & 0400) != 0;
  if (info->gid == gid)
    return (info->mode & 0040) != 0;
  return (info->mode & 0004) != 0;
}

typedef struct {
  GodwitJob *job;
  GodwitDisk *disk;
  GodwitHost *host;
  const char *role;
  guint32 uid;
  guint32 gid;
} Access;

static gboolean
repair (const Access *access, guint layer, const char *path, GCancellable *cancellable,
        GError **error)
{
  const char *name = godwit_host_get_name (access->host);
  gboolean writes = layer == 0 && !access->disk->read_only;
  GodwitFileInfo info;

  if (!godwit_host_stat (access->host, path, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_ABSENT) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "%s is not on %s", path, name);
    return FALSE;
  }
  /* A base or a medium belongs to many guests: it only has to be readable. */
  if (writes ? info.uid == access->uid && info.gid == access->gid && (info.mode & 0600) == 0600
             : may_read (&info, access->uid, access->gid))
    return TRUE;

  g_autofree char *what = g_strdup_printf ("owner.%s.%u", access->role, layer);
  g_autofree char *fact = disk_fact (access->disk, what);
  g_autoptr (GVariant) known = godwit_job_get_fact (access->job, fact);
  /* The first values are the true ones; later ones may be half of a repair. */
  if (known == NULL &&
      !godwit_job_set_fact (access->job, fact,
                            g_variant_new ("(suuu)", path, info.uid, info.gid, info.mode), error))
    return FALSE;
  if (!godwit_host_set_owner (access->host, path, access->uid, access->gid,
                              info.mode | (writes ? 0600u : 0400u), cancellable, error))
    return FALSE;
  godwit_job_log (access->job, GODWIT_SEVERITY_INFO, name,
                  "disk %s: gave %s to %u:%u, it was %u:%u mode %04o", access->disk->target, path,
                  access->uid, access->gid, info.uid, info.gid, info.mode);
  return TRUE;
}

gboolean
file_repair_access (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                    GCancellable *cancellable, GError **error)
{
  gboolean there = host == godwit_job_get_destination (job);
  GodwitHypervisor *hypervisor =
      there ? godwit_job_get_destination_hypervisor (job) : godwit_job_get_source_hypervisor (job);
  Access access = {.job = job,
                   .disk = disk,
                   .host = host,
                   .role = there ? "destination" : "source"};
  guint layers = there && disk_travels (disk) ? disk_count_targets (disk) : disk->chain->len;

  if (!get_guest_owner (hypervisor, &access.uid, &access.gid, cancellable, error))
    return FALSE;
  /* Guests that run as root read and write everything. */
  if (access.uid == 0)
    return TRUE;
  for (guint i = 0; i < layers; i++) {
    const GodwitImage *image = disk_get_layer (disk, i);
    const char *path = there && image->destination != NULL ? image->destination : image->path;
    if (!repair (&access, i, path, cancellable, error))
      return FALSE;
  }
  return TRUE;
}
