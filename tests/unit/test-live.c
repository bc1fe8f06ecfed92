/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-bench.h"

#include <godwit/error.h>
#include <godwit/live.h>

static const char *const nothing[] = {NULL};

/* --- what the world does at each turn ----------------------------------------------------- */

static void
move_bytes (guint turn, GodwitLiveStatus *status)
{
  status->memory_done = turn * 1000;
  status->memory_remaining = 1000;
  status->iteration = 1;
}

static void
return_failed (GodwitLiveStatus *status)
{
  status->returned = TRUE;
  status->failed = TRUE;
}

/* The switch-over as it is measured: source stopped, destination complete, process gone. */
static void
switch_over (FakeWorld *world, guint since, GodwitLiveStatus *status)
{
  world->hv_a->state = GODWIT_GUEST_PAUSED_MIGRATION;
  status->source_state = GODWIT_GUEST_PAUSED_MIGRATION;
  if (since >= 1) {
    world->hv_b->state = GODWIT_GUEST_PAUSED;
    status->destination_state = GODWIT_GUEST_PAUSED;
  }
  if (since >= 2 && world->a->process != NULL)
    world->a->process->exited = TRUE;
  if (since >= 4) {
    world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
    status->returned = TRUE;
  }
}

static void
goes_well (guint turn, GodwitLiveStatus *status, gpointer data)
{
  move_bytes (turn, status);
  if (turn >= 4)
    switch_over (data, turn - 4, status);
}

static void
fails_while_copying (guint turn, GodwitLiveStatus *status, gpointer data)
{
  move_bytes (turn, status);
  if (turn >= 3)
    return_failed (status);
}

static void
fails_with_source_stopped (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  fails_while_copying (turn, status, data);
  if (turn >= 2)
    world->hv_a->state = GODWIT_GUEST_PAUSED_MIGRATION;
  if (turn >= 3 && world->hv_b->state == GODWIT_GUEST_PAUSED_MIGRATION)
    world->hv_b->state = GODWIT_GUEST_ABSENT;
}

static void
loses_destination_at_the_switch (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  fails_while_copying (turn, status, data);
  if (turn >= 2)
    world->hv_a->state = GODWIT_GUEST_PAUSED_MIGRATION;
  if (turn >= 3)
    world->hv_b->silent = TRUE;
}

static void
loses_destination_while_running (guint turn, GodwitLiveStatus *status, gpointer data)
{
  fails_while_copying (turn, status, data);
  if (turn >= 3)
    ((FakeWorld *)data)->hv_b->silent = TRUE;
}

/* Only the last reply was lost: everything has happened. */
static void
fails_after_the_end (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  move_bytes (turn, status);
  if (turn < 3)
    return;
  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  world->hv_b->state = GODWIT_GUEST_PAUSED;
  return_failed (status);
}

static void
crashes (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  move_bytes (turn, status);
  if (turn >= 3) {
    world->a->process->exited = TRUE;
    world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  }
  if (turn >= 5)
    return_failed (status);
}

static void
obeys_an_abort (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  move_bytes (turn, status);
  if (world->hv_a->aborted > 0 && turn > world->hv_a->aborted + 1)
    return_failed (status);
}

/* Its kernel dies while its process lives. */
static void
panics (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  obeys_an_abort (turn, status, data);
  if (turn < 3)
    return;
  world->hv_a->state = GODWIT_GUEST_CRASHED;
  status->source_state = GODWIT_GUEST_CRASHED;
}

static void
stalls (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  move_bytes (1, status);
  if (world->hv_a->aborted > 0)
    return_failed (status);
}

static void
ignores_an_abort (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;
  GObject *tunnel = godwit_job_kept (world->job, "tunnel-memory");

  move_bytes (1, status);
  if (GODWIT_TUNNEL (tunnel)->closed)
    return_failed (status);
}

static void
never_returns (guint turn, GodwitLiveStatus *status, gpointer data)
{
  move_bytes (1, status);
}

static void
completes_despite_an_abort (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  move_bytes (turn, status);
  if (world->hv_a->aborted > 0)
    switch_over (world, 2, status);
}

static void
both_run (guint turn, GodwitLiveStatus *status, gpointer data)
{
  fails_while_copying (turn, status, data);
  if (turn >= 3)
    ((FakeWorld *)data)->hv_b->state = GODWIT_GUEST_RUNNING;
}

/* --- the way that goes well --------------------------------------------------------------- */

/* A backup put a layer on top of the disk after the plan: what was planned for is an older state.
 */
