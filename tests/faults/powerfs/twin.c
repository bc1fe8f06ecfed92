/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SPARE "spare"

char *
twin_name (guint64 number)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, number);
}

static Node *
find_by_twin (ino_t ino)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, fs.nodes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Node *)value)->ino == ino)
      return value;
  return NULL;
}

void
twin_set_place (Node *node, int directory, const char *name)
{
  if (node->place >= 0)
    close (node->place);
  g_free (node->place_name);
  node->place = fcntl (directory, F_DUPFD_CLOEXEC, 0);
  node->place_name = g_strdup (name);
}

static int
make_object (const char *name, mode_t mode, dev_t device, const char *link)
{
  if (S_ISDIR (mode))
    return mkdirat (fs.objects, name, 0700) == 0 ? 0 : errno;
  if (S_ISLNK (mode))
    return symlinkat (link, fs.objects, name) == 0 ? 0 : errno;
  return mknodat (fs.objects, name, (mode & S_IFMT) | 0600, device) == 0 ? 0 : errno;
}

/* A new directory's twin lies among the objects until its name is synced. */
void
twin_place_new (Node *node)
{
  g_autofree char *name = twin_name (node->number);
  twin_set_place (node, fs.objects, name);
}

/* A twin has what its object had when it was made: that is all that a durable name can show of an
 * object which was never synced itself. */
int
twin_make (mode_t mode, uid_t uid, gid_t gid, dev_t device, const char *link, guint64 *number,
           int *fd)
{
  *number = ++fs.last_number;
  g_autofree char *name = twin_name (*number);
  int failed = make_object (name, mode, device, link);
  if (failed != 0)
    return failed;
  int flags = S_ISDIR (mode) ? O_RDONLY | O_DIRECTORY : O_PATH;
  if (fchownat (fs.objects, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0 &&
      (S_ISLNK (mode) || fchmodat (fs.objects, name, mode & 07777, 0) == 0))
    *fd = openat (fs.objects, name, flags | O_NOFOLLOW | O_CLOEXEC);
  else
    *fd = -1;
  return *fd >= 0 ? 0 : errno;
}

/* --- contents and attributes ------------------------------------------------------------- */

static int
carry_over (Node *node, int from, int to)
{
  struct stat status;
  if (fstat (from, &status) != 0 || ftruncate (to, status.st_size) != 0)
    return errno;
  for (guint i = 0; i < node->written->len; i++) {
    int number = copy_range (from, to, g_array_index (node->written, Range, i));
    if (number != 0)
      return number;
  }
  for (guint i = 0; i < node->reserved->len; i++) {
    Range range = g_array_index (node->reserved, Range, i);
    if (fallocate (to, FALLOC_FL_KEEP_SIZE, range.start, range.end - range.start) != 0)
      return errno;
  }
  return 0;
}

int
twin_sync_data (Node *node)
{
  if (!S_ISREG (node->type) ||
      (node->written->len == 0 && node->reserved->len == 0 && !node->resized))
    return 0;
  int from = node_reopen (node->live, O_RDONLY);
  int to = node_reopen (node->twin, O_RDWR);
  int number = from < 0 || to < 0 ? EIO : carry_over (node, from, to);
  if (number == 0) {
    g_array_set_size (node->written, 0);
    g_array_set_size (node->reserved, 0);
    node->resized = FALSE;
  }
  if (from >= 0)
    close (from);
  if (to >= 0)
    close (to);
  return number;
}

int
twin_sync_attributes (Node *node)
{
  if (!node->attributes || (!S_ISREG (node->type) && !S_ISDIR (node->type)))
    return 0;
  int from = node_reopen (node->live, O_RDONLY);
  int to = node_reopen (node->twin, O_RDONLY);
  int number = from < 0 || to < 0 ? EIO : copy_attributes (from, to);
  if (number == 0)
    node->attributes = FALSE;
  if (from >= 0)
    close (from);
  if (to >= 0)
    close (to);
  return number;
}

/* --- names --------------------------------------------------------------------------------- */

/* It may be on its way to another name, and so may be what is in it: it is put aside as it is. */
static int
put_aside (int directory, const char *name, ino_t ino)
{
  g_autofree char *aside = twin_name (++fs.last_number);
  Node *node = find_by_twin (ino);
  if (renameat (directory, name, fs.objects, aside) != 0)
    return errno;
  if (node != NULL)
    twin_set_place (node, fs.objects, aside);
  return 0;
}

static int
place_directory (Node *node, int directory, const char *name)
{
  if (renameat (node->place, node->place_name, directory, name) != 0)
    return errno;
  twin_set_place (node, directory, name);
  return 0;
}

/* By a rename, because a name that is replaced must never be seen to be gone. */
static int
place_link (Node *node, int directory, const char *name)
{
  g_autofree char *object = twin_name (node->number);
  unlinkat (fs.objects, SPARE, 0);
  if (linkat (fs.objects, object, fs.objects, SPARE, 0) != 0 ||
      renameat (fs.objects, SPARE, directory, name) != 0)
    return errno;
  return 0;
}

static int
sync_name (Node *parent, const char *name)
{
  struct stat old;
  Node *node = node_find (parent, name);
  gboolean was = fstatat (parent->twin, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (node != NULL && was && old.st_ino == node->ino)
    return 0;
  gboolean directory = node != NULL && S_ISDIR (node->type);
  int number = 0;
  if (was && S_ISDIR (old.st_mode))
    number = put_aside (parent->twin, name, old.st_ino);
  else if (was && (node == NULL || directory))
    number = unlinkat (parent->twin, name, 0) == 0 ? 0 : errno;
  if (number != 0 || node == NULL)
    return number;
  return directory ? place_directory (node, parent->twin, name)
                   : place_link (node, parent->twin, name);
}

/* Placing names in it is no change that anybody made now. */
static int
sync_times (Node *node)
{
  struct stat live;
  if (fstatat (node->live, "", &live, AT_EMPTY_PATH) != 0)
    return errno;
  struct timespec times[2] = {live.st_atim, live.st_mtim};
  return utimensat (node->twin, "", times, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

int
twin_sync_names (Node *node)
{
  GHashTableIter iter;
  gpointer name;
  if (g_hash_table_size (node->names) == 0)
    return 0;
  g_hash_table_iter_init (&iter, node->names);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    int number = sync_name (node, name);
    if (number != 0)
      return number;
    g_hash_table_iter_remove (&iter);
  }
  return sync_times (node);
}

void
twin_sync_all (void)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, fs.nodes);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Node *node = value;
    int number = twin_sync_data (node);
    number = number != 0 ? number : twin_sync_attributes (node);
    if (number == 0 && S_ISDIR (node->type))
      number = twin_sync_names (node);
    if (number != 0)
      fprintf (stderr, "powerfs: an object cannot be synced: %s\n", g_strerror (number));
  }
}
