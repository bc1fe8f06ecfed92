/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-private.h"

#include <godwit/error.h>

typedef struct {
  const GodwitJobRecord *record;
  const char *name;
  GVariant *value;
} Fact;

static gboolean
set_fact (GodwitJournal *self, gpointer data, GError **error)
{
  const Fact *fact = data;
  if (!godwit_journal_check_epoch (self, fact->record, error))
    return FALSE;
  /* An update keeps the serial, and so the order in which facts were first set. */
  const char *sql = fact->value != NULL
                        ? "INSERT INTO facts (job, name, value) VALUES (:id, :name, :value)"
                          " ON CONFLICT (job, name) DO UPDATE SET value = excluded.value"
                        : "DELETE FROM facts WHERE job = :id AND name = :name";
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, sql, "id", fact->record->id, "name", fact->name, NULL);
  if (stmt == NULL)
    return FALSE;
  if (fact->value != NULL)
    godwit_db_bind_variant (stmt, "value", fact->value);
  return godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_set_fact (GodwitJournal *self, const GodwitJobRecord *record, const char *name,
                         GVariant *value, GError **error)
{
  g_return_val_if_fail (record != NULL && name != NULL, FALSE);
  g_autoptr (GVariant) sunk = value != NULL ? g_variant_ref_sink (value) : NULL;
  Fact fact = {.record = record, .name = name, .value = sunk};
  return godwit_db_transact (self, set_fact, &fact, error);
}

GVariant *
godwit_journal_get_fact (GodwitJournal *self, const char *id, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, NULL, "SELECT value FROM facts WHERE job = :id AND name = :name",
                         "id", id, "name", name, NULL);
  gboolean row = FALSE;
  g_autoptr (GError) error = NULL;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, &error) || !row)
    return NULL;
  return godwit_db_get_variant (self, stmt, 0, &error);
}

GStrv
godwit_journal_list_facts (GodwitJournal *self, const char *id, const char *prefix)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, NULL, "SELECT name FROM facts WHERE job = :id ORDER BY serial", "id",
                         id, NULL);
  gboolean row = stmt != NULL;
  while (row && godwit_db_next (self, stmt, &row, NULL) && row) {
    const char *name = (const char *)sqlite3_column_text (stmt, 0);
    if (prefix == NULL || g_str_has_prefix (name, prefix))
      g_strv_builder_add (names, name);
  }
  return g_strv_builder_end (names);
}

GVariant *
godwit_journal_get_facts (GodwitJournal *self, const char *id, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_auto (GVariantBuilder) facts = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sv)"));
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "SELECT value, name FROM facts WHERE job = :id ORDER BY serial", "id", id,
                         NULL);
  gboolean row = TRUE;
  while (row) {
    if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
      return NULL;
    if (!row)
      break;
    g_autoptr (GVariant) value = godwit_db_get_variant (self, stmt, 0, error);
    if (value == NULL)
      return NULL;
    g_variant_builder_add (&facts, "(sv)", sqlite3_column_text (stmt, 1), value);
  }
  return g_variant_ref_sink (g_variant_builder_end (&facts));
}
