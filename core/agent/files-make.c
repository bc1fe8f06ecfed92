/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/files.h"

#include "agent/token.h"
#include "base/durable.h"
#include "channel/hello.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
godwit_files_give (int fd, guint32 mode, guint32 uid, guint32 gid, const char *path, GError **error)
{
  char proc[64];
  g_snprintf (proc, sizeof proc, "/proc/self/fd/%d", fd);
  /* Owner first: changing it takes set-id bits off. */
  if ((uid != GODWIT_KEEP_ID || gid != GODWIT_KEEP_ID) &&
      fchownat (fd, "", uid, gid, AT_EMPTY_PATH) != 0) {
    godwit_set_errno (error, errno, "change the owner of", path);
    return FALSE;
  }
  if (chmod (proc, mode & 07777) != 0) {
    godwit_set_errno (error, errno, "change the mode of", path);
    return FALSE;
  }
  return TRUE;
}

/* TRUE if the object in the way is ours: the same kind, and it carries the token. */
static gboolean
is_ours (int parent, const char *name, const char *path, mode_t type, const char *token,
         GError **error)
{
  g_autoptr (GError) local = NULL;
  int fd;
  if (!godwit_files_open_object (parent, name, path, &fd, &local)) {
    if (local != NULL)
      g_propagate_error (error, g_steal_pointer (&local));
    else
      godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL, "%s came and went", path);
    return FALSE;
  }
  char found[GODWIT_TOKEN_MAX + 1] = "";
  struct stat status;
  gboolean ok = fstat (fd, &status) == 0 && (status.st_mode & S_IFMT) == type &&
                godwit_token_get (fd, found, NULL) && *token != '\0' && g_str_equal (found, token);
  close (fd);
  if (!ok)
    godwit_set_error (error, GODWIT_ERROR_EXISTS, "look at it, and move it away if nobody needs it",
                      "%s is there already and does not belong to this job", path);
  return ok;
}

