/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake-strategy.h"

#include <godwit/error.h>

const GodwitPluginInfo *godwit_plugin_live_shared_query (void);

static GodwitStrategy *
load (void)
{
  return fake_load_strategy ("live-shared", godwit_plugin_live_shared_query);
}

#define YES     GODWIT_SHARING_YES
#define NO      GODWIT_SHARING_NO
#define UNKNOWN GODWIT_SHARING_UNKNOWN
#define ATTACH  GODWIT_TREATMENT_ATTACH
#define COPY    GODWIT_TREATMENT_COPY
#define NONE    GODWIT_TREATMENT_UNDECIDED

typedef struct {
  const char *name;
  GodwitGuestState state;
  GodwitSharing vda, vdb;
  gboolean vdb_read_only;
  const char *cache;
  const char *blockers;
  GodwitTreatment treat_vda, treat_vdb;
} Case;

static const Case cases[] = {
    {"all-shared", GODWIT_GUEST_RUNNING, YES, YES, FALSE, NULL, "", ATTACH, ATTACH},
    {"paused", GODWIT_GUEST_PAUSED, YES, YES, FALSE, NULL, "", ATTACH, ATTACH},
    {"shut-off", GODWIT_GUEST_SHUT_OFF, YES, YES, FALSE, NULL, "guest-active", ATTACH, ATTACH},
    {"local-disk", GODWIT_GUEST_RUNNING, YES, NO, FALSE, NULL, "disk-not-shared", ATTACH, NONE},
    {"unknown", GODWIT_GUEST_RUNNING, UNKNOWN, YES, FALSE, NULL, "disk-sharing-unknown", NONE,
     ATTACH},
    {"both-local", GODWIT_GUEST_RUNNING, NO, NO, FALSE, NULL, "disk-not-shared, disk-not-shared",
     NONE, NONE},
    {"local-medium", GODWIT_GUEST_RUNNING, YES, NO, TRUE, NULL, "", ATTACH, COPY},
    {"unknown-medium", GODWIT_GUEST_RUNNING, YES, UNKNOWN, TRUE, NULL, "", ATTACH, COPY},
    {"shared-medium", GODWIT_GUEST_RUNNING, YES, YES, TRUE, NULL, "", ATTACH, ATTACH},
    {"cache-unsafe", GODWIT_GUEST_RUNNING, YES, YES, TRUE, "unsafe", "disk-cache", ATTACH, ATTACH},
    {"cache-none", GODWIT_GUEST_RUNNING, YES, YES, TRUE, "none", "", ATTACH, ATTACH},
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
  vda->cache = g_strdup (it->cache);
  vdb->read_only = it->vdb_read_only;
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, &error));
  g_assert_no_error (error);
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, it->blockers);
  g_assert_cmpint (vda->treatment, ==, it->treat_vda);
  g_assert_cmpint (vdb->treatment, ==, it->treat_vdb);
  /* Only what is copied needs a place; nothing is touched. */
  fake_assert_calls (world->storage->calls, it->treat_vdb == COPY ? "check_target vdb" : "");
}

static void
test_refusal_says_why (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();

  fake_world_add_disk (world, "vda", NO);
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  const GodwitFinding *finding = godwit_report_first_blocker (report, NULL);
  g_assert_cmpstr (finding->message, ==,
                   "vda (/images/vda) is not on storage that b sees: seen no");
  g_assert_cmpstr (finding->remedy, ==, "--strategy live-block");
}

static void
test_a_drive_without_medium (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();

  GodwitDisk *disk = fake_world_add_disk (world, "sda", UNKNOWN);
  g_ptr_array_set_size (disk->chain, 0);
  g_assert_true (godwit_strategy_check (strategy, world->job, report, NULL, NULL));
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_cmpint (disk->treatment, ==, GODWIT_TREATMENT_SKIP);
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

/* What a tunnel and a migration made lives in one worker only. */
static void
test_volatile_steps (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GPtrArray) steps = godwit_strategy_plan (strategy, world->job, NULL);

  g_assert_true (fake_find_step (steps, "open-tunnels")->flags & GODWIT_STEP_VOLATILE);
  g_assert_true (fake_find_step (steps, "copy")->flags & GODWIT_STEP_VOLATILE);
  g_assert_false (fake_find_step (steps, "resume")->flags & GODWIT_STEP_MAY_OWE);
}

static void
test_rollback_of_what_never_began (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GPtrArray) steps = godwit_strategy_plan (strategy, world->job, NULL);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", YES)->treatment = ATTACH;
  for (guint i = steps->len; i > 0; i--) {
    GodwitStep *step = g_ptr_array_index (steps, i - 1);
    if (step->flags & GODWIT_STEP_UNDO)
      g_assert_true (godwit_strategy_undo_step (strategy, world->job, step, NULL, &error));
    g_assert_no_error (error);
  }
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
  fake_assert_calls (world->storage->calls, "");
}

static void
test_an_unknown_step (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitStep) step =
      godwit_step_new ("from-the-future", "?", GODWIT_PHASE_COPYING, 0, 0, 0, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_strategy_run_step (strategy, world->job, step, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
}

static void
test_revert_names_the_way_back (void)
{
  g_autoptr (GodwitStrategy) strategy = load ();
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (godwit_strategy_plan_revert (strategy, world->job, report, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  g_assert_cmpstr (godwit_error_get_remedy (error), ==,
                   "revert with --copy-back: it moves back live");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/live-shared/check/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_check);
  }
  g_test_add_func ("/live-shared/check/reason", test_refusal_says_why);
  g_test_add_func ("/live-shared/check/empty-drive", test_a_drive_without_medium);
  g_test_add_func ("/live-shared/plan", test_plan);
  g_test_add_func ("/live-shared/plan/flags", test_volatile_steps);
  g_test_add_func ("/live-shared/rollback", test_rollback_of_what_never_began);
  g_test_add_func ("/live-shared/unknown-step", test_an_unknown_step);
  g_test_add_func ("/live-shared/revert", test_revert_names_the_way_back);
  return g_test_run ();
}
