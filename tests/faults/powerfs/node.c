/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

Powerfs fs;

Node *
node_new (int live, int twin, guint64 number)
{
  struct stat status;
  Node *node = g_new0 (Node, 1);
  node->live = live;
  node->twin = twin;
  node->number = number;
  node->io = -1;
  node->place = -1;
  fstat (live, &status);
  node->live_ino = status.st_ino;
  node->type = status.st_mode & S_IFMT;
  fstat (twin, &status);
  node->ino = status.st_ino;
  node->written = g_array_new (FALSE, FALSE, sizeof (Range));
  node->reserved = g_array_new (FALSE, FALSE, sizeof (Range));
  if (S_ISDIR (node->type))
    node->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  /* The descriptors keep both numbers from being given to another object. */
  g_hash_table_insert (fs.nodes, &node->live_ino, node);
  return node;
}

static void
node_free (Node *node)
{
  g_hash_table_remove (fs.nodes, &node->live_ino);
  if (!S_ISDIR (node->type)) {
    /* Names that are still durable keep the body. */
    g_autofree char *name = twin_name (node->number);
    unlinkat (fs.objects, name, 0);
  }
  close (node->live);
  close (node->twin);
  if (node->io >= 0)
    close (node->io);
  if (node->place >= 0)
    close (node->place);
  g_free (node->place_name);
  g_array_unref (node->written);
  g_array_unref (node->reserved);
  g_clear_pointer (&node->names, g_hash_table_unref);
  g_free (node);
}

Node *
node_from_ino (fuse_ino_t ino)
{
  return ino == FUSE_ROOT_ID ? fs.root : (Node *)(uintptr_t)ino;
}

fuse_ino_t
node_to_ino (const Node *node)
{
  return node == fs.root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node;
}

Node *
node_find (Node *parent, const char *name)
{
  struct stat status;
  if (fstatat (parent->live, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return NULL;
  return g_hash_table_lookup (fs.nodes, &status.st_ino);
}

void
node_forget (Node *node, guint64 lookups)
{
  struct stat status;
  if (node == fs.root)
    return;
  node->lookups -= MIN (lookups, node->lookups);
  if (node->lookups == 0 && node->opens == 0 && fstat (node->live, &status) == 0 &&
      status.st_nlink == 0)
    node_free (node);
}

int
node_status (const Node *node, struct stat *status)
{
  if (fstat (node->live, status) != 0)
    return errno;
  status->st_ino = node->ino;
  return 0;
}

int
node_reopen (int fd, int flags)
{
  char path[64];
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return open (path, flags | O_CLOEXEC);
}

/* Programs write from front to back, so nearly always the last range grows. */
void
node_mark_written (Node *node, off_t start, off_t end)
{
  Range range = {start, end};
  if (end <= start)
    return;
  if (node->written->len > 0) {
    Range *last = &g_array_index (node->written, Range, node->written->len - 1);
    if (start <= last->end && end >= last->start) {
      last->start = MIN (last->start, start);
      last->end = MAX (last->end, end);
      return;
    }
  }
  g_array_append_val (node->written, range);
}

void
node_mark_name (Node *parent, const char *name)
{
  g_hash_table_add (parent->names, g_strdup (name));
}
