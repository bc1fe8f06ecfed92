/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-private.h"

#include <godwit/error.h>

typedef struct {
  const GodwitJobRecord *record;
  GodwitEvent *event;
} EventWrite;

static gboolean
read_next_serial (GodwitJournal *self, const char *id, guint64 *serial, GError **error)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "SELECT COALESCE (MAX (serial), 0) + 1 FROM events WHERE job = :id", "id",
                         id, NULL);
  gboolean row = FALSE;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
    return FALSE;
  *serial = (guint64)sqlite3_column_int64 (stmt, 0);
  return TRUE;
}

static gboolean
add_event (GodwitJournal *self, gpointer data, GError **error)
{
  const EventWrite *write = data;
  guint64 serial;
  if (!godwit_journal_check_epoch (self, write->record, error) ||
      !read_next_serial (self, write->record->id, &serial, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
      self, error, "INSERT INTO events (job, serial, content) VALUES (:id, :serial, :content)",
      "id", write->record->id, NULL);
  if (stmt == NULL)
    return FALSE;
  write->event->serial = serial;
  g_autoptr (GVariant) content = g_variant_ref_sink (godwit_event_to_variant (write->event));
  godwit_db_bind_int (stmt, "serial", (gint64)serial);
  godwit_db_bind_variant (stmt, "content", content);
  return godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_add_event (GodwitJournal *self, const GodwitJobRecord *record, GodwitEvent *event,
                          GError **error)
{
  g_return_val_if_fail (record != NULL && event != NULL, FALSE);
  EventWrite write = {.record = record, .event = event};
  if (godwit_db_transact_lazily (self, add_event, &write, error))
    return TRUE;
  event->serial = 0;
  return FALSE;
}

GPtrArray *
godwit_journal_get_events (GodwitJournal *self, const char *id, guint64 after, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_event_free);
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
      self, error, "SELECT content FROM events WHERE job = :id AND serial > :after ORDER BY serial",
      "id", id, NULL);
  if (stmt == NULL)
    return NULL;
  godwit_db_bind_int (stmt, "after", (gint64)after);
  gboolean row = TRUE;
  while (row) {
    if (!godwit_db_next (self, stmt, &row, error))
      return NULL;
    if (!row)
      break;
    g_autoptr (GError) damaged = NULL;
    g_autoptr (GVariant) content = godwit_db_get_variant (self, stmt, 0, &damaged);
    GodwitEvent *event = content != NULL ? godwit_event_from_variant (content) : NULL;
    /* One line of the log that cannot be read must not hide the others. */
    if (event != NULL)
      g_ptr_array_add (events, event);
  }
  return g_steal_pointer (&events);
}
