/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program is its own `godwit supervise` and `godwit work`: jobs of real processes over a world
 * that exists only in each worker's memory. The job's option `mode` says what its worker does. */
#include "control/client.h"
#include "control/connection.h"
#include "control/lock.h"
#include "control/supervisor.h"
#include "control/work.h"
#include "fake-world.h"
#include "scratch.h"

#include <godwit/error.h>

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the worker -------------------------------------------------------------------------- */

static char *
read_mode (const char *job)
{
  g_autoptr (GodwitJournal) journal = godwit_journal_open (NULL, NULL);
  g_autoptr (GodwitJobRecord) record = godwit_journal_get_job (journal, job, NULL);
  char *mode = NULL;
  g_variant_lookup (record->options, "mode", "s", &mode);
  return mode;
}

static int
work (int argc, char **argv)
{
  g_auto (GodwitErrand) errand;
  if (!godwit_errand_parse (&errand, "work", argc, argv, NULL))
    return 2;
  g_autofree char *mode = read_mode (errand.job);
  g_auto (FakeWorld) world;
  fake_world_init (&world);
  world.no_deadlines = TRUE;
  if (g_str_equal (mode, "hang"))
    world.hang_step = "tunnel";
  else if (g_str_equal (mode, "die"))
    world.kill_step = "tunnel";
  GodwitEngineBackend backend = fake_world_make_backend (&world);
  return godwit_work (&errand, NULL, &backend);
}

/* --- the front end ----------------------------------------------------------------------- */

static GodwitClient *
make_client (void)
{
  g_autoptr (GError) error = NULL;
  GodwitClient *client = godwit_client_new (NULL, &error);
  g_assert_no_error (error);
  return client;
}

static char *
migrate (GodwitClient *client, const char *mode)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->guest = g_strdup ("web");
  record->destination = g_strdup ("b");
  record->options = g_variant_ref_sink (g_variant_new_parsed ("{'mode': %s}", mode));
  char *job = godwit_client_migrate (client, record, &error);
  g_assert_no_error (error);
  return job;
}

static GodwitJobRecord *
get (GodwitClient *client, const char *job)
{
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record =
      godwit_journal_get_job (godwit_client_get_journal (client), job, &error);
  g_assert_no_error (error);
  return record;
}

static void
wait_for_step (GodwitClient *client, const char *job, guint step)
{
  for (guint i = 0; i < 2000; i++) {
    if (godwit_journal_get_step (godwit_client_get_journal (client), job, step, NULL) ==
        GODWIT_STEP_BEGUN)
      return;
    g_usleep (5000);
  }
  g_error ("step %u of %s never began", step, job);
}

static void
collect (const GodwitEvent *event, gpointer user_data)
{
  g_ptr_array_add (user_data, godwit_event_copy (event));
}

static GPtrArray *
watch (GodwitClient *client, const char *job)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_event_free);
  gboolean ok = godwit_client_watch (client, job, 0, collect, events, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  return events;
}

/* Every event that is kept, once, in order; the last one is the result. */
static void
assert_complete (GPtrArray *events)
{
  guint64 serial = 0;
  const GodwitEvent *last = NULL;
  for (guint i = 0; i < events->len; i++) {
    const GodwitEvent *event = g_ptr_array_index (events, i);
    if (event->serial == 0)
      continue;
    g_test_message ("%s %s: %s", godwit_event_kind_to_string (event->kind),
                    event->what != NULL ? event->what : "",
                    event->message != NULL ? event->message : "");
    g_assert_cmpuint (event->serial, ==, serial + 1);
    serial = event->serial;
    last = event;
  }
  g_assert_nonnull (last);
  g_assert_cmpint (last->kind, ==, GODWIT_EVENT_RESULT);
}

static gboolean
has_message (GPtrArray *events, const char *part)
{
  for (guint i = 0; i < events->len; i++) {
    const GodwitEvent *event = g_ptr_array_index (events, i);
    if (event->message != NULL && strstr (event->message, part) != NULL)
      return TRUE;
  }
  return FALSE;
}

/* --- jobs -------------------------------------------------------------------------------- */

