/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/hello.h"

#include "agent/agent.h"
#include "godwit-config.h"

#include <godwit/error.h>

#include <string.h>
#include <sys/random.h>

#define HELLO_WORD "godwit-agent "

void
godwit_hello_clear (GodwitHello *hello)
{
  g_clear_pointer (&hello->version, g_free);
  g_clear_pointer (&hello->nonce, g_free);
  g_clear_pointer (&hello->banner, g_free);
}

void
godwit_purpose_clear (GodwitPurpose *purpose)
{
  g_clear_pointer (&purpose->token, g_free);
}

char *
godwit_random_token (void)
{
  guint8 bytes[16];
  /* Up to 256 bytes never come short; a token that can be guessed would be worse than none. */
  if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    g_error ("the kernel gives no random bytes");
  GString *text = g_string_sized_new (2 * sizeof bytes);
  for (gsize i = 0; i < sizeof bytes; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

char *
godwit_hello_format (const char *nonce)
{
  return g_strdup_printf (HELLO_WORD "%s %u %s\n", GODWIT_VERSION, GODWIT_AGENT_PROTOCOL, nonce);
}

gboolean
godwit_hello_parse (const char *text, GodwitHello *hello, const char **rest)
{
  for (const char *at = strstr (text, HELLO_WORD); at != NULL; at = strstr (at + 1, HELLO_WORD)) {
    const char *end = strchr (at, '\n');
    if (end == NULL)
      return FALSE;
    g_autofree char *line = g_strndup (at, end - at);
    g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", -1);
    guint64 protocol;
    if (g_strv_length (words) != 4 || strlen (words[3]) != 32 ||
        !g_ascii_string_to_unsigned (words[2], 10, 0, 1000000, &protocol, NULL))
      continue;
    hello->version = g_strdup (words[1]);
    hello->protocol = protocol;
    hello->nonce = g_strdup (words[3]);
    g_autofree char *banner = g_utf8_make_valid (text, at - text);
    hello->banner = *g_strstrip (banner) != '\0' ? g_steal_pointer (&banner) : NULL;
    *rest = end + 1;
    return TRUE;
  }
  return FALSE;
}

gboolean
godwit_hello_agree (guint theirs, const char *host, guint *agreed, GError **error)
{
  /* An agent speaks its own protocol and the one before it, and so do we. */
  if (theirs > GODWIT_AGENT_PROTOCOL + 1) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "upgrade godwit on this machine",
                      "the agent on %s speaks protocol %u, this godwit only %u to %u", host, theirs,
                      GODWIT_AGENT_PROTOCOL_MIN, GODWIT_AGENT_PROTOCOL);
    return FALSE;
  }
  if (theirs < GODWIT_AGENT_PROTOCOL_MIN) {
    g_autofree char *remedy = g_strdup_printf ("upgrade godwit on %s", host);
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, remedy,
                      "the agent on %s speaks protocol %u, this godwit needs %u to %u", host,
                      theirs, GODWIT_AGENT_PROTOCOL_MIN, GODWIT_AGENT_PROTOCOL);
    return FALSE;
  }
  *agreed = MIN (theirs, GODWIT_AGENT_PROTOCOL);
  return TRUE;
}

gboolean
godwit_purpose_parse (const char *line, const char *nonce, GodwitPurpose *purpose, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  if (g_strv_length (words) != 3 || !g_str_equal (words[2], nonce)) {
    godwit_set_error (error, GODWIT_ERROR_PEER, "this program is started by godwit, not by hand",
                      "the first line is not an answer to the agent's hello");
    return FALSE;
  }
  if (g_str_equal (words[0], "channel")) {
    purpose->token = g_strdup (words[1]);
    return TRUE;
  }
  guint64 protocol;
  if (!g_str_equal (words[0], "control") ||
      !g_ascii_string_to_unsigned (words[1], 10, GODWIT_AGENT_PROTOCOL_MIN, GODWIT_AGENT_PROTOCOL,
                                   &protocol, NULL)) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "upgrade the older godwit of the two",
                      "the controller asked for '%s %s', this agent speaks protocol %u to %u",
                      words[0], words[1], GODWIT_AGENT_PROTOCOL_MIN, GODWIT_AGENT_PROTOCOL);
    return FALSE;
  }
  purpose->control = TRUE;
  purpose->protocol = protocol;
  return TRUE;
}
