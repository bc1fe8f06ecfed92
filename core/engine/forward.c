/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

#define N_TRIES_AFTER_COMMIT 4
#define CONFIRM_DEADLINE_S   1800

/* A late step is told apart from one that the operator ended, though both were cancelled. */
static void
explain_deadline (const GodwitStep *step, GError **error)
{
  g_autoptr (GError) inner = g_steal_pointer (error);
  godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL,
                    "it did not end within its deadline of %u seconds%s%s", step->deadline,
                    inner != NULL && !godwit_error_is_cancelled (inner) ? ": " : "",
                    inner != NULL && !godwit_error_is_cancelled (inner) ? inner->message : "");
}

/* Intent, deed; the result is the caller's to write. FALSE: the journal is lost. */
static gboolean
attempt (GodwitEngine *self, guint i, GCancellable *parent, GError **failure)
{
  const GodwitStep *step = godwit_engine_step (self, i);
  if (!godwit_engine_write_step (self, i, GODWIT_STEP_BEGUN, NULL))
    return FALSE;
  godwit_engine_note_step (self, i, "begun", GODWIT_SEVERITY_INFO, NULL);
  godwit_engine_send_copies (self, i);
  g_autofree char *what = g_strdup_printf ("step '%s'", step->name);
  GCancellable *cancellable = godwit_watchdog_begin (self->watchdog, what, step->deadline, parent);
  gboolean ok = godwit_strategy_run_step (self->strategy, self->job, step, cancellable, failure);
  if (godwit_watchdog_end (self->watchdog) && !ok)
    explain_deadline (step, failure);
  return TRUE;
}

static gboolean
write_result (GodwitEngine *self, guint i, GodwitStepState state, const GError *failure)
{
  if (!godwit_engine_write_step (self, i, state, failure != NULL ? failure->message : NULL))
    return FALSE;
  godwit_engine_note_step (self, i, godwit_step_state_to_string (state),
                           failure == NULL             ? GODWIT_SEVERITY_OK
                           : state == GODWIT_STEP_OWED ? GODWIT_SEVERITY_WARNING
                                                       : GODWIT_SEVERITY_BLOCKER,
                           failure != NULL ? failure->message : NULL);
  return TRUE;
}

/* --- before the commit ------------------------------------------------------------------- */

static gboolean
fail_step (GodwitEngine *self, guint i, GError *failure)
{
  g_autoptr (GError) owned = failure;
  return write_result (self, i, GODWIT_STEP_FAILED, owned) &&
         godwit_engine_set_cause (self, godwit_engine_step (self, i)->name,
                                  g_steal_pointer (&owned));
}

static gboolean
is_aborted (GodwitEngine *self, GError **error)
{
  if (self->cancellable == NULL || !g_cancellable_is_cancelled (self->cancellable))
    return FALSE;
  godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "it was aborted");
  return TRUE;
}

gboolean
godwit_engine_run_up_to_commit (GodwitEngine *self, gboolean *failed)
{
  *failed = TRUE;
  for (guint i = 0; i < self->commit; i++) {
    GError *failure = NULL;
    if (is_aborted (self, &failure))
      return godwit_engine_set_cause (self, godwit_engine_step (self, i)->name, failure);
    if (!attempt (self, i, self->cancellable, &failure))
      return FALSE;
    if (failure != NULL)
      return fail_step (self, i, failure);
    if (!write_result (self, i, GODWIT_STEP_DONE, NULL))
      return FALSE;
  }
  return godwit_engine_prove_and_commit (self, FALSE, failed);
}

gboolean
godwit_engine_prove_and_commit (GodwitEngine *self, gboolean despite_abort, gboolean *failed)
{
  guint i = self->commit;
  GError *failure = NULL;
  *failed = TRUE;
  if (!attempt (self, i, despite_abort ? NULL : self->cancellable, &failure))
    return FALSE;
  if (failure != NULL)
    return fail_step (self, i, failure);

  const char *verified = godwit_job_state_to_string (GODWIT_JOB_VERIFIED);
  godwit_job_emit (self->job, godwit_event_new (GODWIT_EVENT_STATE, verified, NULL));
  GError *error = NULL;
  if (!godwit_job_commit (self->job, i, despite_abort, &error)) {
    if (godwit_error_is_cancelled (error))
      return fail_step (self, i, error);
    return godwit_engine_lose (self, error);
  }
  self->states[i] = GODWIT_STEP_DONE;
  godwit_engine_note_step (self, i, "done", GODWIT_SEVERITY_OK, NULL);
  *failed = FALSE;
  return TRUE;
}

