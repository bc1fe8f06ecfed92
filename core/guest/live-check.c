/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/live.h>

static void
check_active (const GodwitGuest *guest, GodwitReport *report)
{
  if (guest->state == GODWIT_GUEST_RUNNING || guest->state == GODWIT_GUEST_PAUSED)
    godwit_report_add (report, GODWIT_SEVERITY_OK, "guest-active", guest->name, NULL, "%s is %s",
                       guest->name, godwit_guest_state_to_string (guest->state));
  else
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-active", guest->name,
                       "--strategy cold", "%s is %s: only a guest that runs moves live",
                       guest->name, godwit_guest_state_to_string (guest->state));
}

static void
check_cache (const GodwitDisk *disk, GodwitReport *report)
{
  const char *cache = disk->cache != NULL ? disk->cache : "default";

  /* Other modes flush when the guest stops and drop what they hold when it goes on elsewhere;
   * this one promises neither, so the other host may read old blocks. */
  if (g_str_equal (cache, "unsafe"))
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "disk-cache", disk->target,
                       "use another cache mode, for example none",
                       "%s is shared and uses cache mode unsafe: the destination may see old data",
                       disk->target);
  else
    godwit_report_add (report, GODWIT_SEVERITY_OK, "disk-cache", disk->target, NULL,
                       "%s: cache mode %s is safe to move with", disk->target, cache);
}

void
godwit_live_check (GodwitJob *job, GodwitReport *report)
{
  GodwitGuest *guest = godwit_job_get_guest (job);

  check_active (guest, report);
  for (guint i = 0; i < guest->disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    if (disk->treatment == GODWIT_TREATMENT_ATTACH && !disk->read_only)
      check_cache (disk, report);
  }
}
