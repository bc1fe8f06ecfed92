/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal.h"
#include "scratch.h"

#include <godwit/error.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static GodwitJournal *
open_journal (const char *directory)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (directory, "journal.db", NULL);
  GodwitJournal *journal = godwit_journal_open (path, &error);
  g_assert_no_error (error);
  return journal;
}

static GodwitJobRecord *
make_record (const char *guest, const char *source, const char *destination)
{
  GodwitJobRecord *record = godwit_job_record_new ();
  record->guest = g_strdup (guest);
  record->source = g_strdup (source);
  record->destination = g_strdup (destination);
  return record;
}

static GodwitJobRecord *
create (GodwitJournal *journal, const char *guest, const char *source)
{
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record = make_record (guest, source, "b");
  godwit_journal_create_job (journal, record, &error);
  g_assert_no_error (error);
  return record;
}

static GodwitJobRecord *
claim (GodwitJournal *journal, const char *id)
{
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record = godwit_journal_claim_job (journal, id, getpid (), &error);
  g_assert_no_error (error);
  return record;
}

static void
test_survives_reopening (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *id = NULL;
  g_autofree char *token = NULL;
  {
    g_autoptr (GodwitJournal) journal = open_journal (dir);
    g_autoptr (GodwitJobRecord) record = make_record ("Web Server/1", "a", "b");
    record->options = g_variant_ref_sink (g_variant_new_parsed ("{'strategy': 'cold'}"));
    g_autoptr (GError) error = NULL;
    g_assert_true (godwit_journal_create_job (journal, record, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (strspn (record->id, "abcdefghijklmnopqrstuvwxyz0123456789-"), ==,
                      strlen (record->id));
    g_assert_true (g_str_has_prefix (record->id, "web-server-1-"));
    g_assert_cmpuint (strlen (record->token), ==, 32);
    g_assert_nonnull (strstr (record->started_by, "uid"));
    id = g_strdup (record->id);
    token = g_strdup (record->token);
    g_autoptr (GodwitJobRecord) claimed = claim (journal, id);
    claimed->state = GODWIT_JOB_COPYING;
    claimed->bytes = G_GUINT64_CONSTANT (1) << 40;
    claimed->error = g_strdup ("it broke");
    g_assert_true (godwit_journal_update_job (journal, claimed, &error));
  }
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) read = godwit_journal_get_job (journal, id, NULL);
  g_assert_cmpstr (read->guest, ==, "Web Server/1");
  g_assert_cmpstr (read->token, ==, token);
  g_assert_cmpint (read->state, ==, GODWIT_JOB_COPYING);
  g_assert_cmpuint (read->bytes, ==, G_GUINT64_CONSTANT (1) << 40);
  g_assert_cmpuint (read->epoch, ==, 1);
  g_assert_cmpint (read->error_code, ==, -1);
  g_assert_true (g_variant_is_of_type (read->options, G_VARIANT_TYPE ("a{ss}")));
  g_assert_true (godwit_job_record_is_worker_alive (read));
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
}

static void
test_one_job_for_a_guest (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) first = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) elsewhere = create (journal, "web", "c");
  g_autoptr (GodwitJobRecord) again = make_record ("web", "a", "d");
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_journal_create_job (journal, again, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, first->id));
  g_autofree char *remedy = g_strdup_printf ("godwit show %s", first->id);
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, remedy);
  g_clear_error (&error);

  /* A job in doubt still owns its guest; one that failed does not. */
  g_autoptr (GodwitJobRecord) worker = claim (journal, first->id);
  worker->state = GODWIT_JOB_IN_DOUBT;
  g_assert_true (godwit_journal_update_job (journal, worker, NULL));
  g_assert_false (godwit_journal_create_job (journal, again, NULL));
  worker->state = GODWIT_JOB_FAILED;
  g_assert_true (godwit_journal_update_job (journal, worker, NULL));
  g_assert_true (godwit_journal_create_job (journal, again, &error));
  g_assert_no_error (error);
}

