/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command lines, and what the operator's own configuration makes of them. */
#include "scp.h"

#include <netdb.h>
#include <string.h>

void
godwit_scp_target_free (GodwitScpTarget *target)
{
  g_free (target->user);
  g_free (target->hostname);
  g_free (target->port);
  g_strfreev (target->known_hosts);
  g_free (target);
}

gboolean
godwit_scp_is_valid_destination (const char *text)
{
  if (text == NULL || *text == '\0' || *text == '-' || strlen (text) > 512)
    return FALSE;
  if (g_str_has_prefix (text, "ssh://"))
    text += strlen ("ssh://");
  for (const char *at = text; *at != '\0'; at++) {
    if (!g_ascii_isalnum (*at) && strchr ("._-@:%[]", *at) == NULL)
      return FALSE;
  }
  /* A user that begins with a dash would be an option after the split at the "@". */
  const char *host = strrchr (text, '@');
  return *text != '-' && *text != '@' && (host == NULL || (host[1] != '\0' && host[1] != '-'));
}

static void
add_option (GPtrArray *argv, char *setting)
{
  g_ptr_array_add (argv, g_strdup ("-o"));
  g_ptr_array_add (argv, setting);
}

/* What holds on every route: no question is asked, no unknown host is trusted, and a dead peer
 * is noticed within a minute. */
static void
add_common (GodwitScp *self, GPtrArray *argv)
{
  g_ptr_array_add (argv, g_strdup ("ssh"));
  g_ptr_array_add (argv, g_strdup ("-T"));
  add_option (argv, g_strdup ("BatchMode=yes"));
  add_option (argv, g_strdup ("StrictHostKeyChecking=yes"));
  add_option (argv, g_strdup ("EscapeChar=none"));
  add_option (argv, g_strdup ("ForwardAgent=no"));
  add_option (argv, g_strdup ("ForwardX11=no"));
  add_option (argv, g_strdup ("ClearAllForwardings=yes"));
  add_option (argv, g_strdup ("PermitLocalCommand=no"));
  add_option (argv, g_strdup ("RequestTTY=no"));
  add_option (argv, g_strdup ("ServerAliveInterval=15"));
  add_option (argv, g_strdup ("ServerAliveCountMax=3"));
  add_option (argv, g_strdup_printf ("ConnectTimeout=%u", self->connect_timeout));
}

/* Channels of one job share one connection, private to the job: whoever ends its first command
 * ends them all. */
static void
add_sharing (GodwitScp *self, GPtrArray *argv, const char *session)
{
  if (session == NULL) {
    add_option (argv, g_strdup ("ControlMaster=no"));
    add_option (argv, g_strdup ("ControlPath=none"));
    return;
  }
  /* Unix sockets have short paths, so the name is a hash and not what ssh would make of it. */
  g_autofree char *text = g_strdup_printf ("%s:%u", self->destination, self->port);
  g_autofree char *quoted = g_strdup (session);
  g_auto (GStrv) parts = g_strsplit (quoted, "%", -1);
  g_autofree char *path = g_strjoinv ("%%", parts);
  add_option (argv, g_strdup ("ControlMaster=auto"));
  add_option (argv, g_strdup_printf ("ControlPath=%s/m-%08x", path, g_str_hash (text)));
  add_option (argv, g_strdup ("ControlPersist=no"));
}

static void
add_operator_route (GodwitScp *self, GPtrArray *argv, const char *session)
{
  add_sharing (self, argv, session);
  if (self->port != 0) {
    g_ptr_array_add (argv, g_strdup ("-p"));
    g_ptr_array_add (argv, g_strdup_printf ("%u", self->port));
  }
  if (self->identity_file != NULL && *self->identity_file != '\0') {
    g_ptr_array_add (argv, g_strdup ("-i"));
    g_ptr_array_add (argv, g_strdup (self->identity_file));
  }
  for (gsize i = 0; self->options != NULL && self->options[i] != NULL; i++) {
    g_strstrip (self->options[i]);
    if (*self->options[i] != '\0')
      add_option (argv, g_strdup (self->options[i]));
  }
  g_ptr_array_add (argv, g_strdup ("--"));
  g_ptr_array_add (argv, g_strdup (self->destination));
}

/* The other host knows nothing of the operator's configuration, so it is told the outcome; and
 * the host key goes by the name that the operator's known_hosts proved. */
