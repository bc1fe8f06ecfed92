/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

#define VISIT_DEADLINE_S 30

guint
godwit_engine_count_owed (GodwitEngine *self)
{
  guint n = 0;
  for (guint i = 0; self->steps != NULL && i < self->steps->len; i++)
    n += self->states[i] == GODWIT_STEP_OWED;
  return n;
}

static guint
count_debts (GodwitEngine *self)
{
  /* Without the plan nothing was tried, and the debts are those of before. */
  if (self->steps == NULL)
    return self->record->debts;
  /* A confirm that was begun and did not succeed is owed as well; of a guest that went back to its
   * source nothing else can be. */
  gboolean confirm = self->record->awaiting_confirm &&
                     godwit_journal_has_begun_confirm (self->journal, self->record->id);
  guint owed = self->record->state == GODWIT_JOB_REVERTED ? 0 : godwit_engine_count_owed (self);
  return owed + (confirm ? 1 : 0);
}

char *
godwit_engine_list_owed (GodwitEngine *self)
{
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; self->steps != NULL && i < self->steps->len; i++) {
    const GodwitStep *step = godwit_engine_step (self, i);
    if (self->states[i] == GODWIT_STEP_OWED)
      g_string_append_printf (list, "%s%s'%s' (%s)", list->len > 0 ? ", " : "",
                              i < self->commit ? "undoing " : "", step->name, step->summary);
  }
  return list->len > 0 ? g_string_free (g_steal_pointer (&list), FALSE) : NULL;
}

/* --- the last event ---------------------------------------------------------------------- */

static GVariant *
make_figures (GodwitEngine *self, double seconds)
{
  const GodwitJobRecord *record = self->record;
  GVariantDict data;
  g_variant_dict_init (&data, NULL);
  g_variant_dict_insert (&data, "state", "s", godwit_job_state_to_string (record->state));
  g_variant_dict_insert (&data, "exit-code", "i", godwit_job_record_get_exit_code (record));
  if (record->strategy != NULL)
    g_variant_dict_insert (&data, "strategy", "s", record->strategy);
  g_variant_dict_insert (&data, "seconds", "d", seconds);
  g_variant_dict_insert (&data, "bytes", "t", record->bytes);
  g_variant_dict_insert (&data, "debts", "u", record->debts);
  g_variant_dict_insert (&data, "awaiting-confirm", "b", record->awaiting_confirm);
  g_autoptr (GVariant) downtime = godwit_job_get_fact (self->job, "downtime-us");
  if (downtime != NULL)
    g_variant_dict_insert_value (&data, "downtime-us", downtime);
  return g_variant_ref_sink (g_variant_dict_end (&data));
}

static char *
make_summary (GodwitEngine *self, double seconds)
{
  const GodwitJobRecord *record = self->record;
  if (record->state == GODWIT_JOB_REVERTED && record->error == NULL)
    return g_strdup_printf ("guest %s is back, and its older copy is removed", record->guest);
  if (record->state != GODWIT_JOB_DONE)
    return g_strdup (record->error);
  g_autofree char *carried = g_format_size_full (record->bytes, G_FORMAT_SIZE_IEC_UNITS);
  return g_strdup_printf ("guest %s is on %s after %.1f seconds, %s carried%s%s", record->guest,
                          godwit_engine_get_host_name (self, FALSE), seconds, carried,
                          record->error != NULL ? "; " : "",
                          record->error != NULL ? record->error : "");
}

/* With a session its agent may have died: then the host's copy of the record is older than the end
 * of the job, and what the agent kept of itself there is for the next one to remove. Where
 * something is owed, whoever recovers the job comes by. */
static void
visit_again (GodwitEngine *self, GodwitJobState state)
{
  if (!godwit_job_state_is_terminal (state) || self->record->debts > 0 ||
      self->backend->reach == NULL || !godwit_job_has_stale_copies (self->job))
    return;
  GCancellable *cancellable = godwit_watchdog_begin (self->watchdog, "reaching the hosts once more",
                                                     VISIT_DEADLINE_S, NULL);
  self->backend->reach (self->job, self->backend->data, cancellable);
  godwit_watchdog_end (self->watchdog);
  godwit_job_renew_copies (self->job);
}

gboolean
godwit_engine_release (GodwitEngine *self, GodwitJobState state)
{
  GodwitJobRecord *record = self->record;
  record->debts = count_debts (self);
  record->worker_pid = 0;
  record->worker_start = 0;
  g_clear_pointer (&record->worker_boot_id, g_free);
  g_clear_pointer (&record->control_path, g_free);
  godwit_job_set_cancellable (self->job, NULL);

  GError *error = NULL;
  if (!godwit_job_set_state (self->job, state, &error))
    return godwit_engine_lose (self, error);
  visit_again (self, state);
  godwit_job_hold_copies (self->job, FALSE);
  godwit_job_send_copies (self->job);
  return TRUE;
}