static void
test_migrate (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "plain");
  g_autoptr (GPtrArray) events = watch (client, job);
  assert_complete (events);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  g_assert_cmpint (record->state, ==, GODWIT_JOB_DONE);
  g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, 0);
  g_assert_cmpint (record->worker_pid, ==, 0);
  g_assert_cmpint (godwit_lock_look (job), ==, GODWIT_LOCK_FREE);
  /* Watching what is over tells the same and ends at once. */
  g_autoptr (GPtrArray) again = watch (client, job);
  assert_complete (again);
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_client_abort (client, job, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
}

static gboolean
abort_soon (const GodwitEvent *event, GodwitClient *client, const char *job)
{
  /* Progress comes only over the socket: the abort is asked for while the step works. */
  return event->kind == GODWIT_EVENT_PROGRESS && godwit_client_abort (client, job, NULL);
}

typedef struct {
  GodwitClient *client;
  const char *job;
  guint n_progress;
  gboolean aborted;
} Aborting;

static void
on_event (const GodwitEvent *event, gpointer user_data)
{
  Aborting *self = user_data;
  self->n_progress += event->kind == GODWIT_EVENT_PROGRESS;
  if (!self->aborted)
    self->aborted = abort_soon (event, self->client, self->job);
}

static void
test_abort (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  Aborting aborting = {.client = client, .job = job};
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_client_watch (client, job, 0, on_event, &aborting, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (aborting.aborted);
  g_assert_cmpuint (aborting.n_progress, >, 0);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  g_assert_cmpint (record->state, ==, GODWIT_JOB_CANCELLED);
  g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, 130);
  g_autofree char *uid = g_strdup_printf ("(uid %u)", (guint)geteuid ());
  g_assert_nonnull (strstr (record->aborted_by, uid));
}

static void
test_signal_aborts (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  wait_for_step (client, job, 1);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  g_assert_cmpint (kill (record->worker_pid, SIGTERM), ==, 0);
  g_autoptr (GPtrArray) events = watch (client, job);
  assert_complete (events);
  g_autoptr (GodwitJobRecord) after = get (client, job);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_CANCELLED);
  g_assert_cmpstr (after->aborted_by, ==, "a signal");
}

static void
assert_detached (int worker_pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", worker_pid);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  int parent = 0;
  g_assert_cmpint (sscanf (strrchr (text, ')') + 1, " %*c %d", &parent), ==, 1);
  g_assert_cmpint (getsid (parent), ==, parent);
  g_assert_cmpint (getsid (worker_pid), ==, parent);
  g_assert_cmpint (getpgid (worker_pid), ==, worker_pid);
}