/* --- after the commit -------------------------------------------------------------------- */

/* One step that must succeed. *failure: it did not, after several tries. */
static gboolean
insist (GodwitEngine *self, guint i, GError **failure)
{
  for (guint n = 0; n < N_TRIES_AFTER_COMMIT; n++) {
    if (n > 0)
      godwit_engine_pause (self, 1u << (n - 1));
    g_clear_error (failure);
    if (!attempt (self, i, NULL, failure) ||
        !write_result (self, i, *failure == NULL ? GODWIT_STEP_DONE : GODWIT_STEP_FAILED, *failure))
      return FALSE;
    if (*failure == NULL)
      return TRUE;
  }
  return TRUE;
}

static gboolean
try_owed (GodwitEngine *self, guint i)
{
  g_autoptr (GError) failure = NULL;
  return attempt (self, i, NULL, &failure) &&
         write_result (self, i, failure == NULL ? GODWIT_STEP_DONE : GODWIT_STEP_OWED, failure);
}

gboolean
godwit_engine_retry_owed (GodwitEngine *self)
{
  for (guint n = 0; n < 2 && godwit_engine_count_owed (self) > 0; n++) {
    godwit_engine_pause (self, 1);
    if (n > 0 && !godwit_engine_hears_hosts (self))
      break;
    for (guint i = self->commit + 1; i < self->steps->len; i++) {
      if (self->states[i] == GODWIT_STEP_OWED && !try_owed (self, i))
        return FALSE;
    }
  }
  return TRUE;
}

gboolean
godwit_engine_go_on (GodwitEngine *self)
{
  for (guint i = self->commit + 1; i < self->steps->len; i++) {
    if (self->states[i] == GODWIT_STEP_DONE || self->states[i] == GODWIT_STEP_OWED)
      continue;
    const GodwitStep *step = godwit_engine_step (self, i);
    if (step->flags & GODWIT_STEP_MAY_OWE) {
      if (!try_owed (self, i))
        return FALSE;
      continue;
    }
    GError *failure = NULL;
    if (!insist (self, i, &failure)) {
      g_clear_error (&failure);
      return FALSE;
    }
    if (failure != NULL)
      return godwit_engine_set_cause (self, step->name, failure) &&
             godwit_engine_finish_stuck (self, NULL);
    /* The guest runs again, and from now on writes what only the target has. */
    if (i == self->commit + 1) {
      godwit_job_hold_copies (self->job, FALSE);
      godwit_job_send_copies (self->job);
    }
  }
  return godwit_engine_retry_owed (self) && godwit_engine_finish_done (self);
}

/* --- confirm ----------------------------------------------------------------------------- */

gboolean
godwit_engine_confirm_now (GodwitEngine *self)
{
  GError *error = NULL;
  if (!godwit_journal_begin_confirm (self->journal, self->record, &error))
    return godwit_engine_lose (self, error);
  GodwitEvent *begun = godwit_event_new (GODWIT_EVENT_STEP, "confirm", "remove the source's copy");
  godwit_job_emit (self->job, begun);

  g_autoptr (GError) failure = NULL;
  GCancellable *cancellable =
      godwit_watchdog_begin (self->watchdog, "the confirm", CONFIRM_DEADLINE_S, NULL);
  gboolean ok = godwit_strategy_confirm (self->strategy, self->job, cancellable, &failure);
  godwit_watchdog_end (self->watchdog);
  self->record->confirmed = ok;
  self->record->awaiting_confirm = !ok;
  g_clear_pointer (&self->record->error, g_free);
  self->record->error_code = -1;
  /* As long as no removal was tried, the job can be reverted. */
  g_autoptr (GVariant) released = godwit_job_get_fact (self->job, "release.begun");
  if (!ok && released == NULL &&
      !godwit_journal_cancel_confirm (self->journal, self->record, &error))
    return godwit_engine_lose (self, error);
  if (!ok) {
    self->record->error =
        g_strdup_printf ("the source's copy could not be removed: %s", failure->message);
    self->record->error_code = failure->domain == GODWIT_ERROR ? failure->code : -1;
  }
  g_autofree char *message =
      ok ? g_strdup ("the source's copy is removed") : g_strdup (self->record->error);
  GodwitEvent *ended = godwit_event_new (GODWIT_EVENT_STEP, "confirm", message);
  ended->severity = ok ? GODWIT_SEVERITY_OK : GODWIT_SEVERITY_WARNING;
  godwit_job_emit (self->job, ended);
  return TRUE;
}
