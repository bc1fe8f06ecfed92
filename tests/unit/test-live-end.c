/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-bench.h"

#include <godwit/error.h>
#include <godwit/live.h>

/* --- proof -------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  GodwitGuestState source, destination;
  gboolean source_silent, destination_silent;
  gboolean proven;
} Proof;

/* By a worker that took over: it watches no process. */
static const Proof proofs[] = {
    {"shut-off", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, FALSE, FALSE, TRUE},
    {"absent", GODWIT_GUEST_ABSENT, GODWIT_GUEST_PAUSED, FALSE, FALSE, TRUE},
    {"resumed-by-somebody", GODWIT_GUEST_ABSENT, GODWIT_GUEST_RUNNING, FALSE, FALSE, TRUE},
    {"source-runs", GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED, FALSE, FALSE, FALSE},
    {"source-stopped", GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED, FALSE, FALSE, FALSE},
    {"source-crashed", GODWIT_GUEST_CRASHED, GODWIT_GUEST_PAUSED, FALSE, FALSE, FALSE},
    {"incomplete", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED_MIGRATION, FALSE, FALSE, FALSE},
    {"vanished", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_ABSENT, FALSE, FALSE, FALSE},
    {"source-silent", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, TRUE, FALSE, FALSE},
    {"destination-silent", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, FALSE, TRUE, FALSE},
};

static void
test_proof (gconstpointer data)
{
  const Proof *proof = data;
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  world->hv_a->state = proof->source;
  world->hv_b->state = proof->destination;
  world->hv_a->silent = proof->source_silent;
  world->hv_b->silent = proof->destination_silent;
  g_assert_cmpint (godwit_live_prove_frozen (world->job, NULL, &error), ==, proof->proven);
  g_assert_cmpint (error == NULL, ==, proof->proven);
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

static void
test_resume_repairs_and_tries_again (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, NULL);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES)->treatment = GODWIT_TREATMENT_ATTACH;
  world->hv_b->state = GODWIT_GUEST_PAUSED;
  world->hv_b->fail = "resume";
  world->hv_b->fail_times = 2;
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_b->calls, "resume, resume, resume");
  fake_assert_calls (world->storage->calls, "repair_access vda, repair_access vda");
}

/* Past the commit there is nobody to go back to, so a guest that ended is the end of the move. */
static void
test_resume_of_what_has_ended (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, NULL);
  g_autoptr (GError) error = NULL;

  world->hv_b->state = GODWIT_GUEST_ABSENT;
  world->hv_b->fail = "resume";
  g_assert_true (godwit_live_resume (world->job, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (godwit_guest_was_noted_ended_there (world->job));
  fake_assert_calls (world->hv_b->calls, "resume");
}

/* --- undo --------------------------------------------------------------------------------- */

static void
test_undo_of_nothing (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  /* Somebody else's guest of that name at the destination is none of our business. */
  world->hv_b->state = GODWIT_GUEST_RUNNING;
  g_assert_true (godwit_live_undo_copy (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

typedef struct {
  const char *name;
  GodwitGuestState source, destination;
  gboolean undone;
  const char *source_calls, *destination_calls;
} Undo;

static const Undo undos[] = {
    {"copying", GODWIT_GUEST_RUNNING, GODWIT_GUEST_PAUSED_MIGRATION, TRUE, "", "destroy"},
    {"clean-already", GODWIT_GUEST_RUNNING, GODWIT_GUEST_ABSENT, TRUE, "", ""},
    {"stopped", GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED_MIGRATION, TRUE, "resume",
     "destroy"},
    {"complete-but-source-alive", GODWIT_GUEST_PAUSED_MIGRATION, GODWIT_GUEST_PAUSED, TRUE,
     "resume", "destroy"},
    {"moved", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED, FALSE, "", ""},
    {"runs-at-both", GODWIT_GUEST_RUNNING, GODWIT_GUEST_RUNNING, FALSE, "", ""},
    {"died", GODWIT_GUEST_SHUT_OFF, GODWIT_GUEST_PAUSED_MIGRATION, TRUE, "", "destroy"},
    {"operator-paused-it", GODWIT_GUEST_PAUSED, GODWIT_GUEST_ABSENT, TRUE, "", ""},
};

static void
test_undo (gconstpointer data)
{
  const Undo *undo = data;
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  godwit_job_set_fact (world->job, "live.begun", g_variant_new_boolean (TRUE), NULL);
  world->hv_a->state = undo->source;
  world->hv_b->state = undo->destination;
  g_assert_cmpint (godwit_live_undo_copy (world->job, NULL, &error), ==, undo->undone);
  g_assert_cmpint (error == NULL, ==, undo->undone);
  fake_assert_calls (world->hv_a->calls, undo->source_calls);
  fake_assert_calls (world->hv_b->calls, undo->destination_calls);
  /* A second time changes nothing more. */
  g_assert_cmpint (godwit_live_undo_copy (world->job, NULL, NULL), ==, undo->undone);
  fake_assert_calls (world->hv_a->calls, "");
  fake_assert_calls (world->hv_b->calls, "");
}

static void
test_undo_waits_for_a_busy_source (void)
{
  g_autoptr (FakeWorld) world = live_world_new (GODWIT_GUEST_RUNNING, NULL, NULL);
  g_autoptr (GError) error = NULL;

  godwit_job_set_fact (world->job, "live.begun", g_variant_new_boolean (TRUE), NULL);
  world->hv_b->state = GODWIT_GUEST_PAUSED_MIGRATION;
  world->hv_a->busy = g_strdup ("outgoing migration");
  g_assert_false (godwit_live_undo_copy (world->job, NULL, &error));
  fake_assert_calls (world->hv_b->calls, "");
}

/* A destination that ended its half by itself took the image away from the guest that goes on. */
static void
test_undo_gives_shared_images_back (void)
{
  g_autoptr (FakeWorld) world = fake_world_new (GODWIT_GUEST_RUNNING, NULL);
  g_autoptr (GError) error = NULL;

  fake_world_add_disk (world, "vda", GODWIT_SHARING_YES)->treatment = GODWIT_TREATMENT_ATTACH;
  fake_world_add_disk (world, "vdb", GODWIT_SHARING_NO)->treatment = GODWIT_TREATMENT_MIRROR;
  godwit_job_set_fact (world->job, "live.begun", g_variant_new_boolean (TRUE), NULL);
  g_assert_true (godwit_live_undo_copy (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->storage->calls, "repair_access vda");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (proofs); i++) {
    g_autofree char *path = g_strdup_printf ("/live-end/proof/%s", proofs[i].name);
    g_test_add_data_func (path, &proofs[i], test_proof);
  }
  g_test_add_func ("/live-end/resume", test_resume_repairs_and_tries_again);
  g_test_add_func ("/live-end/resume-of-what-has-ended", test_resume_of_what_has_ended);
  g_test_add_func ("/live-end/undo/nothing", test_undo_of_nothing);
  for (gsize i = 0; i < G_N_ELEMENTS (undos); i++) {
    g_autofree char *path = g_strdup_printf ("/live-end/undo/%s", undos[i].name);
    g_test_add_data_func (path, &undos[i], test_undo);
  }
  g_test_add_func ("/live-end/undo/shared-images", test_undo_gives_shared_images_back);
  g_test_add_func ("/live-end/undo/busy", test_undo_waits_for_a_busy_source);
  return g_test_run ();
}
