/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include "../fake/fake-world.h"

#include <godwit/error.h>

/* --- a strategy that does what the test says ---------------------------------------------- */

#define FAKE_TYPE_STRATEGY (fake_strategy_get_type ())
G_DECLARE_FINAL_TYPE (FakeStrategy, fake_strategy, FAKE, STRATEGY, GObject)

struct _FakeStrategy {
  GObject parent_instance;
  gboolean stops;
  const char *blocks; /* message of its blocker */
  GodwitTreatment treatment;
  guint commits;
  guint checks;
  GodwitTreatment seen; /* treatment of the first disk when check began */
};

static gboolean
fake_stops_guest (GodwitStrategy *strategy)
{
  return FAKE_STRATEGY (strategy)->stops;
}

static gboolean
fake_check (GodwitStrategy *strategy, GodwitJob *job, GodwitReport *report,
            GCancellable *cancellable, GError **error)
{
  FakeStrategy *self = FAKE_STRATEGY (strategy);
  GPtrArray *disks = godwit_job_get_guest (job)->disks;

  self->checks++;
  if (self->blocks != NULL)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "fake-blocker", NULL, NULL, "%s",
                       self->blocks);
  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    self->seen = i == 0 ? disk->treatment : self->seen;
    disk->treatment = self->treatment;
  }
  return TRUE;
}

static GPtrArray *
fake_plan (GodwitStrategy *strategy, GodwitJob *job, GError **error)
{
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);

  for (guint i = 0; i < FAKE_STRATEGY (strategy)->commits; i++) {
    g_autofree char *name = g_strdup_printf ("commit-%u", i);
    g_ptr_array_add (steps, godwit_step_new (name, "commit", GODWIT_PHASE_FROZEN, 0, 1,
                                             GODWIT_STEP_COMMIT, NULL));
  }
  return steps;
}

static gboolean
fake_run_step (GodwitStrategy *strategy, GodwitJob *job, const GodwitStep *step,
               GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
fake_strategy_iface_init (GodwitStrategyInterface *iface)
{
  iface->stops_guest = fake_stops_guest;
  iface->check = fake_check;
  iface->plan = fake_plan;
  iface->run_step = fake_run_step;
}

G_DEFINE_TYPE_WITH_CODE (FakeStrategy, fake_strategy, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (GODWIT_TYPE_STRATEGY, fake_strategy_iface_init))

static void
fake_strategy_class_init (FakeStrategyClass *klass)
{
}

static void
fake_strategy_init (FakeStrategy *self)
{
  self->commits = 1;
}

static FakeStrategy *
add_strategy (GPtrArray *strategies, const char *name, const char *blocks)
{
  FakeStrategy *strategy = g_object_new (FAKE_TYPE_STRATEGY, NULL);

  strategy->blocks = blocks;
  strategy->treatment = GODWIT_TREATMENT_MIRROR;
  g_ptr_array_add (strategies, godwit_named_new (name, G_OBJECT (strategy), NULL));
  g_object_unref (strategy);
  return strategy;
}

static GPtrArray *
new_strategies (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_named_free);
}

static GodwitPlan *
new_plan (void)
{
  GodwitPlan *plan = g_new0 (GodwitPlan, 1);

  plan->report = godwit_report_new ();
  return plan;
}

static const GodwitFinding *
find_finding (const GodwitPlan *plan, const char *id)
{
  GPtrArray *findings = godwit_report_get_findings (plan->report);

  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    if (g_str_equal (finding->id, id))
      return finding;
  }
  return NULL;
}

/* --- the choice --------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  /* 1: the strategy's own checks find nothing against it */
  gboolean shared, block, cold;
  GodwitGuestState state;
  const char *options;
  const char *asked;
  const char *chosen; /* NULL: refused */
  const char *remedy; /* of the refusal; NULL for any */
  int code;
} Choice;

#define RUNS     GODWIT_GUEST_RUNNING
#define STANDS   GODWIT_GUEST_PAUSED
#define OFF      GODWIT_GUEST_SHUT_OFF
#define REFUSED  GODWIT_ERROR_REFUSED
#define DOWNTIME "allow-downtime=true"

