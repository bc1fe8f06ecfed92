/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/variant.h"
#include "journal/journal-private.h"

#include <godwit/error.h>

typedef enum { TEXT, INT32, FLAG, NUMBER, STATE, VARIANT } ColumnType;

typedef struct {
  const char *name;
  ColumnType type;
  gsize offset;
  gboolean fixed; /* written once, or only by a claim */
} Column;

#define COLUMN(kind, member, is_fixed)                                                             \
  {                                                                                                \
    .name = #member, .type = kind, .offset = G_STRUCT_OFFSET (GodwitJobRecord, member),            \
    .fixed = is_fixed                                                                              \
  }

/* One list for reading, writing and showing a record, so that they cannot differ. */
static const Column columns[] = {
    COLUMN (TEXT, id, TRUE),
    COLUMN (TEXT, token, TRUE),
    COLUMN (TEXT, kind, TRUE),
    COLUMN (TEXT, of_job, TRUE),
    COLUMN (TEXT, guest, FALSE),
    COLUMN (TEXT, uuid, FALSE),
    COLUMN (TEXT, source, FALSE),
    COLUMN (TEXT, destination, FALSE),
    COLUMN (TEXT, strategy, FALSE),
    COLUMN (TEXT, why, FALSE),
    COLUMN (STATE, state, FALSE),
    COLUMN (FLAG, committed, FALSE),
    COLUMN (FLAG, awaiting_confirm, FALSE),
    COLUMN (FLAG, confirmed, FALSE),
    COLUMN (NUMBER, created_us, TRUE),
    COLUMN (NUMBER, ended_us, FALSE),
    COLUMN (TEXT, started_by, TRUE),
    COLUMN (TEXT, aborted_by, FALSE),
    COLUMN (TEXT, error, FALSE),
    COLUMN (INT32, error_code, FALSE),
    COLUMN (TEXT, failed_step, FALSE),
    COLUMN (INT32, debts, FALSE),
    COLUMN (NUMBER, bytes, FALSE),
    COLUMN (NUMBER, epoch, TRUE),
    COLUMN (INT32, worker_pid, FALSE),
    COLUMN (NUMBER, worker_start, FALSE),
    COLUMN (TEXT, worker_boot_id, FALSE),
    COLUMN (TEXT, control_path, FALSE),
    COLUMN (VARIANT, options, FALSE),
    COLUMN (VARIANT, guest_facts, FALSE),
};

#define MEMBER(record, column, ctype) (*(ctype *)((char *)(record) + (column)->offset))

GodwitJobRecord *
godwit_job_record_new (void)
{
  GodwitJobRecord *record = g_new0 (GodwitJobRecord, 1);
  record->kind = g_strdup ("migrate");
  record->state = GODWIT_JOB_PLANNED;
  record->error_code = -1;
  return record;
}

void
godwit_job_record_free (GodwitJobRecord *record)
{
  if (record == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    if (columns[i].type == TEXT)
      g_free (MEMBER (record, &columns[i], char *));
    else if (columns[i].type == VARIANT)
      g_clear_pointer (&MEMBER (record, &columns[i], GVariant *), g_variant_unref);
  }
  g_free (record);
}

static void
add_member (GVariantBuilder *builder, const GodwitJobRecord *record, const Column *column)
{
  switch (column->type) {
  case TEXT:
    godwit_variant_add_text (builder, column->name, MEMBER (record, column, char *));
    break;
  case INT32:
    g_variant_builder_add (builder, "{sv}", column->name,
                           g_variant_new_int32 (MEMBER (record, column, gint32)));
    break;
  case FLAG:
    g_variant_builder_add (builder, "{sv}", column->name,
                           g_variant_new_boolean (MEMBER (record, column, gboolean)));
    break;
  case NUMBER:
    g_variant_builder_add (builder, "{sv}", column->name,
                           g_variant_new_int64 (MEMBER (record, column, gint64)));
    break;
  case STATE:
    g_variant_builder_add (builder, "{sv}", column->name,
                           g_variant_new_string (godwit_job_state_to_string (record->state)));
    break;
  case VARIANT:
    /* The guest's facts hold its definition, which may hold secrets. */
    if (column->offset == G_STRUCT_OFFSET (GodwitJobRecord, options) && record->options != NULL)
      g_variant_builder_add (builder, "{sv}", column->name, record->options);
    break;
  }
}