gboolean
godwit_engine_close (GodwitEngine *self, GodwitJobState state)
{
  const GodwitJobRecord *record = self->record;
  if (!godwit_engine_release (self, state))
    return FALSE;
  double seconds = (double)(g_get_real_time () - record->created_us) / G_USEC_PER_SEC;
  if (record->confirmed)
    seconds = (double)(g_get_monotonic_time () - self->began_us) / G_USEC_PER_SEC;
  g_autofree char *summary = make_summary (self, seconds);
  GodwitEvent *event =
      godwit_event_new (GODWIT_EVENT_RESULT, godwit_job_state_to_string (state), summary);
  gboolean good = state == GODWIT_JOB_DONE || state == GODWIT_JOB_REVERTED;
  event->severity = !good                                        ? GODWIT_SEVERITY_BLOCKER
                    : record->debts > 0 || record->error != NULL ? GODWIT_SEVERITY_WARNING
                                                                 : GODWIT_SEVERITY_OK;
  event->data = make_figures (self, seconds);
  godwit_job_emit (self->job, event);
  return TRUE;
}

/* --- the ways a job ends ----------------------------------------------------------------- */

void
godwit_engine_set_error (GodwitEngine *self, GodwitErrorCode code, const char *remedy,
                         const char *text)
{
  g_autoptr (GError) error = NULL;
  godwit_set_error (&error, code, remedy, "%s", text);
  g_free (self->record->error);
  self->record->error = g_strdup (error->message);
  self->record->error_code = (int)code;
}

static GodwitErrorCode
cause_code (GodwitEngine *self)
{
  if (self->cause == NULL)
    return GODWIT_ERROR_INTERNAL;
  if (godwit_error_is_cancelled (self->cause))
    return GODWIT_ERROR_CANCELLED;
  return self->cause->domain == GODWIT_ERROR ? (GodwitErrorCode)self->cause->code
                                             : GODWIT_ERROR_INTERNAL;
}

/* "step 'copy' (mirror the disks) failed: no space left" */
static char *
describe_cause (GodwitEngine *self)
{
  const char *name = self->record->failed_step;
  g_autofree char *message = self->cause != NULL ? godwit_error_dup_message (self->cause)
                                                 : g_strdup ("it was interrupted");
  if (name == NULL)
    return g_steal_pointer (&message);
  if (cause_code (self) == GODWIT_ERROR_CANCELLED) {
    const char *who = self->record->aborted_by;
    return g_strdup_printf ("aborted%s%s during step '%s'", who != NULL ? " by " : "",
                            who != NULL ? who : "", name);
  }
  for (guint i = 0; self->steps != NULL && i < self->steps->len; i++) {
    const GodwitStep *step = godwit_engine_step (self, i);
    if (g_str_equal (step->name, name))
      return g_strdup_printf ("step '%s' (%s) failed: %s", name, step->summary, message);
  }
  return g_strdup_printf ("step '%s' failed: %s", name, message);
}

static gboolean
finish_revert (GodwitEngine *self)
{
  GError *error = NULL;
  if (godwit_journal_mark_reverted (self->journal, self->record, &error))
    return TRUE;
  return godwit_engine_lose (self, error);
}

gboolean
godwit_engine_finish_done (GodwitEngine *self)
{
  GodwitJobRecord *record = self->record;
  gboolean revert = g_strcmp0 (record->kind, "revert") == 0;
  g_clear_pointer (&record->error, g_free);
  g_clear_pointer (&record->failed_step, g_free);
  record->error_code = -1;
  if (!record->confirmed)
    record->awaiting_confirm =
        !revert && self->backend->has_parked != NULL && self->backend->has_parked (self->job);
  if (record->of_job != NULL && !finish_revert (self))
    return FALSE;
  /* Of a guest that is down the older copy may still be wanted. */
  gboolean ended = godwit_engine_has_ended_there (self);
  if (record->awaiting_confirm && godwit_job_get_option_boolean (self->job, "auto-confirm") &&
      godwit_engine_count_owed (self) == 0 && !ended && !godwit_engine_confirm_now (self))
    return FALSE;
  godwit_engine_describe_left (self, ended);
  return godwit_engine_close (self, GODWIT_JOB_DONE);
}

