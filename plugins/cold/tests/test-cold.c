/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake-strategy.h"

#include <godwit/error.h>

#include <string.h>

const GodwitPluginInfo *godwit_plugin_cold_query (void);

static GodwitStrategy *
load (void)
{
  return fake_load_strategy ("cold", godwit_plugin_cold_query);
}

#define YES     GODWIT_SHARING_YES
#define NO      GODWIT_SHARING_NO
#define UNKNOWN GODWIT_SHARING_UNKNOWN
#define ATTACH  GODWIT_TREATMENT_ATTACH
#define COPY    GODWIT_TREATMENT_COPY
#define NONE    GODWIT_TREATMENT_UNDECIDED

/* --- checks ------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  GodwitGuestState state;
  GodwitSharing vda;
  gboolean read_only, shareable, transient;
  const char *blockers;
  GodwitTreatment treatment;
} Case;

static const Case cases[] = {
    {"stopped-local", GODWIT_GUEST_SHUT_OFF, NO, FALSE, FALSE, FALSE, "", COPY},
    {"running-local", GODWIT_GUEST_RUNNING, NO, FALSE, FALSE, FALSE, "", COPY},
    {"stopped-shared", GODWIT_GUEST_SHUT_OFF, YES, FALSE, FALSE, FALSE, "", ATTACH},
    {"unknown", GODWIT_GUEST_SHUT_OFF, UNKNOWN, FALSE, FALSE, FALSE, "disk-sharing-unknown", NONE},
    {"unknown-medium", GODWIT_GUEST_SHUT_OFF, UNKNOWN, TRUE, FALSE, FALSE, "", COPY},
    {"shareable", GODWIT_GUEST_SHUT_OFF, NO, FALSE, TRUE, FALSE, "disk-shareable", NONE},
    {"paused", GODWIT_GUEST_PAUSED, NO, FALSE, FALSE, FALSE, "guest-paused", COPY},
    {"transient", GODWIT_GUEST_RUNNING, NO, FALSE, FALSE, TRUE, "guest-transient", COPY},
};

static void
test_check (gconstpointer data)
{
  const Case *it = data;
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (it->state, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();
  g_autoptr (GError) error = NULL;

  GodwitDisk *vda = fake_world_add_disk (world, "vda", it->vda);
  vda->read_only = it->read_only;
  vda->shareable = it->shareable;
  world->guest->persistent = !it->transient;
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, &error));
  g_assert_no_error (error);
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, it->blockers);
  g_assert_cmpint (vda->treatment, ==, it->treatment);
}

/* A shutdown takes it away, so that is refused before the guest is stopped. */
static void
test_live_only_disk (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, "allow-downtime=true");
  g_autoptr (GodwitReport) report = godwit_report_new ();

  fake_world_add_disk (world, "vda", NO);
  fake_world_add_disk (world, "vdb", NO)->live_only = TRUE;
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, "disk-live-only");
}

static void
test_foreign_firmware_variables (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_SHUT_OFF, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();

  world->guest->nvram = g_strdup ("/nvram/web");
  fake_host_add_file (world->a, "/nvram/web", 1, NULL);
  fake_host_add_file (world->b, "/nvram/web", 2, NULL);
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, "target-exists");
}

/* --- the way there ------------------------------------------------------------------------ */

typedef struct {
  GodwitStrategy *strategy;
  FakeWorld *world;
  GPtrArray *steps;
} Move;

static void
set_up_state (Move *move, GodwitGuestState state, GodwitSharing sharing, const char *options)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  move->strategy = load ();
  move->world = fake_world_new (state, options);
  fake_world_add_disk (move->world, "vda", sharing);
  fake_host_add_file (move->world->a, "/images/vda", 7, NULL);
  fake_host_add_file (move->world->b, "/images/vda", 7, "token-1");
  move->world->guest->autostart = TRUE;
  move->world->hv_a->obeys_after = 1;
  move->world->hv_b->obeys_after = 1;
  g_assert_true (godwit_strategy_check (move->strategy, move->world->job, report, NULL, NULL));
  move->steps = godwit_strategy_plan (move->strategy, move->world->job, NULL);
  g_string_truncate (move->world->storage->calls, 0);
}

static void
set_up_running (Move *move, gconstpointer data)
{
  set_up_state (move, GODWIT_GUEST_RUNNING, NO, NULL);
}

