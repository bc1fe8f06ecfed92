/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake-strategy.h"
#include "guest/live-private.h"

#include <godwit/error.h>

const GodwitPluginInfo *godwit_plugin_live_block_query (void);

static GodwitStrategy *
load (void)
{
  return fake_load_strategy ("live-block", godwit_plugin_live_block_query);
}

#define YES     GODWIT_SHARING_YES
#define NO      GODWIT_SHARING_NO
#define UNKNOWN GODWIT_SHARING_UNKNOWN
#define ATTACH  GODWIT_TREATMENT_ATTACH
#define MIRROR  GODWIT_TREATMENT_MIRROR
#define COPY    GODWIT_TREATMENT_COPY
#define NONE    GODWIT_TREATMENT_UNDECIDED

typedef struct {
  const char *name;
  GodwitGuestState state;
  GodwitSharing vda, vdb;
  gboolean vdb_read_only;
  gboolean vda_shareable;
  const char *blockers;
  GodwitTreatment treat_vda, treat_vdb;
} Case;

static const Case cases[] = {
    {"all-local", GODWIT_GUEST_RUNNING, NO, NO, FALSE, FALSE, "", MIRROR, MIRROR},
    {"paused", GODWIT_GUEST_PAUSED, NO, NO, FALSE, FALSE, "", MIRROR, MIRROR},
    {"shut-off", GODWIT_GUEST_SHUT_OFF, NO, NO, FALSE, FALSE, "guest-active", MIRROR, MIRROR},
    {"mixed", GODWIT_GUEST_RUNNING, YES, NO, FALSE, FALSE, "", ATTACH, MIRROR},
    {"all-shared", GODWIT_GUEST_RUNNING, YES, YES, FALSE, FALSE, "nothing-to-mirror", ATTACH,
     ATTACH},
    /* A medium is copied before; it is no reason for a block migration. */
    {"only-a-medium", GODWIT_GUEST_RUNNING, YES, NO, TRUE, FALSE, "nothing-to-mirror", ATTACH,
     COPY},
    {"with-a-medium", GODWIT_GUEST_RUNNING, NO, NO, TRUE, FALSE, "", MIRROR, COPY},
    {"shared-medium", GODWIT_GUEST_RUNNING, NO, YES, TRUE, FALSE, "", MIRROR, ATTACH},
    /* Never onto what may be the very same file. */
    {"unknown", GODWIT_GUEST_RUNNING, UNKNOWN, NO, FALSE, FALSE, "disk-sharing-unknown", NONE,
     MIRROR},
    {"unknown-and-shared", GODWIT_GUEST_RUNNING, UNKNOWN, YES, FALSE, FALSE, "disk-sharing-unknown",
     NONE, ATTACH},
    {"shareable", GODWIT_GUEST_RUNNING, NO, NO, FALSE, TRUE, "disk-shareable", NONE, MIRROR},
    {"shareable-shared", GODWIT_GUEST_RUNNING, YES, NO, FALSE, TRUE, "", ATTACH, MIRROR},
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
  GodwitDisk *vdb = fake_world_add_disk (world, "vdb", it->vdb);
  vda->shareable = it->vda_shareable;
  vdb->read_only = it->vdb_read_only;
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, &error));
  g_assert_no_error (error);
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, it->blockers);
  g_assert_cmpint (vda->treatment, ==, it->treat_vda);
  g_assert_cmpint (vdb->treatment, ==, it->treat_vdb);
}

static void
test_shared_names_the_other (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();

  fake_world_add_disk (world, "vda", YES);
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  const GodwitFinding *finding = godwit_report_first_blocker (report, NULL);
  g_assert_cmpstr (finding->message, ==,
                   "every writable disk is on storage that b sees: vda (seen yes)");
  g_assert_cmpstr (finding->remedy, ==, "--strategy live-shared");
}

static void
test_targets_are_checked (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();

  fake_world_add_disk (world, "vda", NO);
  world->storage->blocks = "check_target vda";
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, "target-exists");
}

static void
test_plan (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GPtrArray) steps = godwit_strategy_plan (strategy, world->job, NULL);
  g_autofree char *names = fake_check_plan (steps);

  g_assert_false (godwit_strategy_stops_guest (strategy));
  g_assert_cmpstr (names, ==,
                   "prepare-disks open-tunnels copy [commit] resume settle define-destination "
                   "undefine-source park-source finish-targets");
}

static void
goes_well (guint turn, GodwitLiveStatus *status, gpointer data)
{
  FakeWorld *world = data;

  if (turn < 3)
    return;
  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  world->hv_b->state = GODWIT_GUEST_PAUSED;
  status->destination_state = GODWIT_GUEST_PAUSED;
  status->returned = TRUE;
  world->a->process->exited = TRUE;
}

/* The whole way, as the engine would walk it. */
static void
test_walk (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();
  g_autoptr (GPtrArray) steps = godwit_strategy_plan (strategy, world->job, NULL);

  fake_world_add_disk (world, "vda", NO);
  fake_world_add_disk (world, "vdb", YES);
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  g_string_truncate (world->storage->calls, 0);
  world->hv_a->live = goes_well;
  world->hv_a->live_data = world;
  for (guint i = 0; i < steps->len; i++) {
    GodwitStep *step = g_ptr_array_index (steps, i);
    g_autoptr (GError) error = NULL;
    g_assert_true (godwit_strategy_run_step (strategy, world->job, step, NULL, &error));
    g_assert_no_error (error);
    /* Nothing runs at the destination before the commit, and no token is given away. */
    if (step->flags & GODWIT_STEP_COMMIT) {
      fake_assert_calls (world->hv_b->calls, "");
      fake_assert_calls (world->storage->calls, "create vda, repair_access vda, repair_access vdb");
    }
  }
  fake_assert_calls (world->hv_a->calls, "live_begin, undefine");
  fake_assert_calls (world->hv_b->calls, "resume, define persistent");
  fake_assert_calls (world->storage->calls,
                     "repair_access vda, repair_access vdb, repair_access vda, repair_access vdb, "
                     "park vda, hand_over vda");
  g_assert_true (world->hv_a->proven_safe);
}

static void
test_undo_removes_targets (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GPtrArray) steps = godwit_strategy_plan (strategy, world->job, NULL);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", NO)->treatment = MIRROR;
  fake_world_add_disk (world, "vdb", YES)->treatment = ATTACH;
  g_assert_true (fake_step (world, strategy, steps, "prepare-disks", TRUE, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->storage->calls, "remove_created vda");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/live-block/check/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_check);
  }
  g_test_add_func ("/live-block/check/reason", test_shared_names_the_other);
  g_test_add_func ("/live-block/check/targets", test_targets_are_checked);
  g_test_add_func ("/live-block/plan", test_plan);
  g_test_add_func ("/live-block/walk", test_walk);
  g_test_add_func ("/live-block/undo", test_undo_removes_targets);
  return g_test_run ();
}
