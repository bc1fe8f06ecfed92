/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/decision.h"

#define N_STATES (GODWIT_GUEST_UNKNOWN + 1)

/* The whole table once more, written by hand, one letter a cell; rows: home, columns: target, both
 * in the order of GodwitGuestState: absent, shut off, running, paused, paused by a migration,
 * shutting down, crashed, unknown.
 * b roll back, h resume at home, c commit, a adopt, f go on, e end home, w wait, d doubt, ! alarm
 */
static const char *const expected[][N_STATES] = {
    [GODWIT_POSITION_NOTHING] = {"bbbbbbbb", "bbbbbbbb", "bbbbbbbb", "bbbbbbbb", "bbbbbbbb",
                                 "bbbbbbbb", "bbbbbbbb", "bbbbbbbb"},
    [GODWIT_POSITION_PREPARED] =
        {
            "bb!!!!bb", /* absent */
            "bb!!!!bb", /* shut off */
            "bb!bb!bb", /* running */
            "bb!bb!bb", /* paused */
            "bb!bb!bd", /* paused by a migration */
            "bb!bb!bb", /* shutting down */
            "bb!!!!bb", /* crashed */
            "dddddddd", /* unknown */
        },
    [GODWIT_POSITION_MOVING] =
        {
            "bbacbabd", /* absent */
            "bbacbabd", /* shut off */
            "bb!bb!bb", /* running */
            "bb!bb!bb", /* paused */
            "hhabbahd", /* paused by a migration */
            "bb!bb!bb", /* shutting down */
            "bbacbabd", /* crashed */
            "dddddddd", /* unknown */
        },
    [GODWIT_POSITION_COMMITTED] =
        {
            "ffff!ffw", /* absent */
            "ffff!ffw", /* shut off */
            "!!!!!!!!", /* running */
            "!!!!!!!!", /* paused */
            "!!ee!e!w", /* paused by a migration */
            "!!!!!!!!", /* shutting down */
            "ffff!ffw", /* crashed */
            "ffff!ffw", /* unknown */
        },
};

static const char letters[] = "bhcafewd!";

static void
test_every_cell (void)
{
  guint n = 0;
  for (guint p = 0; p <= GODWIT_POSITION_COMMITTED; p++) {
    for (guint home = 0; home < N_STATES; home++) {
      for (guint target = 0; target < N_STATES; target++, n++) {
        GodwitDecision decision = godwit_decide (p, home, target, GODWIT_PAST_UNKNOWN);
        g_assert_nonnull (decision.reason);
        if (letters[decision.action] != expected[p][home][target])
          g_error ("position %u, home %s, target %s: %s", p, godwit_guest_state_to_string (home),
                   godwit_guest_state_to_string (target),
                   godwit_action_to_string (decision.action));
      }
    }
  }
  g_assert_cmpuint (n, ==, 4 * 8 * 8);
}

/* The same for a home where the guest has ended: only while memory may be moving does it matter
 * how. */
static void
test_how_it_ended (void)
{
  static const char *const by_past[] = {[GODWIT_PAST_RAN_ON] = "bb!bb!bb",
                                        [GODWIT_PAST_ENDED] = "bbadbabd",
                                        [GODWIT_PAST_OLD_COPY] = "ddacbadd"};
  for (guint past = GODWIT_PAST_RAN_ON; past <= GODWIT_PAST_OLD_COPY; past++) {
    for (guint p = 0; p <= GODWIT_POSITION_COMMITTED; p++) {
      for (guint home = 0; home < N_STATES; home++) {
        gboolean down = home == GODWIT_GUEST_ABSENT || home == GODWIT_GUEST_SHUT_OFF ||
                        home == GODWIT_GUEST_CRASHED;
        for (guint target = 0; target < N_STATES; target++) {
          char letter = down && p == GODWIT_POSITION_MOVING ? by_past[past][target]
                                                            : expected[p][home][target];
          g_assert_cmpint (letters[godwit_decide (p, home, target, past).action], ==, letter);
        }
      }
    }
  }
}

static gboolean
is_alive (GodwitGuestState state)
{
  return state == GODWIT_GUEST_RUNNING || state == GODWIT_GUEST_SHUTTING_DOWN;
}

/* What must hold whatever somebody changes in the table. */
static void
check_rules (GodwitPosition position, GodwitGuestState home, GodwitGuestState target)
{
  GodwitAction action = godwit_decide (position, home, target, GODWIT_PAST_UNKNOWN).action;
  gboolean backward = action == GODWIT_ACTION_ROLL_BACK || action == GODWIT_ACTION_RESUME_HOME;
  gboolean untouched = action == GODWIT_ACTION_ALARM || action == GODWIT_ACTION_DOUBT ||
                       action == GODWIT_ACTION_WAIT;
  if (position == GODWIT_POSITION_NOTHING)
    return;
  if (is_alive (home) && is_alive (target))
    g_assert_cmpint (action, ==, GODWIT_ACTION_ALARM);
  /* Nothing goes back after the commit, and nothing goes on while the old home lives. */
  if (position == GODWIT_POSITION_COMMITTED)
    g_assert_false (backward);
  if (position == GODWIT_POSITION_COMMITTED && is_alive (home))
    g_assert_true (untouched);
  /* A target that runs, or that alone has the memory, is never rolled back. */
  if (is_alive (target))
    g_assert_false (backward);
  if (target == GODWIT_GUEST_PAUSED && !is_alive (home) && home != GODWIT_GUEST_PAUSED &&
      home != GODWIT_GUEST_PAUSED_MIGRATION)
    g_assert_false (backward);
  /* Home that cannot be asked before the commit, or a target after it: nothing is touched. */
  if (position != GODWIT_POSITION_COMMITTED && home == GODWIT_GUEST_UNKNOWN)
    g_assert_true (untouched);
  if (position == GODWIT_POSITION_COMMITTED && target == GODWIT_GUEST_UNKNOWN)
    g_assert_true (untouched);
}

static void
test_rules (void)
{
  for (guint p = 0; p <= GODWIT_POSITION_COMMITTED; p++) {
    for (guint home = 0; home < N_STATES; home++) {
      for (guint target = 0; target < N_STATES; target++)
        check_rules (p, home, target);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decision/every-cell", test_every_cell);
  g_test_add_func ("/decision/how-it-ended", test_how_it_ended);
  g_test_add_func ("/decision/rules", test_rules);
  return g_test_run ();
}
