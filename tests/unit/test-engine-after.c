/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-bench.h"

#include <godwit/error.h>

#include <string.h>

/* --- debts ------------------------------------------------------------------------------- */

static void
test_undo_fails_once (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "copy";
  bench.world.fail_times = 1;
  bench.world.fail_undo = "tunnel";
  bench.world.fail_undo_times = 1;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 1);
  bench_assert_at_source (&bench);
  g_assert_cmpstr (bench.world.calls->str, ==,
                   "+prepare +tunnel +copy -copy -tunnel -prepare -tunnel ");
}

static void
test_undo_keeps_failing (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "copy";
  bench.world.fail_times = 1;
  bench.world.fail_undo = "prepare";
  bench.world.fail_undo_times = 3;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 4);
  g_assert_cmpuint (record->debts, ==, 1);
  g_assert_nonnull (strstr (record->error, "undoing 'prepare'"));
  g_autofree char *remedy = g_strdup_printf ("Next: godwit recover %s", record->id);
  g_assert_nonnull (strstr (record->error, remedy));
  g_assert_true (bench.world.disk_at_destination);

  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_FAILED, 1);
  g_assert_nonnull (strstr (after->error, "it broke"));
  g_assert_null (strstr (after->error, "recover"));
  bench_assert_at_source (&bench);
}

/* The remains of a failed job lie where a later job has brought the guest. */
static void
test_clean_up_waits_for_the_guest (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "copy";
  bench.world.fail_times = 1;
  bench.world.fail_undo = "copy";
  bench.world.fail_undo_times = 3;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 4);
  bench.world.source = GODWIT_GUEST_ABSENT;
  bench.world.destination = GODWIT_GUEST_RUNNING;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpuint (after->debts, ==, 1);
}

static void
test_owed_after_commit (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "undefine";
  bench.world.fail_times = 3;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 5);
  bench_assert_at_destination (&bench);
  g_assert_true (bench.world.parked);
  g_assert_cmpuint (record->debts, ==, 1);
  g_assert_nonnull (strstr (record->error, "'undefine'"));
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 0);
  g_assert_false (bench.world.defined_at_source);
  g_assert_null (after->error);
}

static void
test_owed_is_retried (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "undefine";
  bench.world.fail_times = 2;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 0);
}

static void
test_stuck_after_commit (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "resume";
  bench.world.fail_times = 4;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_RESUMING, 4);
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);
  g_assert_cmpstr (record->failed_step, ==, "resume");
  g_assert_nonnull (strstr (record->error, "belongs to b"));
  g_assert_nonnull (strstr (record->error, "is paused on b"));
  g_assert_nonnull (strstr (record->error, "godwit recover"));
  g_assert_null (strstr (bench.world.calls->str, "-"));
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 0);
  bench_assert_at_destination (&bench);
}

static void
test_insists_after_commit (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "resume";
  bench.world.fail_times = 3;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 0);
}

/* --- hosts that cannot be asked ---------------------------------------------------------- */

static void
test_destination_gone (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "copy";
  bench.world.fail_times = 1;
  bench.world.fail_undo = "prepare";
  bench.world.fail_undo_times = 100;
  bench.world.destination_unreachable = TRUE;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 4);
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_RUNNING);
  g_assert_nonnull (strstr (record->error, "could not be asked"));
}

static void
test_in_doubt (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "prove";
  bench.world.fail_times = 1;
  bench.world.destination_unreachable = TRUE;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_IN_DOUBT, 4);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);
  g_assert_nonnull (strstr (record->error, "godwit recover"));
  g_autoptr (GodwitJobRecord) still = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (still, GODWIT_JOB_IN_DOUBT, 4);
  bench.world.destination_unreachable = FALSE;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 0);
  bench_assert_at_destination (&bench);
}

static void
test_alarm (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "tunnel";
  bench.world.fail_times = 1;
  bench.world.destination = GODWIT_GUEST_RUNNING;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_IN_DOUBT, 4);
  g_assert_nonnull (strstr (record->error, "ALARM"));
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_RUNNING);
  g_assert_null (strstr (bench.world.calls->str, "-"));
  bench.world.ran_twice = FALSE;
}

/* --- recover and confirm ----------------------------------------------------------------- */

/* A job that is to be confirmed by itself. */
static GodwitJobRecord *
run_and_confirm (Bench *bench)
{
  g_autoptr (GodwitJob) job = fake_world_make_job (&bench->world, bench->journal);
  godwit_job_get_record (job)->options =
      g_variant_ref_sink (g_variant_new_parsed ("{'auto-confirm': 'true'}"));
  g_assert_true (godwit_engine_run (job, &bench->backend, NULL, NULL));
  return godwit_journal_get_job (bench->journal, godwit_job_get_id (job), NULL);
}

static void
test_recover_of_an_ended_job (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  g_string_truncate (bench.world.calls, 0);
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_DONE);
  g_assert_cmpint (after->ended_us, ==, record->ended_us);
  g_assert_cmpstr (bench.world.calls->str, ==, "");
  g_autoptr (GPtrArray) events = godwit_journal_get_events (bench.journal, record->id, 0, NULL);
  g_assert_nonnull (strstr (bench_last_event (events)->message, "nothing to recover"));
}

