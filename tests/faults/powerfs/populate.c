/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int populate_directory (Node *parent, GHashTable *known);

static int
remove_tree (int parent, const char *name)
{
  if (unlinkat (parent, name, 0) == 0 || errno == ENOENT)
    return 0;
  if (errno != EISDIR)
    return errno;
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *directory = fd >= 0 ? fdopendir (fd) : NULL;
  if (directory == NULL)
    return errno;
  int number = 0;
  struct dirent *entry;
  while (number == 0 && (entry = readdir (directory)) != NULL)
    if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, ".."))
      number = remove_tree (fd, entry->d_name);
  closedir (directory);
  if (number == 0 && unlinkat (parent, name, AT_REMOVEDIR) != 0)
    number = errno;
  return number;
}

static int
open_part (int backing, const char *name)
{
  if (mkdirat (backing, name, 0755) != 0 && errno != EEXIST)
    return -1;
  return openat (backing, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int
copy_contents (int from, int to)
{
  struct stat status;
  if (fstat (from, &status) != 0 || ftruncate (to, status.st_size) != 0)
    return errno;
  int number = copy_range (from, to, (Range){0, status.st_size});
  /* Allocated in advance, as far as can be seen. */
  if (number == 0 && status.st_size > 0 && status.st_blocks * 512 >= status.st_size &&
      fallocate (to, 0, 0, status.st_size) != 0)
    number = errno;
  return number != 0 ? number : copy_attributes (from, to);
}

static int
make_file (int parent, const char *name, int twin)
{
  int from = node_reopen (twin, O_RDONLY);
  int to = openat (parent, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  int number = from < 0 || to < 0 ? errno : copy_contents (from, to);
  if (from >= 0)
    close (from);
  if (to >= 0)
    close (to);
  return number;
}

static int
make_other (int parent, const char *name, int twin, const struct stat *status)
{
  char target[PATH_MAX];
  ssize_t length;
  switch (status->st_mode & S_IFMT) {
  case S_IFREG:
    return make_file (parent, name, twin);
  case S_IFDIR:
    return mkdirat (parent, name, 0700) == 0 ? 0 : errno;
  case S_IFLNK:
    length = readlinkat (twin, "", target, sizeof target - 1);
    target[MAX (length, 0)] = '\0';
    if (symlinkat (target, parent, name) != 0)
      return errno;
    break;
  default:
    if (mknodat (parent, name, status->st_mode, status->st_rdev) != 0)
      return errno;
  }
  return fchownat (parent, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) == 0 ? 0
                                                                                           : errno;
}

/* A file with several names has one living body too. */
static int
add_link (Node *parent, const char *name, Node *node)
{
  char path[64];
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", node->live);
  return linkat (AT_FDCWD, path, parent->live, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

static int
link_object (Node *parent, const char *name, guint64 number)
{
  g_autofree char *object = twin_name (number);
  return linkat (parent->twin, name, fs.objects, object, 0) == 0 ? 0 : errno;
}

static int
open_both (Node *parent, const char *name, gboolean directory, int *live, int *twin)
{
  int flags = (directory ? O_RDONLY | O_DIRECTORY : O_PATH) | O_NOFOLLOW | O_CLOEXEC;
  *live = openat (parent->live, name, flags);
  *twin = openat (parent->twin, name, flags);
  return *live >= 0 && *twin >= 0 ? 0 : errno;
}

static int
populate_one (Node *parent, const char *name, GHashTable *known)
{
  struct stat status;
  int live, twin;
  if (fstatat (parent->twin, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno;
  Node *node = g_hash_table_lookup (known, &status.st_ino);
  if (node != NULL)
    return add_link (parent, name, node);
  gboolean directory = S_ISDIR (status.st_mode);
  guint64 object = ++fs.last_number;
  twin = openat (parent->twin, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int number = make_other (parent->live, name, twin, &status);
  close (twin);
  if (number == 0)
    number = open_both (parent, name, directory, &live, &twin);
  if (number == 0 && !directory)
    number = link_object (parent, name, object);
  if (number != 0)
    return number;
  node = node_new (live, twin, object);
  g_hash_table_insert (known, &node->ino, node);
  if (!directory)
    return 0;
  twin_set_place (node, parent->twin, name);
  number = populate_directory (node, known);
  return number != 0 ? number : copy_attributes (twin, live);
}

static int
populate_directory (Node *parent, GHashTable *known)
{
  DIR *directory = fdopendir (node_reopen (parent->twin, O_RDONLY | O_DIRECTORY));
  if (directory == NULL)
    return errno;
  int number = 0;
  struct dirent *entry;
  while (number == 0 && (entry = readdir (directory)) != NULL)
    if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, "..")) {
      number = populate_one (parent, entry->d_name, known);
      if (number != 0)
        fprintf (stderr, "powerfs: %s: %s\n", entry->d_name, g_strerror (number));
    }
  closedir (directory);
  return number;
}

/* `tree` is what survives a power cut; all else of the last mount is of no use any more. */
int
populate (const char *backing)
{
  int top = open (backing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (top < 0)
    return errno;
  /* The process of the last mount may still be at its last sync; the lock ends with it. */
  fs.lock = top;
  if (flock (top, LOCK_EX) != 0)
    return errno;
  int number = remove_tree (top, "live");
  number = number != 0 ? number : remove_tree (top, "objects");
  int live = open_part (top, "live");
  int twin = open_part (top, "tree");
  fs.objects = open_part (top, "objects");
  if (number != 0 || live < 0 || twin < 0 || fs.objects < 0)
    return number != 0 ? number : errno;
  g_autoptr (GHashTable) known = g_hash_table_new (g_int64_hash, g_int64_equal);
  fs.nodes = g_hash_table_new (g_int64_hash, g_int64_equal);
  fs.root = node_new (live, twin, 0);
  number = populate_directory (fs.root, known);
  return number != 0 ? number : copy_attributes (twin, live);
}
