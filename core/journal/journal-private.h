/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal/journal.h"

#include <sqlite3.h>

G_BEGIN_DECLS

struct _GodwitJournal {
  GObject parent_instance;
  char *path;
  sqlite3 *db;
  GMutex mutex;
  const char *durable; /* value of PRAGMA synchronous for writes that must survive a power cut */
  guint64 n_writes;
  GodwitJournalHook hook;
  gpointer hook_data;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

/* --- db.c: SQLite with GError ------------------------------------------------------------ */

/* Sets the error for the last failure of the database: what, where, why, and what to do. */
gboolean godwit_db_fail (GodwitJournal *self, const char *what, GError **error);
gboolean godwit_db_exec (GodwitJournal *self, const char *sql, GError **error);
/* @n: value of `:n` in the statement's text, NULL-terminated list of names and texts */
sqlite3_stmt *godwit_db_prepare (GodwitJournal *self, GError **error, const char *sql,
                                 ...) G_GNUC_NULL_TERMINATED;
void godwit_db_bind_text (sqlite3_stmt *stmt, const char *name, const char *value);
void godwit_db_bind_int (sqlite3_stmt *stmt, const char *name, gint64 value);
void godwit_db_bind_variant (sqlite3_stmt *stmt, const char *name, GVariant *value);
/* Moves to the next row; *row is FALSE at the end. */
gboolean godwit_db_next (GodwitJournal *self, sqlite3_stmt *stmt, gboolean *row, GError **error);
/* Runs a statement that gives no rows. */
gboolean godwit_db_run (GodwitJournal *self, sqlite3_stmt *stmt, GError **error);
char *godwit_db_dup_text (sqlite3_stmt *stmt, int column);
/* NULL with an error if the bytes are no valid value; NULL without one if the column is NULL. */
GVariant *godwit_db_get_variant (GodwitJournal *self, sqlite3_stmt *stmt, int column,
                                 GError **error);

typedef gboolean (*GodwitDbWork) (GodwitJournal *self, gpointer data, GError **error);
/* One durable write transaction around @work, with the mutex held. */
gboolean godwit_db_transact (GodwitJournal *self, GodwitDbWork work, gpointer data, GError **error);
/* The same, but only as durable as the next durable one. */
gboolean godwit_db_transact_lazily (GodwitJournal *self, GodwitDbWork work, gpointer data,
                                    GError **error);

/* --- records.c --------------------------------------------------------------------------- */

/* Inside a transaction: the worker of @record is still the job's worker. */
gboolean godwit_journal_check_epoch (GodwitJournal *self, const GodwitJobRecord *record,
                                     GError **error);
/* Inside a transaction. */
gboolean godwit_journal_write_record (GodwitJournal *self, const GodwitJobRecord *record,
                                      GError **error);
gboolean godwit_journal_insert_record (GodwitJournal *self, const GodwitJobRecord *record,
                                       GError **error);
GodwitJobRecord *godwit_journal_read_record (GodwitJournal *self, const char *id, GError **error);

/* Every member, floating: the guest's facts as well. */
GVariant *godwit_journal_record_to_copy (const GodwitJobRecord *record);
GodwitJobRecord *godwit_journal_record_from_copy (GVariant *members, GError **error);

/* --- steps.c ----------------------------------------------------------------------------- */

/* Inside a transaction. */
gboolean godwit_journal_insert_steps (GodwitJournal *self, const char *id, GPtrArray *steps,
                                      GError **error);

/* --- process.c --------------------------------------------------------------------------- */

char *godwit_process_get_boot_id (void);
guint64 godwit_process_get_start (int pid);

G_END_DECLS
