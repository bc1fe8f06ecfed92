/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"

#include "../fake/fake-world.h"

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

/* --- helpers ------------------------------------------------------------------------------ */

static FakeWorld *
world_with (GodwitGuestState state, const char *options, FakeLiveFunc live)
{
  FakeWorld *world = fake_world_new (state, options);
  GError *error = NULL;

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
  godwit_live_open_tunnels (world->job, FALSE, NULL, &error);
  g_assert_no_error (error);
  g_string_truncate (world->a->calls, 0);
  g_string_truncate (world->b->calls, 0);
  return world;
}

static void
assert_fact (FakeWorld *world, const char *name, gboolean there)
{
  g_autoptr (GVariant) value = godwit_job_get_fact (world->job, name);

  g_assert_cmpint (value != NULL, ==, there);
}

/* --- the way that goes well --------------------------------------------------------------- */

/* A backup put a layer on top of the disk after the plan: what was planned for is an older state.
 */
static void
test_new_layer (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;
  fake_world_add_disk (world, "vda", GODWIT_SHARING_NO)->treatment = GODWIT_TREATMENT_MIRROR;

  world->hv_a->new_layer = "/images/vda.snapshot";
  g_assert_false (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "/images/vda.snapshot"));
  assert_fact (world, "live.begun", FALSE);
}

static void
test_success (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, goes_well);
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
  assert_fact (world, "live.frozen-us", TRUE);
  assert_fact (world, "downtime-us", TRUE);

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
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, goes_well);
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
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_PAUSED, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_true (godwit_live_prove_frozen (world->job, NULL, &error));
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (world->hv_b->state, ==, GODWIT_GUEST_PAUSED);
  fake_assert_calls (world->hv_b->calls, "");
  assert_fact (world, "downtime-us", FALSE);
}

static void
test_unproven_disk_is_not_called_safe (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES);
  fake_world_add_disk (world, "vdb", GODWIT_SHARING_UNKNOWN);
  g_assert_true (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_false (world->hv_a->proven_safe);
}

static void
test_mirrored_disk_needs_no_proof (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, goes_well);
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
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, failure->options, failure->live);
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
      world_with (GODWIT_GUEST_RUNNING, "stall-timeout=240ms", ignores_an_abort);
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
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, "stall-timeout=240ms", stalls);
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
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, goes_well);
  g_autoptr (GError) error = NULL;

  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  g_assert_false (godwit_live_copy (world->job, nothing, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  fake_assert_calls (world->hv_a->calls, "");
}

/* --- proof -------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  GodwitGuestState source, destination;
  gboolean source_silent, destination_silent;
  gboolean proven;
} Proof;

/* By a worker that took over: it watches no process. */
static const Proof proofs[] = {
    {"shut-off", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, FALSE, FALSE, TRUE},
    {"absent", GODWIT_GUEST_ABSENT, GODWIT_GUEST_PAUSED, FALSE, FALSE, TRUE},
    {"resumed-by-somebody", GODWIT_GUEST_ABSENT, GODWIT_GUEST_RUNNING, FALSE, FALSE, TRUE},
    {"source-runs", GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED, FALSE, FALSE, FALSE},
    {"source-stopped", GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED, FALSE, FALSE, FALSE},
    {"source-crashed", GODWIT_GUEST_CRASHED, GODWIT_GUEST_PAUSED, FALSE, FALSE, FALSE},
    {"incomplete", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED_MIGRATION, FALSE, FALSE, FALSE},
    {"vanished", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_ABSENT, FALSE, FALSE, FALSE},
    {"source-silent", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, TRUE, FALSE, FALSE},
    {"destination-silent", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, FALSE, TRUE, FALSE},
};

static void
test_proof (gconstpointer data)
{
  const Proof *proof = data;
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  world->hv_a->state = proof->source;
  world->hv_b->state = proof->destination;
  world->hv_a->silent = proof->source_silent;
  world->hv_b->silent = proof->destination_silent;
  g_assert_cmpint (godwit_live_prove_frozen (world->job, NULL, &error), ==, proof->proven);
  g_assert_cmpint (error == NULL, ==, proof->proven);
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

static void
test_resume_repairs_and_tries_again (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, NULL);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES)->treatment = GODWIT_TREATMENT_ATTACH;
  world->hv_b->state = GODWIT_GUEST_PAUSED;
  world->hv_b->fail = "resume";
  world->hv_b->fail_times = 2;
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_b->calls, "resume, resume, resume");
  fake_assert_calls (world->storage->calls, "repair_access vda, repair_access vda");
}

