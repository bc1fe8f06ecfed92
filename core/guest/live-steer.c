/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"

/* An abort that the hypervisor obeys takes a fraction of a second; one that waits for a dead
 * link takes as long as the outage, and then cutting our own channels ends it. */
GodwitLiveTimes godwit_live_times = {
    .poll_ms = 250,
    .abort_ms = 10000,
    .gone_ms = 2000,
    .cut_ms = 30000,
    .idle_ms = 30000,
    .arrival_ms = 2000,
    .settle_ms = 30000,
    .retry_ms = 150,
};

/* The first pass moves everything and the second what was written meanwhile; only from the
 * third on do passes say whether the guest writes faster than the link carries. */
#define FIRST_JUDGED_ITERATION 3

void
godwit_ladder_init (GodwitLadder *ladder, guint initial_ms, guint max_ms)
{
  ladder->max_ms = max_ms;
  ladder->limit_ms = MIN (initial_ms, max_ms);
  ladder->mark_iteration = 0;
  ladder->mark_remaining = 0;
}

static guint
next_limit (const GodwitLadder *ladder, const GodwitLiveStatus *status)
{
  guint next = ladder->limit_ms + MAX (1, ladder->limit_ms / 2);

  /* Where the hypervisor says what it would take, smaller rungs only cost passes. */
  if (status->downtime_ms > next)
    next = status->downtime_ms;
  return MIN (next, ladder->max_ms);
}

gboolean
godwit_ladder_step (GodwitLadder *ladder, const GodwitLiveStatus *status)
{
  if (status->iteration < FIRST_JUDGED_ITERATION - 1)
    return FALSE;
  if (ladder->mark_iteration == 0) {
    ladder->mark_iteration = status->iteration;
    ladder->mark_remaining = status->memory_remaining;
    return FALSE;
  }
  if (status->iteration < ladder->mark_iteration + 2)
    return FALSE;

  gboolean converges = status->memory_remaining <= ladder->mark_remaining / 2;
  ladder->mark_iteration = status->iteration;
  ladder->mark_remaining = status->memory_remaining;
  if (converges || ladder->limit_ms >= ladder->max_ms)
    return FALSE;
  ladder->limit_ms = next_limit (ladder, status);
  return TRUE;
}