/* It moved, and its new host lost it before it ran there: done, but not well. */
static void
test_guest_ended_there (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.ends_before = "resume";
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 5);
  g_assert_cmpuint (record->debts, ==, 0);
  g_assert_nonnull (strstr (record->error, "it has ended on b since"));
  g_assert_nonnull (strstr (record->error, "start web on b"));

  g_autoptr (GodwitJobRecord) still = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (still, GODWIT_JOB_DONE, 5);
  g_assert_cmpstr (still->error, ==, record->error);

  bench.world.destination = GODWIT_GUEST_RUNNING;
  g_autoptr (GodwitJobRecord) started = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (started, GODWIT_JOB_DONE, 0);
  g_assert_null (started->error);
}

/* The older copy is not given up by itself while the newer one is all that is left of the guest; a
 * person may give it up, and hears again that the guest is down. */
static void
test_guest_ended_there_and_confirm (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.ends_before = "resume";
  g_autoptr (GodwitJobRecord) record = run_and_confirm (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 5);
  g_assert_true (record->awaiting_confirm);
  g_assert_true (bench.world.parked);

  g_autoptr (GodwitJobRecord) confirmed = bench_again (&bench, record->id, godwit_engine_confirm);
  bench_assert_exit (confirmed, GODWIT_JOB_DONE, 5);
  g_assert_true (confirmed->confirmed);
  g_assert_nonnull (strstr (confirmed->error, "start web on b"));
}

/* Whoever started it may shut it down again. */
static void
test_guest_ended_there_and_ran (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.ends_before = "resume";
  bench.world.fail_step = "park";
  bench.world.fail_times = 100;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench.world.destination = GODWIT_GUEST_RUNNING;
  g_autoptr (GodwitJobRecord) started = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (started, GODWIT_JOB_DONE, 5);
  g_assert_null (strstr (started->error, "it has ended"));
  bench.world.destination = GODWIT_GUEST_SHUT_OFF;
  bench.world.fail_times = 0;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 0);
}

/* Both at once: the clean-up is what `recover` can do, and the guest is not forgotten over it. */
static void
test_guest_ended_there_and_debts (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.ends_before = "resume";
  bench.world.fail_step = "park";
  bench.world.fail_times = 100;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 5);
  g_assert_cmpuint (record->debts, ==, 1);
  g_assert_nonnull (strstr (record->error, "it has ended on b since"));
  g_assert_nonnull (strstr (record->error, "clean-up is owed: 'park'"));
  g_assert_nonnull (strstr (record->error, "start web on b, then: godwit recover"));

  bench.world.fail_times = 0;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 5);
  g_assert_cmpuint (after->debts, ==, 0);
  g_assert_nonnull (strstr (after->error, "start web on b"));
}

static void
test_confirm (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench.world.fail_confirm = TRUE;
  g_autoptr (GodwitJobRecord) failed = bench_again (&bench, record->id, godwit_engine_confirm);
  bench_assert_exit (failed, GODWIT_JOB_DONE, 5);
  g_assert_nonnull (strstr (failed->error, "it cannot be removed"));
  g_assert_true (failed->awaiting_confirm);
  /* Nothing was removed, so the job owes nothing and can still be reverted. */
  g_assert_cmpuint (failed->debts, ==, 0);
  g_assert_false (godwit_journal_has_begun_confirm (bench.journal, record->id));
  bench.world.fail_confirm = FALSE;
  /* Once a removal was tried it can only be finished, however often that fails. */
  bench.world.fail_release = TRUE;
  for (int n = 0; n < 2; n++) {
    g_autoptr (GodwitJobRecord) half = bench_again (&bench, record->id, godwit_engine_confirm);
    bench_assert_exit (half, GODWIT_JOB_DONE, 5);
    g_assert_cmpuint (half->debts, ==, 1);
    g_assert_true (godwit_journal_has_begun_confirm (bench.journal, record->id));
  }
  bench.world.fail_release = FALSE;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 0);
  g_assert_true (after->confirmed);
  g_assert_false (after->awaiting_confirm);
  g_assert_false (bench.world.parked);

  g_autoptr (GodwitJob) job = fake_world_take_over (&bench.world, bench.journal, record->id);
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_engine_confirm (job, &bench.backend, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
}

static void
test_auto_confirm (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = run_and_confirm (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 0);
  g_assert_true (record->confirmed);
  g_assert_false (bench.world.parked);
}

static void
test_fenced_worker_stops (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJob) job = fake_world_make_job (&bench.world, bench.journal);
  g_autoptr (GodwitJob) other =
      fake_world_take_over (&bench.world, bench.journal, godwit_job_get_id (job));
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_engine_run (job, &bench.backend, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_cmpstr (bench.world.calls->str, ==, "");
}

/* --- revert ------------------------------------------------------------------------------ */

