/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts-fixture.h"

#include <godwit/error.h>

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_info (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_host_ping (host, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (godwit_host_get_hostname (host), ==, g_get_host_name ());
  g_assert_cmpuint (godwit_host_get_agent_uid (host), ==, getuid ());
  g_assert_null (godwit_host_get_banner (host));
  g_assert_cmpint (ABS (godwit_host_get_clock_offset_us (host)), <, 1000000);
  g_assert_false (godwit_host_is_local (host));
  g_autoptr (GodwitHost) local = fixture_open_local (fixture);
  g_assert_true (godwit_host_is_local (local));
}

static void
test_banner (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *chatty[] = {"banner", "40000", NULL};
  g_autoptr (GodwitHost) host = fixture_try_open (fixture, "a", chatty, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (godwit_host_get_banner (host), "www"));
  g_assert_true (godwit_host_ping (host, NULL, &error));

  const char *endless[] = {"banner", "200000", NULL};
  g_autoptr (GodwitHost) none = fixture_try_open (fixture, "a", endless, &error);
  g_assert_null (none);
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "it printed: www"));
}

static void
assert_protocol_refused (Fixture *fixture, const char *number, const char *remedy)
{
  g_autoptr (GError) error = NULL;
  const char *words[] = {"protocol", number, NULL};
  g_assert_null (fixture_try_open (fixture, "b", words, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, remedy);
}

static void
test_protocol (Fixture *fixture, gconstpointer data)
{
  assert_protocol_refused (fixture, "77", "upgrade godwit on this machine");
  guint agreed = 0;
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_hello_agree (2, "b", &agreed, &error));
  g_assert_cmpuint (agreed, ==, 1);
  g_assert_false (godwit_hello_agree (0, "b", &agreed, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, "upgrade godwit on b");
}

static GodwitHost *
try_command (Fixture *fixture, const char *const *command, GError **error)
{
  GodwitHostOptions options = {.name = "b", .session = fixture->session, .agent = command};
  g_autoptr (GodwitTransport) transport = fixture_transport (fixture, "b", NULL);
  options.transport = transport;
  return godwit_host_open (&options, NULL, error);
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *missing[] = {"sh", "-c", "echo 'sh: 1: godwit: not found' >&2; exit 127", NULL};
  g_setenv ("TEST_BARE", "1", TRUE);
  g_assert_null (try_command (fixture, missing, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "no godwit agent on b"));
  g_assert_nonnull (strstr (godwit_error_get_remedy (error), "install godwit on b"));
  g_clear_error (&error);

  const char *closed[] = {"sh", "-c", "echo troll >&2; exit 42", NULL};
  g_assert_null (try_command (fixture, closed, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_nonnull (strstr (error->message, "cannot reach b: the bridge is closed (troll)"));
  g_assert_cmpstr (godwit_error_get_remedy (error), ==, "pay the toll");
  g_clear_error (&error);

  const char *strange[] = {"sh", "-c", "echo 'config is bad' >&2; exit 2", NULL};
  g_assert_null (try_command (fixture, strange, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "config is bad"));
  g_unsetenv ("TEST_BARE");
}

static void
test_deadline (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) config = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (config, (char *)"connect-timeout", (char *)"1");
  const char *silent[] = {"sleep", "20", NULL};
  g_autoptr (GodwitTransport) transport = fixture_transport (fixture, "b", NULL);
  GodwitHostOptions options = {.name = "b",
                               .session = fixture->session,
                               .agent = silent,
                               .transport = transport,
                               .config = config};
  g_setenv ("TEST_BARE", "1", TRUE);
  gint64 start = g_get_monotonic_time ();
  g_assert_null (godwit_host_open (&options, NULL, &error));
  g_unsetenv ("TEST_BARE");
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_USEC_PER_SEC);
}

static void
test_dead_session (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  kill (godwit_child_get_pid (host->channel->child), SIGKILL);
  gint64 start = g_get_monotonic_time ();
  g_assert_false (godwit_host_ping (host, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "session with a has ended"));
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_USEC_PER_SEC);
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_cancellable_cancel (cancellable);
  g_assert_false (godwit_host_ping (host, cancellable, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CANCELLED);
}

static void
test_close (Fixture *fixture, gconstpointer data)
{
  GodwitHost *host = fixture_open (fixture, "a");
  int pid = godwit_child_get_pid (host->channel->child);
  g_autofree char *agents = g_build_filename (fixture->root, "a", "run", "agents", NULL);
  gint64 start = g_get_monotonic_time ();
  g_object_unref (host);
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
  g_assert_cmpint (kill (pid, 0), ==, -1);
  g_autoptr (GDir) dir = g_dir_open (agents, 0, NULL);
  g_assert_nonnull (dir);
  g_assert_null (g_dir_read_name (dir));
}

static void
wait_silent (GodwitHost *host, gboolean silent)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  while (g_atomic_int_get (&host->silent) != silent && g_get_monotonic_time () < end)
    g_usleep (1000);
  g_assert_cmpint (g_atomic_int_get (&host->silent), ==, silent);
}

/* Nobody waits for a host that is known to be silent; when it speaks again it is asked again. */
static void
test_silent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  kill (godwit_child_get_pid (host->channel->child), SIGSTOP);
  /* As a call does that was not answered. */
  godwit_host_suspect (host);
  wait_silent (host, TRUE);
  gint64 start = g_get_monotonic_time ();
  g_assert_false (godwit_host_claim_job (host, "job-1", 1, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "a has fallen silent"));
  /* A call that is sent to a stopped agent takes seconds. */
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
  g_clear_error (&error);

  kill (godwit_child_get_pid (host->channel->child), SIGCONT);
  wait_silent (host, FALSE);
  g_assert_true (godwit_host_claim_job (host, "job-1", 1, NULL, &error));
  g_assert_no_error (error);
}

static void
test_fencing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) old = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) taker = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) other = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_host_claim_job (old, "job-1", 1, NULL, &error));
  g_assert_true (godwit_host_claim_job (other, "job-2", 1, NULL, &error));
  g_assert_no_error (error);
  /* Stopped, as a worker or its host may be. */
  kill (godwit_child_get_pid (old->channel->child), SIGSTOP);
  g_assert_true (godwit_host_claim_job (taker, "job-1", 2, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (godwit_child_wait (old->channel->child, 1000, NULL, NULL));
  g_assert_false (godwit_host_ping (old, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  g_assert_true (godwit_host_ping (other, NULL, &error));
  g_assert_false (godwit_host_claim_job (other, "job-1", 1, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/host/session/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("info", test_info);
  ADD ("banner", test_banner);
  ADD ("protocol", test_protocol);
  ADD ("missing", test_missing);
  ADD ("deadline", test_deadline);
  ADD ("dead", test_dead_session);
  ADD ("cancel", test_cancel);
  ADD ("close", test_close);
  ADD ("silent", test_silent);
  ADD ("fencing", test_fencing);
  return g_test_run ();
}