GVariant *
godwit_job_record_to_variant (const GodwitJobRecord *record)
{
  g_return_val_if_fail (record != NULL, NULL);
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    add_member (&builder, record, &columns[i]);
  return g_variant_builder_end (&builder);
}

/* --- copies ------------------------------------------------------------------------------- */

GVariant *
godwit_journal_record_to_copy (const GodwitJobRecord *record)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    GVariant *value = columns[i].type == VARIANT ? MEMBER (record, &columns[i], GVariant *) : NULL;
    if (value != NULL)
      g_variant_builder_add (&builder, "{sv}", columns[i].name, value);
    else if (columns[i].type != VARIANT)
      add_member (&builder, record, &columns[i]);
  }
  return g_variant_builder_end (&builder);
}

static gboolean
set_member (GodwitJobRecord *record, const Column *column, GVariant *value)
{
  if (column->type == VARIANT) {
    MEMBER (record, column, GVariant *) = g_variant_ref (value);
    return TRUE;
  }
  static const char *const types[] = {"s", "i", "b", "x", "s"};
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE (types[column->type])))
    return FALSE;
  switch (column->type) {
  case TEXT:
    g_free (MEMBER (record, column, char *));
    MEMBER (record, column, char *) = g_variant_dup_string (value, NULL);
    break;
  case INT32:
    MEMBER (record, column, gint32) = g_variant_get_int32 (value);
    break;
  case FLAG:
    MEMBER (record, column, gboolean) = g_variant_get_boolean (value);
    break;
  case NUMBER:
    MEMBER (record, column, gint64) = g_variant_get_int64 (value);
    break;
  case STATE:
    return godwit_job_state_from_string (g_variant_get_string (value, NULL), &record->state);
  case VARIANT:
    break;
  }
  return TRUE;
}

GodwitJobRecord *
godwit_journal_record_from_copy (GVariant *members, GError **error)
{
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < G_N_ELEMENTS (columns); i++) {
    g_autoptr (GVariant) value = g_variant_lookup_value (members, columns[i].name, NULL);
    ok = value == NULL || set_member (record, &columns[i], value);
  }
  if (ok && record->id != NULL && record->token != NULL)
    return g_steal_pointer (&record);
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, "use the copy on the other host",
                    "the copy of the job's record is damaged");
  return NULL;
}

/* --- writing ----------------------------------------------------------------------------- */

static void
bind_column (sqlite3_stmt *stmt, const GodwitJobRecord *record, const Column *column)
{
  switch (column->type) {
  case TEXT:
    godwit_db_bind_text (stmt, column->name, MEMBER (record, column, char *));
    break;
  case INT32:
  case FLAG:
    godwit_db_bind_int (stmt, column->name, MEMBER (record, column, gint32));
    break;
  case NUMBER:
    godwit_db_bind_int (stmt, column->name, MEMBER (record, column, gint64));
    break;
  case STATE:
    godwit_db_bind_text (stmt, column->name, godwit_job_state_to_string (record->state));
    break;
  case VARIANT:
    godwit_db_bind_variant (stmt, column->name, MEMBER (record, column, GVariant *));
    break;
  }
}

gboolean
godwit_journal_insert_record (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GString) values = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", columns[i].name);
    g_string_append_printf (values, "%s:%s", i > 0 ? ", " : "", columns[i].name);
  }
  g_autofree char *sql =
      g_strdup_printf ("INSERT INTO jobs (%s) VALUES (%s)", names->str, values->str);
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (self, error, sql, NULL);
  if (stmt == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    bind_column (stmt, record, &columns[i]);
  return godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_check_epoch (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, "SELECT epoch FROM jobs WHERE id = :id", "id", record->id,
                         NULL);
  gboolean row = FALSE;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
    return FALSE;
  if (!row) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, "godwit jobs", "there is no job %s in %s",
                      record->id, self->path);
    return FALSE;
  }
  guint64 epoch = (guint64)sqlite3_column_int64 (stmt, 0);
  if (epoch == record->epoch)
    return TRUE;
  g_autofree char *show = g_strdup_printf ("godwit show %s", record->id);
  godwit_set_error (error, GODWIT_ERROR_DENIED, show,
                    "another worker has taken job %s over (epoch %" G_GUINT64_FORMAT
                    ", this one has %" G_GUINT64_FORMAT ")",
                    record->id, epoch, record->epoch);
  return FALSE;
}

