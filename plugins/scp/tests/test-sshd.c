/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command lines and the explanations against a real sshd: one of the test's own, on the
 * loopback, with keys and configuration of its own. */
#include "scp.h"

#include <glib/gstdio.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SSHD "/usr/sbin/sshd"

typedef struct {
  char *root;
  char *session;
  guint port;
  GPid sshd;
  GodwitScp *scp;
} Fixture;

static char *
run_here (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  char *output = NULL;
  int status = -1;
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  return output;
}

static char *
make_key (Fixture *fixture, const char *name)
{
  char *path = g_build_filename (fixture->root, name, NULL);
  const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL};
  g_free (run_here (argv));
  return path;
}

static char *
read_public (const char *key)
{
  g_autofree char *path = g_strconcat (key, ".pub", NULL);
  char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return g_strchomp (text);
}

static void
write_text (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->root, name, NULL);
  g_autoptr (GError) error = NULL;
  g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

/* A port that was free a moment ago. */
static guint
find_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  return g_socket_listener_add_any_inet_port (listener, NULL, NULL);
}

static void
start_sshd (Fixture *fixture, const char *host_key)
{
  g_autofree char *config = g_build_filename (fixture->root, "sshd_config", NULL);
  g_autofree char *text =
      g_strdup_printf ("ListenAddress 127.0.0.1\nPort %u\nHostKey %s\nPidFile none\nUsePAM no\n"
                       "AuthorizedKeysFile %s/authorized_keys\nStrictModes no\n"
                       "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                       "PermitRootLogin prohibit-password\n",
                       fixture->port, host_key, fixture->root);
  write_text (fixture, "sshd_config", text);
  /* As root it wants /run/sshd; where the service never ran, it gets one that nobody else sees. */
  const char *plain[] = {SSHD, "-D", "-e", "-f", config, NULL};
  g_autofree char *script =
      g_strdup_printf ("mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec " SSHD
                       " -D -e -f %s",
                       config);
  const char *apart[] = {"unshare", "-m", "sh", "-c", script, NULL};
  gboolean needs_own = geteuid () == 0 && !g_file_test ("/run/sshd", G_FILE_TEST_IS_DIR);
  g_autoptr (GError) error = NULL;
  g_spawn_async (NULL, (char **)(needs_own ? apart : plain), NULL,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                 NULL, &fixture->sshd, &error);
  g_assert_no_error (error);
}

static void
wait_for_sshd (Fixture *fixture)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  for (int i = 0; i < 500; i++) {
    g_autoptr (GSocketConnection) connection =
        g_socket_client_connect_to_host (client, "127.0.0.1", (guint16)fixture->port, NULL, NULL);
    if (connection != NULL)
      return;
    g_usleep (20000);
  }
  g_error ("sshd does not listen");
}

