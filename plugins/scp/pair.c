/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust between two hosts: a key on one that may start the agent, and nothing else, on the
 * other. It is set up with the operator's own connections; no agent takes part, because an
 * agent must never be able to add keys. */
#include "scp.h"

#include <string.h>

/* Others than root read the configuration in /etc/godwit, but no key. */
#define MAKE_KEY                                                                                   \
  "set -e; umask 022; mkdir -p /etc/godwit; umask 077; mkdir -p /etc/godwit/keys; "                \
  "test -s " GODWIT_SCP_KEY                                                                        \
  " || ssh-keygen -q -t ed25519 -N '' -C \"godwit@$(hostname)\" -f " GODWIT_SCP_KEY                \
  "; cat " GODWIT_SCP_KEY ".pub"

/* The line comes on standard input, so nothing of it passes through the shell. */
#define ADD_LINE(file, directory)                                                                  \
  "set -e; umask 077; mkdir -p " directory "; touch " file "; IFS= read -r line; "                 \
  "grep -qxF -e \"$line\" " file " || printf '%s\\n' \"$line\" >> " file

/* %s is the file. Written whole, because an agent may be reading it. */
#define WRITE_PAIR                                                                                 \
  "set -e; umask 022; mkdir -p " GODWIT_SCP_PAIRS "; cd " GODWIT_SCP_PAIRS "; "                    \
  "cat > .new.$$; mv .new.$$ %s"

#define CHECK_PAIR "test -s " GODWIT_SCP_KEY " && test -s " GODWIT_SCP_KNOWN_HOSTS

char *
godwit_scp_run_shell (GodwitScp *self, const char *script, const char *input,
                      GCancellable *cancellable, GError **error)
{
  const char *const remote[] = {"sh", "-c", script, NULL};
  g_auto (GStrv) argv = NULL;
  g_autofree char *output = NULL;
  g_autofree char *printed = NULL;
  g_autoptr (GSubprocess) process = NULL;

  if (self != NULL) {
    g_autofree char *session = NULL;
    g_mutex_lock (&self->lock);
    session = g_strdup (self->session);
    g_mutex_unlock (&self->lock);
    argv = godwit_scp_make_command (self, GODWIT_ROUTE_OPERATOR, session, remote, error);
  } else {
    argv = g_strdupv ((char **)remote);
  }
  if (argv == NULL)
    return NULL;
  process = g_subprocess_newv ((const char *const *)argv,
                               G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                   G_SUBPROCESS_FLAGS_STDERR_PIPE,
                               error);
  if (process == NULL || !g_subprocess_communicate_utf8 (process, input != NULL ? input : "",
                                                         cancellable, &output, &printed, error))
    return NULL;
  int status = g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process) : 255;
  if (status == 0)
    return g_steal_pointer (&output);
  if (self != NULL && status == 255)
    godwit_scp_explain (self->destination, status, printed, error);
  else
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "a command on %s failed (%d): %s",
                      self != NULL ? self->destination : "this machine", status,
                      g_strstrip (printed));
  return NULL;
}

/* The destination's host keys as the controller trusts them, under the name that the paired
 * host will look for. */
static char *
find_host_keys (GodwitScp *self, GError **error)
{
  g_autoptr (GodwitScpTarget) target = godwit_scp_resolve (self, error);
  g_autoptr (GString) lines = g_string_new (NULL);

  if (target == NULL)
    return NULL;
  g_autofree char *name = g_str_equal (target->port, "22")
                              ? g_strdup (target->hostname)
                              : g_strdup_printf ("[%s]:%s", target->hostname, target->port);
  for (gsize i = 0; target->known_hosts[i] != NULL; i++) {
    g_autofree char *found = NULL;
    const char *const argv[] = {"ssh-keygen", "-F", name, "-f", target->known_hosts[i], NULL};
    if (!g_file_test (target->known_hosts[i], G_FILE_TEST_IS_REGULAR) ||
        !g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, &found, NULL, NULL, NULL))
      continue;
    g_auto (GStrv) each = g_strsplit (found, "\n", -1);
    for (gsize j = 0; each[j] != NULL; j++) {
      const char *key = strchr (each[j], ' ');
      if (each[j][0] != '#' && each[j][0] != '@' && key != NULL)
        g_string_append_printf (lines, "%s%s\n", target->hostname, key);
    }
  }
  if (lines->len > 0)
    return g_string_free (g_steal_pointer (&lines), FALSE);
  g_autofree char *remedy =
      g_strdup_printf ("ssh %s true, and compare the fingerprint", self->destination);
  godwit_set_error (error, GODWIT_ERROR_DENIED, remedy,
                    "no host key of %s is in the known_hosts files of this machine", name);
  return NULL;
}

