/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/files.h"

#include "agent/token.h"

#include <godwit/error.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARKED_SUFFIX "_migrate"

/* Opens the object if it carries @token. FALSE without an error: nothing is there. */
static gboolean
open_owned (int parent, const char *name, const char *path, const char *token, int *fd,
            GError **error)
{
  if (!godwit_files_open_object (parent, name, path, fd, error))
    return FALSE;
  char found[GODWIT_TOKEN_MAX + 1];
  gboolean ok = godwit_token_get (*fd, found, error);
  if (ok && !g_str_equal (found, token)) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, "look at it and remove it by hand",
                      "%s is not removed: %s", path,
                      *found != '\0' ? "it belongs to another job" : "this job did not make it");
    ok = FALSE;
  }
  if (!ok)
    close (*fd);
  return ok;
}

static gboolean
unlink_object (int parent, const char *name, int fd, const char *path, GError **error)
{
  struct stat status;
  struct stat again;
  if (fstat (fd, &status) != 0) {
    godwit_set_errno (error, errno, "look at", path);
    return FALSE;
  }
  if (fstatat (parent, name, &again, AT_SYMLINK_NOFOLLOW) != 0 || again.st_ino != status.st_ino ||
      again.st_dev != status.st_dev) {
    godwit_set_error (error, GODWIT_ERROR_BUSY, NULL,
                      "%s is not removed: somebody changes it at this moment", path);
    return FALSE;
  }
  if (unlinkat (parent, name, S_ISDIR (status.st_mode) ? AT_REMOVEDIR : 0) != 0 &&
      errno != ENOENT) {
    int number = errno;
    if (number == ENOTEMPTY || number == EEXIST)
      godwit_set_error (error, GODWIT_ERROR_BUSY, "look at what is in it",
                        "%s is not removed: it is not empty", path);
    else
      godwit_set_errno (error, number, "remove", path);
    return FALSE;
  }
  if (S_ISDIR (status.st_mode) || status.st_nlink <= 1)
    godwit_token_forget (fd);
  fsync (parent);
  return TRUE;
}

