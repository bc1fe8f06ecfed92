/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-private.h"

#include <godwit/error.h>

/* --- the plan ---------------------------------------------------------------------------- */

typedef struct {
  const GodwitJobRecord *record;
  GPtrArray *steps;
  guint step;
  GodwitStepState state;
  const char *message;
} StepWrite;

static gboolean
insert_step (GodwitJournal *self, const char *id, guint position, const GodwitStep *step,
             GError **error)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "INSERT INTO steps (job, position, name, definition, state)"
                         " VALUES (:id, :position, :name, :definition, :state)",
                         "id", id, "name", step->name, "state",
                         godwit_step_state_to_string (GODWIT_STEP_WAITING), NULL);
  if (stmt == NULL)
    return FALSE;
  g_autoptr (GVariant) definition = g_variant_ref_sink (godwit_step_to_variant (step));
  godwit_db_bind_int (stmt, "position", position);
  godwit_db_bind_variant (stmt, "definition", definition);
  return godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_insert_steps (GodwitJournal *self, const char *id, GPtrArray *steps, GError **error)
{
  for (guint i = 0; i < steps->len; i++) {
    if (!insert_step (self, id, i, g_ptr_array_index (steps, i), error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
set_plan (GodwitJournal *self, gpointer data, GError **error)
{
  const StepWrite *write = data;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, "DELETE FROM steps WHERE job = :id", "id", write->record->id,
                         NULL);
  return stmt != NULL && godwit_journal_write_record (self, write->record, error) &&
         godwit_db_run (self, stmt, error) &&
         godwit_journal_insert_steps (self, write->record->id, write->steps, error);
}

gboolean
godwit_journal_set_plan (GodwitJournal *self, GodwitJobRecord *record, GPtrArray *steps,
                         GError **error)
{
  g_return_val_if_fail (record != NULL && steps != NULL, FALSE);
  StepWrite write = {.record = record, .steps = steps};
  return godwit_db_transact (self, set_plan, &write, error);
}

static GodwitStep *
read_step (GodwitJournal *self, sqlite3_stmt *stmt, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GVariant) definition = godwit_db_get_variant (self, stmt, 0, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return godwit_step_from_variant (definition, error);
}

GPtrArray *
godwit_journal_get_plan (GodwitJournal *self, const char *id, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "SELECT definition FROM steps WHERE job = :id ORDER BY position", "id", id,
                         NULL);
  gboolean row = TRUE;
  while (row) {
    if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
      return NULL;
    GodwitStep *step = row ? read_step (self, stmt, error) : NULL;
    if (row && step == NULL)
      return NULL;
    if (step != NULL)
      g_ptr_array_add (steps, step);
  }
  return g_steal_pointer (&steps);
}

/* --- the state of one step --------------------------------------------------------------- */

static gboolean
set_step (GodwitJournal *self, gpointer data, GError **error)
{
  const StepWrite *write = data;
  if (!godwit_journal_write_record (self, write->record, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "UPDATE steps SET state = :state, message = :message, changed_us = :now"
                         " WHERE job = :id AND position = :position",
                         "id", write->record->id, "state",
                         godwit_step_state_to_string (write->state), "message", write->message,
                         NULL);
  if (stmt == NULL)
    return FALSE;
  godwit_db_bind_int (stmt, "position", write->step);
  godwit_db_bind_int (stmt, "now", g_get_real_time ());
  if (!godwit_db_run (self, stmt, error))
    return FALSE;
  if (sqlite3_changes (self->db) == 1)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "job %s has no step number %u",
                    write->record->id, write->step);
  return FALSE;
}

gboolean
godwit_journal_set_step (GodwitJournal *self, const GodwitJobRecord *record, guint step,
                         GodwitStepState state, const char *message, GError **error)
{
  g_return_val_if_fail (record != NULL, FALSE);
  StepWrite write = {.record = record, .step = step, .state = state, .message = message};
  return godwit_db_transact (self, set_step, &write, error);
}

GodwitStepState
godwit_journal_get_step (GodwitJournal *self, const char *id, guint step, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "SELECT state FROM steps WHERE job = :id AND position = :position", "id",
                         id, NULL);
  if (stmt == NULL)
    return GODWIT_STEP_WAITING;
  godwit_db_bind_int (stmt, "position", step);
  gboolean row = FALSE;
  if (!godwit_db_next (self, stmt, &row, error))
    return GODWIT_STEP_WAITING;
  for (guint i = 0; row && i <= GODWIT_STEP_OWED; i++) {
    if (g_strcmp0 ((const char *)sqlite3_column_text (stmt, 0), godwit_step_state_to_string (i)) ==
        0)
      return i;
  }
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "job %s: step %u has no valid state", id,
                    step);
  return GODWIT_STEP_WAITING;
}