static void
test_uuid_found_later (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) first = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) by_uuid = create (journal, "5f0c", "root@a");
  g_autoptr (GodwitJobRecord) one = claim (journal, first->id);
  g_autoptr (GodwitJobRecord) two = claim (journal, by_uuid->id);
  g_autoptr (GError) error = NULL;
  one->uuid = g_strdup ("5f0c");
  g_assert_true (godwit_journal_update_job (journal, one, &error));
  two->uuid = g_strdup ("5f0c");
  g_assert_false (godwit_journal_update_job (journal, two, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, first->id));
  /* It must be able to end. */
  two->state = GODWIT_JOB_FAILED;
  g_assert_true (godwit_journal_update_job (journal, two, NULL));
}

static void
test_lower_epoch_is_refused (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) old = claim (journal, created->id);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  g_ptr_array_add (steps, godwit_step_new ("one", "one", 0, 1, 10, 0, NULL));
  g_assert_true (godwit_journal_set_plan (journal, old, steps, NULL));
  g_autoptr (GodwitJobRecord) new = claim (journal, created->id);
  g_assert_cmpuint (new->epoch, ==, old->epoch + 1);

  g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_LOG, NULL, "hello");
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_journal_update_job (journal, old, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_false (godwit_journal_set_step (journal, old, 0, GODWIT_STEP_BEGUN, NULL, NULL));
  g_assert_false (godwit_journal_set_fact (journal, old, "f", g_variant_new_int32 (1), NULL));
  g_assert_false (godwit_journal_set_plan (journal, old, steps, NULL));
  g_assert_false (godwit_journal_add_event (journal, old, event, NULL));
  g_assert_false (godwit_journal_begin_confirm (journal, old, NULL));
  g_assert_cmpint (godwit_journal_get_step (journal, created->id, 0, NULL), ==,
                   GODWIT_STEP_WAITING);
  g_assert_null (godwit_journal_get_fact (journal, created->id, "f"));
  g_assert_true (godwit_journal_update_job (journal, new, NULL));
}

static void
test_claim_kills_the_former_worker (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  const char *argv[] = {"sleep", "60", NULL};
  GPid pid;
  g_autoptr (GError) error = NULL;
  g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                 NULL, &pid, &error);
  g_assert_no_error (error);
  g_autoptr (GodwitJobRecord) theirs = godwit_journal_claim_job (journal, created->id, pid, &error);
  g_assert_no_error (error);
  g_assert_true (godwit_job_record_is_worker_alive (theirs));
  /* One that was stopped would wake up one day and go on. */
  kill (pid, SIGSTOP);
  g_assert_true (godwit_job_record_is_worker_alive (theirs));
  g_autoptr (GodwitJobRecord) ours = claim (journal, created->id);
  int status;
  g_assert_cmpint (waitpid (pid, &status, WNOHANG), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static void
test_claim_spares_a_stranger (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  const char *argv[] = {"sleep", "60", NULL};
  GPid pid;
  g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                 NULL, &pid, NULL);
  g_autoptr (GodwitJobRecord) theirs = godwit_journal_claim_job (journal, created->id, pid, NULL);
  /* The worker died, and its process id was given to somebody else. */
  theirs->worker_start += 1;
  g_assert_true (godwit_journal_update_job (journal, theirs, NULL));
  g_assert_false (godwit_job_record_is_worker_alive (theirs));
  g_autoptr (GodwitJobRecord) ours = claim (journal, created->id);
  int status;
  g_assert_cmpint (waitpid (pid, &status, WNOHANG), ==, 0);
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
}

static void
test_facts_keep_their_order (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) record = claim (journal, created->id);
  g_assert_true (godwit_journal_set_fact (journal, record, "disk.vda.path",
                                          g_variant_new_bytestring ("/a\xff"), NULL));
  g_assert_true (godwit_journal_set_fact (journal, record, "disk.vdb.path",
                                          g_variant_new_string ("/b"), NULL));
  g_assert_true (godwit_journal_set_fact (journal, record, "other", g_variant_new_int32 (7), NULL));
  g_assert_true (godwit_journal_set_fact (journal, record, "disk.vda.path",
                                          g_variant_new_string ("/c"), NULL));
  g_auto (GStrv) names = godwit_journal_list_facts (journal, created->id, "disk.");
  const char *expected[] = {"disk.vda.path", "disk.vdb.path", NULL};
  g_assert_cmpstrv (names, expected);
  g_autoptr (GVariant) value = godwit_journal_get_fact (journal, created->id, "disk.vda.path");
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "/c");
  g_assert_true (godwit_journal_set_fact (journal, record, "other", NULL, NULL));
  g_assert_null (godwit_journal_get_fact (journal, created->id, "other"));
}