gboolean
godwit_files_remove_owned (GodwitPolicy *policy, const char *path, const char *token,
                           GError **error)
{
  if (*token == '\0') {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "%s: no token to remove it by", path);
    return FALSE;
  }
  g_autofree char *name = NULL;
  g_autoptr (GError) local = NULL;
  int parent = godwit_policy_open_parent (policy, path, &name, &local);
  if (parent < 0) {
    if (g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  int fd;
  gboolean ok;
  if (open_owned (parent, name, path, token, &fd, &local)) {
    ok = unlink_object (parent, name, fd, path, error);
    close (fd);
  } else {
    ok = local == NULL;
    if (!ok)
      g_propagate_error (error, g_steal_pointer (&local));
  }
  close (parent);
  return ok;
}

/* --- attributes ------------------------------------------------------------------------- */

/* An attribute is as little durable as what is in a file. Of other objects than files and
 * directories nothing can be opened without a risk. */
static gboolean
sync_object (int fd, const char *path, GError **error)
{
  char proc[64];
  struct stat status;
  if (fstat (fd, &status) == 0 && !S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode))
    return TRUE;
  g_snprintf (proc, sizeof proc, "/proc/self/fd/%d", fd);
  int open_fd = open (proc, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  gboolean ok = open_fd >= 0 && (fsync (open_fd) == 0 || errno == EINVAL || errno == EROFS);
  if (!ok)
    godwit_set_errno (error, errno, "sync", path);
  if (open_fd >= 0)
    close (open_fd);
  return ok;
}

gboolean
godwit_files_set_token (GodwitPolicy *policy, const char *path, const char *token, GError **error)
{
  int fd = godwit_token_check (token, error)
               ? godwit_policy_open (policy, path, O_PATH | O_NOFOLLOW, error)
               : -1;
  if (fd < 0)
    return FALSE;
  char found[GODWIT_TOKEN_MAX + 1];
  gboolean ok = godwit_token_get (fd, found, error);
  if (ok && *token != '\0' && *found != '\0' && !g_str_equal (token, found)) {
    godwit_set_error (error, GODWIT_ERROR_BUSY, "look at 'godwit jobs', and recover the other job",
                      "%s belongs to another job (token %s)", path, found);
    ok = FALSE;
  }
  ok = ok && (g_str_equal (token, found) || godwit_token_set (fd, token, path, error)) &&
       sync_object (fd, path, error);
  close (fd);
  return ok;
}

gboolean
godwit_files_allocate (GodwitPolicy *policy, const char *path, GError **error)
{
  int fd = godwit_policy_open (policy, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, error);
  if (fd < 0)
    return FALSE;
  struct stat status;
  gboolean ok = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
  if (!ok)
    godwit_set_error (error, GODWIT_ERROR_DENIED, NULL, "%s is no regular file", path);
  else if (status.st_size > 0 && fallocate (fd, 0, 0, status.st_size) != 0) {
    godwit_set_errno (error, errno, "allocate", path);
    ok = FALSE;
  }
  ok = ok && sync_object (fd, path, error);
  close (fd);
  return ok;
}

/* Only what has changed is synced: this is done to disks of guests that wait to go on, too, and a
 * sync would write out all that they have written. */
static gboolean
give_and_sync (int fd, const struct stat *before, guint32 mode, guint32 uid, guint32 gid,
               const char *path, GError **error)
{
  struct stat after;
  if (!godwit_files_give (fd, mode, uid, gid, path, error))
    return FALSE;
  gboolean same = fstat (fd, &after) == 0 && after.st_mode == before->st_mode &&
                  after.st_uid == before->st_uid && after.st_gid == before->st_gid;
  return same || sync_object (fd, path, error);
}

gboolean
godwit_files_set_owner (GodwitPolicy *policy, const char *path, guint32 uid, guint32 gid,
                        guint32 mode, GError **error)
{
  int fd = godwit_policy_open (policy, path, O_PATH | O_NOFOLLOW, error);
  if (fd < 0)
    return FALSE;
  struct stat status;
  gboolean ok = fstat (fd, &status) == 0 && !S_ISLNK (status.st_mode);
  if (ok)
    ok = give_and_sync (fd, &status, mode, uid, gid, path, error);
  else
    godwit_set_error (error, GODWIT_ERROR_DENIED, "name the file that it points to",
                      "%s is a symbolic link", path);
  close (fd);
  return ok;
}

/* --- parked trees ----------------------------------------------------------------------- */

/* Mounts are told apart by their id; the device number of a layered file system differs between
 * a directory and the files in it. */
static gboolean
look (int parent, const char *name, guint32 *mode, guint64 *mount)
{
  struct statx status;
  if (statx (parent, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID,
             &status) != 0)
    return FALSE;
  *mode = status.stx_mode;
  *mount = (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : status.stx_dev_minor;
  return TRUE;
}

static gboolean remove_tree (int parent, const char *name, guint64 mount, const char *path,
                             GCancellable *cancellable, GError **error);

static gboolean
empty_directory (int fd, guint64 mount, const char *path, GCancellable *cancellable, GError **error)
{
  DIR *directory = fdopendir (fd);
  if (directory == NULL) {
    godwit_set_errno (error, errno, "list", path);
    close (fd);
    return FALSE;
  }
  gboolean ok = TRUE;
  struct dirent *entry;
  while (ok && (entry = readdir (directory)) != NULL) {
    if (g_str_equal (entry->d_name, ".") || g_str_equal (entry->d_name, ".."))
      continue;
    g_autofree char *inner = g_build_filename (path, entry->d_name, NULL);
    ok = remove_tree (dirfd (directory), entry->d_name, mount, inner, cancellable, error);
  }
  closedir (directory);
  return ok;
}

static gboolean
remove_tree (int parent, const char *name, guint64 mount, const char *path,
             GCancellable *cancellable, GError **error)
{
  if (g_cancellable_is_cancelled (cancellable)) {
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "removing %s was cancelled", path);
    return FALSE;
  }
  guint32 mode;
  guint64 found;
  if (!look (parent, name, &mode, &found)) {
    if (errno == ENOENT)
      return TRUE;
    godwit_set_errno (error, errno, "look at", path);
    return FALSE;
  }
  if (found != mount) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, "unmount it, then confirm again",
                      "%s is not removed: something is mounted there", path);
    return FALSE;
  }
  if (S_ISDIR (mode)) {
    int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
      godwit_set_errno (error, errno, "open", path);
      return FALSE;
    }
    if (!empty_directory (fd, mount, path, cancellable, error))
      return FALSE;
  }
  if (unlinkat (parent, name, S_ISDIR (mode) ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
    return TRUE;
  godwit_set_errno (error, errno, "remove", path);
  return FALSE;
}

gboolean
godwit_files_remove_parked (GodwitPolicy *policy, const char *path, const char *token,
                            GCancellable *cancellable, GError **error)
{
  if (!g_str_has_suffix (path, PARKED_SUFFIX) || *token == '\0') {
    godwit_set_error (error, GODWIT_ERROR_DENIED, NULL,
                      "%s is not removed: it is not a parked copy (*" PARKED_SUFFIX ")", path);
    return FALSE;
  }
  g_autofree char *name = NULL;
  g_autoptr (GError) local = NULL;
  int parent = godwit_policy_open_parent (policy, path, &name, &local);
  int fd = -1;
  if (parent < 0 || !open_owned (parent, name, path, token, &fd, &local)) {
    if (parent >= 0)
      close (parent);
    if (local == NULL || g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  guint32 mode;
  guint64 mount;
  gboolean ok = look (fd, "", &mode, &mount);
  if (!ok)
    godwit_set_errno (error, errno, "look at", path);
  /* The token goes last, with the top, so that a removal cut short can be taken up again. */
  ok = ok && remove_tree (parent, name, mount, path, cancellable, error);
  if (ok)
    godwit_token_forget (fd);
  fsync (parent);
  close (fd);
  close (parent);
  return ok;
}
