/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-private.h"

static gboolean
is_mirrored (const GodwitLiveParams *params, const GodwitDisk *disk)
{
  return params->mirror != NULL && g_strv_contains (params->mirror, disk->target);
}

unsigned
lv_live_choose_flags (const GodwitGuest *guest, const GodwitLiveParams *params)
{
  unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PAUSED;
  gboolean attached = FALSE;
  gboolean flatten = FALSE;

  for (guint i = 0; i < guest->disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    if (is_mirrored (params, disk))
      flatten |= disk->flatten;
    else if (godwit_disk_get_top (disk) != NULL && !disk->read_only)
      attached = TRUE;
  }
  /* The incremental mode copies the top layer of each disk, which for a disk without a backing
   * file is all of it; the other one reads through the chain. */
  if (params->mirror != NULL && params->mirror[0] != NULL)
    flags |= flatten ? VIR_MIGRATE_NON_SHARED_DISK : VIR_MIGRATE_NON_SHARED_INC;
  /* The flag covers the whole migration and switches off libvirt's own checks, so it is passed
   * only where they would refuse what has been proven. */
  if (attached && params->proven_safe)
    flags |= VIR_MIGRATE_UNSAFE;
  return flags;
}
