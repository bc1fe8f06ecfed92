/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/durable.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean
fail (GError **error, const char *verb, const char *path)
{
  int saved = errno;
  godwit_set_error (error,
                    saved == EACCES || saved == EPERM || saved == EROFS ? GODWIT_ERROR_DENIED
                                                                        : GODWIT_ERROR_UNAVAILABLE,
                    "check the disk under it (space, dmesg)", "cannot %s the directory of %s: %s",
                    verb, path, g_strerror (saved));
  return FALSE;
}

gboolean
godwit_sync_names (int directory, const char *path, GError **error)
{
  /* Some network file systems cannot sync a directory and say so; they are synchronous there. */
  return fsync (directory) == 0 || errno == EINVAL || fail (error, "sync", path);
}

gboolean
godwit_sync_parent (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return fail (error, "open", path);
  gboolean ok = godwit_sync_names (fd, path, error);
  close (fd);
  return ok;
}

static gboolean
is_unfinished (const char *name, const char *finished)
{
  gsize length = strlen (finished);
  return g_str_has_prefix (name, finished) && name[length] == '.' && strlen (name) == length + 7;
}

void
godwit_remove_unfinished (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *finished = g_path_get_basename (path);
  g_autoptr (GDir) directory = g_dir_open (parent, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *file = g_build_filename (parent, name, NULL);
    if (is_unfinished (name, finished))
      unlink (file);
  }
}