static void
set_up_stopped (Move *move, gconstpointer data)
{
  set_up_state (move, GODWIT_GUEST_SHUT_OFF, NO, NULL);
}

static void
set_up_shared (Move *move, gconstpointer data)
{
  set_up_state (move, GODWIT_GUEST_RUNNING, YES, NULL);
}

static void
set_up_stubborn (Move *move, gconstpointer data)
{
  set_up_state (move, GODWIT_GUEST_RUNNING, NO, "shutdown-timeout=150ms");
  move->world->hv_a->obeys_after = 0;
}

static void
tear_down (Move *move, gconstpointer data)
{
  g_ptr_array_unref (move->steps);
  fake_world_free (move->world);
  g_object_unref (move->strategy);
}

static void
walk (Move *move, GPtrArray *steps)
{
  for (guint i = 0; i < steps->len; i++) {
    g_autoptr (GError) error = NULL;
    g_assert_true (godwit_strategy_run_step (move->strategy, move->world->job,
                                             g_ptr_array_index (steps, i), NULL, &error));
    g_assert_no_error (error);
  }
}

static void
test_plan (Move *move, gconstpointer data)
{
  g_autofree char *names = fake_check_plan (move->steps);

  g_assert_true (godwit_strategy_stops_guest (move->strategy));
  /* The source's copies are put aside last: before, the guest must be able to start from them. */
  g_assert_cmpstr (
      names, ==,
      "prepare-disks shut-down copy-disks verify hold-autostart [commit] define-destination "
      "undefine-source start-destination park-source finish-targets");
}

static void
test_running_guest (Move *move, gconstpointer data)
{
  FakeWorld *world = move->world;

  walk (move, move->steps);
  fake_assert_calls (world->hv_a->calls, "shut_down, autostart off, undefine");
  fake_assert_calls (world->hv_b->calls, "define persistent autostart, start");
  fake_assert_calls (world->storage->calls,
                     "create vda, finish vda, repair_access vda, park vda, hand_over vda");
  fake_assert_calls (world->b->calls, "receive /images/vda");
  g_assert_cmpint (world->hv_b->state, ==, GODWIT_GUEST_RUNNING);
}

static void
test_stopped_guest_stays_stopped (Move *move, gconstpointer data)
{
  walk (move, move->steps);
  fake_assert_calls (move->world->hv_a->calls, "autostart off, undefine");
  fake_assert_calls (move->world->hv_b->calls, "define persistent autostart");
}

static void
test_shared_disk_stays_where_it_is (Move *move, gconstpointer data)
{
  walk (move, move->steps);
  fake_assert_calls (move->world->storage->calls, "repair_access vda");
  fake_assert_calls (move->world->b->calls, "");
}

static void
test_stubborn_guest_is_ended (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", FALSE, &error));
  g_assert_no_error (error);
  fake_assert_calls (move->world->hv_a->calls, "shut_down, destroy");
}

static void
test_commit_needs_a_stopped_source (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 4; i++)
    g_assert_true (godwit_strategy_run_step (move->strategy, move->world->job,
                                             g_ptr_array_index (move->steps, i), NULL, NULL));
  /* Somebody started it while its disks were copied. */
  move->world->hv_a->state = GODWIT_GUEST_RUNNING;
  g_assert_false (fake_step (move->world, move->strategy, move->steps, "commit", FALSE, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
}

/* It ran meanwhile and is off again: what was copied is not what its disk holds. */
static void
test_commit_needs_untouched_sources (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GodwitFileInfo *image = fake_host_add_file (move->world->a, "/images/vda", 7, NULL);

  for (guint i = 0; i < 4; i++)
    g_assert_true (godwit_strategy_run_step (move->strategy, move->world->job,
                                             g_ptr_array_index (move->steps, i), NULL, NULL));
  image->mtime_ns++;
  g_assert_false (fake_step (move->world, move->strategy, move->steps, "commit", FALSE, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "written to after it was copied"));
  image->mtime_ns--;
  g_clear_error (&error);
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "commit", FALSE, &error));
}

