/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

#define MAX_ROUNDS       4
#define END_DEADLINE_S   60
#define FACT_END_HOME    "engine.end-home"
#define FACT_RESUME_HOME "engine.resume-home"

/* A deed of the engine's own at home, between an intent and a result like any step. */
static gboolean
act_at_home (GodwitEngine *self, const char *fact,
             gboolean (*deed) (GodwitHypervisor *, const char *, GCancellable *, GError **),
             GError **failure)
{
  GodwitHypervisor *home = godwit_engine_get_hypervisor (self, TRUE);
  GError *error = NULL;
  if (!godwit_job_set_fact (self->job, fact, g_variant_new_string ("begun"), &error))
    return godwit_engine_lose (self, error);
  GCancellable *cancellable = godwit_watchdog_begin (self->watchdog, fact, END_DEADLINE_S, NULL);
  gboolean ok = deed (home, self->record->uuid, cancellable, failure);
  godwit_watchdog_end (self->watchdog);
  if (!godwit_job_set_fact (self->job, fact, g_variant_new_string (ok ? "done" : "failed"), &error))
    return godwit_engine_lose (self, error);
  return TRUE;
}

/* The undo of the copy should have left the guest running at home. Where it could not, because
 * the worker that knew of the migration is gone, this does. */
static gboolean
let_home_run (GodwitEngine *self)
{
  const GodwitGuest *guest = godwit_job_get_guest (self->job);
  gboolean ran = guest != NULL && guest->state == GODWIT_GUEST_RUNNING;
  if (!ran || self->view.home != GODWIT_GUEST_PAUSED_MIGRATION)
    return TRUE;
  GodwitDecision decision =
      godwit_decide (GODWIT_POSITION_MOVING, self->view.home, self->view.target, self->view.past);
  if (decision.action != GODWIT_ACTION_RESUME_HOME)
    return TRUE;
  const char *name = godwit_engine_get_host_name (self, TRUE);
  godwit_job_log (self->job, GODWIT_SEVERITY_INFO, name, "resuming guest %s: %s",
                  self->record->guest, decision.reason);
  GError *error = NULL;
  if (!godwit_guest_note_ran_on (self->job, &error))
    return godwit_engine_lose (self, error);
  g_autoptr (GError) failure = NULL;
  if (!act_at_home (self, FACT_RESUME_HOME, godwit_hypervisor_resume, &failure))
    return FALSE;
  if (failure != NULL)
    godwit_job_log (self->job, GODWIT_SEVERITY_BLOCKER, name, "guest %s could not be resumed: %s",
                    self->record->guest, failure->message);
  godwit_engine_look (self);
  return TRUE;
}

static gboolean
roll_back (GodwitEngine *self, GodwitPosition position, gboolean *again)
{
  if (!godwit_engine_roll_back (self, again))
    return FALSE;
  if (*again)
    return TRUE;
  godwit_engine_look (self);
  if (position == GODWIT_POSITION_MOVING && !let_home_run (self))
    return FALSE;
  return godwit_engine_finish_rolled_back (self);
}

static gboolean
commit (GodwitEngine *self, gboolean *again)
{
  gboolean failed = FALSE;
  if (self->cause != NULL && godwit_error_is_cancelled (self->cause))
    godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL,
                    "the abort came too late: the guest has left its old home");
  if (!godwit_engine_prove_and_commit (self, TRUE, &failed))
    return FALSE;
  *again = failed;
  return failed || godwit_engine_go_on (self);
}

/* What stands still at home must never run again; after this it cannot. */
static gboolean
end_home (GodwitEngine *self)
{
  const char *name = godwit_engine_get_host_name (self, TRUE);
  godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, name,
                  "ending what is left of guest %s here: it belongs to %s now", self->record->guest,
                  godwit_engine_get_host_name (self, FALSE));
  GError *failure = NULL;
  if (!act_at_home (self, FACT_END_HOME, godwit_hypervisor_destroy, &failure))
    return FALSE;
  if (failure == NULL)
    return godwit_engine_go_on (self);
  return godwit_engine_set_cause (self, NULL, failure) &&
         godwit_engine_finish_stuck (self, "what is left of it at its old home could not be ended");
}

static gboolean
adopt (GodwitEngine *self, const GodwitDecision *decision)
{
  GError *error = NULL;
  /* What is known to be wrong with the disks there stands against it all the same. */
  if (!godwit_live_verify_allows (self->job, self->view.target, &error))
    return godwit_engine_set_cause (self, NULL, error) &&
           godwit_engine_finish_in_doubt (self, decision);
  godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL, "committing without the proof: %s",
                  decision->reason);
  if (!godwit_job_commit (self->job, self->commit, TRUE, &error))
    return godwit_engine_lose (self, error);
  self->states[self->commit] = GODWIT_STEP_DONE;
  return self->view.home == GODWIT_GUEST_PAUSED_MIGRATION ? end_home (self)
                                                          : godwit_engine_go_on (self);
}

static gboolean
act (GodwitEngine *self, GodwitPosition position, const GodwitDecision *decision, gboolean *again)
{
  switch (decision->action) {
  case GODWIT_ACTION_ROLL_BACK:
  case GODWIT_ACTION_RESUME_HOME:
    return roll_back (self, position, again);
  case GODWIT_ACTION_COMMIT:
    /* A host that is off proves nothing more. */
    return godwit_engine_is_off (self, TRUE) ? adopt (self, decision) : commit (self, again);
  case GODWIT_ACTION_ADOPT:
    return adopt (self, decision);
  case GODWIT_ACTION_FORWARD:
    return godwit_engine_go_on (self);
  case GODWIT_ACTION_END_HOME:
    return end_home (self);
  case GODWIT_ACTION_WAIT:
    return godwit_engine_finish_stuck (self, decision->reason);
  case GODWIT_ACTION_DOUBT:
  case GODWIT_ACTION_ALARM:
    break;
  }
  return godwit_engine_finish_in_doubt (self, decision);
}

static void
log_decision (GodwitEngine *self, const GodwitDecision *decision)
{
  g_autofree char *where = godwit_engine_describe (self);
  godwit_job_log (self->job, GODWIT_SEVERITY_INFO, NULL, "%s; decision: %s, because %s", where,
                  godwit_action_to_string (decision->action), decision->reason);
}

gboolean
godwit_engine_resolve (GodwitEngine *self)
{
  GodwitDecision decision = {GODWIT_ACTION_DOUBT, NULL};
  for (guint round = 0; round < MAX_ROUNDS; round++) {
    GodwitPosition position = godwit_engine_get_position (self);
    godwit_engine_look (self);
    decision = godwit_decide (position, self->view.home, self->view.target, self->view.past);
    log_decision (self, &decision);
    gboolean again = FALSE;
    if (!act (self, position, &decision, &again))
      return FALSE;
    if (!again)
      return TRUE;
    godwit_engine_pause (self, 1u << round);
  }
  decision.action = GODWIT_ACTION_DOUBT;
  return godwit_engine_finish_in_doubt (self, &decision);
}
