/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/paths.h"
#include "journal/journal-private.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION  1
#define BUSY_TIMEOUT_MS 10000

G_DEFINE_TYPE (GodwitJournal, godwit_journal, G_TYPE_OBJECT)

/* Texts, not numbers, where a person with a database browser may have to read them. */
static const char schema[] =
    "CREATE TABLE jobs ("
    " id TEXT PRIMARY KEY, token TEXT NOT NULL, kind TEXT NOT NULL, of_job TEXT,"
    " guest TEXT, uuid TEXT, source TEXT, destination TEXT, strategy TEXT, why TEXT,"
    " state TEXT NOT NULL, committed INTEGER NOT NULL, awaiting_confirm INTEGER NOT NULL,"
    " confirmed INTEGER NOT NULL, created_us INTEGER NOT NULL, ended_us INTEGER NOT NULL,"
    " started_by TEXT, aborted_by TEXT, error TEXT, error_code INTEGER NOT NULL,"
    " failed_step TEXT, debts INTEGER NOT NULL, bytes INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " worker_pid INTEGER NOT NULL, worker_start INTEGER NOT NULL, worker_boot_id TEXT,"
    " control_path TEXT, options BLOB, guest_facts BLOB, confirm_begun INTEGER DEFAULT 0);"
    "CREATE TABLE steps ("
    " job TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, definition BLOB NOT NULL,"
    " state TEXT NOT NULL, message TEXT, changed_us INTEGER,"
    " PRIMARY KEY (job, position)) WITHOUT ROWID;"
    "CREATE TABLE facts ("
    " serial INTEGER PRIMARY KEY, job TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
    " UNIQUE (job, name));"
    "CREATE TABLE events ("
    " job TEXT NOT NULL, serial INTEGER NOT NULL, content BLOB NOT NULL,"
    " PRIMARY KEY (job, serial)) WITHOUT ROWID;";

static void
godwit_journal_finalize (GObject *object)
{
  GodwitJournal *self = GODWIT_JOURNAL (object);
  sqlite3_close_v2 (self->db);
  g_mutex_clear (&self->mutex);
  g_free (self->path);
  G_OBJECT_CLASS (godwit_journal_parent_class)->finalize (object);
}

static void
godwit_journal_class_init (GodwitJournalClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_journal_finalize;
}

static void
godwit_journal_init (GodwitJournal *self)
{
  g_mutex_init (&self->mutex);
  self->durable = "FULL";
}

const char *
godwit_journal_get_path (GodwitJournal *self)
{
  return self->path;
}

void
godwit_journal_set_hook (GodwitJournal *self, GodwitJournalHook hook, gpointer user_data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  self->hook = hook;
  self->hook_data = user_data;
  self->n_writes = 0;
}

static gboolean
fail_to_create (const char *path, GError **error)
{
  int saved = errno;
  godwit_set_error (error,
                    saved == EACCES || saved == EPERM || saved == EROFS ? GODWIT_ERROR_DENIED
                                                                        : GODWIT_ERROR_UNAVAILABLE,
                    "run godwit as root, or name a directory of your own in GODWIT_STATE_DIR",
                    "cannot create the journal %s: %s", path, g_strerror (saved));
  return FALSE;
}

/* One that an older version made may be open to a group. */
static gboolean
close_to_others (const char *path, GError **error)
{
  static const char *const parts[] = {"", "-wal", "-shm"};
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree char *part = g_strconcat (path, parts[i], NULL);
    struct stat st;
    if (lstat (part, &st) == 0 && S_ISREG (st.st_mode) && st.st_uid == geteuid () &&
        (st.st_mode & 077) != 0 && chmod (part, 0600) != 0)
      return fail_to_create (path, error);
  }
  return TRUE;
}

/* SQLite gives its write-ahead log the mode of the database. Definitions of guests are in it, and
 * with them the passwords of their consoles. */
static gboolean
create_file (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST)
    return close_to_others (path, error);
  if (fd < 0)
    return fail_to_create (path, error);
  /* SQLite syncs it, and its name, with the tables. */
  gboolean ok = fchmod (fd, 0600) == 0 || fail_to_create (path, error);
  close (fd);
  return ok;
}

