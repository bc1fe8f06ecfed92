/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-private.h"

#include <godwit/error.h>

#include <errno.h>

static GodwitErrorCode
code_of (int result, int system_errno, const char **remedy)
{
  switch (result & 0xff) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    *remedy = "restore it from a backup, or move it aside and look after unfinished jobs by hand";
    return GODWIT_ERROR_CORRUPT;
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_AUTH:
    *remedy = "run godwit as the user that owns the journal (usually root: sudo godwit ...)";
    return GODWIT_ERROR_DENIED;
  case SQLITE_CANTOPEN:
    *remedy = "check the permissions of the file and its directory, or run godwit as its owner";
    return system_errno == EACCES ? GODWIT_ERROR_DENIED : GODWIT_ERROR_UNAVAILABLE;
  case SQLITE_FULL:
    *remedy = "free some space on its file system, then run the same command again";
    return GODWIT_ERROR_UNAVAILABLE;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    *remedy = "try again; if it stays so, see who holds the file: fuser -v FILE";
    return GODWIT_ERROR_BUSY;
  case SQLITE_IOERR:
    *remedy = "check the disk under it (space, dmesg), then run the same command again";
    return GODWIT_ERROR_UNAVAILABLE;
  default:
    *remedy = NULL;
    return GODWIT_ERROR_INTERNAL;
  }
}

gboolean
godwit_db_fail (GodwitJournal *self, const char *what, GError **error)
{
  const char *remedy;
  int result = sqlite3_extended_errcode (self->db);
  int system_errno = sqlite3_system_errno (self->db);
  GodwitErrorCode code = code_of (result, system_errno, &remedy);
  gboolean io = (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN;
  godwit_set_error (error, code, remedy, "the journal %s: cannot %s: %s%s%s", self->path, what,
                    sqlite3_errmsg (self->db), io && system_errno != 0 ? ": " : "",
                    io && system_errno != 0 ? g_strerror (system_errno) : "");
  return FALSE;
}

gboolean
godwit_db_exec (GodwitJournal *self, const char *sql, GError **error)
{
  if (sqlite3_exec (self->db, sql, NULL, NULL, NULL) != SQLITE_OK)
    return godwit_db_fail (self, "use it", error);
  return TRUE;
}

sqlite3_stmt *
godwit_db_prepare (GodwitJournal *self, GError **error, const char *sql, ...)
{
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2 (self->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
    godwit_db_fail (self, "use it", error);
    return NULL;
  }
  va_list args;
  va_start (args, sql);
  const char *name;
  while ((name = va_arg (args, const char *)) != NULL)
    godwit_db_bind_text (stmt, name, va_arg (args, const char *));
  va_end (args);
  return stmt;
}

static int
find_parameter (sqlite3_stmt *stmt, const char *name)
{
  g_autofree char *full = g_strconcat (":", name, NULL);
  return sqlite3_bind_parameter_index (stmt, full);
}

void
godwit_db_bind_text (sqlite3_stmt *stmt, const char *name, const char *value)
{
  sqlite3_bind_text (stmt, find_parameter (stmt, name), value, -1, SQLITE_TRANSIENT);
}

void
godwit_db_bind_int (sqlite3_stmt *stmt, const char *name, gint64 value)
{
  sqlite3_bind_int64 (stmt, find_parameter (stmt, name), value);
}

void
godwit_db_bind_variant (sqlite3_stmt *stmt, const char *name, GVariant *value)
{
  int index = find_parameter (stmt, name);
  if (value == NULL) {
    sqlite3_bind_null (stmt, index);
    return;
  }
  /* Boxed, so that the type travels with the bytes. */
  g_autoptr (GVariant) boxed = g_variant_ref_sink (g_variant_new_variant (value));
  sqlite3_bind_blob64 (stmt, index, g_variant_get_data (boxed), g_variant_get_size (boxed),
                       SQLITE_TRANSIENT);
}

gboolean
godwit_db_next (GodwitJournal *self, sqlite3_stmt *stmt, gboolean *row, GError **error)
{
  int result = sqlite3_step (stmt);
  *row = result == SQLITE_ROW;
  if (result == SQLITE_ROW || result == SQLITE_DONE)
    return TRUE;
  return godwit_db_fail (self, sqlite3_stmt_readonly (stmt) ? "read it" : "write to it", error);
}

gboolean
godwit_db_run (GodwitJournal *self, sqlite3_stmt *stmt, GError **error)
{
  gboolean row;
  return godwit_db_next (self, stmt, &row, error);
}

char *
godwit_db_dup_text (sqlite3_stmt *stmt, int column)
{
  return g_strdup ((const char *)sqlite3_column_text (stmt, column));
}

GVariant *
godwit_db_get_variant (GodwitJournal *self, sqlite3_stmt *stmt, int column, GError **error)
{
  const void *data = sqlite3_column_blob (stmt, column);
  if (data == NULL)
    return NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data, (gsize)sqlite3_column_bytes (stmt, column));
  g_autoptr (GVariant) boxed =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT, bytes, FALSE));
  if (!g_variant_is_normal_form (boxed)) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, "restore it from a backup",
                      "the journal %s: a value in column %s is damaged", self->path,
                      sqlite3_column_name (stmt, column));
    return NULL;
  }
  return g_variant_get_variant (boxed);
}

static gboolean
ask_hook (GodwitJournal *self, gboolean after, GError **error)
{
  if (self->hook == NULL || self->hook (self->n_writes, after, self->hook_data))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "the journal %s: stopped by a test",
                    self->path);
  return FALSE;
}

static gboolean
transact (GodwitJournal *self, GodwitDbWork work, gpointer data, GError **error)
{
  if (!godwit_db_exec (self, "BEGIN IMMEDIATE", error))
    return FALSE;
  if (work (self, data, error) && godwit_db_exec (self, "COMMIT", error))
    return TRUE;
  /* A failed COMMIT may have rolled back already. */
  if (!sqlite3_get_autocommit (self->db))
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

gboolean
godwit_db_transact (GodwitJournal *self, GodwitDbWork work, gpointer data, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  self->n_writes++;
  return ask_hook (self, FALSE, error) && transact (self, work, data, error) &&
         ask_hook (self, TRUE, error);
}

gboolean
godwit_db_transact_lazily (GodwitJournal *self, GodwitDbWork work, gpointer data, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autofree char *restore = g_strdup_printf ("PRAGMA synchronous=%s", self->durable);
  if (!godwit_db_exec (self, "PRAGMA synchronous=NORMAL", error))
    return FALSE;
  gboolean ok = transact (self, work, data, error);
  /* It cannot be set wrongly without the database being unusable, and then the next write says so.
   */
  return godwit_db_exec (self, restore, ok ? error : NULL) && ok;
}
