/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ssh's own messages mean for an operator, and what to type next. */
#include "scp.h"

#include <string.h>

typedef struct {
  const char *printed; /* part of what ssh or the remote shell prints */
  GodwitErrorCode code;
  const char *what;
  const char *remedy; /* %s is the destination */
} Meaning;

/* The first that matches counts: ssh prints a cause before its consequences. */
static const Meaning meanings[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", GODWIT_ERROR_DENIED,
     "its host key is not the one that known_hosts has: it was set up anew, or somebody sits in "
     "between",
     "ssh-keygen -R the old key only after comparing the new fingerprint, then: ssh %s true"},
    {"Host key verification failed", GODWIT_ERROR_DENIED,
     "its host key is not known here, and godwit never trusts one unseen",
     "compare the fingerprint once by hand with: ssh %s true"},
    {"host key is known for", GODWIT_ERROR_DENIED,
     "its host key is not known here, and godwit never trusts one unseen",
     "compare the fingerprint once by hand with: ssh %s true"},
    {"Permission denied", GODWIT_ERROR_DENIED, "it refused every key that ssh offered",
     "ssh-copy-id %s, or load the right key with ssh-add"},
    {"Too many authentication failures", GODWIT_ERROR_DENIED,
     "it refused the first keys that ssh offered", "set identity-file for this host (%s)"},
    {"Could not resolve hostname", GODWIT_ERROR_UNAVAILABLE, "its name has no address",
     "check the spelling, or set destination=USER@ADDRESS for it (now: %s)"},
    {"Connection refused", GODWIT_ERROR_UNAVAILABLE, "nothing listens at its ssh port",
     "start sshd there, or set port= for it; then try: ssh %s true"},
    {"No route to host", GODWIT_ERROR_UNAVAILABLE, "there is no route to it",
     "check its power and the network; then try: ssh %s true"},
    {"Network is unreachable", GODWIT_ERROR_UNAVAILABLE, "there is no route to it",
     "check the network here; then try: ssh %s true"},
    {"timed out", GODWIT_ERROR_UNAVAILABLE, "it does not answer",
     "check its power and the network; then try: ssh %s true"},
    {"Connection closed by", GODWIT_ERROR_UNAVAILABLE, "it closed the connection",
     "look at sshd's log there; then try: ssh %s true"},
    {"Connection reset by", GODWIT_ERROR_UNAVAILABLE, "it reset the connection",
     "look at sshd's log there; then try: ssh %s true"},
    {"a password is required", GODWIT_ERROR_DENIED, "sudo there asks for a password",
     "allow the agent in /etc/sudoers there: USER ALL=(root) NOPASSWD: /usr/bin/godwit agent "
     "--stdio (destination: %s)"},
    {"not allowed to execute", GODWIT_ERROR_DENIED, "sudo there does not allow the agent",
     "allow the agent in /etc/sudoers there: USER ALL=(root) NOPASSWD: /usr/bin/godwit agent "
     "--stdio (destination: %s)"},
};

static const Meaning missing = {
    NULL, GODWIT_ERROR_NOT_FOUND, "the godwit agent is not installed there",
    "install the package godwit on %s, or set agent-command for that host"};

static const Meaning *
find_meaning (int status, const char *printed)
{
  if (status == 127 || strstr (printed, "command not found") != NULL)
    return &missing;
  for (gsize i = 0; i < G_N_ELEMENTS (meanings); i++) {
    if (strstr (printed, meanings[i].printed) != NULL)
      return &meanings[i];
  }
  return NULL;
}

void
godwit_scp_explain (const char *destination, int status, const char *printed, GError **error)
{
  g_autofree char *text = g_strstrip (g_strdup (printed != NULL ? printed : ""));
  const Meaning *meaning = find_meaning (status, text);
  g_autoptr (GString) remedy =
      g_string_new (meaning != NULL ? meaning->remedy : "see what is wrong with: ssh -v %s true");

  g_string_replace (remedy, "%s", destination, 0);
  godwit_set_error (error, meaning != NULL ? meaning->code : GODWIT_ERROR_UNAVAILABLE, remedy->str,
                    "%s cannot be reached over ssh: %s%s%s%s", destination,
                    meaning != NULL ? meaning->what : "ssh failed", *text != '\0' ? " (" : "", text,
                    *text != '\0' ? ")" : "");
}
