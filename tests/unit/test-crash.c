/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-world.h"
#include "scratch.h"

#include <godwit/error.h>

#include <string.h>

/* A worker dies before or after each record that it writes, and so does the one that recovers. */
typedef struct {
  FakeWorld *world;
  guint64 at; /* number of the write; 0: never */
  gboolean after;
  gboolean happened;
} Crash;

typedef struct {
  const char *name;
  gboolean cold;
  const char *fail_step; /* the run itself fails there, so that its roll-back is cut as well */
  guint fail_times;
  const char *fail_undo; /* and that step is never undone */
} Scenario;

static const Scenario scenarios[] = {
    {"live", FALSE, NULL, 0},          {"cold", TRUE, NULL, 0},
    {"live-fails", FALSE, "copy", 1},  {"cold-fails", TRUE, "copy", 1},
    {"live-owes", FALSE, "park", 100}, {"live-fails-and-owes", FALSE, "copy", 1, "tunnel"},
};

static gboolean
strike (guint64 number, gboolean after, gpointer data)
{
  Crash *crash = data;
  if (crash->happened)
    return FALSE;
  if (number != crash->at || after != crash->after)
    return TRUE;
  crash->happened = TRUE;
  crash->world->dead = TRUE;
  return FALSE;
}

static GodwitJournal *
open_journal (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  GodwitJournal *journal = godwit_journal_open (path, NULL);
  g_assert_nonnull (journal);
  return journal;
}

/* All of the guest has moved: nothing can come of asking a second time but downtime. */
static gboolean
is_settled (const FakeWorld *world, GodwitJournal *journal, const char *id)
{
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (journal, id, NULL);
  return record->committed && !godwit_job_state_is_terminal (record->state) &&
         world->source == GODWIT_GUEST_SHUT_OFF &&
         (world->destination == GODWIT_GUEST_PAUSED || world->destination == GODWIT_GUEST_RUNNING);
}

/* TRUE if the worker died. */
static gboolean
recover (FakeWorld *world, GodwitJournal *journal, const char *id, guint64 at, gboolean after)
{
  g_autoptr (GError) error = NULL;
  GodwitEngineBackend backend = fake_world_make_backend (world);
  g_autoptr (GodwitJob) job = fake_world_take_over (world, journal, id);
  Crash crash = {.world = world, .at = at, .after = after};
  gboolean settled = is_settled (world, journal, id);
  world->looks = 0;
  godwit_journal_set_hook (journal, strike, &crash);
  gboolean kept = godwit_engine_recover (job, &backend, &error);
  if (settled)
    g_assert_cmpuint (world->looks, <=, 2);
  godwit_journal_set_hook (journal, NULL, NULL);
  g_assert_false (kept && crash.happened);
  if (!crash.happened)
    g_assert_no_error (error);
  fake_world_kill_worker (world);
  return crash.happened;
}

static void
assert_consistent (const FakeWorld *world, const Scenario *scenario, const GodwitJobRecord *record)
{
  g_assert_false (world->touched_when_dead);
  g_assert_false (world->ran_twice);
  g_assert_false (world->lost_memory);
  g_assert_false (world->early_start);
  g_assert_cmpint (record->worker_pid, ==, 0);
  if (record->state == GODWIT_JOB_DONE) {
    g_assert_true (record->committed);
    g_assert_cmpint (world->source, ==, GODWIT_GUEST_SHUT_OFF);
    g_assert_cmpint (world->destination, ==, GODWIT_GUEST_RUNNING);
    g_assert_true (world->disk_at_destination);
    g_assert_true (world->defined_at_destination);
    g_assert_false (world->defined_at_source);
    g_assert_cmpuint (record->debts, ==, scenario->fail_times == 100 ? 1 : 0);
    return;
  }
  g_assert_cmpint (record->state, ==, GODWIT_JOB_FAILED);
  g_assert_false (record->committed);
  g_assert_cmpint (world->source, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (world->destination, ==, GODWIT_GUEST_ABSENT);
  g_assert_false (world->disk_at_destination);
  g_assert_false (world->copied);
  g_assert_true (world->defined_at_source);
  if (record->debts == 0)
    g_assert_false (world->tunnel);
  else
    g_assert_cmpuint (scenario->fail_undo != NULL, ==, record->debts);
  g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, record->debts > 0 ? 4 : 1);
}