static GodwitScp *
make_transport (Fixture *fixture, guint port, const char *key, const char *known_hosts)
{
  static GodwitModule *module = NULL;
  const GodwitPluginInfo *godwit_plugin_scp_query (void);

  if (module == NULL) {
    g_autoptr (GError) error = NULL;
    module = g_object_new (GODWIT_TYPE_MODULE, NULL);
    g_type_module_use (G_TYPE_MODULE (module));
    godwit_plugin_scp_query ()->register_types (module, &error);
    g_assert_no_error (error);
  }
  g_autofree char *known = g_strdup_printf ("UserKnownHostsFile=%s/%s", fixture->root, known_hosts);
  const char *options[] = {known, "GlobalKnownHostsFile=none", "IdentitiesOnly=yes",
                           "IdentityAgent=none", NULL};
  return g_object_new (g_type_from_name ("GodwitScp"), "destination", "127.0.0.1", "port", port,
                       "identity-file", key, "options", options, NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->root = g_dir_make_tmp ("scp-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->session = g_build_filename (fixture->root, "s", NULL);
  g_assert_cmpint (g_mkdir (fixture->session, 0700), ==, 0);
  fixture->port = find_port ();
  g_autofree char *host_key = make_key (fixture, "host");
  g_autofree char *key = make_key (fixture, "key");
  g_autofree char *authorized = read_public (key);
  g_autofree char *host_public = read_public (host_key);
  g_autofree char *known = g_strdup_printf ("[127.0.0.1]:%u %s\n", fixture->port, host_public);
  write_text (fixture, "authorized_keys", authorized);
  write_text (fixture, "known_hosts", known);
  write_text (fixture, "empty", "");
  start_sshd (fixture, host_key);
  wait_for_sshd (fixture);
  fixture->scp = make_transport (fixture, fixture->port, key, "known_hosts");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  kill (fixture->sshd, SIGTERM);
  g_object_unref (fixture->scp);
  const char *argv[] = {"rm", "-rf", "--", fixture->root, NULL};
  g_free (run_here (argv));
  g_free (fixture->session);
  g_free (fixture->root);
}

/* Runs the words there; a failure is explained by the transport. */
static char *
run_there (GodwitScp *scp, const char *session, const char *const *words, GError **error)
{
  g_auto (GStrv) argv = godwit_scp_make_command (scp, GODWIT_ROUTE_OPERATOR, session, words, error);
  g_autofree char *output = NULL;
  g_autofree char *printed = NULL;
  int status = -1;

  g_assert_nonnull (argv);
  g_assert_true (g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &printed,
                               &status, error));
  if (status == 0)
    return g_steal_pointer (&output);
  godwit_scp_explain ("127.0.0.1", WEXITSTATUS (status), printed, error);
  return NULL;
}

static void
test_words (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  /* What a login shell would take apart arrives as it was. */
  const char *words[] = {"printf", "%s|", "a b", "$HOME", "it's", "\"x\"; true", "*", NULL};
  g_autofree char *output = run_there (fixture->scp, NULL, words, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (output, ==, "a b|$HOME|it's|\"x\"; true|*|");
}

static void
test_sharing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *hold[] = {"sleep", "30", NULL};
  const char *ask[] = {"sh", "-c", "echo $SSH_CONNECTION", NULL};
  g_auto (GStrv) argv =
      godwit_scp_make_command (fixture->scp, GODWIT_ROUTE_OPERATOR, fixture->session, hold, &error);
  GPid master;
  g_assert_true (g_spawn_async (NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                NULL, NULL, &master, &error));
  const char *name = NULL;
  for (int i = 0; i < 500 && name == NULL; i++) {
    g_autoptr (GDir) directory = g_dir_open (fixture->session, 0, NULL);
    name = g_dir_read_name (directory);
    g_usleep (20000);
  }
  g_assert_nonnull (name);
  /* Two commands over the connection of the first have the same ports; one of its own has not. */
  g_autofree char *one = run_there (fixture->scp, fixture->session, ask, &error);
  g_autofree char *two = run_there (fixture->scp, fixture->session, ask, &error);
  g_autofree char *apart = run_there (fixture->scp, NULL, ask, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (one, ==, two);
  g_assert_cmpstr (one, !=, apart);
  kill (master, SIGTERM);
}

static void
expect (GodwitScp *scp, GodwitErrorCode code, const char *remedy)
{
  const char *words[] = {"true", NULL};
  g_autoptr (GError) error = NULL;
  g_assert_null (run_there (scp, NULL, words, &error));
  g_assert_error (error, GODWIT_ERROR, (int)code);
  g_assert_nonnull (strstr (godwit_error_get_remedy (error), remedy));
  g_object_unref (scp);
}

static void
test_refusals (Fixture *fixture, gconstpointer data)
{
  g_autofree char *key = g_build_filename (fixture->root, "key", NULL);
  g_autofree char *other = make_key (fixture, "other");
  g_autofree char *public = read_public (other);
  g_autofree char *wrong = g_strdup_printf ("[127.0.0.1]:%u %s\n", fixture->port, public);
  write_text (fixture, "wrong", wrong);
  expect (make_transport (fixture, fixture->port, key, "empty"), GODWIT_ERROR_DENIED,
          "fingerprint");
  expect (make_transport (fixture, fixture->port, key, "wrong"), GODWIT_ERROR_DENIED,
          "ssh-keygen -R");
  expect (make_transport (fixture, fixture->port, other, "known_hosts"), GODWIT_ERROR_DENIED,
          "ssh-copy-id");
  expect (make_transport (fixture, find_port (), key, "known_hosts"), GODWIT_ERROR_UNAVAILABLE,
          "start sshd");

  g_autoptr (GError) error = NULL;
  const char *missing[] = {"no-such-program", "agent", "--stdio", NULL};
  g_assert_null (run_there (fixture->scp, NULL, missing, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
}

static void
test_forced (Fixture *fixture, gconstpointer data)
{
  /* As `hosts pair` leaves it: whatever is asked for, only the agent is started. */
  g_autofree char *key = g_build_filename (fixture->root, "key", NULL);
  g_autofree char *public = read_public (key);
  g_autofree char *line = g_strdup_printf ("restrict,command=\"echo the agent\" %s\n", public);
  write_text (fixture, "authorized_keys", line);
  g_autoptr (GError) error = NULL;
  const char *words[] = {"id", NULL};
  g_autofree char *output = run_there (fixture->scp, NULL, words, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (output, ==, "the agent\n");
}

#define ADD(name, func) g_test_add ("/scp/sshd/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!g_file_test (SSHD, G_FILE_TEST_IS_EXECUTABLE)) {
    g_print ("1..0 # SKIP " SSHD " is not installed\n");
    return 0;
  }
  ADD ("words", test_words);
  ADD ("sharing", test_sharing);
  ADD ("refusals", test_refusals);
  ADD ("forced", test_forced);
  return g_test_run ();
}
