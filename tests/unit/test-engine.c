/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-world.h"
#include "scratch.h"

#include <godwit/error.h>

#include <string.h>

typedef struct {
  Scratch *dir;
  GodwitJournal *journal;
  FakeWorld world;
  GodwitEngineBackend backend;
  GCancellable *cancellable;
} Bench;

static void
bench_init (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  bench->dir = scratch_new ();
  g_autofree char *path = g_build_filename (bench->dir, "journal.db", NULL);
  bench->journal = godwit_journal_open (path, &error);
  g_assert_no_error (error);
  fake_world_init (&bench->world);
  bench->backend = fake_world_make_backend (&bench->world);
  bench->cancellable = g_cancellable_new ();
}

static void
bench_clear (Bench *bench)
{
  g_assert_false (bench->world.ran_twice);
  g_assert_false (bench->world.lost_memory);
  g_assert_false (bench->world.early_start);
  fake_world_clear (&bench->world);
  g_object_unref (bench->journal);
  g_object_unref (bench->cancellable);
  scratch_free (bench->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static GodwitJobRecord *
run (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJob) job = fake_world_make_job (&bench->world, bench->journal);
  godwit_engine_run (job, &bench->backend, bench->cancellable, &error);
  g_assert_no_error (error);
  GodwitJobRecord *record =
      godwit_journal_get_job (bench->journal, godwit_job_get_id (job), &error);
  g_assert_no_error (error);
  return record;
}

static GodwitJobRecord *
again (Bench *bench, const char *id,
       gboolean (*what) (GodwitJob *, const GodwitEngineBackend *, GError **))
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJob) job = fake_world_take_over (&bench->world, bench->journal, id);
  what (job, &bench->backend, &error);
  g_assert_no_error (error);
  return godwit_journal_get_job (bench->journal, id, NULL);
}

static void
assert_exit (const GodwitJobRecord *record, GodwitJobState state, int code)
{
  g_test_message ("%s", record->error != NULL ? record->error : "no error");
  g_assert_cmpint (record->state, ==, state);
  g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, code);
  g_assert_cmpint (record->worker_pid, ==, 0);
}

static const GodwitEvent *
last_event (GPtrArray *events)
{
  return g_ptr_array_index (events, events->len - 1);
}

static void
assert_at_source (const Bench *bench)
{
  g_assert_cmpint (bench->world.source, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (bench->world.destination, ==, GODWIT_GUEST_ABSENT);
  g_assert_false (bench->world.disk_at_destination);
  g_assert_false (bench->world.tunnel);
}

static void
assert_at_destination (const Bench *bench)
{
  g_assert_cmpint (bench->world.source, ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_cmpint (bench->world.destination, ==, GODWIT_GUEST_RUNNING);
  g_assert_true (bench->world.disk_at_destination);
}

/* --- success ----------------------------------------------------------------------------- */

static void
test_success (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_DONE, 0);
  assert_at_destination (&bench);
  g_assert_cmpstr (bench.world.calls->str, ==,
                   "+prepare +tunnel +copy +prove +resume +define +undefine +park ");
  g_assert_true (record->committed);
  g_assert_true (record->awaiting_confirm);
  g_assert_cmpint (record->ended_us, >=, record->created_us);
  for (guint i = 0; i < 8; i++)
    g_assert_cmpint (godwit_journal_get_step (bench.journal, record->id, i, NULL), ==,
                     GODWIT_STEP_DONE);

  g_autoptr (GPtrArray) events = godwit_journal_get_events (bench.journal, record->id, 0, NULL);
  g_autoptr (GString) states = g_string_new (NULL);
  for (guint i = 0; i < events->len; i++) {
    const GodwitEvent *event = g_ptr_array_index (events, i);
    if (event->kind == GODWIT_EVENT_STATE)
      g_string_append_printf (states, "%s ", event->what);
  }
  g_assert_cmpstr (states->str, ==,
                   "preparing copying frozen verified committed resuming retiring done ");
  const GodwitEvent *result = last_event (events);
  g_assert_cmpint (result->kind, ==, GODWIT_EVENT_RESULT);
  gint32 code = -1;
  g_assert_true (g_variant_lookup (result->data, "exit-code", "i", &code));
  g_assert_cmpint (code, ==, 0);
}

static void
test_refused (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "plan";
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 3);
  g_assert_cmpstr (bench.world.calls->str, ==, "");
  g_assert_nonnull (strstr (record->error, "no space"));
  g_assert_nonnull (strstr (record->error, "buy a disk"));
}

