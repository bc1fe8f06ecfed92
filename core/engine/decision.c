/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/decision.h"

/* States that mean the same for the question who owns the guest. */
typedef enum { RUNS, PAUSED, HALF, DOWN, UNKNOWN, N_CLASSES } Class;

static Class
classify (GodwitGuestState state)
{
  switch (state) {
  case GODWIT_GUEST_RUNNING:
  case GODWIT_GUEST_SHUTTING_DOWN:
    return RUNS;
  case GODWIT_GUEST_PAUSED:
    return PAUSED;
  case GODWIT_GUEST_PAUSED_MIGRATION:
    return HALF;
  case GODWIT_GUEST_ABSENT:
  case GODWIT_GUEST_SHUT_OFF:
  case GODWIT_GUEST_CRASHED:
    return DOWN;
  case GODWIT_GUEST_UNKNOWN:
    break;
  }
  return UNKNOWN;
}

#define BACK(why)                                                                                  \
  {                                                                                                \
    GODWIT_ACTION_ROLL_BACK, why                                                                   \
  }
#define CELL(action, why)                                                                          \
  {                                                                                                \
    GODWIT_ACTION_##action, why                                                                    \
  }

#define AT_HOME    "the guest is at home, and nothing starts it elsewhere before the commit"
#define BOTH       "the guest runs on both hosts"
#define TWICE      "it runs at the target although the job has not committed"
#define STRANGE    "the target has the guest although this job never moved its memory there"
#define UNASKED    "the host that owns the guest until the commit cannot be asked"
#define BROKEN     "the guest is alive at its old home although the job has committed"
#define NO_ANSWER  "the guest belongs to the target, which cannot be asked"
#define INCOMPLETE "the job has committed, but the guest is not complete at the target"
#define OLDER      "it went on at home and ended there, so what the target has is older"
#define MOVED      "the job has committed, and nothing of the guest is left at its old home"

/* [home][target], each RUNS, PAUSED, HALF, DOWN, UNKNOWN. HALF is "paused by a migration": a home
 * that was stopped for the switch, or a target that is not complete. */
static const GodwitDecision prepared[N_CLASSES][N_CLASSES] = {
    [RUNS] = {CELL (ALARM, BOTH), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME)},
    [PAUSED] = {CELL (ALARM, TWICE), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME),
                BACK (AT_HOME)},
    [HALF] = {CELL (ALARM, TWICE), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME),
              CELL (DOUBT, "a migration has stopped the guest at home, and the target, which may "
                           "have it, cannot be asked")},
    /* A guest that was stopped on purpose: its disks at home are the truth. */
    [DOWN] = {CELL (ALARM, STRANGE), CELL (ALARM, STRANGE), CELL (ALARM, STRANGE), BACK (AT_HOME),
              BACK (AT_HOME)},
    [UNKNOWN] = {CELL (DOUBT, UNASKED), CELL (DOUBT, UNASKED), CELL (DOUBT, UNASKED),
                 CELL (DOUBT, UNASKED), CELL (DOUBT, UNASKED)},
};

static const GodwitDecision moving[N_CLASSES][N_CLASSES] = {
    [RUNS] = {CELL (ALARM, BOTH), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME)},
    [PAUSED] = {CELL (ALARM, TWICE), BACK (AT_HOME), BACK (AT_HOME), BACK (AT_HOME),
                BACK (AT_HOME)},
    /* Home still has the memory here, so it wins as long as the target has not run. */
    [HALF] = {CELL (ADOPT, "it runs at the target and stands still at home"), BACK (AT_HOME),
              BACK (AT_HOME),
              CELL (RESUME_HOME, "the guest stands still at home, and the target does not have it"),
              CELL (DOUBT, "the guest stands still at home, and the target, where it may be "
                           "complete, cannot be asked")},
    /* The process at home ends only after the target was complete. */
    [DOWN] = {CELL (ADOPT, "it runs at the target and no longer exists at home"),
              CELL (COMMIT, "the target alone has the guest's memory, complete and paused"),
              BACK ("the guest ended at home before its memory was complete at the target"),
              BACK ("the guest runs on neither host; its disks at home are the truth"),
              CELL (DOUBT, "the guest has ended at home, and the target, which may have its "
                           "memory, cannot be asked")},
    [UNKNOWN] = {CELL (DOUBT, UNASKED), CELL (DOUBT, UNASKED), CELL (DOUBT, UNASKED),
                 CELL (DOUBT, UNASKED), CELL (DOUBT, UNASKED)},
};

