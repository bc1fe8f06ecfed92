/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include "guest/past.h"

#include <godwit/disks.h>
#include <godwit/error.h>

#define OPEN_DEADLINE_S 300

static gboolean
reopen (GodwitEngine *self, GError **error)
{
  GCancellable *cancellable =
      godwit_watchdog_begin (self->watchdog, "reaching the hosts", OPEN_DEADLINE_S, NULL);
  self->strategy = self->backend->reopen (self->job, self->backend->data, cancellable, error);
  godwit_watchdog_end (self->watchdog);
  return self->strategy != NULL && godwit_engine_load_steps (self, error);
}

/* The job stays as it is; only why nothing could be done is new. */
static gboolean
give_up (GodwitEngine *self, GError *error)
{
  g_autoptr (GError) owned = error;
  g_free (self->record->error);
  self->record->error =
      g_strdup_printf ("nothing could be done for job %s: %s", self->record->id, owned->message);
  self->record->error_code = owned->domain == GODWIT_ERROR ? owned->code : GODWIT_ERROR_INTERNAL;
  return godwit_engine_close (self, self->record->state);
}

static const char *
find_interrupted_step (GodwitEngine *self)
{
  for (guint n = self->steps->len; n > 0; n--) {
    if (self->states[n - 1] == GODWIT_STEP_BEGUN)
      return godwit_engine_step (self, n - 1)->name;
  }
  for (guint i = 0; i < self->steps->len; i++) {
    if (self->states[i] == GODWIT_STEP_WAITING)
      return godwit_engine_step (self, i)->name;
  }
  return godwit_engine_step (self, self->steps->len - 1)->name;
}

static gboolean
set_cause (GodwitEngine *self, const char *step)
{
  GError *error = NULL;
  if (self->record->aborted_by != NULL && !self->record->committed)
    godwit_set_error (&error, GODWIT_ERROR_CANCELLED, NULL, "it was aborted");
  else if (step == NULL)
    godwit_set_error (&error, GODWIT_ERROR_TRANSIENT, NULL,
                      "the job's worker ended while it was planning; nothing was touched");
  else
    godwit_set_error (&error, GODWIT_ERROR_TRANSIENT, NULL, "the job's worker ended during it");
  return godwit_engine_set_cause (self, step, error);
}

/* A plan touches one thing: it asks with a marker file whether the hosts see the same storage. */
static gboolean
tidy_planning (GodwitEngine *self)
{
  g_auto (GStrv) markers = godwit_job_list_facts (self->job, "marker.");
  self->record->debts = 0;
  if (markers[0] == NULL)
    return TRUE;
  GCancellable *cancellable =
      godwit_watchdog_begin (self->watchdog, "reaching the hosts", OPEN_DEADLINE_S, NULL);
  if (self->backend->reach != NULL)
    self->backend->reach (self->job, self->backend->data, cancellable);
  g_autoptr (GError) error = NULL;
  gboolean ok = godwit_disks_remove_markers (self->job, cancellable, &error);
  godwit_watchdog_end (self->watchdog);
  if (ok)
    return TRUE;
  self->record->debts = 1;
  godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL,
                  "a marker file of the plan is still there: %s", error->message);
  return FALSE;
}

static gboolean
recover_unfinished (GodwitEngine *self)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) steps = godwit_journal_get_plan (self->journal, self->record->id, &error);
  if (steps == NULL)
    return godwit_engine_lose (self, error);
  /* Without a plan no step can have begun, and no host need be reached to know that. */
  if (steps->len == 0) {
    self->is_tidy = tidy_planning (self);
    return set_cause (self, NULL) && godwit_engine_finish_rolled_back (self);
  }
  if (!reopen (self, &error))
    return give_up (self, error);
  return set_cause (self, find_interrupted_step (self)) && godwit_engine_resolve (self);
}

/* --- jobs that have ended ---------------------------------------------------------------- */

/* A worker that died while it tried a debt again left the step half-way. */
static void
find_debts (GodwitEngine *self)
{
  gboolean done = self->record->state == GODWIT_JOB_DONE;
  for (guint i = 0; i < self->steps->len; i++) {
    GodwitStepState state = self->states[i];
    gboolean undo = (godwit_engine_step (self, i)->flags & GODWIT_STEP_UNDO) &&
                    state != GODWIT_STEP_WAITING && state != GODWIT_STEP_UNDONE;
    if (done ? i > self->commit && state != GODWIT_STEP_DONE : undo)
      self->states[i] = GODWIT_STEP_OWED;
  }
}

static gboolean
retry_clean_up (GodwitEngine *self)
{
  g_autoptr (GError) refused = NULL;
  godwit_engine_load_cause (self);
  if (!godwit_journal_check_guest_is_free (self->journal, self->record, &refused) ||
      !godwit_engine_is_home_safe (self)) {
    /* A later job may have moved the guest to where this one's remains lie. */
    g_autofree char *where = godwit_engine_describe (self);
    godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL, "the clean-up has to wait: %s",
                    refused != NULL ? refused->message : where);
    return godwit_engine_close (self, self->record->state);
  }
  gboolean unsafe = FALSE;
  return godwit_engine_retry_undo (self, &unsafe) && godwit_engine_finish_rolled_back (self);
}

