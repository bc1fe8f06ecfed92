/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CACHE_SECONDS 3600

static void
op_init (void *data, struct fuse_conn_info *connection)
{
  /* The kernel does these better without us; and pages that a program has mapped must not be
   * dropped because of a time that its own writing changed. */
  connection->want &=
      ~(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_AUTO_INVAL_DATA |
        FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_READDIRPLUS | FUSE_CAP_SPLICE_READ);
}

static void
op_forget (fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
  if (ino != CONTROL_INO)
    node_forget (node_from_ino (ino), lookups);
  fuse_reply_none (req);
}

/* --- attributes ---------------------------------------------------------------------------- */

static void
op_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  struct stat status;
  int number = 0;
  if (ino == CONTROL_INO)
    control_status (&status);
  else
    number = node_status (node_from_ino (ino), &status);
  if (number != 0)
    fuse_reply_err (req, number);
  else
    fuse_reply_attr (req, &status, CACHE_SECONDS);
}

static int
set_times (Node *node, const struct stat *wanted, int which)
{
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
  if (which & FUSE_SET_ATTR_ATIME_NOW)
    times[0].tv_nsec = UTIME_NOW;
  else if (which & FUSE_SET_ATTR_ATIME)
    times[0] = wanted->st_atim;
  if (which & FUSE_SET_ATTR_MTIME_NOW)
    times[1].tv_nsec = UTIME_NOW;
  else if (which & FUSE_SET_ATTR_MTIME)
    times[1] = wanted->st_mtim;
  return utimensat (node->live, "", times, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

static int
set_attributes (Node *node, const struct stat *wanted, int which)
{
  char path[64];
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", node->live);
  if (which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) {
    uid_t uid = which & FUSE_SET_ATTR_UID ? wanted->st_uid : (uid_t)-1;
    gid_t gid = which & FUSE_SET_ATTR_GID ? wanted->st_gid : (gid_t)-1;
    if (fchownat (node->live, "", uid, gid, AT_EMPTY_PATH) != 0)
      return errno;
  }
  if ((which & FUSE_SET_ATTR_MODE) && chmod (path, wanted->st_mode & 07777) != 0)
    return errno;
  if (which & FUSE_SET_ATTR_SIZE) {
    int number = file_truncate (node, wanted->st_size);
    if (number != 0)
      return number;
  }
  node->attributes = TRUE;
  return which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME) ? set_times (node, wanted, which) : 0;
}

static void
op_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *wanted, int which,
            struct fuse_file_info *fi)
{
  struct stat status;
  int number = 0;
  if (ino == CONTROL_INO)
    control_status (&status);
  else
    number = set_attributes (node_from_ino (ino), wanted, which);
  if (number == 0 && ino != CONTROL_INO)
    number = node_status (node_from_ino (ino), &status);
  if (number != 0)
    fuse_reply_err (req, number);
  else
    fuse_reply_attr (req, &status, CACHE_SECONDS);
}

static void
op_readlink (fuse_req_t req, fuse_ino_t ino)
{
  char target[PATH_MAX];
  ssize_t length = readlinkat (node_from_ino (ino)->live, "", target, sizeof target - 1);
  if (length < 0) {
    fuse_reply_err (req, errno);
    return;
  }
  target[length] = '\0';
  fuse_reply_readlink (req, target);
}

static void
op_statfs (fuse_req_t req, fuse_ino_t ino)
{
  struct statvfs status;
  if (fstatvfs (fs.root->live, &status) != 0)
    fuse_reply_err (req, errno);
  else
    fuse_reply_statfs (req, &status);
}

/* --- extended attributes ------------------------------------------------------------------- */

static int
open_for_xattr (fuse_ino_t ino)
{
  Node *node = ino == CONTROL_INO ? NULL : node_from_ino (ino);
  if (node == NULL || (!S_ISREG (node->type) && !S_ISDIR (node->type))) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return node_reopen (node->live, O_RDONLY);
}

static void
op_setxattr (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
             int flags)
{
  int fd = open_for_xattr (ino);
  int number = fd >= 0 && fsetxattr (fd, name, value, size, flags) == 0 ? 0 : errno;
  if (number == 0)
    node_from_ino (ino)->attributes = TRUE;
  if (fd >= 0)
    close (fd);
  fuse_reply_err (req, number);
}

static void
op_removexattr (fuse_req_t req, fuse_ino_t ino, const char *name)
{
  int fd = open_for_xattr (ino);
  int number = fd >= 0 && fremovexattr (fd, name) == 0 ? 0 : errno;
  if (number == 0)
    node_from_ino (ino)->attributes = TRUE;
  if (fd >= 0)
    close (fd);
  fuse_reply_err (req, number);
}

/* @size 0: only the length is asked for. */
static void
reply_value (fuse_req_t req, const char *data, ssize_t length, size_t size)
{
  if (length < 0)
    fuse_reply_err (req, errno);
  else if (size == 0)
    fuse_reply_xattr (req, (size_t)length);
  else
    fuse_reply_buf (req, data, (size_t)length);
}

static void
op_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  g_autofree char *data = g_malloc (size + 1);
  int fd = open_for_xattr (ino);
  reply_value (req, data, fd >= 0 ? fgetxattr (fd, name, data, size) : -1, size);
  if (fd >= 0)
    close (fd);
}

static void
op_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size)
{
  g_autofree char *data = g_malloc (size + 1);
  int fd = open_for_xattr (ino);
  reply_value (req, data, fd >= 0 ? flistxattr (fd, data, size) : -1, size);
  if (fd >= 0)
    close (fd);
}

/* --- directories --------------------------------------------------------------------------- */

static void
op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  int fd = node_reopen (node_from_ino (ino)->live, O_RDONLY | O_DIRECTORY);
  DIR *directory = fd >= 0 ? fdopendir (fd) : NULL;
  fi->fh = (uintptr_t)directory;
  if (directory == NULL)
    fuse_reply_err (req, errno);
  else
    fuse_reply_open (req, fi);
}

static void
op_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  DIR *directory = (DIR *)(uintptr_t)fi->fh;
  g_autofree char *data = g_malloc (size);
  size_t used = 0;
  struct dirent *entry;
  seekdir (directory, offset);
  while ((entry = readdir (directory)) != NULL) {
    Node *node = g_hash_table_lookup (fs.nodes, &entry->d_ino);
    struct stat status = {.st_ino = node != NULL ? node->ino : entry->d_ino,
                          .st_mode = (mode_t)DTTOIF (entry->d_type)};
    size_t n = fuse_add_direntry (req, data + used, size - used, entry->d_name, &status,
                                  telldir (directory));
    if (n > size - used)
      break;
    used += n;
  }
  fuse_reply_buf (req, data, used);
}

static void
op_releasedir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  closedir ((DIR *)(uintptr_t)fi->fh);
  fuse_reply_err (req, 0);
}

static void
op_fsyncdir (fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi)
{
  Node *node = node_from_ino (ino);
  int number = twin_sync_names (node);
  if (number == 0)
    number = twin_sync_attributes (node);
  fuse_reply_err (req, number);
}

const struct fuse_lowlevel_ops powerfs_ops = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readlink = op_readlink,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .symlink = op_symlink,
    .rename = op_rename,
    .link = op_link,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .release = op_release,
    .fsync = op_fsync,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .releasedir = op_releasedir,
    .fsyncdir = op_fsyncdir,
    .statfs = op_statfs,
    .setxattr = op_setxattr,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .removexattr = op_removexattr,
    .create = op_create,
    .fallocate = op_fallocate,
    .lseek = op_lseek,
};