static void
assert_recover_changes_nothing (FakeWorld *world, GodwitJournal *journal, const char *id)
{
  g_autoptr (GodwitJobRecord) before = godwit_journal_get_job (journal, id, NULL);
  if (before->debts > 0)
    return;
  g_string_truncate (world->calls, 0);
  recover (world, journal, id, 0, FALSE);
  g_autoptr (GodwitJobRecord) after = godwit_journal_get_job (journal, id, NULL);
  g_assert_cmpstr (world->calls->str, ==, "");
  g_assert_cmpint (after->state, ==, before->state);
  g_assert_cmpint (after->ended_us, ==, before->ended_us);
  g_assert_cmpstr (after->error, ==, before->error);
}

/* One case. *run_died and *recover_died say whether the crashes came to pass. */
static void
play (GodwitJournal *journal, const Scenario *scenario, guint64 at, gboolean after,
      guint64 again_at, gboolean again_after, gboolean *run_died, gboolean *recover_died)
{
  g_auto (FakeWorld) world;
  fake_world_init (&world);
  world.cold = scenario->cold;
  world.fail_step = scenario->fail_step;
  world.fail_times = scenario->fail_times;
  world.fail_undo = scenario->fail_undo;
  world.fail_undo_times = 100;
  GodwitEngineBackend backend = fake_world_make_backend (&world);
  g_autofree char *id = NULL;
  {
    g_autoptr (GodwitJob) job = fake_world_make_job (&world, journal);
    id = g_strdup (godwit_job_get_id (job));
    Crash crash = {.world = &world, .at = at, .after = after};
    godwit_journal_set_hook (journal, strike, &crash);
    g_autoptr (GError) error = NULL;
    gboolean kept = godwit_engine_run (job, &backend, NULL, &error);
    godwit_journal_set_hook (journal, NULL, NULL);
    g_assert_true (kept != crash.happened);
    *run_died = crash.happened;
    fake_world_kill_worker (&world);
  }
  *recover_died = recover (&world, journal, id, again_at, again_after);
  if (*recover_died)
    g_assert_false (recover (&world, journal, id, 0, FALSE));
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (journal, id, NULL);
  assert_consistent (&world, scenario, record);
  assert_recover_changes_nothing (&world, journal, id);
}

static void
test_crash (gconstpointer data)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  const Scenario *scenario = data;
  guint n_crashes = 0;
  guint n_nested = 0;
  gboolean died = TRUE;
  for (guint64 at = 1; died; at++) {
    for (guint after = 0; after <= 1; after++) {
      gboolean nested = TRUE;
      for (guint64 again = 1; nested; again++) {
        /* Crashes before and after a record alternate inside the recovery, to halve the time. */
        play (journal, scenario, at, after, again, (at + again) % 2, &died, &nested);
        n_nested += nested;
        /* All of them take half a minute: `-m slow`. */
        nested = nested && died && (g_test_slow () || (at + after) % 19 == 0);
      }
      n_crashes += died;
    }
  }
  g_test_message ("%s: %u crashes, %u more inside a recovery", scenario->name, n_crashes, n_nested);
  /* Each of eight steps has an intent and a result. */
  g_assert_cmpuint (n_crashes, >, 2 * 8);
  g_assert_cmpuint (n_nested, >, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    g_autofree char *path = g_strconcat ("/crash/", scenarios[i].name, NULL);
    g_test_add_data_func (path, &scenarios[i], test_crash);
  }
  return g_test_run ();
}
