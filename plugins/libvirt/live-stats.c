/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-private.h"

#include <string.h>

static guint64
get (virTypedParameterPtr params, int count, const char *name)
{
  unsigned long long value = 0;

  return virTypedParamsGetULLong (params, count, name, &value) == 1 ? value : 0;
}

void
lv_live_fill_stats (GodwitLiveStatus *status, virTypedParameterPtr params, int count)
{
  guint64 memory_total = get (params, count, VIR_DOMAIN_JOB_MEMORY_TOTAL);
  guint64 disk_total = get (params, count, VIR_DOMAIN_JOB_DISK_TOTAL);
  guint64 page = get (params, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE);
  guint64 downtime = get (params, count, VIR_DOMAIN_JOB_DOWNTIME);

  /* Each phase leaves out the other's figures; what was reached stays reached. */
  if (disk_total > 0) {
    status->disk_total = disk_total;
    status->disk_done = get (params, count, VIR_DOMAIN_JOB_DISK_PROCESSED);
  }
  if (memory_total > 0) {
    status->memory_total = memory_total;
    status->memory_remaining = get (params, count, VIR_DOMAIN_JOB_MEMORY_REMAINING);
    status->memory_done = get (params, count, VIR_DOMAIN_JOB_MEMORY_PROCESSED);
    status->memory_bps = get (params, count, VIR_DOMAIN_JOB_MEMORY_BPS);
    status->dirty_bps =
        get (params, count, VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE) * (page > 0 ? page : 4096);
    status->iteration = (guint)get (params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION);
  }
  if (downtime > 0)
    status->downtime_ms = (guint)MIN (downtime, G_MAXUINT);
}
