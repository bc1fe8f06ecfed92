/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

/* Undoing may have to wait for the other side even where doing had not. */
#define MIN_UNDO_DEADLINE_S 120
#define N_RETRIES           2

static gboolean
needs_undo (GodwitEngine *self, guint i)
{
  return (godwit_engine_step (self, i)->flags & GODWIT_STEP_UNDO) &&
         self->states[i] != GODWIT_STEP_WAITING && self->states[i] != GODWIT_STEP_UNDONE;
}

static gboolean
undo_one (GodwitEngine *self, guint i)
{
  const GodwitStep *step = godwit_engine_step (self, i);
  if (!godwit_engine_write_step (self, i, GODWIT_STEP_UNDOING, NULL))
    return FALSE;
  godwit_engine_note_step (self, i, "undoing", GODWIT_SEVERITY_INFO, "undoing");
  godwit_job_hold_copies (self->job, FALSE);
  godwit_job_send_copies (self->job);

  g_autofree char *what = g_strdup_printf ("undoing step '%s'", step->name);
  g_autoptr (GError) failure = NULL;
  guint deadline = MAX (step->deadline, MIN_UNDO_DEADLINE_S);
  GCancellable *cancellable = godwit_watchdog_begin (self->watchdog, what, deadline, NULL);
  gboolean ok = godwit_strategy_undo_step (self->strategy, self->job, step, cancellable, &failure);
  godwit_watchdog_end (self->watchdog);

  if (!godwit_engine_write_step (self, i, ok ? GODWIT_STEP_UNDONE : GODWIT_STEP_OWED,
                                 ok ? NULL : failure->message))
    return FALSE;
  g_autofree char *message =
      ok ? g_strdup ("undone") : g_strdup_printf ("undoing it failed: %s", failure->message);
  godwit_engine_note_step (self, i, ok ? "undone" : "owed",
                           ok ? GODWIT_SEVERITY_OK : GODWIT_SEVERITY_WARNING, message);
  return TRUE;
}

/* An undo that failed may have left the target as the only one that has the guest. Then nothing
 * more may be taken away there. */
gboolean
godwit_engine_is_home_safe (GodwitEngine *self)
{
  if (godwit_engine_get_position (self) == GODWIT_POSITION_NOTHING)
    return TRUE;
  godwit_engine_look (self);
  GodwitDecision decision = godwit_decide (godwit_engine_get_position (self), self->view.home,
                                           self->view.target, self->view.past);
  return decision.action == GODWIT_ACTION_ROLL_BACK || decision.action == GODWIT_ACTION_RESUME_HOME;
}

static gboolean
undo_all (GodwitEngine *self, gboolean only_owed, gboolean *unsafe)
{
  for (guint n = self->commit; n > 0 && !*unsafe; n--) {
    guint i = n - 1;
    if (!needs_undo (self, i) || (only_owed && self->states[i] != GODWIT_STEP_OWED))
      continue;
    if (!undo_one (self, i))
      return FALSE;
    if (self->states[i] == GODWIT_STEP_OWED)
      *unsafe = !godwit_engine_is_home_safe (self);
  }
  return TRUE;
}

gboolean
godwit_engine_retry_undo (GodwitEngine *self, gboolean *unsafe)
{
  *unsafe = FALSE;
  for (guint n = 0; n < N_RETRIES && !*unsafe && godwit_engine_count_owed (self) > 0; n++) {
    godwit_engine_pause (self, 1 + n);
    if (n > 0 && !godwit_engine_hears_hosts (self))
      break;
    if (!undo_all (self, TRUE, unsafe))
      return FALSE;
  }
  return TRUE;
}

gboolean
godwit_engine_roll_back (GodwitEngine *self, gboolean *unsafe)
{
  /* From here on an abort has nothing left to say. */
  godwit_job_set_cancellable (self->job, NULL);
  *unsafe = FALSE;
  if (!undo_all (self, FALSE, unsafe))
    return FALSE;
  return *unsafe || godwit_engine_retry_undo (self, unsafe);
}
