/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/registry-private.h"

#include <godwit/error.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
is_trusted_owner (uid_t owner)
{
  return owner == 0 || owner == geteuid ();
}

static gboolean
check_owner (const char *path, const struct stat *st, GError **error)
{
  if (is_trusted_owner (st->st_uid))
    return TRUE;
  g_autofree char *remedy = g_strdup_printf ("chown root:root %s", path);
  godwit_set_error (error, GODWIT_ERROR_DENIED, remedy, "%s is owned by user id %u, not by root%s",
                    path, (guint)st->st_uid, geteuid () == 0 ? "" : " or by you");
  return FALSE;
}

static gboolean
check_mode (const char *path, const struct stat *st, GError **error)
{
  if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return TRUE;
  g_autofree char *remedy = g_strdup_printf ("chmod go-w %s", path);
  godwit_set_error (error, GODWIT_ERROR_DENIED, remedy,
                    "%s has mode %04o: others than its owner may write to it", path,
                    (guint)(st->st_mode & 07777));
  return FALSE;
}

static gboolean
look (const char *path, struct stat *st, GError **error)
{
  if (lstat (path, st) == 0)
    return TRUE;
  int saved = errno;
  godwit_set_error (error, saved == ENOENT ? GODWIT_ERROR_NOT_FOUND : GODWIT_ERROR_UNAVAILABLE,
                    NULL, "%s: %s", path, g_strerror (saved));
  return FALSE;
}

/* In a sticky directory such as /tmp nobody can rename or remove what another owns, so it may
 * stand above a trusted directory, but not directly above the file. */
static gboolean
check_ancestors (const char *directory, GError **error)
{
  g_autofree char *current = g_strdup (directory);
  for (gboolean lowest = TRUE;; lowest = FALSE) {
    struct stat st;
    if (!look (current, &st, error) || !check_owner (current, &st, error))
      return FALSE;
    gboolean shielded = !lowest && (st.st_mode & S_ISVTX) != 0;
    if (!shielded && !check_mode (current, &st, error))
      return FALSE;
    if (g_str_equal (current, "/"))
      return TRUE;
    char *parent = g_path_get_dirname (current);
    g_free (current);
    current = parent;
  }
}

gboolean
godwit_trust_check_directory (const char *path, GError **error)
{
  /* Links above the file are followed (/lib is one), and what they lead to is checked. */
  g_autofree char *real = realpath (path, NULL);
  if (real == NULL) {
    int saved = errno;
    godwit_set_error (error, saved == ENOENT ? GODWIT_ERROR_NOT_FOUND : GODWIT_ERROR_UNAVAILABLE,
                      NULL, "%s: %s", path, g_strerror (saved));
    return FALSE;
  }
  if (!g_file_test (real, G_FILE_TEST_IS_DIR)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, NULL, "%s is not a directory", path);
    return FALSE;
  }
  return check_ancestors (real, error);
}

gboolean
godwit_trust_check_file (const char *path, GError **error)
{
  struct stat st;
  if (!look (path, &st, error))
    return FALSE;
  if (S_ISLNK (st.st_mode)) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, "put the file itself there",
                      "%s is a symbolic link", path);
    return FALSE;
  }
  if (!S_ISREG (st.st_mode)) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, "remove it", "%s is not a regular file", path);
    return FALSE;
  }
  g_autofree char *directory = g_path_get_dirname (path);
  return check_owner (path, &st, error) && check_mode (path, &st, error) &&
         godwit_trust_check_directory (directory, error);
}