/* Past the commit there is nobody to go back to, so a guest that ended is the end of the move. */
static void
test_resume_of_what_has_ended (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, NULL);
  g_autoptr (GError) error = NULL;

  world->hv_b->state = GODWIT_GUEST_ABSENT;
  world->hv_b->fail = "resume";
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_b->calls, "resume");
}

/* --- undo --------------------------------------------------------------------------------- */

static void
test_undo_of_nothing (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  /* Somebody else's guest of that name at the destination is none of our business. */
  world->hv_b->state = GODWIT_GUEST_RUNNING;
  g_assert_true (godwit_live_undo_copy (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

typedef struct {
  const char *name;
  GodwitGuestState source, destination;
  gboolean undone;
  const char *source_calls, *destination_calls;
} Undo;

static const Undo undos[] = {
    {"copying", GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED_MIGRATION, TRUE, "", "destroy"},
    {"clean-already", GODWIT_GUEST_RUNNING, GODWIT_GUEST_ABSENT, TRUE, "", ""},
    {"stopped", GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED_MIGRATION, TRUE, "resume",
     "destroy"},
    {"complete-but-source-alive", GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED, TRUE,
     "resume", "destroy"},
    {"moved", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, FALSE, "", ""},
    {"runs-at-both", GODWIT_GUEST_RUNNING, GODWIT_GUEST_RUNNING, FALSE, "", ""},
    {"died", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED_MIGRATION, TRUE, "", "destroy"},
    {"operator-paused-it", GODWIT_GUEST_PAUSED, GODWIT_GUEST_ABSENT, TRUE, "", ""},
};

static void
test_undo (gconstpointer data)
{
  const Undo *undo = data;
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  godwit_job_set_fact (world->job, "live.begun", g_variant_new_boolean (TRUE), NULL);
  world->hv_a->state = undo->source;
  world->hv_b->state = undo->destination;
  g_assert_cmpint (godwit_live_undo_copy (world->job, NULL, &error), ==, undo->undone);
  g_assert_cmpint (error == NULL, ==, undo->undone);
  fake_assert_calls (world->hv_a->calls, undo->source_calls);
  fake_assert_calls (world->hv_b->calls, undo->destination_calls);
  /* A second time changes nothing more. */
  g_assert_cmpint (godwit_live_undo_copy (world->job, NULL, NULL), ==, undo->undone);
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

static void
test_undo_waits_for_a_busy_source (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, NULL, NULL);
  g_autoptr (GError) error = NULL;

  godwit_job_set_fact (world->job, "live.begun", g_variant_new_boolean (TRUE), NULL);
  world->hv_b->state = GODWIT_GUEST_PAUSED_MIGRATION;
  world->hv_a->busy = g_strdup ("outgoing migration");
  g_assert_false (godwit_live_undo_copy (world->job, NULL, &error));
  fake_assert_calls (world->hv_b->calls, "");
}

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
  for (gsize i = 0; i < G_N_ELEMENTS (proofs); i++) {
    g_autofree char *path = g_strdup_printf ("/live/proof/%s", proofs[i].name);
    g_test_add_data_func (path, &proofs[i], test_proof);
  }
  g_test_add_func ("/live/resume", test_resume_repairs_and_tries_again);
  g_test_add_func ("/live/resume-of-what-has-ended", test_resume_of_what_has_ended);
  g_test_add_func ("/live/undo/nothing", test_undo_of_nothing);
  for (gsize i = 0; i < G_N_ELEMENTS (undos); i++) {
    g_autofree char *path = g_strdup_printf ("/live/undo/%s", undos[i].name);
    g_test_add_data_func (path, &undos[i], test_undo);
  }
  g_test_add_func ("/live/undo/busy", test_undo_waits_for_a_busy_source);
  g_test_add_func ("/live/tunnels", test_tunnels);
  g_test_add_func ("/live/tunnels/one-path", test_tunnels_need_one_path);
  g_test_add_func ("/live/undefine", test_undefine_asks_the_destination);
  g_test_add_func ("/live/undefine/running", test_undefine_keeps_a_running_source);
  g_test_add_func ("/live/transient", test_transient_stays_transient);
  g_test_add_func ("/live/ladder", test_ladder);
  g_test_add_func ("/live/watchdog", test_watchdog);
  g_test_add_func ("/live/silent/destination", test_destination_silent);
  g_test_add_func ("/live/silent/source", test_source_silent);
  return g_test_run ();
}
