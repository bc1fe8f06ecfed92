/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-bench.h"

#include <godwit/error.h>
#include <godwit/live.h>

void
live_world_open (FakeWorld *world, gboolean disks, FakeLiveFunc live)
{
  g_autoptr (GError) error = NULL;

  godwit_live_times = (GodwitLiveTimes){.poll_ms = 1,
                                        .abort_ms = 30,
                                        .gone_ms = 30,
                                        .cut_ms = 30,
                                        .idle_ms = 30,
                                        .arrival_ms = 50,
                                        .settle_ms = 30,
                                        .retry_ms = 1};
  world->hv_a->live = live;
  world->hv_a->live_data = world;
  g_assert_true (godwit_live_open_tunnels (world->job, disks, NULL, &error));
  g_assert_no_error (error);
  g_string_truncate (world->a->calls, 0);
  g_string_truncate (world->b->calls, 0);
}

FakeWorld *
live_world_new (GodwitGuestState state, const char *options, FakeLiveFunc live)
{
  FakeWorld *world = fake_world_new (state, options);

  live_world_open (world, FALSE, live);
  return world;
}

void
live_assert_fact (FakeWorld *world, const char *name, gboolean there)
{
  g_autoptr (GVariant) value = godwit_job_get_fact (world->job, name);

  g_assert_cmpint (value != NULL, ==, there);
}