static gboolean
read_pragma (GodwitJournal *self, const char *pragma, char **value, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("PRAGMA %s", pragma);
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (self, error, sql, NULL);
  gboolean row = FALSE;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
    return FALSE;
  *value = row ? godwit_db_dup_text (stmt, 0) : g_strdup ("");
  return TRUE;
}

static gboolean
read_version (GodwitJournal *self, gint64 *version, GError **error)
{
  g_autofree char *text = NULL;
  if (!read_pragma (self, "user_version", &text, error))
    return FALSE;
  *version = g_ascii_strtoll (text, NULL, 10);
  if (*version > SCHEMA_VERSION) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED,
                      "install the newer godwit again, or use another GODWIT_STATE_DIR",
                      "the journal %s was written by a newer godwit: it has schema version "
                      "%" G_GINT64_FORMAT " and this one knows versions up to %d",
                      self->path, *version, SCHEMA_VERSION);
    return FALSE;
  }
  return TRUE;
}

static gboolean
create_tables (GodwitJournal *self, gpointer data, GError **error)
{
  /* Another process may have been faster. */
  gint64 version;
  if (!read_version (self, &version, error))
    return FALSE;
  if (version == SCHEMA_VERSION)
    return TRUE;
  g_autofree char *mark = g_strdup_printf ("PRAGMA user_version=%d", SCHEMA_VERSION);
  return godwit_db_exec (self, schema, error) && godwit_db_exec (self, mark, error);
}

static gboolean
set_durability (GodwitJournal *self, GError **error)
{
  g_autofree char *mode = NULL;
  if (!read_pragma (self, "journal_mode=WAL", &mode, error))
    return FALSE;
  /* A file system without shared memory keeps the rollback journal, which is as durable if the
   * directory is synced too. */
  if (g_strcmp0 (mode, "wal") != 0)
    self->durable = "EXTRA";
  /* Keeps the log's file when the last process closes it: somebody who may only read the journal
   * cannot make it. */
  int persist = 1;
  sqlite3_file_control (self->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  g_autofree char *synchronous = g_strdup_printf ("PRAGMA synchronous=%s", self->durable);
  return godwit_db_exec (self, synchronous, error);
}

static gboolean
check_contents (GodwitJournal *self, GError **error)
{
  g_autofree char *verdict = NULL;
  if (!read_pragma (self, "quick_check(1)", &verdict, error))
    return FALSE;
  if (g_strcmp0 (verdict, "ok") == 0)
    return TRUE;
  godwit_set_error (
      error, GODWIT_ERROR_CORRUPT,
      "restore it from a backup, or move it aside and look after unfinished jobs by hand",
      "the journal %s is damaged: %s", self->path, verdict);
  return FALSE;
}

static gboolean
open_database (GodwitJournal *self, GError **error)
{
  if (sqlite3_open_v2 (self->path, &self->db,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE,
                       NULL) != SQLITE_OK)
    return godwit_db_fail (self, "open it", error);
  sqlite3_busy_timeout (self->db, BUSY_TIMEOUT_MS);

  gint64 version;
  if (!read_version (self, &version, error))
    return FALSE;
  if (sqlite3_db_readonly (self->db, "main") != 1) {
    if (!set_durability (self, error))
      return FALSE;
    if (version < SCHEMA_VERSION && !godwit_db_transact (self, create_tables, NULL, error))
      return FALSE;
  }
  return check_contents (self, error);
}

GodwitJournal *
godwit_journal_open (const char *path, GError **error)
{
  g_autoptr (GodwitJournal) self = g_object_new (GODWIT_TYPE_JOURNAL, NULL);
  const char *state_dir = godwit_paths_get_state_dir ();
  self->path = path != NULL ? g_strdup (path) : g_build_filename (state_dir, "journal.db", NULL);

  /* Who may only read it must not be asked to make its directory. */
  if (!g_file_test (self->path, G_FILE_TEST_EXISTS)) {
    if (path == NULL && !godwit_paths_make_dir (state_dir, 0750, error))
      return NULL;
    if (!create_file (self->path, error))
      return NULL;
  }
  return open_database (self, error) ? g_steal_pointer (&self) : NULL;
}
