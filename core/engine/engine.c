/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

#include <string.h>

#define FACT_CAUSE "engine.cause"

GodwitEngine *
godwit_engine_new (GodwitJob *job, const GodwitEngineBackend *backend)
{
  GodwitEngine *self = g_new0 (GodwitEngine, 1);
  self->job = g_object_ref (job);
  self->record = godwit_job_get_record (job);
  self->journal = godwit_job_get_journal (job);
  self->backend = backend;
  self->watchdog = godwit_watchdog_new (backend->grace_ms != 0 ? backend->grace_ms : 5000,
                                        backend->expire, backend->data);
  self->view.home = self->view.target = GODWIT_GUEST_UNKNOWN;
  self->began_us = g_get_monotonic_time ();
  return self;
}

void
godwit_engine_free (GodwitEngine *self)
{
  if (self == NULL)
    return;
  godwit_watchdog_free (self->watchdog);
  g_clear_object (&self->strategy);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->steps, g_ptr_array_unref);
  g_free (self->states);
  g_free (self->view.home_why);
  g_free (self->view.target_why);
  g_clear_error (&self->cause);
  g_clear_error (&self->lost);
  g_clear_object (&self->job);
  g_free (self);
}

gboolean
godwit_engine_lose (GodwitEngine *self, GError *error)
{
  if (self->lost == NULL)
    self->lost = error;
  else
    g_error_free (error);
  return FALSE;
}

gboolean
godwit_engine_return (GodwitEngine *self, gboolean kept, GError **error)
{
  if (!kept)
    g_propagate_error (error, g_steal_pointer (&self->lost));
  return kept;
}

const GodwitStep *
godwit_engine_step (GodwitEngine *self, guint i)
{
  return g_ptr_array_index (self->steps, i);
}

void
godwit_engine_pause (GodwitEngine *self, guint units)
{
  guint pause_ms = self->backend->pause_ms != 0 ? self->backend->pause_ms : 1000;
  g_usleep ((gulong)units * pause_ms * 1000);
}

/* --- the plan ---------------------------------------------------------------------------- */

static gboolean
fail_plan (GError **error, const char *problem, const char *name)
{
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, "report this to whoever made the strategy",
                    "the strategy's plan is wrong: %s%s%s", problem, name != NULL ? ": " : "",
                    name != NULL ? name : "");
  return FALSE;
}

/* Recovery relies on each of these, so a plan that breaks one is refused before it begins. */
static gboolean
check_steps (GPtrArray *steps, guint *commit, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint n_commits = 0;
  for (guint i = 0; i < steps->len; i++) {
    const GodwitStep *step = g_ptr_array_index (steps, i);
    if (step->name == NULL || !g_hash_table_add (names, step->name))
      return fail_plan (error, "two steps have the same name", step->name);
    if ((step->flags & GODWIT_STEP_MAY_OWE) && n_commits == 0)
      return fail_plan (error, "a step before the commit may not owe", step->name);
    if ((step->flags & GODWIT_STEP_UNDO) && n_commits > 0)
      return fail_plan (error, "a step after the commit cannot be undone", step->name);
    if (step->flags & GODWIT_STEP_COMMIT) {
      if (step->flags & GODWIT_STEP_UNDO)
        return fail_plan (error, "the proof before the commit changes nothing to undo", step->name);
      *commit = i;
      n_commits++;
    }
  }
  return n_commits == 1 || fail_plan (error, "it must have exactly one commit", NULL);
}

gboolean
godwit_engine_set_steps (GodwitEngine *self, GPtrArray *steps, GError **error)
{
  if (!check_steps (steps, &self->commit, error))
    return FALSE;
  g_clear_pointer (&self->steps, g_ptr_array_unref);
  self->steps = g_ptr_array_ref (steps);
  g_free (self->states);
  self->states = g_new0 (GodwitStepState, steps->len);
  return TRUE;
}

