/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/disks-private.h"

#include <godwit/error.h>
#include <godwit/hypervisor.h>
#include <godwit/live.h>

/* Between the plan and the deed lie minutes, in which a backup may have put a new layer on top of a
 * disk: what was planned for would then be an older state of it. */

static gboolean
is_same_disk (const GodwitDisk *planned, const GodwitDisk *now)
{
  const GodwitImage *before = godwit_disk_get_top (planned);
  const GodwitImage *after = now != NULL ? godwit_disk_get_top (now) : NULL;

  if (planned->read_only || before == NULL)
    return TRUE;
  return after != NULL && g_strcmp0 (before->path, after->path) == 0;
}

static gboolean
refuse (const GodwitGuest *guest, const char *target, const GodwitDisk *now, GError **error)
{
  const GodwitImage *top = now != NULL ? godwit_disk_get_top (now) : NULL;

  godwit_set_error (error, GODWIT_ERROR_BUSY, "migrate it again",
                    "disk %s of %s is not what it was when the migration was planned: it is %s now",
                    target, guest->name, top != NULL ? top->path : "gone");
  return FALSE;
}

gboolean
godwit_guest_check_unchanged (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  const GodwitGuest *guest = godwit_job_get_guest (job);
  g_autoptr (GodwitGuest) now =
      godwit_hypervisor_describe_guest (godwit_job_get_source_hypervisor (job), guest->uuid,
                                        cancellable, error);

  if (now == NULL)
    return FALSE;
  for (guint i = 0; i < guest->disks->len; i++) {
    const GodwitDisk *planned = g_ptr_array_index (guest->disks, i);
    const GodwitDisk *found = godwit_guest_find_disk (now, planned->target);
    if (!is_same_disk (planned, found))
      return refuse (guest, planned->target, found, error);
  }
  for (guint i = 0; i < now->disks->len; i++) {
    const GodwitDisk *added = g_ptr_array_index (now->disks, i);
    if (!added->read_only && godwit_guest_find_disk (guest, added->target) == NULL)
      return refuse (guest, added->target, added, error);
  }
  return TRUE;
}

/* --- what lies still must go on lying still ------------------------------------------------ */

static char *
fact_name (const GodwitDisk *disk)
{
  return g_strdup_printf ("disk.%s.source", disk->target);
}

/* Size and time of the last write; nothing for what is no file, whose writes leave no time. */
static gboolean
look (GodwitJob *job, const GodwitDisk *disk, GVariant **stamp, GCancellable *cancellable,
      GError **error)
{
  const GodwitImage *top = godwit_disk_get_top (disk);
  GodwitFileInfo info;

  *stamp = NULL;
  if (top == NULL || disk->read_only || top->path == NULL || top->path[0] != '/')
    return TRUE;
  if (!godwit_host_stat (godwit_job_get_source (job), top->path, &info, cancellable, error))
    return FALSE;
  if (info.type == GODWIT_FILE_REGULAR)
    *stamp = g_variant_ref_sink (g_variant_new ("(tx)", info.size, info.mtime_ns));
  return TRUE;
}

gboolean
godwit_disks_note_source (GodwitJob *job, const GodwitDisk *disk, GCancellable *cancellable,
                          GError **error)
{
  g_autoptr (GVariant) stamp = NULL;
  g_autofree char *fact = fact_name (disk);

  return look (job, disk, &stamp, cancellable, error) &&
         godwit_job_set_fact (job, fact, stamp, error);
}

gboolean
godwit_disks_check_sources (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  const GodwitGuest *guest = godwit_job_get_guest (job);

  for (guint i = 0; i < guest->disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    g_autofree char *fact = fact_name (disk);
    g_autoptr (GVariant) before = godwit_job_get_fact (job, fact);
    g_autoptr (GVariant) now = NULL;
    if (before == NULL)
      continue;
    if (!look (job, disk, &now, cancellable, error))
      return FALSE;
    if (now != NULL && g_variant_equal (before, now))
      continue;
    godwit_set_error (error, GODWIT_ERROR_BUSY, "migrate it again",
                      "%s on %s was written to after it was copied: somebody started %s, or "
                      "something else uses its disk",
                      godwit_disk_get_top (disk)->path,
                      godwit_host_get_name (godwit_job_get_source (job)), guest->name);
    return FALSE;
  }
  return TRUE;
}