static const Choice choices[] = {
    {"all-fit", TRUE, TRUE, TRUE, RUNS, NULL, NULL, "live-shared", NULL, 0},
    {"block-and-cold", FALSE, TRUE, TRUE, RUNS, NULL, NULL, "live-block", NULL, 0},
    /* auto never stops a running guest */
    {"only-cold", FALSE, FALSE, TRUE, RUNS, NULL, NULL, NULL,
     "add --allow-downtime, or shut the guest down first", REFUSED},
    {"only-cold-paused", FALSE, FALSE, TRUE, STANDS, NULL, NULL, NULL,
     "add --allow-downtime, or shut the guest down first", REFUSED},
    {"only-cold-allowed", FALSE, FALSE, TRUE, RUNS, DOWNTIME, NULL, "cold", NULL, 0},
    {"live-before-cold", FALSE, TRUE, TRUE, RUNS, DOWNTIME, NULL, "live-block", NULL, 0},
    {"stopped", FALSE, FALSE, TRUE, OFF, NULL, NULL, "cold", NULL, 0},
    {"nothing-fits", FALSE, FALSE, FALSE, OFF, NULL, NULL, NULL, NULL, REFUSED},
    {"nothing-fits-running", FALSE, FALSE, FALSE, RUNS, DOWNTIME, NULL, NULL, NULL, REFUSED},
    {"asked-for", TRUE, TRUE, TRUE, RUNS, NULL, "live-block", "live-block", NULL, 0},
    {"asked-does-not-fit", FALSE, TRUE, TRUE, RUNS, NULL, "live-shared", NULL,
     "--strategy live-block", REFUSED},
    {"asked-cold", TRUE, TRUE, TRUE, RUNS, NULL, "cold", NULL,
     "add --allow-downtime, or shut the guest down first; or --strategy live-shared", REFUSED},
    {"asked-cold-allowed", TRUE, TRUE, TRUE, RUNS, DOWNTIME, "cold", "cold", NULL, 0},
    {"asked-cold-stopped", FALSE, FALSE, TRUE, OFF, NULL, "cold", "cold", NULL, 0},
    {"unknown", TRUE, TRUE, TRUE, RUNS, NULL, "live-shard", NULL, NULL, GODWIT_ERROR_CONFIG},
};

static void
test_choice (gconstpointer data)
{
  const Choice *choice = data;
  g_autoptr (FakeWorld) world = fake_world_new (choice->state, choice->options);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_NO);
  add_strategy (strategies, "live-shared", choice->shared ? NULL : "vda is not shared");
  add_strategy (strategies, "live-block", choice->block ? NULL : "nothing to mirror");
  add_strategy (strategies, "cold", choice->cold ? NULL : "it is there already")->stops = TRUE;
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, choice->asked, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (plan->chosen, ==, choice->chosen);
  g_assert_cmpint (plan->steps != NULL, ==, choice->chosen != NULL);
  g_assert_cmpint (plan->strategy != NULL, ==, choice->chosen != NULL);
  /* Every strategy is shown, whatever was asked for. */
  g_assert_cmpuint (plan->candidates->len, ==, 3);
  for (guint i = 0; i < plan->candidates->len; i++)
    g_assert_nonnull (((GodwitCandidate *)g_ptr_array_index (plan->candidates, i))->name);
  if (choice->chosen != NULL)
    return;
  g_autoptr (GError) refusal = godwit_plan_to_error (plan);
  g_assert_error (refusal, GODWIT_ERROR, choice->code);
  if (choice->remedy != NULL)
    g_assert_cmpstr (godwit_error_get_remedy (refusal), ==, choice->remedy);
}

static void
test_reasons (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();

  fake_world_add_disk (world, "vda", GODWIT_SHARING_NO);
  add_strategy (strategies, "live-shared", "vda is not on storage that b sees");
  add_strategy (strategies, "live-block", NULL);
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, NULL));
  GodwitCandidate *shared = g_ptr_array_index (plan->candidates, 0);
  GodwitCandidate *block = g_ptr_array_index (plan->candidates, 1);
  g_assert_cmpstr (shared->reason, ==, "vda is not on storage that b sees");
  g_assert_cmpstr (
      block->reason, ==,
      "vda is mirrored (1.0\302\240MiB); not live-shared: vda is not on storage that b sees");
  g_assert_cmpuint (block->bytes, ==, 1 << 20);
  /* What was decided of the disks is the job's from here on. */
  GodwitDisk *disk = g_ptr_array_index (godwit_job_get_guest (world->job)->disks, 0);
  g_assert_cmpint (disk->treatment, ==, GODWIT_TREATMENT_MIRROR);
}