static gboolean
add_pair_route (GodwitScp *self, GPtrArray *argv, GError **error)
{
  g_autoptr (GodwitScpTarget) target = godwit_scp_resolve (self, error);

  if (target == NULL)
    return FALSE;
  add_sharing (self, argv, NULL);
  g_ptr_array_add (argv, g_strdup ("-p"));
  g_ptr_array_add (argv, g_strdup (target->port));
  g_ptr_array_add (argv, g_strdup ("-i"));
  g_ptr_array_add (argv, g_strdup (GODWIT_SCP_KEY));
  add_option (argv, g_strdup ("IdentitiesOnly=yes"));
  add_option (argv, g_strdup ("UserKnownHostsFile=" GODWIT_SCP_KNOWN_HOSTS));
  add_option (argv, g_strdup ("GlobalKnownHostsFile=none"));
  add_option (argv, g_strdup_printf ("HostKeyAlias=%s", target->hostname));
  g_ptr_array_add (argv, g_strdup ("-l"));
  g_ptr_array_add (argv, g_strdup (target->user));
  g_ptr_array_add (argv, g_strdup ("--"));
  g_ptr_array_add (argv, g_strdup (target->hostname));
  return TRUE;
}

static gboolean
check_destination (GodwitScp *self, GError **error)
{
  if (godwit_scp_is_valid_destination (self->destination))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CONFIG, "set destination=USER@HOST in the host's group",
                    "\"%s\" is no ssh destination",
                    self->destination != NULL ? self->destination : "");
  return FALSE;
}

GStrv
godwit_scp_make_command (GodwitScp *self, GodwitRoute route, const char *session,
                         const char *const *remote, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) command = g_string_new (NULL);

  if (!check_destination (self, error))
    return NULL;
  add_common (self, argv);
  if (route == GODWIT_ROUTE_OPERATOR)
    add_operator_route (self, argv, session);
  else if (!add_pair_route (self, argv, error))
    return NULL;

  /* sshd hands the words to a login shell, which splits them again. */
  for (gsize i = 0; remote[i] != NULL; i++) {
    g_autofree char *word = g_shell_quote (remote[i]);
    g_string_append_printf (command, "%s%s", i > 0 ? " " : "", word);
  }
  g_ptr_array_add (argv, g_string_free (g_steal_pointer (&command), FALSE));
  g_ptr_array_add (argv, NULL);
  return (GStrv)g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

static void
take_setting (GodwitScpTarget *target, GPtrArray *files, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  if (words[0] == NULL || words[1] == NULL)
    return;
  if (g_str_equal (words[0], "user") && target->user == NULL)
    target->user = g_strdup (words[1]);
  else if (g_str_equal (words[0], "hostname") && target->hostname == NULL)
    target->hostname = g_strdup (words[1]);
  else if (g_str_equal (words[0], "port") && target->port == NULL)
    target->port = g_strdup (words[1]);
  else if (g_str_equal (words[0], "userknownhostsfile") ||
           g_str_equal (words[0], "globalknownhostsfile")) {
    for (gsize i = 1; words[i] != NULL; i++)
      g_ptr_array_add (files, g_str_has_prefix (words[i], "~/")
                                  ? g_build_filename (g_get_home_dir (), words[i] + 2, NULL)
                                  : g_strdup (words[i]));
  }
}

GodwitScpTarget *
godwit_scp_resolve (GodwitScp *self, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_autoptr (GodwitScpTarget) target = g_new0 (GodwitScpTarget, 1);
  g_autofree char *output = NULL;
  g_autoptr (GSubprocess) process = NULL;

  if (!check_destination (self, error))
    return NULL;
  g_ptr_array_add (argv, g_strdup ("ssh"));
  g_ptr_array_add (argv, g_strdup ("-G"));
  add_operator_route (self, argv, NULL);
  g_ptr_array_add (argv, NULL);
  process =
      g_subprocess_newv ((const char *const *)argv->pdata,
                         G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, error);
  if (process == NULL ||
      !g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, error)) {
    g_prefix_error (error, "ssh -G %s: ", self->destination);
    return NULL;
  }
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    take_setting (target, files, lines[i]);
  g_ptr_array_add (files, NULL);
  target->known_hosts = (GStrv)g_ptr_array_free (g_steal_pointer (&files), FALSE);
  if (target->user != NULL && target->hostname != NULL && target->port != NULL)
    return g_steal_pointer (&target);
  godwit_set_error (error, GODWIT_ERROR_CONFIG,
                    "run ssh -G with that destination and mend "
                    "~/.ssh/config",
                    "ssh cannot make sense of the destination \"%s\"", self->destination);
  return NULL;
}

gboolean
godwit_scp_target_has_address (const GodwitScpTarget *target)
{
  struct addrinfo *addresses = NULL;
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

  if (getaddrinfo (target->hostname, NULL, &hints, &addresses) != 0)
    return FALSE;
  freeaddrinfo (addresses);
  return TRUE;
}
