/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/files.h"

#include "agent/token.h"

#include <godwit/error.h>
#include <godwit/host.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LIST_MAX 100000

/* Not in linux/magic.h. */
#define GLUSTER_FUSE_MAGIC 0x65735546
#define GPFS_MAGIC         0x47504653
#define LUSTRE_MAGIC       0x0BD00BD0
#define ZFS_MAGIC          0x2FC12FC1
#define NTFS3_MAGIC        0x7366746E
#define GFS2_MAGIC         0x01161970
#define BCACHEFS_MAGIC     0xca451a4e

static const char *
name_file_system (guint32 magic)
{
  static const struct {
    guint32 magic;
    const char *name;
  } known[] = {
      {EXT4_SUPER_MAGIC, "ext4"},
      {XFS_SUPER_MAGIC, "xfs"},
      {BTRFS_SUPER_MAGIC, "btrfs"},
      {TMPFS_MAGIC, "tmpfs"},
      {NFS_SUPER_MAGIC, "nfs"},
      {FUSE_SUPER_MAGIC, "fuse"},
      {OVERLAYFS_SUPER_MAGIC, "overlay"},
      {CEPH_SUPER_MAGIC, "ceph"},
      {SMB_SUPER_MAGIC, "smb"},
      {CIFS_SUPER_MAGIC, "cifs"},
      {SMB2_SUPER_MAGIC, "smb2"},
      {OCFS2_SUPER_MAGIC, "ocfs2"},
      {F2FS_SUPER_MAGIC, "f2fs"},
      {V9FS_MAGIC, "9p"},
      {MSDOS_SUPER_MAGIC, "vfat"},
      {ISOFS_SUPER_MAGIC, "iso9660"},
      {SQUASHFS_MAGIC, "squashfs"},
      {RAMFS_MAGIC, "ramfs"},
      {AFS_SUPER_MAGIC, "afs"},
      {GFS2_MAGIC, "gfs2"},
      {GPFS_MAGIC, "gpfs"},
      {LUSTRE_MAGIC, "lustre"},
      {ZFS_MAGIC, "zfs"},
      {NTFS3_MAGIC, "ntfs3"},
      {EXFAT_SUPER_MAGIC, "exfat"},
      {BCACHEFS_MAGIC, "bcachefs"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (known[i].magic == magic)
      return known[i].name;
  return "";
}

gboolean
godwit_files_open_object (int parent, const char *name, const char *path, int *fd, GError **error)
{
  *fd = openat (parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (*fd >= 0)
    return TRUE;
  if (errno != ENOENT)
    godwit_set_errno (error, errno, "look at", path);
  return FALSE;
}

static GodwitFileType
type_of_mode (guint32 mode)
{
  switch (mode & S_IFMT) {
  case S_IFREG:
    return GODWIT_FILE_REGULAR;
  case S_IFDIR:
    return GODWIT_FILE_DIRECTORY;
  case S_IFLNK:
    return GODWIT_FILE_SYMLINK;
  case S_IFBLK:
    return GODWIT_FILE_BLOCK;
  default:
    return GODWIT_FILE_OTHER;
  }
}

static guint64
block_device_size (int fd)
{
  char proc[64];
  g_snprintf (proc, sizeof proc, "/proc/self/fd/%d", fd);
  int device = open (proc, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  guint64 size = 0;
  if (device >= 0) {
    if (ioctl (device, BLKGETSIZE64, &size) != 0)
      size = 0;
    close (device);
  }
  return size;
}

static gint64
to_ns (struct statx_timestamp time)
{
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

static GVariant *
describe_object (int fd, const char *path, GError **error)
{
  struct statx status;
  struct statfs fs;
  char token[GODWIT_TOKEN_MAX + 1];
  if (statx (fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS | STATX_BTIME,
             &status) != 0 ||
      fstatfs (fd, &fs) != 0) {
    godwit_set_errno (error, errno, "look at", path);
    return NULL;
  }
  if (!godwit_token_get (fd, token, error))
    return NULL;
  GodwitFileType type = type_of_mode (status.stx_mode);
  guint64 size = type == GODWIT_FILE_BLOCK ? block_device_size (fd) : status.stx_size;
  gint64 birth = (status.stx_mask & STATX_BTIME) != 0 ? to_ns (status.stx_btime) : 0;
  return g_variant_new (GODWIT_STAT_TYPE, (guint32)type, size, (guint64)status.stx_blocks * 512,
                        (guint32)status.stx_mode & 07777, status.stx_uid, status.stx_gid,
                        (guint64)makedev (status.stx_dev_major, status.stx_dev_minor),
                        (guint64)status.stx_ino, to_ns (status.stx_mtime), to_ns (status.stx_ctime),
                        token, name_file_system ((guint32)fs.f_type), birth);
}

static GVariant *
describe_absent (void)
{
  return g_variant_new (GODWIT_STAT_TYPE, (guint32)GODWIT_FILE_ABSENT, (guint64)0, (guint64)0, 0u,
                        0u, 0u, (guint64)0, (guint64)0, (gint64)0, (gint64)0, "", "", (gint64)0);
}

GVariant *
godwit_files_stat (GodwitPolicy *policy, const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  int fd = godwit_policy_open (policy, path, O_PATH | O_NOFOLLOW, &local);
  if (fd < 0 && g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
    return describe_absent ();
  if (fd < 0) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  GVariant *info = describe_object (fd, path, error);
  close (fd);
  return info;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GVariant *
godwit_files_list (GodwitPolicy *policy, const char *path, GError **error)
{
  int fd = godwit_policy_open (policy, path, O_RDONLY | O_DIRECTORY, error);
  if (fd < 0)
    return NULL;
  DIR *directory = fdopendir (fd);
  if (directory == NULL) {
    godwit_set_errno (error, errno, "list", path);
    close (fd);
    return NULL;
  }
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  struct dirent *entry;
  while ((errno = 0, entry = readdir (directory)) != NULL && names->len <= LIST_MAX)
    if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, "..") &&
        g_utf8_validate (entry->d_name, -1, NULL))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  int number = names->len > LIST_MAX ? EFBIG : errno;
  closedir (directory);
  if (number != 0) {
    godwit_set_errno (error, number, "list", path);
    return NULL;
  }
  g_ptr_array_sort (names, compare_names);
  return g_variant_new_strv ((const char *const *)names->pdata, names->len);
}

GBytes *
godwit_files_read (GodwitPolicy *policy, const char *path, guint64 offset, gsize length,
                   GError **error)
{
  int fd = godwit_policy_open (policy, path, O_RDONLY | O_NONBLOCK, error);
  if (fd < 0)
    return NULL;
  length = MIN (length, GODWIT_SMALL_FILE_MAX);
  g_autofree guint8 *buffer = g_malloc (length);
  struct stat status;
  gsize done = 0;
  int number = fstat (fd, &status) != 0 ? errno : 0;
  if (number == 0 && !S_ISREG (status.st_mode) && !S_ISBLK (status.st_mode))
    number = S_ISDIR (status.st_mode) ? EISDIR : EINVAL;
  while (number == 0 && done < length) {
    gssize n = pread (fd, buffer + done, length - done, offset + done);
    if (n == 0)
      break;
    if (n > 0)
      done += n;
    else if (errno != EINTR)
      number = errno;
  }
  close (fd);
  if (number == 0)
    return g_bytes_new_take (g_steal_pointer (&buffer), done);
  godwit_set_errno (error, number, "read", path);
  return NULL;
}

/* The nearest directory that exists at or above @path, as far as the policy goes. A directory,
 * because on a layered file system the files in it may name another device. */
static int
open_nearest_directory (GodwitPolicy *policy, const char *path, GError **error)
{
  g_autofree char *at = g_strdup (path);
  g_autoptr (GError) first = NULL;
  while (TRUE) {
    g_autoptr (GError) local = NULL;
    int fd = godwit_policy_open (policy, at, O_PATH | O_DIRECTORY, &local);
    if (fd >= 0)
      return fd;
    if (!g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND)) {
      /* Where the allowed directory itself is absent, its absence is the better message. */
      g_propagate_error (error,
                         first != NULL ? g_steal_pointer (&first) : g_steal_pointer (&local));
      return -1;
    }
    if (first == NULL)
      first = g_steal_pointer (&local);
    char *parent = g_path_get_dirname (at);
    g_free (at);
    at = parent;
  }
}

gboolean
godwit_files_free_space (GodwitPolicy *policy, const char *path, guint64 *free_bytes,
                         guint64 *filesystem, GError **error)
{
  int fd = open_nearest_directory (policy, path, error);
  if (fd < 0)
    return FALSE;
  struct statvfs space;
  struct stat status;
  gboolean ok = fstatvfs (fd, &space) == 0 && fstat (fd, &status) == 0;
  if (ok) {
    /* Only root may use the reserve. */
    fsblkcnt_t blocks = geteuid () == 0 ? space.f_bfree : space.f_bavail;
    *free_bytes = (guint64)blocks * space.f_frsize;
    *filesystem = status.st_dev;
  } else {
    godwit_set_errno (error, errno, "look at", path);
  }
  close (fd);
  return ok;
}
