/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../fake/fake-world.h"

#include <godwit/live.h>

static const GodwitStepEntry entries[] = {
    {"prepare", "make room", GODWIT_PHASE_PREPARING, 1, 0, 0, NULL, NULL},
    {"hold-autostart", "hold it", GODWIT_PHASE_PREPARING, 1, 0, 0, NULL, NULL},
    {"commit", "prove it", GODWIT_PHASE_FROZEN, 1, 0, GODWIT_STEP_COMMIT, NULL, NULL},
    {NULL},
};

static FakeWorld *
world_with (GodwitGuestState state, const char *boot)
{
  FakeWorld *world = fake_world_new (state, NULL);

  world->guest->autostart = TRUE;
  world->a->boot_id = boot;
  return world;
}

static void
hold (FakeWorld *world)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_guest_hold_autostart (world->job, NULL, &error));
  g_assert_no_error (error);
  fake_assert_calls (world->hv_a->calls, "autostart off");
}

static void
release (FakeWorld *world)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (godwit_guest_release_autostart (world->job, NULL, &error));
  g_assert_no_error (error);
}

static void
test_only_where_there_is_one (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, "boot-1");
  g_autoptr (GPtrArray) with = godwit_guest_plan_steps (world->job, entries);

  g_assert_cmpuint (with->len, ==, 3);
  world->guest->autostart = FALSE;
  g_autoptr (GPtrArray) without = godwit_guest_plan_steps (world->job, entries);
  g_assert_cmpuint (without->len, ==, 2);
  g_assert_cmpstr (((GodwitStep *)g_ptr_array_index (without, 1))->name, ==, "commit");
}

static void
test_held_and_released (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, "boot-1");

  /* What was never held is not switched on: an operator may have switched it off. */
  release (world);
  fake_assert_calls (world->hv_a->calls, "");
  hold (world);
  release (world);
  fake_assert_calls (world->hv_a->calls, "autostart on");
  release (world);
  fake_assert_calls (world->hv_a->calls, "");
}

static void
test_makes_up_for_a_boot (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, "boot-1");

  hold (world);
  world->a->boot_id = "boot-2";
  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  release (world);
  fake_assert_calls (world->hv_a->calls, "autostart on, start");
  g_assert_cmpint (world->hv_a->state, ==, GODWIT_GUEST_RUNNING);
}

/* Off without a boot: its user has shut it down. */
static void
test_leaves_a_guest_that_is_off (void)
{
  g_autoptr (FakeWorld) world = world_with (GODWIT_GUEST_RUNNING, "boot-1");

  hold (world);
  world->hv_a->state = GODWIT_GUEST_SHUT_OFF;
  release (world);
  fake_assert_calls (world->hv_a->calls, "autostart on");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/autostart/only-where-there-is-one", test_only_where_there_is_one);
  g_test_add_func ("/autostart/held-and-released", test_held_and_released);
  g_test_add_func ("/autostart/makes-up-for-a-boot", test_makes_up_for_a_boot);
  g_test_add_func ("/autostart/leaves-a-guest-that-is-off", test_leaves_a_guest_that_is_off);
  return g_test_run ();
}
