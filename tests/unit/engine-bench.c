/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-bench.h"

void
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

void
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

GodwitJobRecord *
bench_run (Bench *bench)
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

GodwitJobRecord *
bench_again (Bench *bench, const char *id,
             gboolean (*what) (GodwitJob *, const GodwitEngineBackend *, GError **))
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJob) job = fake_world_take_over (&bench->world, bench->journal, id);
  what (job, &bench->backend, &error);
  g_assert_no_error (error);
  return godwit_journal_get_job (bench->journal, id, NULL);
}

void
bench_assert_exit (const GodwitJobRecord *record, GodwitJobState state, int code)
{
  g_test_message ("%s", record->error != NULL ? record->error : "no error");
  g_assert_cmpint (record->state, ==, state);
  g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, code);
  g_assert_cmpint (record->worker_pid, ==, 0);
}

const GodwitEvent *
bench_last_event (GPtrArray *events)
{
  return g_ptr_array_index (events, events->len - 1);
}

void
bench_assert_at_source (const Bench *bench)
{
  g_assert_cmpint (bench->world.source, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (bench->world.destination, ==, GODWIT_GUEST_ABSENT);
  g_assert_false (bench->world.disk_at_destination);
  g_assert_false (bench->world.tunnel);
}

void
bench_assert_at_destination (const Bench *bench)
{
  g_assert_cmpint (bench->world.source, ==, GODWIT_GUEST_SHUT_OFF);
  g_assert_cmpint (bench->world.destination, ==, GODWIT_GUEST_RUNNING);
  g_assert_true (bench->world.disk_at_destination);
}
