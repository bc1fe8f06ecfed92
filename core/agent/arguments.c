/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/policy.h"

#include <godwit/error.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Programs open what their arguments name, so the paths in them are held to the same directories
 * as the agent's own. Words have syntaxes of many kinds (`key=/path,key=...`, `file:/path`, JSON);
 * whatever may begin a path in one of them is taken for one. What is refused wrongly is a strange
 * argument; what is let through wrongly is a file of this host. */

#define BEFORE_PATH " \t\n=,:;\"'{}[]()<>|&"
#define AFTER_PATH  " \t\n,;\"'{}[]()<>|&"

/* "nbd+unix:///?socket=..." has an address after its scheme; "file:///etc" has a path there. */
static gboolean
is_url (const char *word, const char *slash)
{
  if (slash == word || slash[-1] != ':' || slash[1] != '/')
    return FALSE;
  const char *scheme = slash - 1;
  while (scheme > word && (g_ascii_isalnum (scheme[-1]) || strchr ("+-.", scheme[-1]) != NULL))
    scheme--;
  gsize length = slash - 1 - scheme;
  return length > 0 && !(length == 4 && g_ascii_strncasecmp (scheme, "file", 4) == 0);
}

static gboolean
check_path (GodwitPolicy *self, const char *start, gsize length, GError **error)
{
  while (length > 1 && start[1] == '/') {
    start++;
    length--;
  }
  g_autofree char *path = g_strndup (start, length);
  if (length > 1 && path[length - 1] == '/')
    path[length - 1] = '\0';
  g_autoptr (GError) local = NULL;
  int fd = godwit_policy_open (self, path, O_PATH, &local);
  if (fd >= 0)
    close (fd);
  /* Absent is fine: it may be about to be made. */
  if (fd >= 0 || !g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_DENIED))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
check_word (GodwitPolicy *self, const char *word, GError **error)
{
  for (const char *dots = strstr (word, ".."); dots != NULL; dots = strstr (dots + 1, "..")) {
    gboolean begins = dots == word || dots[-1] == '/' || strchr (BEFORE_PATH, dots[-1]) != NULL;
    if (begins && (dots[2] == '/' || dots[2] == '\0' || strchr (AFTER_PATH, dots[2]) != NULL)) {
      godwit_set_error (error, GODWIT_ERROR_DENIED, NULL, "'%s' names a parent directory", word);
      return FALSE;
    }
  }
  for (const char *at = strchr (word, '/'); at != NULL; at = strchr (at, '/')) {
    gboolean begins = at == word || strchr (BEFORE_PATH, at[-1]) != NULL;
    if (begins && is_url (word, at)) {
      at += strspn (at, "/");
      continue;
    }
    gsize length = strcspn (at, AFTER_PATH);
    if (begins && !check_path (self, at, length, error))
      return FALSE;
    at += MAX (length, 1);
  }
  return TRUE;
}

gboolean
godwit_policy_check_arguments (GodwitPolicy *self, const char *const *argv, GError **error)
{
  for (gsize i = 1; argv[0] != NULL && argv[i] != NULL; i++)
    if (!check_word (self, argv[i], error)) {
      g_prefix_error (error, "%s is not run: ", argv[0]);
      return FALSE;
    }
  return TRUE;
}