static void
test_runs_only_once (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = run (&bench);
  g_autoptr (GodwitJob) job = fake_world_take_over (&bench.world, bench.journal, record->id);
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_engine_run (job, &bench.backend, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
}

/* --- failures before the commit ---------------------------------------------------------- */

static void
test_failure_rolls_back (void)
{
  static const struct {
    const char *step;
    const char *calls;
  } cases[] = {
      {"prepare", "+prepare -prepare "},
      {"tunnel", "+prepare +tunnel -tunnel -prepare "},
      {"copy", "+prepare +tunnel +copy -copy -tunnel -prepare "},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Bench) bench = {0};
    bench_init (&bench);
    bench.world.fail_step = cases[i].step;
    bench.world.fail_times = 1;
    g_autoptr (GodwitJobRecord) record = run (&bench);
    assert_exit (record, GODWIT_JOB_FAILED, 1);
    assert_at_source (&bench);
    g_assert_cmpstr (bench.world.calls->str, ==, cases[i].calls);
    g_assert_cmpstr (record->failed_step, ==, cases[i].step);
    g_assert_nonnull (strstr (record->error, cases[i].step));
    g_assert_nonnull (strstr (record->error, "it broke"));
    g_assert_nonnull (strstr (record->error, "guest web runs on a and is not on b"));
    g_assert_nonnull (strstr (record->error, "Next: godwit log"));
    g_assert_cmpuint (record->debts, ==, 0);
  }
}

/* The proof fails although the guest has left home: rolling back would throw it away. */
static void
test_proof_fails (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "prove";
  bench.world.fail_times = 2;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_DONE, 0);
  assert_at_destination (&bench);
  g_assert_null (record->error);
  g_assert_null (strstr (bench.world.calls->str, "-"));
}

static void
test_proof_never_succeeds (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "prove";
  bench.world.fail_times = 100;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_IN_DOUBT, 4);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);
  g_assert_true (bench.world.disk_at_destination);
  g_assert_null (strstr (bench.world.calls->str, "-"));
  g_assert_nonnull (strstr (record->error, "godwit recover"));
  bench.world.fail_times = 0;
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  assert_exit (after, GODWIT_JOB_DONE, 0);
  assert_at_destination (&bench);
}

static void
test_cold_proof_fails (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.cold = TRUE;
  bench.world.fail_step = "prove";
  bench.world.fail_times = 100;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 1);
  assert_at_source (&bench);
  g_assert_cmpstr (bench.world.calls->str, ==,
                   "+prepare +shut-down +copy +prove -copy -shut-down -prepare ");
}

static void
test_deadline (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.hang_step = "tunnel";
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 1);
  assert_at_source (&bench);
  g_assert_nonnull (strstr (record->error, "deadline of 1 seconds"));
  g_assert_null (strstr (bench.world.calls->str, "expired"));
}

/* --- abort ------------------------------------------------------------------------------- */

static void
test_abort_before_commit (void)
{
  static const char *const steps[] = {"plan", "prepare", "tunnel"};
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_auto (Bench) bench = {0};
    bench_init (&bench);
    bench.world.abort_step = steps[i];
    g_autoptr (GodwitJobRecord) record = run (&bench);
    assert_exit (record, GODWIT_JOB_CANCELLED, 130);
    assert_at_source (&bench);
    g_assert_cmpstr (record->aborted_by, ==, "alice");
    g_assert_null (strstr (bench.world.calls->str, "+copy"));
  }
}

static void
test_abort_too_late (void)
{
  static const char *const steps[] = {"copy", "prove", "resume", "undefine"};
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_auto (Bench) bench = {0};
    bench_init (&bench);
    bench.world.abort_step = steps[i];
    g_autoptr (GodwitJobRecord) record = run (&bench);
    assert_exit (record, GODWIT_JOB_DONE, 0);
    assert_at_destination (&bench);
    g_assert_null (strstr (bench.world.calls->str, "-"));
  }
}