static void
test_strategies_do_not_disturb_each_other (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();

  fake_world_add_disk (world, "vda", GODWIT_SHARING_NO);
  add_strategy (strategies, "one", "no");
  FakeStrategy *two = add_strategy (strategies, "two", NULL);
  two->treatment = GODWIT_TREATMENT_COPY;
  FakeStrategy *three = add_strategy (strategies, "three", NULL);
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, NULL));
  g_assert_cmpint (two->seen, ==, GODWIT_TREATMENT_UNDECIDED);
  g_assert_cmpint (three->seen, ==, GODWIT_TREATMENT_UNDECIDED);
  GodwitDisk *disk = g_ptr_array_index (godwit_job_get_guest (world->job)->disks, 0);
  g_assert_cmpint (disk->treatment, ==, GODWIT_TREATMENT_COPY);
}

static void
test_a_migration_stops_at_the_first_that_fits (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();

  add_strategy (strategies, "one", "no");
  add_strategy (strategies, "two", NULL);
  FakeStrategy *three = add_strategy (strategies, "three", NULL);
  godwit_job_set_may_touch (world->job, TRUE);
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, NULL));
  g_assert_cmpstr (plan->chosen, ==, "two");
  g_assert_cmpuint (three->checks, ==, 0);
}

static void
test_a_general_blocker_refuses_all (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();

  FakeStrategy *one = add_strategy (strategies, "one", NULL);
  godwit_report_add (plan->report, GODWIT_SEVERITY_BLOCKER, "same-host", "b", "godwit hosts",
                     "b is this very machine");
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, NULL));
  g_assert_null (plan->chosen);
  /* Its own checks are shown all the same: all that is wrong is said at once. */
  g_assert_cmpuint (one->checks, ==, 1);
  g_autoptr (GError) refusal = godwit_plan_to_error (plan);
  g_assert_error (refusal, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
  g_assert_cmpstr (godwit_error_get_remedy (refusal), ==, "godwit hosts");
}

static void
test_a_plan_has_one_commit (void)
{
  for (guint commits = 0; commits <= 2; commits += 2) {
    g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
    g_autoptr (GPtrArray) strategies = new_strategies ();
    g_autoptr (GodwitPlan) plan = new_plan ();
    g_autoptr (GError) error = NULL;

    add_strategy (strategies, "one", NULL)->commits = commits;
    g_assert_false (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
  }
}

static void
test_a_missing_plugin (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();
  g_autoptr (GodwitPlan) asked = new_plan ();
  g_autoptr (GError) missing = NULL;

  godwit_set_error (&missing, GODWIT_ERROR_CONFIG, "apt-get install godwit-plugin-live-shared",
                    "plugin live-shared is not installed");
  g_ptr_array_add (strategies, godwit_named_new ("live-shared", NULL, missing));
  add_strategy (strategies, "live-block", NULL);
  /* Nobody asked for it: the next one is taken. */
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, NULL));
  g_assert_cmpstr (plan->chosen, ==, "live-block");
  /* Asked for by name, it is the operator's mistake. */
  g_assert_true (godwit_plan_choose (asked, world->job, strategies, "live-shared", NULL, NULL));
  g_assert_null (asked->chosen);
  g_autoptr (GError) refusal = godwit_plan_to_error (asked);
  g_assert_error (refusal, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
  g_assert_cmpstr (godwit_error_get_remedy (refusal), ==,
                   "apt-get install godwit-plugin-live-shared");
}

static void
test_unknown_strategy_names_the_nearest (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();

  add_strategy (strategies, "live-shared", NULL);
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, "live-shaerd", NULL, NULL));
  const GodwitFinding *finding = find_finding (plan, "strategy-known");
  g_assert_nonnull (finding);
  g_assert_nonnull (strstr (finding->message, "did you mean live-shared?"));
  g_assert_nonnull (strstr (finding->message, "known: auto, live-shared"));
}