/* A later job has the guest in hand; what is owed here would be done to what it works on. */
static gboolean
wait_for_other (GodwitEngine *self, GError *error)
{
  g_autoptr (GError) owned = error;
  godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL, "the clean-up has to wait: %s",
                  owned->message);
  return godwit_engine_release (self, self->record->state);
}

static gboolean
end_as_before (GodwitEngine *self, GodwitSeverity severity, const char *text)
{
  godwit_job_log (self->job, severity, NULL, "%s: the job is %s and owes nothing", text,
                  godwit_job_state_to_string (self->record->state));
  return godwit_engine_release (self, self->record->state);
}

/* Nothing is owed; but a guest that was down after its move may have been started since, and then
 * the job has nothing to complain of any more. */
static gboolean
look_after_guest (GodwitEngine *self)
{
  GodwitJobRecord *record = self->record;
  g_autoptr (GError) error = NULL;
  if (record->state != GODWIT_JOB_DONE || !godwit_guest_was_noted_ended_there (self->job))
    return end_as_before (self, GODWIT_SEVERITY_OK, "nothing to recover");
  if (!reopen (self, &error)) {
    g_autofree char *text =
        g_strdup_printf ("whether its guest is still down cannot be told (%s)", error->message);
    return end_as_before (self, GODWIT_SEVERITY_WARNING, text);
  }
  if (godwit_engine_has_ended_there (self))
    return end_as_before (self, GODWIT_SEVERITY_WARNING, "its guest is still down");
  g_clear_pointer (&record->error, g_free);
  record->error_code = -1;
  return godwit_engine_close (self, GODWIT_JOB_DONE);
}

/* The confirm's own failure comes before whatever else there is to say. */
static gboolean
confirm_and_close (GodwitEngine *self)
{
  GodwitJobState state = self->record->state;
  if (!godwit_engine_confirm_now (self))
    return FALSE;
  if (self->record->error == NULL && state == GODWIT_JOB_DONE)
    godwit_engine_describe_left (self, godwit_engine_has_ended_there (self));
  return godwit_engine_close (self, state);
}

static gboolean
recover_ended (GodwitEngine *self)
{
  gboolean confirm = self->record->awaiting_confirm &&
                     godwit_journal_has_begun_confirm (self->journal, self->record->id);
  if (self->record->debts == 0 && !confirm)
    return look_after_guest (self);
  GError *error = NULL;
  g_autoptr (GPtrArray) steps = godwit_journal_get_plan (self->journal, self->record->id, &error);
  if (steps == NULL)
    return godwit_engine_lose (self, error);
  if (steps->len == 0) {
    tidy_planning (self);
    return godwit_engine_close (self, self->record->state);
  }
  if (!reopen (self, &error))
    return give_up (self, error);
  /* All that a job can owe whose guest has gone back is the confirm of its older copy. */
  if (self->record->state == GODWIT_JOB_REVERTED)
    return confirm ? confirm_and_close (self) : godwit_engine_release (self, GODWIT_JOB_REVERTED);
  find_debts (self);
  if (self->record->state != GODWIT_JOB_DONE)
    return retry_clean_up (self);
  if (!godwit_journal_check_guest_is_free (self->journal, self->record, &error))
    return wait_for_other (self, error);
  if (!godwit_engine_retry_owed (self))
    return FALSE;
  if (confirm && godwit_engine_count_owed (self) == 0)
    return confirm_and_close (self);
  return godwit_engine_finish_done (self);
}

gboolean
godwit_engine_recover (GodwitJob *job, const GodwitEngineBackend *backend, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (job) && backend != NULL, FALSE);
  g_autoptr (GodwitEngine) self = godwit_engine_new (job, backend);
  godwit_job_set_may_touch (job, TRUE);
  if (!godwit_job_load (job, error))
    return FALSE;
  gboolean kept = godwit_job_state_is_terminal (self->record->state) ? recover_ended (self)
                                                                     : recover_unfinished (self);
  return godwit_engine_return (self, kept, error);
}

/* --- confirm ----------------------------------------------------------------------------- */

gboolean
godwit_engine_confirm (GodwitJob *job, const GodwitEngineBackend *backend, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (job) && backend != NULL, FALSE);
  g_autoptr (GodwitEngine) self = godwit_engine_new (job, backend);
  GodwitJobRecord *record = self->record;
  if (!godwit_job_record_can_confirm (record)) {
    g_autofree char *show = g_strdup_printf ("godwit show %s", record->id);
    godwit_set_error (error, GODWIT_ERROR_REFUSED, show,
                      "job %s has nothing to confirm: it is %s%s", record->id,
                      godwit_job_state_to_string (record->state),
                      record->confirmed ? " and confirmed" : "");
    return FALSE;
  }
  godwit_job_set_may_touch (job, TRUE);
  if (!godwit_job_load (job, error))
    return FALSE;
  GError *failure = NULL;
  if (!reopen (self, &failure))
    return godwit_engine_return (self, give_up (self, failure), error);
  return godwit_engine_return (self, confirm_and_close (self), error);
}