static void
test_abort_cold_at_the_last_moment (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.cold = TRUE;
  bench.world.abort_step = "prove";
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_CANCELLED, 130);
  assert_at_source (&bench);
  g_assert_nonnull (strstr (record->error, "aborted by alice"));
}

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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 1);
  assert_at_source (&bench);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 4);
  g_assert_cmpuint (record->debts, ==, 1);
  g_assert_nonnull (strstr (record->error, "undoing 'prepare'"));
  g_autofree char *remedy = g_strdup_printf ("Next: godwit recover %s", record->id);
  g_assert_nonnull (strstr (record->error, remedy));
  g_assert_true (bench.world.disk_at_destination);

  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  assert_exit (after, GODWIT_JOB_FAILED, 1);
  g_assert_nonnull (strstr (after->error, "it broke"));
  g_assert_null (strstr (after->error, "recover"));
  assert_at_source (&bench);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 4);
  bench.world.source = GODWIT_GUEST_ABSENT;
  bench.world.destination = GODWIT_GUEST_RUNNING;
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_DONE, 5);
  assert_at_destination (&bench);
  g_assert_true (bench.world.parked);
  g_assert_cmpuint (record->debts, ==, 1);
  g_assert_nonnull (strstr (record->error, "'undefine'"));
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  assert_exit (after, GODWIT_JOB_DONE, 0);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_DONE, 0);
}

static void
test_stuck_after_commit (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "resume";
  bench.world.fail_times = 4;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_RESUMING, 4);
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);
  g_assert_cmpstr (record->failed_step, ==, "resume");
  g_assert_nonnull (strstr (record->error, "belongs to b"));
  g_assert_nonnull (strstr (record->error, "is paused on b"));
  g_assert_nonnull (strstr (record->error, "godwit recover"));
  g_assert_null (strstr (bench.world.calls->str, "-"));
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  assert_exit (after, GODWIT_JOB_DONE, 0);
  assert_at_destination (&bench);
}

static void
test_insists_after_commit (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "resume";
  bench.world.fail_times = 3;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_DONE, 0);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 4);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_IN_DOUBT, 4);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);
  g_assert_nonnull (strstr (record->error, "godwit recover"));
  g_autoptr (GodwitJobRecord) still = again (&bench, record->id, godwit_engine_recover);
  assert_exit (still, GODWIT_JOB_IN_DOUBT, 4);
  bench.world.destination_unreachable = FALSE;
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  assert_exit (after, GODWIT_JOB_DONE, 0);
  assert_at_destination (&bench);
}

static void
test_alarm (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.fail_step = "tunnel";
  bench.world.fail_times = 1;
  bench.world.destination = GODWIT_GUEST_RUNNING;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_IN_DOUBT, 4);
  g_assert_nonnull (strstr (record->error, "ALARM"));
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_RUNNING);
  g_assert_null (strstr (bench.world.calls->str, "-"));
  bench.world.ran_twice = FALSE;
}

/* --- recover and confirm ----------------------------------------------------------------- */

static void
test_recover_of_an_ended_job (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = run (&bench);
  g_string_truncate (bench.world.calls, 0);
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_DONE);
  g_assert_cmpint (after->ended_us, ==, record->ended_us);
  g_assert_cmpstr (bench.world.calls->str, ==, "");
  g_autoptr (GPtrArray) events = godwit_journal_get_events (bench.journal, record->id, 0, NULL);
  g_assert_nonnull (strstr (last_event (events)->message, "nothing to recover"));
}