static void
test_json (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) strategies = new_strategies ();
  g_autoptr (GodwitPlan) plan = new_plan ();

  fake_world_add_disk (world, "vda", GODWIT_SHARING_NO);
  add_strategy (strategies, "live-block", NULL);
  g_assert_true (godwit_plan_choose (plan, world->job, strategies, NULL, NULL, NULL));
  g_autofree char *json = godwit_plan_to_json (plan, world->job);
  g_assert_nonnull (strstr (json, "\"chosen\":\"live-block\""));
  g_assert_nonnull (strstr (json, "\"treatment\":\"mirror\""));
  g_assert_nonnull (strstr (json, "\"commit\":true"));
  g_assert_null (strchr (json, '\n'));
}

/* --- the guest ---------------------------------------------------------------------------- */

typedef struct {
  GodwitGuestState state;
  const char *blockers;
} State;

static const State states[] = {
    {GODWIT_GUEST_RUNNING, ""},
    {GODWIT_GUEST_PAUSED, ""},
    {GODWIT_GUEST_SHUT_OFF, ""},
    {GODWIT_GUEST_CRASHED, "guest-state"},
    {GODWIT_GUEST_SHUTTING_DOWN, "guest-state"},
    {GODWIT_GUEST_PAUSED_MIGRATION, "guest-state"},
    {GODWIT_GUEST_UNKNOWN, "guest-state"},
};

static void
test_states (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++) {
    g_autoptr (FakeWorld) world = fake_world_new (states[i].state, NULL);
    g_autoptr (GodwitReport) report = godwit_report_new ();

    g_assert_true (godwit_plan_describe_guest (world->job, report, NULL, NULL));
    g_autofree char *blockers = fake_list_blockers (report, NULL);
    g_assert_cmpstr (blockers, ==, states[i].blockers);
  }
}

static void
test_busy (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GodwitReport) report = godwit_report_new ();

  world->hv_a->busy = g_strdup ("a backup");
  g_assert_true (godwit_plan_describe_guest (world->job, report, NULL, NULL));
  g_autofree char *blockers = fake_list_blockers (report, NULL);
  g_assert_cmpstr (blockers, ==, "guest-busy");
}

static void
test_missing (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GodwitPlan) plan = new_plan ();

  g_free (godwit_job_get_record (world->job)->guest);
  godwit_job_get_record (world->job)->guest = g_strdup ("wbe");
  g_assert_false (godwit_plan_describe_guest (world->job, plan->report, NULL, NULL));
  const GodwitFinding *finding = find_finding (plan, "guest-exists");
  g_assert_cmpstr (finding->message, ==,
                   "there is no guest wbe on a; did you mean web?; its guests: db, web");
}

/* --- disks -------------------------------------------------------------------------------- */

static GPtrArray *
new_storages (FakeWorld *world)
{
  GPtrArray *storages = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_named_free);

  g_ptr_array_add (storages, godwit_named_new ("fake", G_OBJECT (world->storage), NULL));
  return storages;
}

static void
test_inspection (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) storages = new_storages (world);
  g_autoptr (GodwitReport) report = godwit_report_new ();
  gboolean complete = FALSE;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES);
  GodwitDisk *empty = fake_world_add_disk (world, "sda", GODWIT_SHARING_UNKNOWN);
  g_ptr_array_set_size (empty->chain, 0);
  g_assert_true (godwit_plan_inspect_disks (world->job, storages, report, &complete, NULL, NULL));
  g_assert_true (complete);
  g_assert_cmpint (empty->treatment, ==, GODWIT_TREATMENT_SKIP);
  fake_assert_calls (world->storage->calls, "inspect vda, check_sharing vda");
}

static void
test_unclaimed (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) storages = new_storages (world);
  g_autoptr (GodwitPlan) plan = new_plan ();
  gboolean complete = TRUE;

  GodwitDisk *disk = fake_world_add_disk (world, "vda", GODWIT_SHARING_UNKNOWN);
  g_free (disk->type);
  disk->type = g_strdup ("network");
  g_assert_true (
      godwit_plan_inspect_disks (world->job, storages, plan->report, &complete, NULL, NULL));
  g_assert_false (complete);
  const GodwitFinding *finding = find_finding (plan, "disk-storage");
  g_assert_nonnull (strstr (finding->message, "type network"));
}

