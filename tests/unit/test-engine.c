/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-bench.h"

#include <godwit/error.h>

#include <string.h>

/* --- success ----------------------------------------------------------------------------- */

static void
test_success (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 0);
  bench_assert_at_destination (&bench);
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
  const GodwitEvent *result = bench_last_event (events);
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
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 3);
  g_assert_cmpstr (bench.world.calls->str, ==, "");
  g_assert_nonnull (strstr (record->error, "no space"));
  g_assert_nonnull (strstr (record->error, "buy a disk"));
}

static void
test_runs_only_once (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
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
    g_autoptr (GodwitJobRecord) record = bench_run (&bench);
    bench_assert_exit (record, GODWIT_JOB_FAILED, 1);
    bench_assert_at_source (&bench);
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
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_DONE, 0);
  bench_assert_at_destination (&bench);
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
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_IN_DOUBT, 4);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);
  g_assert_true (bench.world.disk_at_destination);
  g_assert_null (strstr (bench.world.calls->str, "-"));
  g_assert_nonnull (strstr (record->error, "godwit recover"));
  bench.world.fail_times = 0;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, record->id, godwit_engine_recover);
  bench_assert_exit (after, GODWIT_JOB_DONE, 0);
  bench_assert_at_destination (&bench);
}

/* The only copy of its memory died before anybody could commit to it. */
static void
test_memory_is_lost (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.ends_before = "prove";
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 1);
  g_assert_nonnull (strstr (record->error, "guest web is shut off on a"));
  g_assert_nonnull (strstr (record->error, "what was in its memory is lost"));
  g_assert_nonnull (strstr (record->error, "start web on a"));
}

static void
test_cold_proof_fails (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.cold = TRUE;
  bench.world.fail_step = "prove";
  bench.world.fail_times = 100;
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 1);
  bench_assert_at_source (&bench);
  g_assert_cmpstr (bench.world.calls->str, ==,
                   "+prepare +shut-down +copy +prove -copy -shut-down -prepare ");
}

static void
test_deadline (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.hang_step = "tunnel";
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 1);
  bench_assert_at_source (&bench);
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
    g_autoptr (GodwitJobRecord) record = bench_run (&bench);
    bench_assert_exit (record, GODWIT_JOB_CANCELLED, 130);
    bench_assert_at_source (&bench);
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
    g_autoptr (GodwitJobRecord) record = bench_run (&bench);
    bench_assert_exit (record, GODWIT_JOB_DONE, 0);
    bench_assert_at_destination (&bench);
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
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_CANCELLED, 130);
  bench_assert_at_source (&bench);
  g_assert_nonnull (strstr (record->error, "aborted by alice"));
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
  g_autoptr (GodwitJobRecord) record = bench_run (&bench);
  bench_assert_exit (record, GODWIT_JOB_FAILED, 1);
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
  g_test_add_func ("/engine/memory-is-lost", test_memory_is_lost);
  g_test_add_func ("/engine/cold-proof-fails", test_cold_proof_fails);
  g_test_add_func ("/engine/deadline", test_deadline);
  g_test_add_func ("/engine/abort-before-commit", test_abort_before_commit);
  g_test_add_func ("/engine/abort-too-late", test_abort_too_late);
  g_test_add_func ("/engine/abort-cold-at-the-last-moment", test_abort_cold_at_the_last_moment);
  g_test_add_func ("/engine/wrong-plan", test_wrong_plan);
  return g_test_run ();
}