static void
test_confirm (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = run (&bench);
  bench.world.fail_confirm = TRUE;
  g_autoptr (GodwitJobRecord) failed = again (&bench, record->id, godwit_engine_confirm);
  assert_exit (failed, GODWIT_JOB_DONE, 5);
  g_assert_nonnull (strstr (failed->error, "it cannot be removed"));
  g_assert_true (failed->awaiting_confirm);
  /* Nothing was removed, so the job owes nothing and can still be reverted. */
  g_assert_cmpuint (failed->debts, ==, 0);
  g_assert_false (godwit_journal_has_begun_confirm (bench.journal, record->id));
  bench.world.fail_confirm = FALSE;
  /* Once a removal was tried it can only be finished, however often that fails. */
  bench.world.fail_release = TRUE;
  for (int n = 0; n < 2; n++) {
    g_autoptr (GodwitJobRecord) half = again (&bench, record->id, godwit_engine_confirm);
    assert_exit (half, GODWIT_JOB_DONE, 5);
    g_assert_cmpuint (half->debts, ==, 1);
    g_assert_true (godwit_journal_has_begun_confirm (bench.journal, record->id));
  }
  bench.world.fail_release = FALSE;
  g_autoptr (GodwitJobRecord) after = again (&bench, record->id, godwit_engine_recover);
  assert_exit (after, GODWIT_JOB_DONE, 0);
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
  g_autoptr (GodwitJob) job = fake_world_make_job (&bench.world, bench.journal);
  godwit_job_get_record (job)->options =
      g_variant_ref_sink (g_variant_new_parsed ("{'auto-confirm': 'true'}"));
  g_assert_true (godwit_engine_run (job, &bench.backend, NULL, NULL));
  g_autoptr (GodwitJobRecord) record =
      godwit_journal_get_job (bench.journal, godwit_job_get_id (job), NULL);
  assert_exit (record, GODWIT_JOB_DONE, 0);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
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
  assert_exit (done, GODWIT_JOB_DONE, 0);
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
  g_autoptr (GodwitJobRecord) record = run (&bench);
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
  assert_exit (failed, GODWIT_JOB_FAILED, 1);
  g_assert_nonnull (strstr (failed->error, "guest web runs on b and is shut off on a"));
  g_autoptr (GodwitJobRecord) original = godwit_journal_get_job (bench.journal, record->id, NULL);
  g_assert_cmpint (original->state, ==, GODWIT_JOB_DONE);
}

/* --- plans that recovery could not rely on ----------------------------------------------- */

static gboolean
plan_wrongly (GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps, gpointer data,
              GCancellable *cancellable, GError **error)
{
  GodwitEngineBackend base = fake_world_make_backend (data);
  gboolean ok = base.plan (job, strategy, steps, data, cancellable, error);
  g_ptr_array_add (*steps, godwit_step_new ("again", "again", GODWIT_PHASE_FROZEN, 1, 0,
                                            GODWIT_STEP_COMMIT, NULL));
  return ok;
}

static void
test_wrong_plan (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.backend.plan = plan_wrongly;
  g_autoptr (GodwitJobRecord) record = run (&bench);
  assert_exit (record, GODWIT_JOB_FAILED, 1);
  g_assert_cmpstr (bench.world.calls->str, ==, "");
  g_assert_nonnull (strstr (record->error, "exactly one commit"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/success", test_success);
  g_test_add_func ("/engine/refused", test_refused);
  g_test_add_func ("/engine/runs-only-once", test_runs_only_once);
  g_test_add_func ("/engine/failure-rolls-back", test_failure_rolls_back);
  g_test_add_func ("/engine/proof-fails", test_proof_fails);
  g_test_add_func ("/engine/proof-never-succeeds", test_proof_never_succeeds);
  g_test_add_func ("/engine/cold-proof-fails", test_cold_proof_fails);
  g_test_add_func ("/engine/deadline", test_deadline);
  g_test_add_func ("/engine/abort-before-commit", test_abort_before_commit);
  g_test_add_func ("/engine/abort-too-late", test_abort_too_late);
  g_test_add_func ("/engine/abort-cold-at-the-last-moment", test_abort_cold_at_the_last_moment);
  g_test_add_func ("/engine/undo-fails-once", test_undo_fails_once);
  g_test_add_func ("/engine/undo-keeps-failing", test_undo_keeps_failing);
  g_test_add_func ("/engine/clean-up-waits-for-the-guest", test_clean_up_waits_for_the_guest);
  g_test_add_func ("/engine/owed-after-commit", test_owed_after_commit);
  g_test_add_func ("/engine/owed-is-retried", test_owed_is_retried);
  g_test_add_func ("/engine/stuck-after-commit", test_stuck_after_commit);
  g_test_add_func ("/engine/insists-after-commit", test_insists_after_commit);
  g_test_add_func ("/engine/destination-gone", test_destination_gone);
  g_test_add_func ("/engine/in-doubt", test_in_doubt);
  g_test_add_func ("/engine/alarm", test_alarm);
  g_test_add_func ("/engine/recover-of-an-ended-job", test_recover_of_an_ended_job);
  g_test_add_func ("/engine/confirm", test_confirm);
  g_test_add_func ("/engine/auto-confirm", test_auto_confirm);
  g_test_add_func ("/engine/fenced-worker-stops", test_fenced_worker_stops);
  g_test_add_func ("/engine/revert", test_revert);
  g_test_add_func ("/engine/revert-fails", test_revert_fails);
  g_test_add_func ("/engine/wrong-plan", test_wrong_plan);
  return g_test_run ();
}