static char *
make_update (void)
{
  g_autoptr (GString) sql = g_string_new ("UPDATE jobs SET ");
  const char *separator = "";
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    const char *name = columns[i].name;
    if (columns[i].fixed)
      continue;
    /* An abort is written from beside; the worker's older copy must not wipe it out. */
    if (g_str_equal (name, "aborted_by"))
      g_string_append_printf (sql, "%s%s = COALESCE (:%s, %s)", separator, name, name, name);
    else
      g_string_append_printf (sql, "%s%s = :%s", separator, name, name);
    separator = ", ";
  }
  g_string_append (sql, " WHERE id = :id AND epoch = :epoch");
  return g_string_free (g_steal_pointer (&sql), FALSE);
}

gboolean
godwit_journal_write_record (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  g_autofree char *sql = make_update ();
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (self, error, sql, NULL);
  if (stmt == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    bind_column (stmt, record, &columns[i]);
  if (!godwit_db_run (self, stmt, error))
    return FALSE;
  /* Says whether the job is gone or taken over. */
  return sqlite3_changes (self->db) == 1 || godwit_journal_check_epoch (self, record, error);
}

/* --- reading ----------------------------------------------------------------------------- */

static gboolean
read_state (GodwitJournal *self, GodwitJobRecord *record, const char *text, GError **error)
{
  if (text != NULL && godwit_job_state_from_string (text, &record->state))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, "restore the journal from a backup",
                    "the journal %s: job %s has the unknown state '%s'", self->path, record->id,
                    text);
  return FALSE;
}

static gboolean
read_column (GodwitJournal *self, sqlite3_stmt *stmt, int i, GodwitJobRecord *record,
             GError **error)
{
  const Column *column = &columns[i];
  GError *local = NULL;
  switch (column->type) {
  case TEXT:
    g_free (MEMBER (record, column, char *));
    MEMBER (record, column, char *) = godwit_db_dup_text (stmt, i);
    return TRUE;
  case INT32:
  case FLAG:
    MEMBER (record, column, gint32) = sqlite3_column_int (stmt, i);
    return TRUE;
  case NUMBER:
    MEMBER (record, column, gint64) = sqlite3_column_int64 (stmt, i);
    return TRUE;
  case STATE:
    return read_state (self, record, (const char *)sqlite3_column_text (stmt, i), error);
  case VARIANT:
    MEMBER (record, column, GVariant *) = godwit_db_get_variant (self, stmt, i, &local);
    if (local == NULL)
      return TRUE;
    g_propagate_error (error, local);
    return FALSE;
  }
  return FALSE;
}

static sqlite3_stmt *
select_records (GodwitJournal *self, const char *rest, const char *id, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("SELECT ");
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_string_append_printf (sql, "%s%s", i > 0 ? ", " : "", columns[i].name);
  g_string_append_printf (sql, " FROM jobs %s", rest);
  return godwit_db_prepare (self, error, sql->str, "id", id, NULL);
}

static GodwitJobRecord *
read_row (GodwitJournal *self, sqlite3_stmt *stmt, GError **error)
{
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++) {
    if (!read_column (self, stmt, (int)i, record, error))
      return NULL;
  }
  return g_steal_pointer (&record);
}

GodwitJobRecord *
godwit_journal_read_record (GodwitJournal *self, const char *id, GError **error)
{
  g_autoptr (sqlite3_stmt) stmt = select_records (self, "WHERE id = :id", id, error);
  gboolean row = FALSE;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
    return NULL;
  if (!row) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, "godwit jobs", "there is no job '%s'", id);
    return NULL;
  }
  return read_row (self, stmt, error);
}

GodwitJobRecord *
godwit_journal_get_job (GodwitJournal *self, const char *id, GError **error)
{
  g_return_val_if_fail (id != NULL, NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return godwit_journal_read_record (self, id, error);
}

GPtrArray *
godwit_journal_list_jobs (GodwitJournal *self, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GPtrArray) jobs =
      g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_job_record_free);
  g_autoptr (sqlite3_stmt) stmt =
      select_records (self, "ORDER BY created_us DESC, rowid DESC", NULL, error);
  gboolean row = TRUE;
  while (row) {
    if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
      return NULL;
    GodwitJobRecord *record = row ? read_row (self, stmt, error) : NULL;
    if (row && record == NULL)
      return NULL;
    if (record != NULL)
      g_ptr_array_add (jobs, record);
  }
  return g_steal_pointer (&jobs);
}