static gboolean
trust_host_keys (GodwitScp *self, GodwitScp *from, GCancellable *cancellable, GError **error)
{
  g_autofree char *keys = find_host_keys (self, error);

  if (keys == NULL)
    return FALSE;
  g_auto (GStrv) lines = g_strsplit (keys, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    if (*lines[i] == '\0')
      continue;
    g_autofree char *input = g_strconcat (lines[i], "\n", NULL);
    g_autofree char *done =
        godwit_scp_run_shell (from, ADD_LINE (GODWIT_SCP_KNOWN_HOSTS, "/etc/godwit"), input,
                              cancellable, error);
    if (done == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
allow_key (GodwitScp *self, const char *key, const char *const *remote, GCancellable *cancellable,
           GError **error)
{
  g_autofree char *command = g_strjoinv (" ", (char **)remote);

  if (strpbrk (command, "\"\\\n") != NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "choose a simpler agent-command",
                      "the agent-command has a quote or a backslash, which authorized_keys "
                      "cannot hold: %s",
                      command);
    return FALSE;
  }
  g_autofree char *line = g_strdup_printf ("restrict,command=\"%s\" %s\n", command, key);
  g_autofree char *done = godwit_scp_run_shell (self, ADD_LINE ("~/.ssh/authorized_keys", "~/.ssh"),
                                                line, cancellable, error);
  return done != NULL;
}

/* The agent there runs no command that a controller names, only those that its own host knows. */
static gboolean
allow_command (GodwitScp *self, GodwitScp *from, const char *const *remote,
               GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) argv = godwit_scp_make_command (self, GODWIT_ROUTE_PAIR, NULL, remote, error);
  g_autoptr (GodwitScpTarget) target = argv != NULL ? godwit_scp_resolve (self, error) : NULL;

  if (target == NULL)
    return FALSE;
  g_autofree char *words = g_strjoinv ("\n", argv);
  g_autofree char *input = g_strconcat (words, "\n", NULL);
  g_autofree char *name =
      g_strdup_printf ("%s@%s:%s", target->user, target->hostname, target->port);
  g_autofree char *quoted = g_shell_quote (g_strcanon (name,
                                                       "abcdefghijklmnopqrstuvwxyz"
                                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                       "0123456789.-_@:",
                                                       '_'));
  g_autofree char *script = g_strdup_printf (WRITE_PAIR, quoted);
  g_autofree char *done = godwit_scp_run_shell (from, script, input, cancellable, error);
  return done != NULL;
}

/* The agent greets whoever comes in: its first line proves key, host key and command at once. */
static gboolean
try_pair (GodwitScp *self, GodwitScp *from, const char *const *remote, GCancellable *cancellable,
          GError **error)
{
  g_auto (GStrv) argv = godwit_scp_make_command (self, GODWIT_ROUTE_PAIR, NULL, remote, error);
  g_autoptr (GString) script = g_string_new (NULL);

  if (argv == NULL)
    return FALSE;
  for (gsize i = 0; argv[i] != NULL; i++) {
    g_autofree char *word = g_shell_quote (argv[i]);
    g_string_append_printf (script, " %s", word);
  }
  g_string_append (script, " 2>&1 || true");
  g_autofree char *greeting = godwit_scp_run_shell (from, script->str, NULL, cancellable, error);
  if (greeting == NULL)
    return FALSE;
  if (strstr (greeting, "godwit-agent ") != NULL)
    return TRUE;
  godwit_scp_explain (self->destination, 255, greeting, error);
  g_prefix_error (error, "the key is in place, but from %s: ",
                  from != NULL ? from->destination : "this machine");
  return FALSE;
}

gboolean
godwit_scp_pair (GodwitScp *self, GodwitScp *from, const char *const *remote,
                 GCancellable *cancellable, GError **error)
{
  g_autofree char *key = godwit_scp_run_shell (from, MAKE_KEY, NULL, cancellable, error);

  if (key == NULL)
    return FALSE;
  g_strstrip (key);
  if (!g_str_has_prefix (key, "ssh-") || strpbrk (key, "\"\n") != NULL) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, "look at " GODWIT_SCP_KEY ".pub there",
                      "%s has no ssh public key in " GODWIT_SCP_KEY ".pub",
                      from != NULL ? from->destination : "this machine");
    return FALSE;
  }
  return trust_host_keys (self, from, cancellable, error) &&
         allow_key (self, key, remote, cancellable, error) &&
         allow_command (self, from, remote, cancellable, error) &&
         try_pair (self, from, remote, cancellable, error);
}

gboolean
godwit_scp_is_paired (GodwitScp *self, GodwitScp *from, GCancellable *cancellable)
{
  g_autoptr (GodwitScpTarget) target = godwit_scp_resolve (self, NULL);

  if (target == NULL)
    return FALSE;
  g_autofree char *name = g_shell_quote (target->hostname);
  g_autofree char *script =
      g_strdup_printf (CHECK_PAIR " && ssh-keygen -F %s -f " GODWIT_SCP_KNOWN_HOSTS, name);
  g_autofree char *found = godwit_scp_run_shell (from, script, NULL, cancellable, NULL);
  return found != NULL;
}