int
godwit_files_rename_at (int from_parent, const char *from, int to_parent, const char *to)
{
  if (renameat2 (from_parent, from, to_parent, to, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return errno;
  struct stat status;
  if (fstatat (to_parent, to, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return EEXIST;
  if (fstatat (from_parent, from, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno;
  /* A directory can only ever replace an empty directory, so nothing is lost in a race. */
  if (S_ISDIR (status.st_mode))
    return renameat (from_parent, from, to_parent, to) == 0 ? 0 : errno;
  if (linkat (from_parent, from, to_parent, to, 0) != 0)
    return errno;
  return unlinkat (from_parent, from, 0) == 0 ? 0 : errno;
}

static gboolean
make_marked_directory (int parent, const char *name, const char *path, guint32 mode, guint32 uid,
                       guint32 gid, const char *token, GError **error)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    godwit_set_errno (error, errno, "open", path);
    return FALSE;
  }
  gboolean ok = (*token == '\0' || godwit_token_set (fd, token, path, error)) &&
                godwit_files_give (fd, mode, uid, gid, path, error);
  if (ok && fsync (fd) != 0 && errno != EINVAL) {
    godwit_set_errno (error, errno, "sync", path);
    ok = FALSE;
  }
  close (fd);
  return ok;
}

gboolean
godwit_files_make_directory (GodwitPolicy *policy, const char *path, guint32 mode, guint32 uid,
                             guint32 gid, const char *token, GError **error)
{
  g_autofree char *name = NULL;
  int parent = godwit_token_check (token, error)
                   ? godwit_policy_open_parent (policy, path, &name, error)
                   : -1;
  if (parent < 0)
    return FALSE;
  /* It gets its token under a name of ours and only then the wanted one, so that a crash never
   * leaves a directory there that nobody may remove. */
  g_autofree char *random = godwit_random_token ();
  g_autofree char *temporary = g_strdup_printf (".godwit-%.16s", random);
  struct stat status;
  gboolean ok = FALSE;
  int number = 0;
  if (fstatat (parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    ok = is_ours (parent, name, path, S_IFDIR, token, error);
    close (parent);
    return ok;
  }
  if (mkdirat (parent, temporary, 0700) != 0) {
    godwit_set_errno (error, errno, "make the directory", path);
    close (parent);
    return FALSE;
  }
  if (make_marked_directory (parent, temporary, path, mode, uid, gid, token, error)) {
    number = godwit_files_rename_at (parent, temporary, parent, name);
    if (number == EEXIST || number == ENOTEMPTY)
      ok = is_ours (parent, name, path, S_IFDIR, token, error);
    else if (number != 0)
      godwit_set_errno (error, number, "make the directory", path);
    else
      ok = godwit_sync_names (parent, path, error);
  }
  unlinkat (parent, temporary, AT_REMOVEDIR);
  close (parent);
  return ok;
}

/* An unnamed file where the file system has them: it gets its name when all else is done. */
static int
create_unnamed (int parent, const char *name, gboolean *named)
{
  int fd = openat (parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  *named = fd < 0;
  if (fd < 0)
    fd = openat (parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
  return fd;
}

static int
link_unnamed (int fd, int parent, const char *name)
{
  char proc[64];
  g_snprintf (proc, sizeof proc, "/proc/self/fd/%d", fd);
  return linkat (AT_FDCWD, proc, parent, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

static gboolean
fill_new_file (int fd, const char *path, guint64 size, gboolean preallocate, guint32 mode,
               guint32 uid, guint32 gid, const char *token, GError **error)
{
  if (*token != '\0' && !godwit_token_set (fd, token, path, error))
    return FALSE;
  if (ftruncate (fd, (off_t)size) != 0 ||
      (preallocate && size > 0 && fallocate (fd, 0, 0, (off_t)size) != 0 && errno != EOPNOTSUPP)) {
    godwit_set_errno (error, errno, preallocate ? "allocate" : "set the size of", path);
    return FALSE;
  }
  if (!godwit_files_give (fd, mode, uid, gid, path, error))
    return FALSE;
  if (fsync (fd) != 0) {
    godwit_set_errno (error, errno, "sync", path);
    return FALSE;
  }
  return TRUE;
}

gboolean
godwit_files_create (GodwitPolicy *policy, const char *path, guint64 size, gboolean preallocate,
                     guint32 mode, guint32 uid, guint32 gid, const char *token, GError **error)
{
  g_autofree char *name = NULL;
  int parent = godwit_token_check (token, error)
                   ? godwit_policy_open_parent (policy, path, &name, error)
                   : -1;
  if (parent < 0)
    return FALSE;
  struct stat status;
  gboolean ok = FALSE;
  if (fstatat (parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    ok = is_ours (parent, name, path, S_IFREG, token, error);
    close (parent);
    return ok;
  }
  gboolean named;
  int fd = create_unnamed (parent, name, &named);
  int number = fd < 0 ? errno : 0;
  if (fd >= 0)
    ok = fill_new_file (fd, path, size, preallocate, mode, uid, gid, token, error);
  if (ok && !named)
    number = link_unnamed (fd, parent, name);
  if (fd >= 0 && !ok && named)
    unlinkat (parent, name, 0);
  if (number == EEXIST)
    ok = is_ours (parent, name, path, S_IFREG, token, error);
  else if (number != 0) {
    godwit_set_errno (error, number, "create", path);
    ok = FALSE;
  }
  ok = ok && godwit_sync_names (parent, path, error);
  if (fd >= 0)
    close (fd);
  close (parent);
  return ok;
}

/* The token of the file that is about to be replaced stays with the name. */
static gboolean
keep_token (int parent, const char *name, int fd, const char *path, GError **error)
{
  int old;
  g_autoptr (GError) local = NULL;
  if (!godwit_files_open_object (parent, name, path, &old, &local))
    return local == NULL || (g_propagate_error (error, g_steal_pointer (&local)), FALSE);
  char token[GODWIT_TOKEN_MAX + 1];
  gboolean ok = godwit_token_get (old, token, error) &&
                (*token == '\0' || godwit_token_set (fd, token, path, error));
  close (old);
  return ok;
}

static gboolean
write_whole (int fd, GBytes *contents, const char *path, GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (contents, &length);
  for (gsize done = 0; done < length;) {
    gssize n = write (fd, data + done, length - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      godwit_set_errno (error, errno, "write", path);
      return FALSE;
    }
    done += n;
  }
  if (fsync (fd) == 0)
    return TRUE;
  godwit_set_errno (error, errno, "sync", path);
  return FALSE;
}

static gboolean
put_in_place (int parent, const char *temporary, const char *name, gboolean exclusive,
              const char *path, GError **error)
{
  int number = 0;
  if (exclusive)
    number = godwit_files_rename_at (parent, temporary, parent, name);
  else if (renameat (parent, temporary, parent, name) != 0)
    number = errno;
  if (number == 0)
    return godwit_sync_names (parent, path, error);
  if (number == EEXIST)
    godwit_set_error (error, GODWIT_ERROR_EXISTS, NULL, "%s is there already", path);
  else
    godwit_set_errno (error, number, "write", path);
  return FALSE;
}

gboolean
godwit_files_write (GodwitPolicy *policy, const char *path, GBytes *contents, guint32 mode,
                    gboolean exclusive, GError **error)
{
  if (g_bytes_get_size (contents) > GODWIT_SMALL_FILE_MAX) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "%s: too big to be written by a call",
                      path);
    return FALSE;
  }
  g_autofree char *name = NULL;
  int parent = godwit_policy_open_parent (policy, path, &name, error);
  if (parent < 0)
    return FALSE;
  g_autofree char *random = godwit_random_token ();
  g_autofree char *temporary = g_strdup_printf (".godwit-%.16s", random);
  int fd = openat (parent, temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
  gboolean ok = fd >= 0;
  if (!ok)
    godwit_set_errno (error, errno, "write", path);
  ok = ok && (exclusive || keep_token (parent, name, fd, path, error)) &&
       godwit_files_give (fd, mode, GODWIT_KEEP_ID, GODWIT_KEEP_ID, path, error) &&
       write_whole (fd, contents, path, error) &&
       put_in_place (parent, temporary, name, exclusive, path, error);
  if (fd >= 0) {
    if (!ok)
      unlinkat (parent, temporary, 0);
    close (fd);
  }
  close (parent);
  return ok;
}

gboolean
godwit_files_rename (GodwitPolicy *policy, const char *from, const char *to, GError **error)
{
  g_autofree char *from_name = NULL;
  g_autofree char *to_name = NULL;
  int from_parent = godwit_policy_open_parent (policy, from, &from_name, error);
  if (from_parent < 0)
    return FALSE;
  int to_parent = godwit_policy_open_parent (policy, to, &to_name, error);
  if (to_parent < 0) {
    close (from_parent);
    return FALSE;
  }
  int number = godwit_files_rename_at (from_parent, from_name, to_parent, to_name);
  struct stat status;
  /* The kernel looks at the target first; an absent source is the more useful answer. */
  if (number == EEXIST && fstatat (from_parent, from_name, &status, AT_SYMLINK_NOFOLLOW) != 0 &&
      errno == ENOENT)
    number = ENOENT;
  gboolean ok = number == 0;
  if (number == EEXIST || number == ENOTEMPTY)
    godwit_set_error (error, GODWIT_ERROR_EXISTS, "look at it, and move it away if nobody needs it",
                      "cannot rename %s to %s: that is there already", from, to);
  else if (number == EXDEV)
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                      "cannot rename %s to %s: they are on different file systems", from, to);
  else if (number != 0)
    godwit_set_errno (error, number, "rename", from);
  ok = ok && godwit_sync_names (to_parent, to, error) &&
       godwit_sync_names (from_parent, from, error);
  close (from_parent);
  close (to_parent);
  return ok;
}
