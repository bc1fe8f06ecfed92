/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-bench.h"

#include <godwit/error.h>
#include <godwit/live.h>

/* --- tunnels ------------------------------------------------------------------------------ */

static void
test_tunnels (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_live_open_tunnels (world->job, TRUE, NULL, &error));
  g_assert_no_error (error);
  /* The destination's guest process binds the sockets, the source's only connects. */
  fake_assert_calls (world->b->calls, "rmdir web-1, mkdir web-1 64055:0 700");
  fake_assert_calls (world->a->calls,
                     "rmdir web-1, mkdir web-1 0:0 711, tunnel /run/godwit/web-1/ram.sock, "
                     "tunnel /run/godwit/web-1/nbd.sock");
  g_autoptr (GObject) tunnel = g_object_ref (godwit_job_kept (world->job, "tunnel-disks"));
  g_assert_true (godwit_live_close_tunnels (world->job, NULL, &error));
  g_assert_true (GODWIT_TUNNEL (tunnel)->closed);
  g_assert_cmpuint (godwit_job_get_bytes (world->job), ==, 2000);
  fake_assert_calls (world->a->calls, "rmdir web-1");
}

static void
test_tunnels_need_one_path (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  g_hash_table_insert (world->b->config, g_strdup ("runtime"), g_strdup ("/var/run/godwit"));
  g_assert_false (godwit_live_open_tunnels (world->job, TRUE, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
}

/* --- definitions -------------------------------------------------------------------------- */

static void
test_undefine_asks_the_destination (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  g_assert_false (godwit_guest_undefine_source (world->job, NULL, &error));
  fake_assert_calls (world->hv_a->calls, "");
  g_clear_error (&error);

  world->guest->autostart = TRUE;
  g_assert_true (godwit_guest_define_destination (world->job, NULL, &error));
  fake_assert_calls (world->hv_b->calls, "define persistent autostart");
  g_assert_true (godwit_guest_undefine_source (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_a->calls, "undefine");
}

static void
test_undefine_keeps_a_running_source (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  world->hv_b->state = GODWIT_GUEST_RUNNING;
  world->hv_b->persistent = TRUE;
  g_assert_false (godwit_guest_undefine_source (world->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_IN_DOUBT);
  fake_assert_calls (world->hv_a->calls, "");
}

static void
test_transient_stays_transient (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);

  world->guest->persistent = FALSE;
  g_assert_true (godwit_guest_define_destination (world->job, NULL, NULL));
  g_assert_true (godwit_guest_undefine_source (world->job, NULL, NULL));
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

/* --- steering ----------------------------------------------------------------------------- */

static guint
climb (GodwitLadder *ladder, guint iteration, guint64 remaining, guint expected)
{
  GodwitLiveStatus status = {.iteration = iteration,
                             .memory_remaining = remaining,
                             .downtime_ms = expected};

  godwit_ladder_step (ladder, &status);
  return ladder->limit_ms;
}

static void
test_ladder (void)
{
  GodwitLadder ladder;

  /* A guest that calms down keeps the low limit. */
  godwit_ladder_init (&ladder, 50, 300);
  for (guint i = 1; i < 9; i++)
    g_assert_cmpuint (climb (&ladder, i, 1024 >> i, 0), ==, 50);

  /* One that does not climbs a rung every two passes, and never over the top. */
  godwit_ladder_init (&ladder, 50, 300);
  g_assert_cmpuint (climb (&ladder, 2, 1000, 0), ==, 50);
  g_assert_cmpuint (climb (&ladder, 3, 1000, 0), ==, 50);
  g_assert_cmpuint (climb (&ladder, 4, 1000, 0), ==, 75);
  g_assert_cmpuint (climb (&ladder, 4, 1000, 0), ==, 75);
  g_assert_cmpuint (climb (&ladder, 6, 1000, 0), ==, 112);
  g_assert_cmpuint (climb (&ladder, 8, 1000, 250), ==, 250);
  g_assert_cmpuint (climb (&ladder, 10, 1000, 900), ==, 300);
  g_assert_cmpuint (climb (&ladder, 12, 1000, 900), ==, 300);

  /* The operator's top counts for the first rung too. */
  godwit_ladder_init (&ladder, 50, 20);
  g_assert_cmpuint (ladder.limit_ms, ==, 20);
}

static void
test_watchdog (void)
{
  GodwitWatchdog dog;
  GodwitLiveStatus status = {.memory_done = 1};

  godwit_watchdog_init (&dog, 100, 1000);
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, TRUE, 1050));
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, TRUE, 1149));
  g_assert_true (godwit_watchdog_is_stalled (&dog, &status, TRUE, 1150));
  /* One byte is progress, whatever it was of. */
  status.disk_done = 1;
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, TRUE, 1200));
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, TRUE, 1299));
  g_assert_true (godwit_watchdog_is_stalled (&dog, &status, TRUE, 1300));

  /* A destination that does not answer is waited for less; that it does not is found out before. */
  status.disk_done = 2;
  godwit_watchdog_init (&dog, 120, 2000);
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, FALSE, 2000));
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, FALSE, 2009));
  g_assert_false (dog.doubtful);
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, FALSE, 2010));
  g_assert_true (dog.doubtful);
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, FALSE, 2059));
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, TRUE, 2060));
  g_assert_true (godwit_watchdog_is_stalled (&dog, &status, FALSE, 2060));
  status.disk_done = 3;
  g_assert_false (godwit_watchdog_is_stalled (&dog, &status, FALSE, 2061));
  g_assert_false (dog.doubtful);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/live-parts/tunnels", test_tunnels);
  g_test_add_func ("/live-parts/tunnels/one-path", test_tunnels_need_one_path);
  g_test_add_func ("/live-parts/undefine", test_undefine_asks_the_destination);
  g_test_add_func ("/live-parts/undefine/running", test_undefine_keeps_a_running_source);
  g_test_add_func ("/live-parts/transient", test_transient_stays_transient);
  g_test_add_func ("/live-parts/ladder", test_ladder);
  g_test_add_func ("/live-parts/watchdog", test_watchdog);
  return g_test_run ();
}