gboolean
godwit_engine_load_steps (GodwitEngine *self, GError **error)
{
  g_autoptr (GPtrArray) steps = godwit_journal_get_plan (self->journal, self->record->id, error);
  if (steps == NULL || !godwit_engine_set_steps (self, steps, error))
    return FALSE;
  for (guint i = 0; i < steps->len; i++) {
    g_autoptr (GError) local = NULL;
    self->states[i] = godwit_journal_get_step (self->journal, self->record->id, i, &local);
    if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  return TRUE;
}

/* --- records ----------------------------------------------------------------------------- */

static GodwitJobState
state_of_phase (GodwitPhase phase)
{
  static const GodwitJobState states[] = {GODWIT_JOB_PREPARING, GODWIT_JOB_COPYING,
                                          GODWIT_JOB_FROZEN, GODWIT_JOB_RESUMING,
                                          GODWIT_JOB_RETIRING};
  return states[phase];
}

/* A strategy may mix the order of phases; what people see of the job only goes forward. */
static void
advance_state (GodwitEngine *self, GodwitJobState state)
{
  if (self->record->state < state || self->record->state == GODWIT_JOB_IN_DOUBT)
    self->record->state = state;
}

gboolean
godwit_engine_write_step (GodwitEngine *self, guint i, GodwitStepState state, const char *message)
{
  if (self->lost != NULL)
    return FALSE;
  if (state == GODWIT_STEP_BEGUN)
    advance_state (self, state_of_phase (godwit_engine_step (self, i)->phase));
  GError *error = NULL;
  if (!godwit_job_set_step (self->job, i, state, message, &error))
    return godwit_engine_lose (self, error);
  self->states[i] = state;
  return TRUE;
}

void
godwit_engine_note_step (GodwitEngine *self, guint i, const char *outcome, GodwitSeverity severity,
                         const char *message)
{
  const GodwitStep *step = godwit_engine_step (self, i);
  g_autofree char *text = message != NULL ? g_strdup_printf ("%s: %s", step->summary, message)
                                          : g_strdup (step->summary);
  GodwitEvent *event = godwit_event_new (GODWIT_EVENT_STEP, step->name, text);
  event->severity = severity;
  GVariantDict data;
  g_variant_dict_init (&data, NULL);
  g_variant_dict_insert (&data, "outcome", "s", outcome);
  g_variant_dict_insert (&data, "phase", "s", godwit_phase_to_string (step->phase));
  g_variant_dict_insert (&data, "position", "u", i + 1);
  g_variant_dict_insert (&data, "steps", "u", self->steps->len);
  g_variant_dict_insert (&data, "weight", "u", step->weight);
  event->data = g_variant_ref_sink (g_variant_dict_end (&data));
  godwit_job_emit (self->job, event);
}

/* The cause lives in a fact, because the record's error grows into the final report. */
void
godwit_engine_load_cause (GodwitEngine *self)
{
  g_autoptr (GVariant) fact = godwit_job_get_fact (self->job, FACT_CAUSE);
  if (self->cause != NULL || fact == NULL || !g_variant_is_of_type (fact, G_VARIANT_TYPE ("(is)")))
    return;
  gint32 code;
  const char *message;
  g_variant_get (fact, "(i&s)", &code, &message);
  self->cause = g_error_new_literal (GODWIT_ERROR, code, message);
}

gboolean
godwit_engine_set_cause (GodwitEngine *self, const char *step, GError *error)
{
  g_autoptr (GError) owned = error;
  godwit_engine_load_cause (self);
  /* What failed first led to the roll-back. What fails after the commit is the news. */
  if (self->cause != NULL && !self->record->committed)
    return self->lost == NULL;

  g_clear_error (&self->cause);
  self->cause = g_steal_pointer (&owned);
  g_free (self->record->failed_step);
  self->record->failed_step = g_strdup (step);
  if (self->record->aborted_by == NULL)
    self->record->aborted_by = godwit_job_dup_aborted_by (self->job);
  g_autofree char *valid = g_utf8_make_valid (self->cause->message, -1);
  int code = self->cause->domain == GODWIT_ERROR       ? self->cause->code
             : godwit_error_is_cancelled (self->cause) ? GODWIT_ERROR_CANCELLED
                                                       : GODWIT_ERROR_INTERNAL;
  GError *local = NULL;
  if (!godwit_job_set_fact (self->job, FACT_CAUSE, g_variant_new ("(is)", code, valid), &local))
    return godwit_engine_lose (self, local);
  return TRUE;
}

/* --- where the job stands ---------------------------------------------------------------- */

/* A strategy that stops the guest moves disks, never memory. A revert starts it anew. */
static gboolean
moves_memory (GodwitEngine *self)
{
  const GodwitGuest *guest = godwit_job_get_guest (self->job);
  return g_strcmp0 (self->record->kind, "revert") != 0 &&
         !godwit_strategy_stops_guest (self->strategy) &&
         (guest == NULL || godwit_guest_is_active (guest));
}

/* Where memory moves, the guest stands still from the switch to its resumption, and what the hosts
 * themselves say is all that a recovery needs of that time. */
void
godwit_engine_send_copies (GodwitEngine *self, guint i)
{
  GodwitPhase phase = godwit_engine_step (self, i)->phase;
  gboolean still = phase >= GODWIT_PHASE_FROZEN && i <= self->commit + 1;
  godwit_job_hold_copies (self->job, still && moves_memory (self));
  godwit_job_send_copies (self->job);
}

GodwitPosition
godwit_engine_get_position (GodwitEngine *self)
{
  if (self->record->committed)
    return GODWIT_POSITION_COMMITTED;
  GodwitPosition position = GODWIT_POSITION_NOTHING;
  for (guint i = 0; self->steps != NULL && i <= self->commit; i++) {
    if (self->states[i] == GODWIT_STEP_WAITING || self->states[i] == GODWIT_STEP_UNDONE)
      continue;
    position = MAX (position, GODWIT_POSITION_PREPARED);
    if (godwit_engine_step (self, i)->phase >= GODWIT_PHASE_COPYING && moves_memory (self))
      position = GODWIT_POSITION_MOVING;
  }
  return position;
}

gboolean
godwit_engine_is_source (GodwitEngine *self, gboolean home)
{
  return home == (g_strcmp0 (self->record->kind, "revert") != 0);
}

GodwitHypervisor *
godwit_engine_get_hypervisor (GodwitEngine *self, gboolean home)
{
  return godwit_engine_is_source (self, home) ? godwit_job_get_source_hypervisor (self->job)
                                              : godwit_job_get_destination_hypervisor (self->job);
}

const char *
godwit_engine_get_host_name (GodwitEngine *self, gboolean home)
{
  const char *name =
      godwit_engine_is_source (self, home) ? self->record->source : self->record->destination;
  return name != NULL ? name : "this machine";
}
