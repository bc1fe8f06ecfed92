/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/policy.h"
#include "hosts-fixture.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
test_run (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  const char *argv[] = {"sh", "-c", "echo out $LC_ALL; echo err >&2; exit 3", NULL};
  g_autoptr (GodwitRunResult) result = godwit_host_run (host, argv, 5, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (result->status, ==, 3);
  g_assert_cmpstr (result->output, ==, "out C\n");
  g_assert_cmpstr (result->errors, ==, "err\n");

  g_assert_null (godwit_host_run_checked (host, argv, 5, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
  g_assert_nonnull (strstr (error->message, "status 3: err"));
  g_clear_error (&error);

  const char *killed[] = {"sh", "-c", "kill -9 $$", NULL};
  g_autoptr (GodwitRunResult) dead = godwit_host_run (host, killed, 5, NULL, &error);
  g_assert_cmpint (dead->status, ==, 128 + SIGKILL);
}

static void
test_denied (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  const char *by_path[] = {"/bin/sh", "-c", "true", NULL};
  const char *unknown[] = {"id", NULL};
  g_assert_null (godwit_host_run (host, by_path, 5, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_null (godwit_host_run (host, unknown, 5, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_nonnull (strstr (godwit_error_get_remedy (error), "programs="));
}

static gboolean
may_pass (Fixture *fixture, const char *format)
{
  g_autofree char *data = g_build_filename (fixture->root, "data", NULL);
  const char *const directories[] = {data, "/run/x", NULL};
  const char *const programs[] = {"cat", NULL};
  g_autoptr (GodwitPolicy) policy = godwit_policy_new (directories, programs);
  g_auto (GStrv) parts = g_strsplit (format, "DATA", -1);
  g_autofree char *word = g_strjoinv (data, parts);
  const char *const argv[] = {"cat", word, NULL};
  g_autoptr (GError) error = NULL;
  gboolean passes = godwit_policy_check_arguments (policy, argv, &error);
  if (!passes)
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  return passes;
}

static void
test_arguments (Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = fixture_path (fixture, "out");
  g_assert_cmpint (symlink ("/etc", out), ==, 0);
  static const char *const good[] = {
      "-f",
      "qcow2",
      "10G",
      "DATA",
      "DATA/",
      "DATA/new.qcow2",
      "--socket=/run/x/s",
      "nbd+unix:///?socket=/run/x/s",
      "nbd://b:10809/export",
      "backing_file=DATA/base,backing_fmt=raw",
      "json:{\"file.filename\":\"DATA/a\"}",
      "a..b",
  };
  static const char *const bad[] = {
      "/etc/passwd",
      "//etc/passwd",
      "DATA/../../etc/passwd",
      "DATA/out/passwd",
      "../../etc/passwd",
      "x=../y",
      "file:/etc/passwd",
      "file:///etc/passwd",
      "backing_file=/etc/passwd,backing_fmt=raw",
      "DATA/a,,/etc/passwd",
      "json:{\"file.filename\":\"/etc/passwd\"}",
      "nbd+unix:///?socket=/run/other",
      "DATA-other/file",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    if (!may_pass (fixture, good[i]))
      g_error ("refused: %s", good[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    if (may_pass (fixture, bad[i]))
      g_error ("let through: %s", bad[i]);

  /* And the agent asks. */
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  const char *argv[] = {"cat", "/etc/passwd", NULL};
  g_assert_null (godwit_host_run (host, argv, 5, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  const char *relative[] = {"cat", "etc/passwd", NULL};
  g_autoptr (GodwitRunResult) result = godwit_host_run (host, relative, 5, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (result->status, !=, 0);
}

static void
test_run_deadline (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  const char *argv[] = {"sleep", "30", NULL};
  gint64 start = g_get_monotonic_time ();
  g_assert_null (godwit_host_run (host, argv, 1, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_USEC_PER_SEC);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (200000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_run_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *pid_file = fixture_path (fixture, "pid");
  g_autofree char *script = g_strdup_printf ("echo $$ >%s; exec sleep 30", pid_file);
  const char *argv[] = {"sh", "-c", script, NULL};
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  gint64 start = g_get_monotonic_time ();
  g_assert_null (godwit_host_run (host, argv, 30, cancellable, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * G_USEC_PER_SEC);
  g_thread_join (thread);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (pid_file, &text, NULL, NULL));
  g_assert_cmpint (kill (atoi (text), 0), ==, -1);
}

static void
test_service (Fixture *fixture, gconstpointer data)
{
  GodwitHost *host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_autofree char *ready = fixture_path (fixture, "ready");
  g_autofree char *script = g_strdup_printf ("sleep 0.1; echo $$ >%s; exec sleep 30", ready);
  const char *argv[] = {"sh", "-c", script, NULL};
  g_autoptr (GodwitProcess) service = godwit_host_start_service (host, argv, ready, NULL, &error);
  g_assert_no_error (error);
  g_usleep (50000);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (ready, &text, NULL, NULL));
  int pid = atoi (text);
  gboolean exited = TRUE;
  g_assert_true (godwit_process_wait (service, 0, &exited, NULL, &error));
  g_assert_false (exited);
  g_assert_cmpint (kill (pid, 0), ==, 0);
  g_assert_true (godwit_process_stop (service, &error));
  g_assert_cmpint (kill (pid, 0), ==, -1);

  /* One that ends before it is ready is an error with what it said. */
  const char *broken[] = {"sh", "-c", "echo no luck >&2; exit 1", NULL};
  g_assert_null (godwit_host_start_service (host, broken, "/nowhere", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
  g_assert_nonnull (strstr (error->message, "no luck"));
  g_object_unref (host);
}

static void
test_service_ends_with_agent (Fixture *fixture, gconstpointer data)
{
  GodwitHost *host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_autofree char *ready = fixture_path (fixture, "ready");
  g_autofree char *script = g_strdup_printf ("echo $$ >%s; exec sleep 30", ready);
  const char *argv[] = {"sh", "-c", script, NULL};
  GodwitProcess *service = godwit_host_start_service (host, argv, ready, NULL, &error);
  g_assert_no_error (error);
  g_usleep (50000);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (ready, &text, NULL, NULL));
  /* Also when the agent has no time to clean up. */
  kill (godwit_child_get_pid (host->channel->child), SIGKILL);
  gboolean gone = FALSE;
  for (int i = 0; i < 100 && !gone; i++) {
    g_usleep (20000);
    g_autofree char *stat_path = g_strdup_printf ("/proc/%d/stat", atoi (text));
    g_autofree char *stat_text = NULL;
    gone = !g_file_get_contents (stat_path, &stat_text, NULL, NULL) ||
           strstr (stat_text, ") Z") != NULL;
  }
  g_assert_true (gone);
  g_object_unref (service);
  g_object_unref (host);
}

static gpointer
kill_soon (gpointer pid)
{
  g_usleep (300000);
  kill (GPOINTER_TO_INT (pid), SIGKILL);
  return NULL;
}

static void
test_watch (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  const char *argv[] = {"sleep", "30", NULL};
  GodwitChildOptions options = {.argv = argv, .death_signal = SIGKILL};
  g_autoptr (GodwitChild) child = godwit_child_spawn (&options, &error);
  g_assert_no_error (error);
  g_autofree char *text = g_strdup_printf ("%d\n", godwit_child_get_pid (child));
  g_autofree char *pid_file = fixture_make_file (fixture, "pid", text);
  g_autoptr (GodwitProcess) process = godwit_host_watch_process (host, pid_file, NULL, &error);
  g_assert_no_error (error);
  gboolean exited = TRUE;
  g_assert_true (godwit_process_wait (process, 50, &exited, NULL, &error));
  g_assert_false (exited);

  GThread *thread =
      g_thread_new ("kill", kill_soon, GINT_TO_POINTER (godwit_child_get_pid (child)));
  gint64 start = g_get_monotonic_time ();
  g_assert_true (godwit_process_wait (process, 10000, &exited, NULL, &error));
  gint64 took = g_get_monotonic_time () - start;
  g_thread_join (thread);
  g_assert_true (exited);
  g_assert_cmpint (took, >=, 250000);
  g_assert_cmpint (took, <, 450000);
  g_assert_true (godwit_process_stop (process, &error));
  g_assert_true (godwit_process_wait (process, 0, &exited, NULL, &error));
  g_assert_true (exited);

  g_autofree char *bad = fixture_make_file (fixture, "bad", "not a number\n");
  g_assert_null (godwit_host_watch_process (host, bad, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_PEER);
}

static void
test_poll_is_not_blocked (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_autofree char *pid = g_strdup_printf ("%d", getpid ());
  g_autofree char *pid_file = fixture_make_file (fixture, "pid", pid);
  g_autoptr (GodwitProcess) process = godwit_host_watch_process (host, pid_file, NULL, &error);
  g_assert_no_error (error);
  /* A long poll waits in another thread; calls go on meanwhile. */
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  gint64 start = g_get_monotonic_time ();
  gboolean exited;
  g_assert_false (godwit_process_wait (process, 20000, &exited, cancellable, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_true (godwit_host_ping (host, NULL, &error));
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
  g_thread_join (thread);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/host/run/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("run", test_run);
  ADD ("denied", test_denied);
  ADD ("arguments", test_arguments);
  ADD ("deadline", test_run_deadline);
  ADD ("cancel", test_run_cancel);
  ADD ("service", test_service);
  ADD ("service-ends", test_service_ends_with_agent);
  ADD ("watch", test_watch);
  ADD ("poll", test_poll_is_not_blocked);
  return g_test_run ();
}
