/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the live driver makes of what is found at the destination's disks. */
#include "guest/live-private.h"

#include "live-bench.h"

#include <godwit/error.h>
#include <godwit/live.h>

#include <string.h>

static const char *const vda[] = {"vda", NULL};

/* Memory moves, then the guest stands still, then its process at the source is gone. */
static void
goes_well (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  status->memory_done = turn * 1000;
  status->disk_total = status->disk_done = 1 << 20;
  if (turn < 5)
    return;
  world->hv_b->state = GODWIT_GUEST_PAUSED;
  status->destination_state = GODWIT_GUEST_PAUSED;
  world->a->process->exited = TRUE;
  if (turn >= 7) {
    world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
    status->returned = TRUE;
  }
}

static void
waits_for_an_abort (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  status->memory_done = turn * 1000;
  if (world->hv_a->aborted > 0)
    status->returned = status->failed = TRUE;
}

static void
ignores_an_abort (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  if (world->hv_a->aborted > 0)
    goes_well (5, status, data);
  else
    status->memory_done = turn * 1000;
}

static FakeWorld *
world_with (const char *options, FakeLiveFunc live)
{
  FakeWorld *world = fake_world_new (GODWIT_GUEST_RUNNING, options);
  GodwitDisk *disk = fake_world_add_disk (world, "vda", GODWIT_SHARING_NO);

  disk->treatment = GODWIT_TREATMENT_MIRROR;
  godwit_disk_get_top (disk)->destination = g_strdup ("/images/vda");
  live_world_open (world, TRUE, live);
  return world;
}

static void
test_verified (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, goes_well);
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_live_copy (world->job, vda, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->b->calls, "verify vda as export-vda, rest");
  g_assert_true (godwit_live_get_run (world->job)->verified);
  g_assert_null (godwit_live_get_run (world->job)->unverified);
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
}

/* What an overlay was never written is the base's. */
static void
test_overlay (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, goes_well);
  GodwitDisk *disk = godwit_guest_find_disk (world->guest, "vda");

  g_ptr_array_add (disk->chain, godwit_image_new ("/images/base", "raw"));
  g_assert_true (godwit_live_copy (world->job, vda, NULL, NULL));
  fake_assert_calls (world->b->calls, "verify vda as export-vda on a base, rest");
}

static void
test_none (void)
{
  g_autoptr (FakeWorld) world = world_with ("verify=none", goes_well);

  g_assert_false (GODWIT_TUNNEL (godwit_job_kept (world->job, "tunnel-disks"))->tapped);
  g_assert_true (godwit_live_copy (world->job, vda, NULL, NULL));
  fake_assert_calls (world->b->calls, "");
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, NULL));
}

static void
test_different (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, waits_for_an_abort);
  g_autoptr (GError) error = NULL;

  world->b->fail = "check";
  world->b->fail_code = GODWIT_ERROR_CORRUPT;
  g_assert_false (godwit_live_copy (world->job, vda, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  fake_assert_calls (world->hv_a->calls, "live_begin, live_abort");
  g_assert_cmpint (world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (world->hv_b->state, ==, GODWIT_GUEST_ABSENT);
}

/* The difference is found as the guest is already through: the look at rest has the last word. */
static void
test_different_and_too_late (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, ignores_an_abort);
  g_autoptr (GError) error = NULL;

  world->b->fail = "check";
  world->b->fail_code = GODWIT_ERROR_CORRUPT;
  world->hv_a->aborted = 0;
  g_assert_true (godwit_live_copy (world->job, vda, NULL, &error));
  fake_assert_calls (world->b->calls, "verify vda as export-vda, rest");
}

/* An agent that cannot follow the stream is no reason to fail, and none to be silent. */
static void
test_not_understood (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, goes_well);
  g_autoptr (GError) error = NULL;

  world->b->fail = "check";
  world->b->fail_code = GODWIT_ERROR_NOT_SUPPORTED;
  g_assert_true (godwit_live_copy (world->job, vda, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->b->calls, "verify vda as export-vda");
  g_assert_cmpstr (godwit_live_get_run (world->job)->unverified, ==, "check failed");
  g_assert_false (godwit_live_get_run (world->job)->verified);
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
}

static void
test_cannot_begin (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, goes_well);

  world->b->fail = "verify vda as export-vda";
  g_assert_true (godwit_live_copy (world->job, vda, NULL, NULL));
  fake_assert_calls (world->b->calls, "verify vda as export-vda");
  g_assert_nonnull (godwit_live_get_run (world->job)->unverified);
}

/* The source's memory is gone by then, so it is for the operator to say what is worth more; and
 * no later worker may commit in the meantime. */
static void
test_different_at_rest (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, goes_well);
  g_autoptr (GError) error = NULL;

  world->b->fail = "rest";
  world->b->fail_code = GODWIT_ERROR_CORRUPT;
  g_assert_false (godwit_live_copy (world->job, vda, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_IN_DOUBT);
  g_assert_nonnull (strstr (error->message, "b: rest failed"));
  g_assert_nonnull (strstr (error->message, "web stands paused on b and is not resumed"));
  g_clear_error (&error);

  godwit_job_keep (world->job, "live", NULL);
  g_assert_false (godwit_live_prove_frozen (world->job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_IN_DOUBT);
  g_clear_error (&error);
  fake_assert_calls (world->hv_b->calls, "");

  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  world->hv_b->state = GODWIT_GUEST_RUNNING;
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
  g_assert_no_error (error);
}

static void
test_rest_not_readable (void)
{
  g_autoptr (FakeWorld) world = world_with (NULL, goes_well);

  world->b->fail = "rest";
  world->b->fail_code = GODWIT_ERROR_NOT_SUPPORTED;
  g_assert_true (godwit_live_copy (world->job, vda, NULL, NULL));
  g_assert_nonnull (godwit_live_get_run (world->job)->unverified);
  g_assert_false (godwit_live_get_run (world->job)->verified);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/live-verify/verified", test_verified);
  g_test_add_func ("/live-verify/overlay", test_overlay);
  g_test_add_func ("/live-verify/none", test_none);
  g_test_add_func ("/live-verify/different", test_different);
  g_test_add_func ("/live-verify/different/too-late", test_different_and_too_late);
  g_test_add_func ("/live-verify/different/at-rest", test_different_at_rest);
  g_test_add_func ("/live-verify/not-understood", test_not_understood);
  g_test_add_func ("/live-verify/cannot-begin", test_cannot_begin);
  g_test_add_func ("/live-verify/rest-not-readable", test_rest_not_readable);
  return g_test_run ();
}