static const GodwitDecision committed[N_CLASSES][N_CLASSES] = {
    [RUNS] = {CELL (ALARM, BOTH), CELL (ALARM, BROKEN), CELL (ALARM, BROKEN), CELL (ALARM, BROKEN),
              CELL (ALARM, BROKEN)},
    [PAUSED] = {CELL (ALARM, BROKEN), CELL (ALARM, BROKEN), CELL (ALARM, BROKEN),
                CELL (ALARM, BROKEN), CELL (ALARM, BROKEN)},
    [HALF] = {CELL (END_HOME, "it runs at the target and stands still at home"),
              CELL (END_HOME, "it is complete at the target and stands still at home"),
              CELL (ALARM, INCOMPLETE),
              CELL (ALARM, "the job has committed, but only the old home has the guest's memory"),
              CELL (WAIT, NO_ANSWER)},
    [DOWN] = {CELL (FORWARD, MOVED), CELL (FORWARD, MOVED), CELL (ALARM, INCOMPLETE),
              CELL (FORWARD, MOVED), CELL (WAIT, NO_ANSWER)},
    /* The commit is the proof that the old home does not run it. */
    [UNKNOWN] = {CELL (FORWARD, MOVED), CELL (FORWARD, MOVED), CELL (ALARM, INCOMPLETE),
                 CELL (FORWARD, MOVED), CELL (WAIT, NO_ANSWER)},
};

/* Home has no process of the guest, and something is known of how it ended there: [past][target].
 */
static const GodwitDecision ended[][N_CLASSES] = {
    [GODWIT_PAST_RAN_ON] = {CELL (ALARM, "it went on at home, and runs at the target as well"),
                            BACK (OLDER), BACK (OLDER), BACK (OLDER), BACK (OLDER)},
    [GODWIT_PAST_ENDED] =
        {CELL (ADOPT, "it runs at the target and was ended at home"),
         CELL (DOUBT, "it was ended at home, where it may have run on, and the target has its "
                      "memory of before: resume it there, or end it there, by hand"),
         BACK ("it was ended at home before its memory was complete at the target"),
         BACK ("the guest runs on neither host; its disks at home are the truth"),
         CELL (DOUBT, "the guest was ended at home, and the target, which may have its memory, "
                      "cannot be asked")},
    [GODWIT_PAST_OLD_COPY] =
        {CELL (ADOPT, "it runs at the target and no longer exists at home"),
         CELL (COMMIT, "the target alone has the guest's memory, complete and paused"),
         BACK ("the guest ended at home before its memory was complete at the target"),
         CELL (DOUBT,
               "the guest runs on neither host, and this copy of the job's record is from "
               "before its commit: if it ran at the target, the newest disks are there; start "
               "it by hand where they are"),
         CELL (DOUBT, "the guest has ended at home, and the target, which may have its memory, "
                      "cannot be asked")},
};

GodwitDecision
godwit_decide (GodwitPosition position, GodwitGuestState home, GodwitGuestState target,
               GodwitPast past)
{
  Class at_home = classify (home);
  Class at_target = classify (target);
  switch (position) {
  case GODWIT_POSITION_NOTHING:
    break;
  case GODWIT_POSITION_PREPARED:
    return prepared[at_home][at_target];
  case GODWIT_POSITION_MOVING:
    if (at_home == DOWN && past != GODWIT_PAST_UNKNOWN)
      return ended[past][at_target];
    return moving[at_home][at_target];
  case GODWIT_POSITION_COMMITTED:
    return committed[at_home][at_target];
  }
  return (GodwitDecision)BACK ("nothing had been begun");
}

const char *
godwit_action_to_string (GodwitAction action)
{
  static const char *const names[] = {"roll back",   "resume at home", "commit",   "adopt", "go on",
                                      "end at home", "wait",           "in doubt", "alarm"};
  return (guint)action < G_N_ELEMENTS (names) ? names[action] : "unknown";
}