gboolean
godwit_engine_finish_rolled_back (GodwitEngine *self)
{
  GodwitJobRecord *record = self->record;
  g_autofree char *cause = describe_cause (self);
  g_autofree char *owed = godwit_engine_list_owed (self);
  g_autofree char *recover = g_strdup_printf ("godwit recover %s", record->id);
  g_autofree char *log = g_strdup_printf ("godwit log %s", record->id);
  const char *remedy = self->cause != NULL ? godwit_error_get_remedy (self->cause) : NULL;
  g_autofree char *chosen = g_strdup (owed != NULL ? recover : remedy != NULL ? remedy : log);
  g_autoptr (GString) text = g_string_new (cause);
  /* Before anything had begun, where the guest is has not been asked, and nothing was touched. */
  if (record->failed_step == NULL && record->debts > 0) {
    g_free (chosen);
    chosen = g_steal_pointer (&recover);
    g_string_append (text, "; still to be cleaned up: a marker file of the plan");
  } else if (record->failed_step == NULL && self->is_tidy) {
    g_string_append (text, "; nothing of the job is left");
  }
  g_autofree char *start = NULL;
  if (record->failed_step != NULL) {
    g_autofree char *where = godwit_engine_describe (self);
    g_string_append_printf (text, "; rolled back: %s", where);
    start = godwit_engine_describe_down_at_home (self, text);
    if (owed != NULL)
      g_string_append_printf (text, "; still to be cleaned up: %s", owed);
    else
      g_string_append (text, "; nothing of the job is left");
  }
  gboolean cancelled = cause_code (self) == GODWIT_ERROR_CANCELLED;
  const char *next = owed == NULL && start != NULL ? start
                     : cancelled && owed == NULL   ? NULL
                                                   : chosen;
  godwit_engine_set_error (self, cause_code (self), next, text->str);
  return godwit_engine_close (self, cancelled ? GODWIT_JOB_CANCELLED : GODWIT_JOB_FAILED);
}

gboolean
godwit_engine_finish_stuck (GodwitEngine *self, const char *reason)
{
  godwit_engine_look (self);
  g_autofree char *cause = describe_cause (self);
  g_autofree char *where = godwit_engine_describe (self);
  g_autofree char *remedy = g_strdup_printf ("godwit recover %s", self->record->id);
  g_autofree char *text =
      g_strdup_printf ("the migration has committed, and guest %s belongs to %s, but it is not "
                       "finished: %s; %s",
                       self->record->guest, godwit_engine_get_host_name (self, FALSE),
                       reason != NULL ? reason : cause, where);
  godwit_engine_set_error (self, self->cause != NULL ? cause_code (self) : GODWIT_ERROR_UNAVAILABLE,
                           remedy, text);
  return godwit_engine_close (self, self->record->state);
}

/* Whoever knows that a host is off may say so, where that would end the doubt. */
static char *
remedy_of_doubt (GodwitEngine *self)
{
  const char *job = self->record->id;
  gboolean no_home = self->view.home == GODWIT_GUEST_UNKNOWN;
  gboolean no_target = self->view.target == GODWIT_GUEST_UNKNOWN;
  const char *remedy = self->cause != NULL ? godwit_error_get_remedy (self->cause) : NULL;
  if (!no_home && !no_target)
    return remedy != NULL
               ? g_strdup (remedy)
               : g_strdup_printf (
                     "settle by hand on which host it goes on, then: godwit recover %s", job);
  if (no_home && no_target)
    return g_strdup_printf ("when both hosts can be reached: godwit recover %s", job);
  gboolean source = godwit_engine_is_source (self, no_home);
  return g_strdup_printf (
      "when %s can be reached: godwit recover %s; if it is off for certain: godwit recover %s --%s",
      godwit_engine_get_host_name (self, no_home), job, job,
      source ? "source-is-off" : "destination-is-off");
}

gboolean
godwit_engine_finish_in_doubt (GodwitEngine *self, const GodwitDecision *decision)
{
  g_autofree char *cause = describe_cause (self);
  g_autofree char *where = godwit_engine_describe (self);
  gboolean alarm = decision->action == GODWIT_ACTION_ALARM;
  g_autofree char *remedy =
      alarm ? g_strdup_printf ("end the guest by hand on the host where it must not be, then: "
                               "godwit recover %s",
                               self->record->id)
            : remedy_of_doubt (self);
  g_autofree char *text =
      g_strdup_printf ("%s: %s; %s; nothing more was touched. What led here: %s",
                       alarm ? "ALARM, a person must decide" : "in doubt", decision->reason, where,
                       cause);
  godwit_engine_set_error (self, GODWIT_ERROR_IN_DOUBT, remedy, text);
  return godwit_engine_close (self, GODWIT_JOB_IN_DOUBT);
}