static void
test_while_it_runs (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  wait_for_step (client, job, 1);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  assert_detached (record->worker_pid);
  g_autoptr (GPtrArray) stranded = godwit_client_list_stranded (client, NULL);
  g_assert_cmpuint (stranded->len, ==, 0);

  struct stat st;
  g_assert_cmpint (stat (record->control_path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0007, ==, 0);

  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_client_recover (client, job, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_clear_error (&error);
  g_autoptr (GodwitJobRecord) second = godwit_job_record_new ();
  second->guest = g_strdup ("web");
  second->destination = g_strdup ("c");
  g_assert_null (godwit_client_migrate (client, second, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_clear_error (&error);

  g_assert_true (godwit_client_abort (client, job, &error));
  g_autoptr (GPtrArray) events = watch (client, job);
  assert_complete (events);
}

static void
test_get_record (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  wait_for_step (client, job, 1);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = godwit_connection_open (record, NULL, &error);
  g_assert_no_error (error);
  g_dbus_connection_start_message_processing (connection);
  g_autoptr (GVariant) reply = godwit_connection_call (connection, "GetRecord", 5000, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) dict = g_variant_get_child_value (reply, 0);
  const char *state = NULL;
  g_assert_true (g_variant_lookup (dict, "state", "&s", &state));
  g_assert_cmpstr (state, ==, "preparing");
  g_assert_false (g_variant_lookup (dict, "guest_facts", "@a{sv}", NULL));
  g_assert_true (godwit_client_abort (client, job, NULL));
  g_autoptr (GPtrArray) events = watch (client, job);
}

static void
test_dead_worker_is_recovered (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "die");
  g_autoptr (GPtrArray) events = watch (client, job);
  assert_complete (events);
  g_assert_true (has_message (events, "was killed by signal 9"));
  g_assert_true (has_message (events, "recovering the job"));
  g_autoptr (GodwitJobRecord) record = get (client, job);
  g_assert_cmpint (record->state, ==, GODWIT_JOB_FAILED);
  g_assert_cmpint (godwit_job_record_get_exit_code (record), ==, 1);
  g_assert_cmpstr (record->failed_step, ==, "tunnel");
  g_assert_cmpuint (record->epoch, ==, 2);
}

/* Worker and supervisor die together: nobody is left, until an operator comes. */
static void
test_stranded (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  wait_for_step (client, job, 1);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  int supervisor = getsid (record->worker_pid);
  kill (supervisor, SIGKILL);
  g_assert_cmpint (godwit_lock_look (job), ==, GODWIT_LOCK_HELD);
  kill (record->worker_pid, SIGKILL);
  for (guint i = 0; godwit_lock_look (job) == GODWIT_LOCK_HELD && i < 1000; i++)
    g_usleep (5000);
  g_autoptr (GPtrArray) stranded = godwit_client_list_stranded (client, NULL);
  g_assert_cmpuint (stranded->len, ==, 1);
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_client_abort (client, job, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
  g_clear_error (&error);
  g_assert_true (godwit_client_recover (client, job, &error));
  g_assert_no_error (error);
  g_autoptr (GPtrArray) events = watch (client, job);
  assert_complete (events);
  g_autoptr (GodwitJobRecord) after = get (client, job);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_FAILED);
  g_autoptr (GPtrArray) none = godwit_client_list_stranded (client, NULL);
  g_assert_cmpuint (none->len, ==, 0);
}

/* A stopped worker answers nobody, for as long as it is asked: some seconds. */
static void
test_stopped_worker_is_taken_over (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  wait_for_step (client, job, 1);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  kill (record->worker_pid, SIGSTOP);
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_client_recover (client, job, &error));
  g_assert_no_error (error);
  g_autoptr (GPtrArray) events = watch (client, job);
  assert_complete (events);
  g_autoptr (GodwitJobRecord) after = get (client, job);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_FAILED);
}

static void
test_confirm_and_revert (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "plain");
  g_autoptr (GPtrArray) events = watch (client, job);
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_client_confirm (client, job, &error));
  g_assert_no_error (error);
  g_autoptr (GPtrArray) more = watch (client, job);
  assert_complete (more);
  g_autoptr (GodwitJobRecord) record = get (client, job);
  g_assert_true (record->confirmed);
  g_assert_false (godwit_client_confirm (client, job, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
  g_clear_error (&error);
  g_assert_null (godwit_client_revert (client, job, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
}

static void
test_watch_is_cancelled (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autofree char *job = migrate (client, "hang");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_event_free);
  g_cancellable_cancel (cancellable);
  g_assert_true (godwit_client_watch (client, job, 0, collect, events, cancellable, NULL));
  g_assert_true (godwit_client_abort (client, job, NULL));
  g_autoptr (GPtrArray) rest = watch (client, job);
  assert_complete (rest);
}

static void
test_unknown_job (void)
{
  g_autoptr (GodwitClient) client = make_client ();
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_client_recover (client, "nothing-0000", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (godwit_client_watch (client, "nothing-0000", 0, collect, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
}

/* --- parts ------------------------------------------------------------------------------- */

static void
test_lock (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (godwit_lock_look ("some-job"), ==, GODWIT_LOCK_FREE);
  int fd = godwit_lock_take ("some-job", &error);
  g_assert_no_error (error);
  g_assert_cmpint (godwit_lock_look ("some-job"), ==, GODWIT_LOCK_HELD);
  close (fd);
  g_assert_cmpint (godwit_lock_look ("some-job"), ==, GODWIT_LOCK_FREE);
}

/* Who holds the lock was killed, or was not. */
static void
test_lock_sweep (void)
{
  g_autoptr (GError) error = NULL;
  int fd = godwit_lock_take ("some-job", &error);
  g_assert_no_error (error);
  g_autofree char *socket = godwit_control_make_path ("some-job");
  g_assert_true (g_file_set_contents (socket, "", 0, NULL));
  godwit_lock_sweep ("some-job");
  g_assert_cmpint (godwit_lock_look ("some-job"), ==, GODWIT_LOCK_HELD);
  g_assert_true (g_file_test (socket, G_FILE_TEST_EXISTS));
  close (fd);
  godwit_lock_sweep ("some-job");
  g_assert_false (g_file_test (socket, G_FILE_TEST_EXISTS));
  g_autofree char *directory = g_path_get_dirname (socket);
  g_autofree char *lock = g_build_filename (directory, "some-job.lock", NULL);
  g_assert_false (g_file_test (lock, G_FILE_TEST_EXISTS));
  /* Nor does it make one. */
  godwit_lock_sweep ("some-job");
  g_assert_false (g_file_test (lock, G_FILE_TEST_EXISTS));
}

typedef struct {
  const char *const *scripts; /* what each worker does */
  guint n_started;
  GString *purposes;
} Script;

static gboolean
start_script (const char *purpose, GPid *pid, gpointer data, GError **error)
{
  Script *script = data;
  g_string_append_printf (script->purposes, "%s ", purpose);
  const char *argv[] = {"sh", "-c", script->scripts[script->n_started++], NULL};
  return g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                        NULL, NULL, pid, error);
}

static void
test_supervisor (void)
{
  static const struct {
    const char *scripts[5];
    const char *purposes;
    int code;
  } cases[] = {
      {{"exit 0"}, "run ", 0},
      {{"exit 130"}, "run ", 130},
      {{"exit 72"}, "run ", 72},
      {{"kill -9 $$", "exit 1"}, "run recover ", 1},
      {{"exit 70", "exit 71", "exit 0"}, "run recover recover ", 0},
      {{"kill -9 $$", "kill -9 $$", "kill -9 $$", "exit 9"}, "run recover recover recover ", 9},
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) purposes = g_string_new (NULL);
    Script script = {.scripts = cases[i].scripts, .purposes = purposes};
    const GodwitSupervision supervision = {.job = "some-job",
                                           .start = start_script,
                                           .data = &script,
                                           .pause_ms = 1};
    g_test_message ("case %u", i);
    g_assert_cmpint (godwit_supervise (&supervision, "run"), ==, cases[i].code);
    g_assert_cmpstr (purposes->str, ==, cases[i].purposes);
  }
}

/* A dead worker is a warning in the system's log, and warnings end a test. */
static GLogWriterOutput
drop (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  return G_LOG_WRITER_HANDLED;
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "supervise"))
    return godwit_supervisor_main (argc - 1, argv + 1);
  if (argc > 1 && g_str_equal (argv[1], "work"))
    return work (argc - 1, argv + 1);
  g_autoptr (Scratch) dir = scratch_new ();
  g_autofree char *runtime = g_build_filename (dir, "run", NULL);
  g_setenv ("GODWIT_STATE_DIR", dir, TRUE);
  g_setenv ("GODWIT_RUNTIME_DIR", runtime, TRUE);

  g_log_set_writer_func (drop, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/control/migrate", test_migrate);
  g_test_add_func ("/control/abort", test_abort);
  g_test_add_func ("/control/signal-aborts", test_signal_aborts);
  g_test_add_func ("/control/while-it-runs", test_while_it_runs);
  g_test_add_func ("/control/get-record", test_get_record);
  g_test_add_func ("/control/dead-worker-is-recovered", test_dead_worker_is_recovered);
  g_test_add_func ("/control/stranded", test_stranded);
  g_test_add_func ("/control/stopped-worker-is-taken-over", test_stopped_worker_is_taken_over);
  g_test_add_func ("/control/confirm-and-revert", test_confirm_and_revert);
  g_test_add_func ("/control/watch-is-cancelled", test_watch_is_cancelled);
  g_test_add_func ("/control/unknown-job", test_unknown_job);
  g_test_add_func ("/control/lock", test_lock);
  g_test_add_func ("/control/lock-sweep", test_lock_sweep);
  g_test_add_func ("/control/supervisor", test_supervisor);
  return g_test_run ();
}