static void
test_plan_and_events (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) record = claim (journal, created->id);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  g_ptr_array_add (steps, godwit_step_new ("one", "first", GODWIT_PHASE_PREPARING, 1, 10,
                                           GODWIT_STEP_UNDO, g_variant_new_parsed ("{'x': <1>}")));
  g_ptr_array_add (steps, godwit_step_new ("two", "second", GODWIT_PHASE_FROZEN, 0, 5,
                                           GODWIT_STEP_COMMIT, NULL));
  record->strategy = g_strdup ("cold");
  g_assert_true (godwit_journal_set_plan (journal, record, steps, NULL));
  g_autoptr (GPtrArray) read = godwit_journal_get_plan (journal, created->id, NULL);
  g_assert_cmpuint (read->len, ==, 2);
  const GodwitStep *one = g_ptr_array_index (read, 0);
  g_assert_cmpstr (one->name, ==, "one");
  g_assert_cmpuint (one->flags, ==, GODWIT_STEP_UNDO);
  g_assert_nonnull (one->arguments);
  g_autoptr (GodwitJobRecord) saved = godwit_journal_get_job (journal, created->id, NULL);
  g_assert_cmpstr (saved->strategy, ==, "cold");
  record->state = GODWIT_JOB_FROZEN;
  g_assert_true (godwit_journal_set_step (journal, record, 1, GODWIT_STEP_BEGUN, NULL, NULL));
  g_assert_cmpint (godwit_journal_get_step (journal, created->id, 1, NULL), ==, GODWIT_STEP_BEGUN);
  g_assert_false (godwit_journal_set_step (journal, record, 2, GODWIT_STEP_BEGUN, NULL, NULL));

  for (guint i = 1; i <= 3; i++) {
    g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_LOG, NULL, "line");
    g_assert_true (godwit_journal_add_event (journal, record, event, NULL));
    g_assert_cmpuint (event->serial, ==, i);
  }
  g_autoptr (GPtrArray) events = godwit_journal_get_events (journal, created->id, 1, NULL);
  g_assert_cmpuint (events->len, ==, 2);
  g_assert_cmpuint (((GodwitEvent *)g_ptr_array_index (events, 0))->serial, ==, 2);
}