/* A guest is not stopped for a destination that has gone away. */
static void
test_silent_destination_stops_nothing (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  move->world->b->silent = TRUE;
  g_assert_false (fake_step (move->world, move->strategy, move->steps, "shut-down", FALSE, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_cmpint (move->world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", TRUE, NULL));
  g_assert_cmpint (move->world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
}

static void
test_commit_needs_verified_copies (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (fake_step (move->world, move->strategy, move->steps, "commit", FALSE, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
}

static void
test_corrupt_copy_is_found (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++)
    g_assert_true (godwit_strategy_run_step (move->strategy, move->world->job,
                                             g_ptr_array_index (move->steps, i), NULL, NULL));
  fake_host_add_file (move->world->b, "/images/vda", 8, "token-1");
  g_assert_false (fake_step (move->world, move->strategy, move->steps, "verify", FALSE, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
}

static void
test_rollback_starts_it_again (Move *move, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++)
    g_assert_true (godwit_strategy_run_step (move->strategy, move->world->job,
                                             g_ptr_array_index (move->steps, i), NULL, NULL));
  g_string_truncate (move->world->storage->calls, 0);
  for (guint i = 3; i > 0; i--)
    g_assert_true (godwit_strategy_undo_step (move->strategy, move->world->job,
                                              g_ptr_array_index (move->steps, i - 1), NULL,
                                              &error));
  g_assert_no_error (error);
  fake_assert_calls (move->world->hv_a->calls, "shut_down, start");
  fake_assert_calls (move->world->hv_b->calls, "");
  fake_assert_calls (move->world->storage->calls, "remove_created vda");
  g_assert_cmpint (move->world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
}

static void
test_rollback_leaves_a_stopped_guest (Move *move, gconstpointer data)
{
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", FALSE, NULL));
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", TRUE, NULL));
  fake_assert_calls (move->world->hv_a->calls, "");
}

/* A worker that died after the request must not be told by the next that it was off before. */
static void
test_taken_over_while_shutting_down (Move *move, gconstpointer data)
{
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", FALSE, NULL));
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", FALSE, NULL));
  g_assert_true (fake_step (move->world, move->strategy, move->steps, "shut-down", TRUE, NULL));
  fake_assert_calls (move->world->hv_a->calls, "shut_down, start");
}

static void
test_firmware_variables_travel (Move *move, gconstpointer data)
{
  FakeWorld *world = move->world;

  world->guest->nvram = g_strdup ("/nvram/web");
  fake_host_add_file (world->a, "/nvram/web", 1, NULL);
  walk (move, move->steps);
  fake_assert_calls (world->b->calls, "create /nvram/web, receive /nvram/web, "
                                      "receive /images/vda, untag /nvram/web");
  fake_assert_calls (world->a->calls, "tag /nvram/web, rename /nvram/web /nvram/web_migrate");
  g_assert_true (godwit_strategy_confirm (move->strategy, world->job, NULL, NULL));
  fake_assert_calls (world->a->calls, "remove /nvram/web_migrate");
}

/* --- and back ----------------------------------------------------------------------------- */

static GPtrArray *
plan_revert (Move *move, GodwitReport *report)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *steps =
      godwit_strategy_plan_revert (move->strategy, move->world->job, report, NULL, &error);

  g_assert_no_error (error);
  g_string_truncate (move->world->hv_a->calls, 0);
  g_string_truncate (move->world->hv_b->calls, 0);
  g_string_truncate (move->world->storage->calls, 0);
  return steps;
}

static void
test_revert_names_what_was_written (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  move->world->hv_b->written = 4096;
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  const GodwitFinding *finding = godwit_report_first_blocker (report, NULL);
  g_assert_cmpstr (finding->id, ==, "destination-writes");
  g_assert_nonnull (strstr (finding->message, "4096 bytes"));
  g_assert_nonnull (strstr (finding->remedy, "--discard-destination-writes"));
}

static void
set_up_discarding (Move *move, gconstpointer data)
{
  set_up_state (move, GODWIT_GUEST_RUNNING, NO, "discard-destination-writes=true");
}

static void
test_revert_restores_the_source (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_autofree char *names = fake_check_plan (steps);
  g_assert_cmpstr (names, ==,
                   "revert-stop-destination [revert-commit] revert-undefine-destination "
                   "revert-unpark-source revert-define-source revert-start-source "
                   "revert-remove-copies");
  walk (move, steps);
  fake_assert_calls (move->world->hv_b->calls, "shut_down, undefine");
  /* The definition is the one from before, to the letter. */
  fake_assert_calls (move->world->hv_a->calls, "define original autostart, start");
  fake_assert_calls (move->world->storage->calls,
                     "unpark vda, repair_access vda, reclaim vda, remove_created vda");
  g_assert_cmpint (move->world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
  g_assert_cmpint (move->world->hv_b->state, ==, GODWIT_GUEST_ABSENT);
}

static void
test_revert_of_an_untouched_copy (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  walk (move, steps);
  fake_assert_calls (move->world->hv_b->calls, "undefine");
  fake_assert_calls (move->world->hv_a->calls, "define original autostart");
}

/* Started and shut off again by somebody else: only the contents tell. */
static void
test_revert_finds_silent_changes (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  fake_host_add_file (move->world->b, "/images/vda", 9, NULL);
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, "destination-writes");
}

/* One and the same disk on both hosts has what the guest wrote, wherever it runs. */
static void
test_revert_on_shared_storage (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  move->world->hv_b->written = 4096;
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  g_assert_false (godwit_report_is_blocked (report, NULL));
}

static void
test_revert_of_a_guest_that_moved_on (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  move->world->hv_b->state = GODWIT_GUEST_ABSENT;
  move->world->hv_b->persistent = FALSE;
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  const GodwitFinding *finding = godwit_report_first_blocker (report, NULL);
  g_assert_cmpstr (finding->id, ==, "guest-exists");
}

static void
test_revert_rolled_back (Move *move, gconstpointer data)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();

  walk (move, move->steps);
  g_autoptr (GPtrArray) steps = plan_revert (move, report);
  g_assert_true (
      fake_step (move->world, move->strategy, steps, "revert-stop-destination", FALSE, NULL));
  g_assert_true (
      fake_step (move->world, move->strategy, steps, "revert-stop-destination", TRUE, NULL));
  fake_assert_calls (move->world->hv_b->calls, "shut_down, start");
  fake_assert_calls (move->world->hv_a->calls, "");
}

#define ADD(path, set_up, test) g_test_add (path, Move, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/cold/check/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_check);
  }
  g_test_add_func ("/cold/check/live-only-disk", test_live_only_disk);
  g_test_add_func ("/cold/check/firmware", test_foreign_firmware_variables);
  ADD ("/cold/plan", set_up_running, test_plan);
  ADD ("/cold/running", set_up_running, test_running_guest);
  ADD ("/cold/stopped", set_up_stopped, test_stopped_guest_stays_stopped);
  ADD ("/cold/shared", set_up_shared, test_shared_disk_stays_where_it_is);
  ADD ("/cold/stubborn", set_up_stubborn, test_stubborn_guest_is_ended);
  ADD ("/cold/silent", set_up_running, test_silent_destination_stops_nothing);
  ADD ("/cold/commit/stopped", set_up_running, test_commit_needs_a_stopped_source);
  ADD ("/cold/commit/untouched", set_up_running, test_commit_needs_untouched_sources);
  ADD ("/cold/commit/verified", set_up_stopped, test_commit_needs_verified_copies);
  ADD ("/cold/corrupt", set_up_stopped, test_corrupt_copy_is_found);
  ADD ("/cold/rollback/running", set_up_running, test_rollback_starts_it_again);
  ADD ("/cold/rollback/stopped", set_up_stopped, test_rollback_leaves_a_stopped_guest);
  ADD ("/cold/rollback/taken-over", set_up_running, test_taken_over_while_shutting_down);
  ADD ("/cold/firmware", set_up_stopped, test_firmware_variables_travel);
  ADD ("/cold/revert/refused", set_up_running, test_revert_names_what_was_written);
  ADD ("/cold/revert/discard", set_up_discarding, test_revert_restores_the_source);
  ADD ("/cold/revert/untouched", set_up_stopped, test_revert_of_an_untouched_copy);
  ADD ("/cold/revert/silent", set_up_stopped, test_revert_finds_silent_changes);
  ADD ("/cold/revert/shared", set_up_shared, test_revert_on_shared_storage);
  ADD ("/cold/revert/moved-on", set_up_running, test_revert_of_a_guest_that_moved_on);
  ADD ("/cold/revert/rollback", set_up_discarding, test_revert_rolled_back);
  return g_test_run ();
}