/* That two hosts cannot be compared is no reason to guess. */
static void
test_comparison_fails (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);
  g_autoptr (GPtrArray) storages = new_storages (world);
  g_autoptr (GodwitReport) report = godwit_report_new ();
  gboolean complete = FALSE;

  GodwitDisk *disk = fake_world_add_disk (world, "vda", GODWIT_SHARING_YES);
  world->storage->fail = "check_sharing vda";
  g_assert_true (godwit_plan_inspect_disks (world->job, storages, report, &complete, NULL, NULL));
  g_assert_cmpint (disk->sharing, ==, GODWIT_SHARING_UNKNOWN);
  g_assert_nonnull (strstr (disk->proof, "check_sharing vda failed"));
}

typedef struct {
  const char *pattern;
  const char *first, *second; /* paths of two writable disks */
  const char *directory;
} Instance;

static const Instance instances[] = {
    {NULL, "/srv/web/root", "/srv/web/data", "/srv/web"},
    {NULL, "/srv/00000000-0000-4000-8000-000000000001/root", NULL,
     "/srv/00000000-0000-4000-8000-000000000001"},
    {NULL, "/srv/web/root", "/srv/data", NULL},
    {NULL, "/srv/images/web.img", NULL, NULL},
    {NULL, "/srv/web/root", "/srv/web/deep/data", "/srv/web"},
    {"/srv/{name}", "/srv/web/root", "/srv/web/data", "/srv/web"},
    {"/srv/vm-{uuid}/", "/srv/vm-00000000-0000-4000-8000-000000000001/root", NULL,
     "/srv/vm-00000000-0000-4000-8000-000000000001/"},
    {"/srv/{name}", "/srv/web2/root", NULL, NULL},
    {"/srv/{name}", "/srv/images/root", NULL, NULL},
    /* A directory of many guests is nobody's own. */
    {"/srv/images", "/srv/images/root", NULL, NULL},
    {"/srv", "/srv/anything/root", "/srv/anything/data", "/srv/anything"},
    {"/srv/", "/srv/anything/root", NULL, "/srv/anything"},
    {"/srv", "/srv/one/root", "/srv/two/data", NULL},
    {"/srv", "/var/one/root", NULL, NULL},
};

static void
test_instance_directory (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (instances); i++) {
    const char *const paths[] = {instances[i].first, instances[i].second};
    g_autoptr (FakeWorld) world = fake_world_new (RUNS, NULL);

    for (gsize j = 0; j < G_N_ELEMENTS (paths) && paths[j] != NULL; j++) {
      GodwitDisk *disk = fake_world_add_disk (world, j == 0 ? "vda" : "vdb", GODWIT_SHARING_NO);
      g_free (disk->type);
      disk->type = g_strdup ("file");
      g_free (godwit_disk_get_top (disk)->path);
      godwit_disk_get_top (disk)->path = g_strdup (paths[j]);
    }
    /* A medium from the library does not count. */
    fake_world_add_disk (world, "sda", GODWIT_SHARING_NO)->read_only = TRUE;
    g_autofree char *directory =
        godwit_plan_find_instance_directory (world->guest, instances[i].pattern);
    g_assert_cmpstr (directory, ==, instances[i].directory);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++) {
    g_autofree char *path = g_strdup_printf ("/plan/choice/%s", choices[i].name);
    g_test_add_data_func (path, &choices[i], test_choice);
  }
  g_test_add_func ("/plan/reasons", test_reasons);
  g_test_add_func ("/plan/undisturbed", test_strategies_do_not_disturb_each_other);
  g_test_add_func ("/plan/hurry", test_a_migration_stops_at_the_first_that_fits);
  g_test_add_func ("/plan/general-blocker", test_a_general_blocker_refuses_all);
  g_test_add_func ("/plan/one-commit", test_a_plan_has_one_commit);
  g_test_add_func ("/plan/missing-plugin", test_a_missing_plugin);
  g_test_add_func ("/plan/unknown-strategy", test_unknown_strategy_names_the_nearest);
  g_test_add_func ("/plan/json", test_json);
  g_test_add_func ("/plan/guest/states", test_states);
  g_test_add_func ("/plan/guest/busy", test_busy);
  g_test_add_func ("/plan/guest/missing", test_missing);
  g_test_add_func ("/plan/disks/inspection", test_inspection);
  g_test_add_func ("/plan/disks/unclaimed", test_unclaimed);
  g_test_add_func ("/plan/disks/comparison", test_comparison_fails);
  g_test_add_func ("/plan/disks/instance-directory", test_instance_directory);
  return g_test_run ();
}