static void
test_revert_inherits (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) record = claim (journal, created->id);
  godwit_journal_set_fact (journal, record, "parked", g_variant_new_string ("/x"), NULL);
  g_autoptr (GodwitJobRecord) revert = make_record (NULL, NULL, NULL);
  g_free (revert->kind);
  revert->kind = g_strdup ("revert");
  revert->of_job = g_strdup (created->id);
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_journal_create_job (journal, revert, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
  g_clear_error (&error);

  record->state = GODWIT_JOB_DONE;
  record->awaiting_confirm = TRUE;
  g_assert_true (godwit_journal_update_job (journal, record, NULL));
  g_assert_true (godwit_journal_create_job (journal, revert, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (revert->token, ==, created->token);
  g_assert_cmpstr (revert->guest, ==, "web");
  g_assert_cmpstr (revert->destination, ==, "b");
  g_autoptr (GVariant) parked = godwit_journal_get_fact (journal, revert->id, "parked");
  g_assert_cmpstr (g_variant_get_string (parked, NULL), ==, "/x");

  /* While it is reverted it cannot be confirmed; once it is being confirmed, not reverted. */
  g_assert_false (godwit_journal_begin_confirm (journal, record, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_clear_error (&error);
  g_autoptr (GodwitJobRecord) reverting = claim (journal, revert->id);
  reverting->state = GODWIT_JOB_FAILED;
  g_assert_true (godwit_journal_update_job (journal, reverting, NULL));
  g_assert_true (godwit_journal_begin_confirm (journal, record, &error));
  g_assert_true (godwit_journal_has_begun_confirm (journal, created->id));
  g_assert_false (godwit_journal_create_job (journal, revert, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
}

static void
test_abort_is_not_overwritten (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) record = claim (journal, created->id);
  g_assert_true (godwit_journal_set_aborted_by (journal, created->id, "alice", NULL));
  g_assert_true (godwit_journal_set_aborted_by (journal, created->id, "bob", NULL));
  g_assert_true (godwit_journal_update_job (journal, record, NULL));
  g_autoptr (GodwitJobRecord) read = godwit_journal_get_job (journal, created->id, NULL);
  g_assert_cmpstr (read->aborted_by, ==, "alice");
}

/* --- broken journals --------------------------------------------------------------------- */

static void
assert_refused (const char *path, GodwitErrorCode code, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJournal) journal = godwit_journal_open (path, &error);
  g_assert_null (journal);
  g_assert_error (error, GODWIT_ERROR, (int)code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, part));
  g_assert_nonnull (godwit_error_get_remedy (error));
}

static void
test_refuses_garbage (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  g_autofree char *junk = g_strnfill (8192, 'x');
  g_assert_true (g_file_set_contents (path, junk, -1, NULL));
  assert_refused (path, GODWIT_ERROR_CORRUPT, "not a database");
  g_autofree char *after = NULL;
  g_assert_true (g_file_get_contents (path, &after, NULL, NULL));
  g_assert_cmpstr (after, ==, junk);
}

static void
test_refuses_damage_inside (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  {
    g_autoptr (GodwitJournal) journal = open_journal (dir);
    g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  }
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA wal_checkpoint (TRUNCATE)", NULL, NULL, NULL), ==,
                   SQLITE_OK);
  sqlite3_close (db);
  FILE *file = fopen (path, "r+");
  g_assert_nonnull (file);
  fseek (file, 4096, SEEK_SET);
  for (int i = 0; i < 4096; i++)
    fputc ('x', file);
  fclose (file);
  assert_refused (path, GODWIT_ERROR_CORRUPT, "journal");
}

static void
test_refuses_a_newer_schema (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  {
    g_autoptr (GodwitJournal) journal = open_journal (dir);
  }
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA user_version=99", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  assert_refused (path, GODWIT_ERROR_NOT_SUPPORTED, "99");
}

static void
test_full_disk_leaves_the_old_state (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  g_autoptr (GodwitJobRecord) record = claim (journal, created->id);
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  g_autofree char *big = g_strnfill (1 << 20, 'x');
  /* The same limit that a full file system sets, without needing one. */
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  struct sigaction old;
  sigaction (SIGXFSZ, &ignore, &old);
  struct rlimit before;
  getrlimit (RLIMIT_FSIZE, &before);
  struct rlimit small = {.rlim_cur = 300000, .rlim_max = before.rlim_max};
  setrlimit (RLIMIT_FSIZE, &small);
  g_autoptr (GError) error = NULL;
  gboolean ok =
      godwit_journal_set_fact (journal, record, "big", g_variant_new_string (big), &error);
  setrlimit (RLIMIT_FSIZE, &before);
  sigaction (SIGXFSZ, &old, NULL);
  g_assert_false (ok);
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_null (godwit_journal_get_fact (journal, created->id, "big"));
  g_assert_true (
      godwit_journal_set_fact (journal, record, "small", g_variant_new_string ("x"), NULL));
}

static void
read_as_nobody (const char *path)
{
  if (setgid (65534) != 0 || setuid (65534) != 0)
    _exit (2);
  g_autoptr (GodwitJournal) journal = godwit_journal_open (path, NULL);
  if (journal == NULL)
    _exit (3);
  g_autoptr (GPtrArray) jobs = godwit_journal_list_jobs (journal, NULL);
  if (jobs == NULL || jobs->len != 1)
    _exit (4);
  GodwitJobRecord *record = g_ptr_array_index (jobs, 0);
  g_autoptr (GError) error = NULL;
  if (godwit_journal_update_job (journal, record, &error))
    _exit (5);
  _exit (g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_DENIED) ? 0 : 6);
}

static void
test_read_only_for_others (void)
{
  if (geteuid () != 0) {
    g_test_skip ("needs root to become somebody else");
    return;
  }
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *path = g_build_filename (dir, "journal.db", NULL);
  {
    g_autoptr (GodwitJournal) journal = open_journal (dir);
    g_autoptr (GodwitJobRecord) created = create (journal, "web", "a");
  }
  chmod (dir, 0755);
  for (const char *const *suffix = (const char *const[]){"", "-wal", "-shm", NULL}; *suffix != NULL;
       suffix++) {
    g_autofree char *file = g_strconcat (path, *suffix, NULL);
    chmod (file, 0644);
  }
  pid_t pid = fork ();
  if (pid == 0)
    read_as_nobody (path);
  int status;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

/* --- exit codes -------------------------------------------------------------------------- */

static void
test_exit_codes (void)
{
  static const struct {
    GodwitJobState state;
    int error_code;
    const char *step;
    guint debts;
    int expected;
  } cases[] = {
      {GODWIT_JOB_DONE, -1, NULL, 0, 0},
      {GODWIT_JOB_DONE, -1, NULL, 1, 5},
      {GODWIT_JOB_REVERTED, -1, NULL, 0, 0},
      {GODWIT_JOB_FAILED, GODWIT_ERROR_PEER, "copy", 0, 1},
      {GODWIT_JOB_FAILED, GODWIT_ERROR_PEER, "copy", 2, 4},
      {GODWIT_JOB_FAILED, GODWIT_ERROR_REFUSED, NULL, 0, 3},
      {GODWIT_JOB_FAILED, GODWIT_ERROR_REFUSED, "copy", 0, 1},
      {GODWIT_JOB_FAILED, GODWIT_ERROR_CONFIG, NULL, 0, 2},
      {GODWIT_JOB_CANCELLED, GODWIT_ERROR_CANCELLED, "copy", 0, 130},
      {GODWIT_JOB_IN_DOUBT, GODWIT_ERROR_IN_DOUBT, "copy", 0, 4},
      {GODWIT_JOB_RESUMING, GODWIT_ERROR_PEER, "resume", 0, 4},
      {GODWIT_JOB_COPYING, -1, NULL, 0, -1},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
    record->state = cases[i].state;
    record->error_code = cases[i].error_code;
    record->error = cases[i].error_code >= 0 ? g_strdup ("why") : NULL;
    record->failed_step = g_strdup (cases[i].step);
    record->debts = cases[i].debts;
    g_test_message ("case %u", i);
    g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, cases[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/journal/survives-reopening", test_survives_reopening);
  g_test_add_func ("/journal/one-job-for-a-guest", test_one_job_for_a_guest);
  g_test_add_func ("/journal/uuid-found-later", test_uuid_found_later);
  g_test_add_func ("/journal/lower-epoch-is-refused", test_lower_epoch_is_refused);
  g_test_add_func ("/journal/claim-kills-the-former-worker", test_claim_kills_the_former_worker);
  g_test_add_func ("/journal/claim-spares-a-stranger", test_claim_spares_a_stranger);
  g_test_add_func ("/journal/facts-keep-their-order", test_facts_keep_their_order);
  g_test_add_func ("/journal/plan-and-events", test_plan_and_events);
  g_test_add_func ("/journal/revert-inherits", test_revert_inherits);
  g_test_add_func ("/journal/abort-is-not-overwritten", test_abort_is_not_overwritten);
  g_test_add_func ("/journal/refuses-garbage", test_refuses_garbage);
  g_test_add_func ("/journal/refuses-damage-inside", test_refuses_damage_inside);
  g_test_add_func ("/journal/refuses-a-newer-schema", test_refuses_a_newer_schema);
  g_test_add_func ("/journal/full-disk-leaves-the-old-state", test_full_disk_leaves_the_old_state);
  g_test_add_func ("/journal/read-only-for-others", test_read_only_for_others);
  g_test_add_func ("/journal/exit-codes", test_exit_codes);
  return g_test_run ();
}
