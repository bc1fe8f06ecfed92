/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scp.h"

#include <string.h>

static GodwitScp *
make (const char *destination)
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
  return g_object_new (g_type_from_name ("GodwitScp"), "destination", destination, NULL);
}

static void
test_destinations (void)
{
  const char *const good[] = {"b",        "root@b",           "ssh://root@b:2222", "host-1.example",
                              "10.0.0.7", "root@[fe80::1%1]", "user.name@b_c"};
  const char *const bad[] = {
      "",   "-oProxyCommand=x", "root@-b", "a b", "a;b", "$(x)", "a\nb", "root@",
      "@b", "ssh://-b",         "a/b",     "b'"};

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    if (!godwit_scp_is_valid_destination (good[i]))
      g_error ("refused: %s", good[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    if (godwit_scp_is_valid_destination (bad[i]))
      g_error ("taken: %s", bad[i]);
  }
  g_assert_false (godwit_scp_is_valid_destination (NULL));
}

static gboolean
has (const char *const *argv, const char *word)
{
  return g_strv_contains (argv, word);
}

static void
test_command (void)
{
  g_autoptr (GodwitScp) self = make ("root@b");
  g_autoptr (GError) error = NULL;
  const char *const options[] = {"Compression=no", NULL};
  const char *const remote[] = {"sudo", "-n", "it's", NULL};

  g_object_set (self, "port", 2222, "identity-file", "/key", "options", options, NULL);
  g_auto (GStrv) argv =
      godwit_scp_make_command (self, GODWIT_ROUTE_OPERATOR, "/run/50%/s", remote, &error);
  g_assert_no_error (error);
  const char *const *words = (const char *const *)argv;
  guint length = g_strv_length (argv);

  g_assert_cmpstr (words[0], ==, "ssh");
  g_assert_true (has (words, "BatchMode=yes"));
  g_assert_true (has (words, "StrictHostKeyChecking=yes"));
  g_assert_true (has (words, "Compression=no"));
  g_assert_true (has (words, "2222"));
  g_assert_true (has (words, "/key"));
  g_assert_true (has (words, "ControlMaster=auto"));
  /* The destination can never be an option, and the shell there sees the same words. */
  g_assert_cmpstr (words[length - 3], ==, "--");
  g_assert_cmpstr (words[length - 2], ==, "root@b");
  g_assert_cmpstr (words[length - 1], ==, "'sudo' '-n' 'it'\\''s'");
  for (guint i = 0; i < length; i++) {
    if (g_str_has_prefix (words[i], "ControlPath="))
      g_assert_true (g_str_has_prefix (words[i], "ControlPath=/run/50%%/s/m-"));
  }
}

static void
test_bad_destination (void)
{
  g_autoptr (GodwitScp) self = make ("-oProxyCommand=touch /tmp/x");
  g_autoptr (GError) error = NULL;
  const char *const remote[] = {"true", NULL};

  g_assert_null (godwit_scp_make_command (self, GODWIT_ROUTE_OPERATOR, NULL, remote, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
  g_assert_nonnull (godwit_error_get_remedy (error));
}

static void
test_explain (void)
{
  static const struct {
    int status;
    const char *printed;
    GodwitErrorCode code;
    const char *word;
  } cases[] = {
      {255, "root@b: Permission denied (publickey).", GODWIT_ERROR_DENIED, "ssh-copy-id root@b"},
      {255,
       "No ED25519 host key is known for b and you have requested strict checking.\n"
       "Host key verification failed.",
       GODWIT_ERROR_DENIED, "fingerprint"},
      {255, "ssh: connect to host b port 22: Connection refused", GODWIT_ERROR_UNAVAILABLE, "sshd"},
      {255, "ssh: Could not resolve hostname bb: Name or service not known",
       GODWIT_ERROR_UNAVAILABLE, "spelling"},
      {255, "ssh: connect to host b port 22: Connection timed out", GODWIT_ERROR_UNAVAILABLE,
       "power"},
      {127, "bash: line 1: godwit: command not found", GODWIT_ERROR_NOT_FOUND, "install"},
      {1, "sudo: a password is required", GODWIT_ERROR_DENIED, "sudoers"},
      {255, "something new", GODWIT_ERROR_UNAVAILABLE, "ssh -v root@b"},
      {255, NULL, GODWIT_ERROR_UNAVAILABLE, "ssh -v root@b"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    godwit_scp_explain ("root@b", cases[i].status, cases[i].printed, &error);
    g_assert_error (error, GODWIT_ERROR, (int)cases[i].code);
    g_assert_nonnull (strstr (godwit_error_get_remedy (error), cases[i].word));
    if (cases[i].printed != NULL)
      g_assert_nonnull (strstr (error->message, cases[i].printed));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scp/destinations", test_destinations);
  g_test_add_func ("/scp/command", test_command);
  g_test_add_func ("/scp/bad-destination", test_bad_destination);
  g_test_add_func ("/scp/explain", test_explain);
  return g_test_run ();
}