static void
test_new_layer (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;
  fake_world_add_disk (world, "vda", GODWIT_SHARING_NO)->treatment = GODWIT_TREATMENT_MIRROR;

  world->hv_a->new_layer = "/images/vda.snapshot";
  g_assert_false (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "/images/vda.snapshot"));
  live_assert_fact (world, "live.begun", FALSE);
}

static void
test_success (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;
  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES)->treatment = GODWIT_TREATMENT_ATTACH;

  g_assert_true (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (world->hv_a->proven_safe);
  g_assert_cmpuint (world->hv_a->downtime, ==, 10);
  /* The proof does not wait for the source's hypervisor, which notices last. */
  g_assert_cmpint (world->hv_a->state, ==, GODWIT_GUEST_PAUSED_MIGRATION);
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_b->calls, "");
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  fake_assert_calls (world->hv_b->calls, "resume");
  live_assert_fact (world, "live.frozen-us", TRUE);
  live_assert_fact (world, "downtime-us", TRUE);

  world->hv_a->status.returned = TRUE;
  fake_assert_calls (world->storage->calls, "repair_access vda");
  g_assert_true (godwit_live_settle (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->storage->calls, "repair_access vda");
  fake_assert_calls (world->a->calls, "rmdir web-1");
  fake_assert_calls (world->b->calls, "rmdir web-1");
  g_assert_cmpuint (godwit_job_get_bytes (world->job), ==, 1000);
  fake_assert_calls (world->hv_a->calls, "live_begin");
}

