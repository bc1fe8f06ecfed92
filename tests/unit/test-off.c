/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-bench.h"

#include <godwit/error.h>

/* What a person says of a host that cannot be asked. */

/* A job whose memory has moved, with a proof that failed: nobody but the hosts can tell. */
static char *
run_into_doubt (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJob) job = fake_world_make_job (&bench->world, bench->journal);
  bench->world.fail_step = "prove";
  bench->world.fail_times = 1;
  godwit_engine_run (job, &bench->backend, NULL, &error);
  g_assert_no_error (error);
  return g_strdup (godwit_job_get_id (job));
}

static void
say_off (Bench *bench, const char *id, const char *fact)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (bench->journal, id, &error);
  g_assert_no_error (error);
  godwit_journal_set_fact (bench->journal, record, fact, g_variant_new_string ("alice"), &error);
  g_assert_no_error (error);
}

static void
test_destination_off (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.destination_unreachable = TRUE;
  g_autofree char *id = run_into_doubt (&bench);
  bench.world.source = GODWIT_GUEST_PAUSED_MIGRATION;
  bench.world.destination = GODWIT_GUEST_ABSENT;
  g_autoptr (GodwitJobRecord) doubt = bench_again (&bench, id, godwit_engine_recover);
  g_assert_cmpint (doubt->state, ==, GODWIT_JOB_IN_DOUBT);
  g_assert_nonnull (strstr (doubt->error, "--destination-is-off"));
  g_assert_null (strstr (doubt->error, "--source-is-off"));
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_PAUSED_MIGRATION);

  say_off (&bench, id, GODWIT_FACT_DESTINATION_OFF);
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, id, godwit_engine_recover);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_FAILED);
  g_assert_cmpint (bench.world.source, ==, GODWIT_GUEST_RUNNING);
  g_assert_nonnull (strstr (after->error, "is not on b (off, says alice)"));
}

static void
test_source_off (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.source_unreachable = TRUE;
  g_autofree char *id = run_into_doubt (&bench);
  g_autoptr (GodwitJobRecord) doubt = bench_again (&bench, id, godwit_engine_recover);
  g_assert_cmpint (doubt->state, ==, GODWIT_JOB_IN_DOUBT);
  g_assert_nonnull (strstr (doubt->error, "--source-is-off"));
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_PAUSED);

  say_off (&bench, id, GODWIT_FACT_SOURCE_OFF);
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, id, godwit_engine_recover);
  g_assert_true (after->committed);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_RUNNING);
}

/* It said that it is off, and answers: then what it says counts. */
static void
test_off_and_yet_there (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  bench.world.destination_unreachable = TRUE;
  g_autofree char *id = run_into_doubt (&bench);
  say_off (&bench, id, GODWIT_FACT_DESTINATION_OFF);
  bench.world.destination_unreachable = FALSE;
  g_autoptr (GodwitJobRecord) after = bench_again (&bench, id, godwit_engine_recover);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_DONE);
  g_assert_cmpint (bench.world.destination, ==, GODWIT_GUEST_RUNNING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/off/destination", test_destination_off);
  g_test_add_func ("/off/source", test_source_off);
  g_test_add_func ("/off/and-yet-there", test_off_and_yet_there);
  return g_test_run ();
}