static gboolean
plan_revert (GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps, gpointer data,
             GCancellable *cancellable, GError **error)
{
  FakeWorld *world = data;
  GodwitEngineBackend base = fake_world_make_backend (world);
  *strategy = base.reopen (job, data, cancellable, error);
  *steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  g_ptr_array_add (*steps, godwit_step_new ("stop", "stop", GODWIT_PHASE_COPYING, 1, 0, 0, NULL));
  g_ptr_array_add (*steps, godwit_step_new ("stopped", "stopped", GODWIT_PHASE_FROZEN, 1, 0,
                                            GODWIT_STEP_COMMIT, NULL));
  g_ptr_array_add (*steps,
                   godwit_step_new ("start", "start", GODWIT_PHASE_RESUMING, 1, 0, 0, NULL));
  return TRUE;
}

static void
test_revert (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  g_autoptr (GodwitJobRecord) revert = godwit_job_record_new ();
  g_free (revert->kind);
  revert->kind = g_strdup ("revert");
  revert->of_job = g_strdup (record->id);
  g_autoptr (GError) error = NULL;
  godwit_journal_create_job (bench.journal, revert, &error);
  g_assert_no_error (error);
  bench.backend.plan = plan_revert;
  bench.world.fail_step = "stopped";
  bench.world.fail_times = 0;
  g_autoptr (GodwitJob) job = fake_world_take_over (&bench.world, bench.journal, revert->id);
  g_assert_true (godwit_engine_run (job, &bench.backend, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GodwitJobRecord) done = godwit_journal_get_job (bench.journal, revert->id, NULL);
  bench_assert_exit (done, GODWIT_JOB_DONE, 0);
  g_assert_false (done->awaiting_confirm);
  g_autoptr (GodwitJobRecord) original = godwit_journal_get_job (bench.journal, record->id, NULL);
  g_assert_cmpint (original->state, ==, GODWIT_JOB_REVERTED);
  g_assert_false (original->awaiting_confirm);
}

/* Home of a revert is the destination: a failure leaves the guest running there. */
static void
test_revert_fails (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  g_autoptr (GodwitJobRecord) revert = godwit_job_record_new ();
  g_free (revert->kind);
  revert->kind = g_strdup ("revert");
  revert->of_job = g_strdup (record->id);
  g_assert_true (godwit_journal_create_job (bench.journal, revert, NULL));
  bench.backend.plan = plan_revert;
  bench.world.fail_step = "stop";
  bench.world.fail_times = 1;
  g_autoptr (GodwitJob) job = fake_world_take_over (&bench.world, bench.journal, revert->id);
  g_assert_true (godwit_engine_run (job, &bench.backend, NULL, NULL));
  g_autoptr (GodwitJobRecord) failed = godwit_journal_get_job (bench.journal, revert->id, NULL);
  bench_assert_exit (failed, GODWIT_JOB_FAILED, 1);
  g_assert_nonnull (strstr (failed->error, "guest web runs on b and is shut off on a"));
  g_autoptr (GodwitJobRecord) original = godwit_journal_get_job (bench.journal, record->id, NULL);
  g_assert_cmpint (original->state, ==, GODWIT_JOB_DONE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine-after/undo-fails-once", test_undo_fails_once);
  g_test_add_func ("/engine-after/undo-keeps-failing", test_undo_keeps_failing);
  g_test_add_func ("/engine-after/clean-up-waits-for-the-guest", test_clean_up_waits_for_the_guest);
  g_test_add_func ("/engine-after/owed-after-commit", test_owed_after_commit);
  g_test_add_func ("/engine-after/owed-is-retried", test_owed_is_retried);
  g_test_add_func ("/engine-after/stuck-after-commit", test_stuck_after_commit);
  g_test_add_func ("/engine-after/insists-after-commit", test_insists_after_commit);
  g_test_add_func ("/engine-after/destination-gone", test_destination_gone);
  g_test_add_func ("/engine-after/in-doubt", test_in_doubt);
  g_test_add_func ("/engine-after/alarm", test_alarm);
  g_test_add_func ("/engine-after/recover-of-an-ended-job", test_recover_of_an_ended_job);
  g_test_add_func ("/engine-after/guest-ended-there", test_guest_ended_there);
  g_test_add_func ("/engine-after/guest-ended-there-and-confirm",
                   test_guest_ended_there_and_confirm);
  g_test_add_func ("/engine-after/guest-ended-there-and-ran", test_guest_ended_there_and_ran);
  g_test_add_func ("/engine-after/guest-ended-there-and-debts", test_guest_ended_there_and_debts);
  g_test_add_func ("/engine-after/confirm", test_confirm);
  g_test_add_func ("/engine-after/auto-confirm", test_auto_confirm);
  g_test_add_func ("/engine-after/fenced-worker-stops", test_fenced_worker_stops);
  g_test_add_func ("/engine-after/revert", test_revert);
  g_test_add_func ("/engine-after/revert-fails", test_revert_fails);
  return g_test_run ();
}