static void
test_success_unwatched (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  world->a->no_watch = TRUE;
  g_assert_true (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_no_error (error);
  /* Without a process to watch only the end of the call is proof. */
  g_assert_cmpint (world->hv_a->state, ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
}

static void
test_paused_stays_paused (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_PAUSED, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (world->hv_b->state, ==, GODWIT_GUEST_PAUSED);
  fake_assert_calls (world->hv_b->calls, "");
  live_assert_fact (world, "downtime-us", FALSE);
}

static void
test_unproven_disk_is_not_called_safe (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES);
  fake_world_add_disk (world, "vdb", GODWIT_SHARING_UNKNOWN);
  g_assert_true (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_false (world->hv_a->proven_safe);
}

static void
test_mirrored_disk_needs_no_proof (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;
  const char *const mirror[] = {"vdb", NULL};

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES);
  fake_world_add_disk (world, "vdb", GODWIT_SHARING_NO);
  fake_world_add_disk (world, "sda", GODWIT_SHARING_NO)->read_only = TRUE;
  g_assert_true (godwit_live_copy (world->job, mirror, NULL, &error));
  g_assert_true (world->hv_a->proven_safe);
}

/* --- the ways that do not ----------------------------------------------------------------- */

typedef struct {
  const char *name;
  FakeLiveFunc live;
  const char *options;
  gboolean moved;
  int code;
  GodwitGuestState source, destination; /* afterwards */
  const char *source_calls, *destination_calls;
  gboolean cancel;
} Failure;

static const Failure failures[] = {
    {"fails-while-copying", fails_while_copying, NULL, FALSE, GODWIT_ERROR_PEER,
     GODWIT_GUEST_RUNNING, GODWIT_GUEST_ABSENT, "live_begin", "destroy", FALSE},
    {"fails-with-source-stopped", fails_with_source_stopped, NULL, FALSE, GODWIT_ERROR_PEER,
     GODWIT_GUEST_RUNNING, GODWIT_GUEST_ABSENT, "live_begin, resume", "", FALSE},
    {"loses-destination-at-the-switch", loses_destination_at_the_switch, NULL, FALSE,
     GODWIT_ERROR_IN_DOUBT, GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED_MIGRATION,
     "live_begin", "", FALSE},
    {"loses-destination-while-running", loses_destination_while_running, NULL, FALSE,
     GODWIT_ERROR_PEER, GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED_MIGRATION, "live_begin", "",
     FALSE},
    {"fails-after-the-end", fails_after_the_end, NULL, TRUE, 0, GODWIT_GUEST_SHUT_OFF,
     GODWIT_GUEST_PAUSED, "live_begin", "", FALSE},
    {"crashes", crashes, NULL, FALSE, GODWIT_ERROR_PEER, GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_ABSENT,
     "live_begin", "destroy", FALSE},
    {"panics", panics, NULL, FALSE, GODWIT_ERROR_PEER, GODWIT_GUEST_CRASHED, GODWIT_GUEST_ABSENT,
     "live_begin, live_abort", "destroy", FALSE},
    {"cancelled", obeys_an_abort, NULL, FALSE, GODWIT_ERROR_CANCELLED, GODWIT_GUEST_RUNNING,
     GODWIT_GUEST_ABSENT, "live_begin, live_abort", "destroy", TRUE},
    {"cancelled-too-late", completes_despite_an_abort, NULL, TRUE, 0, GODWIT_GUEST_PAUSED_MIGRATION,
     GODWIT_GUEST_PAUSED, "live_begin, live_abort", "", TRUE},
    {"stalls", stalls, "stall-timeout=20ms", FALSE, GODWIT_ERROR_TRANSIENT, GODWIT_GUEST_RUNNING,
     GODWIT_GUEST_ABSENT, "live_begin, live_abort", "destroy", FALSE},
    {"ignores-an-abort", ignores_an_abort, "stall-timeout=20ms", FALSE, GODWIT_ERROR_TRANSIENT,
     GODWIT_GUEST_RUNNING, GODWIT_GUEST_ABSENT, "live_begin, live_abort", "destroy", FALSE},
    {"never-returns", never_returns, "stall-timeout=20ms", FALSE, GODWIT_ERROR_IN_DOUBT,
     GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED_MIGRATION, "live_begin, live_abort", "", FALSE},
    {"both-run", both_run, NULL, FALSE, GODWIT_ERROR_IN_DOUBT, GODWIT_GUEST_RUNNING,
     GODWIT_GUEST_RUNNING, "live_begin", "", FALSE},
};

static void
test_failure (gconstpointer data)
{
  const Failure *failure = data;
  g_autoptr (FakeWorld) world =
      live_world_new (GODWIT_GUEST_RUNNING, failure->options, failure->live);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  if (failure->cancel)
    g_cancellable_cancel (cancellable);
  gboolean moved = godwit_live_copy (world->job, nothing, cancellable, &error);
  if (failure->moved)
    g_assert_no_error (error);
  else
    g_assert_error (error, GODWIT_ERROR, failure->code);
  g_assert_cmpint (moved, ==, failure->moved);
  g_assert_cmpint (world->hv_a->state, ==, failure->source);
  g_assert_cmpint (world->hv_b->state, ==, failure->destination);
  fake_assert_calls (world->hv_a->calls, failure->source_calls);
  fake_assert_calls (world->hv_b->calls, failure->destination_calls);
}

/* It is asked because no byte moves. An abort that is not obeyed is not waited for, either. */
static void
test_destination_silent (void)
{
  g_autoptr (FakeWorld) world =
      live_world_new (GODWIT_GUEST_RUNNING, "stall-timeout=240ms", ignores_an_abort);
  g_autoptr (GError) error = NULL;

  world->b->mute = TRUE;
  godwit_live_times.abort_ms = 3600 * 1000;
  g_assert_false (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "has fallen silent, and not a byte moved for"));
  g_assert_true (world->b->suspected);
  g_assert_cmpint (world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
}

/* Its figures are old then, and no proof that nothing moves. */
static void
test_source_silent (void)
{
  g_autoptr (FakeWorld) world =
      live_world_new (GODWIT_GUEST_RUNNING, "stall-timeout=240ms", stalls);
  g_autoptr (GError) error = NULL;

  world->a->mute = TRUE;
  g_assert_false (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_TRANSIENT);
  g_assert_true (world->a->suspected);
  g_assert_cmpint (world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
  fake_assert_calls (world->hv_a->calls, "live_begin, live_abort");
}

static void
test_changed_since_planned (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  g_assert_false (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  fake_assert_calls (world->hv_a->calls, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/live/new-layer", test_new_layer);
  g_test_add_func ("/live/success", test_success);
  g_test_add_func ("/live/success/unwatched", test_success_unwatched);
  g_test_add_func ("/live/success/paused", test_paused_stays_paused);
  g_test_add_func ("/live/safe/unproven", test_unproven_disk_is_not_called_safe);
  g_test_add_func ("/live/safe/mirrored", test_mirrored_disk_needs_no_proof);
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++) {
    g_autofree char *path = g_strdup_printf ("/live/failure/%s", failures[i].name);
    g_test_add_data_func (path, &failures[i], test_failure);
  }
  g_test_add_func ("/live/failure/changed", test_changed_since_planned);
  g_test_add_func ("/live/silent/destination", test_destination_silent);
  g_test_add_func ("/live/silent/source", test_source_silent);
  return g_test_run ();
}
