/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Nothing changes behind the kernel's back. */
#define CACHE_SECONDS 3600

void
name_fill_entry (Node *node, struct fuse_entry_param *entry)
{
  memset (entry, 0, sizeof *entry);
  entry->ino = node_to_ino (node);
  entry->attr_timeout = entry->entry_timeout = CACHE_SECONDS;
  node_status (node, &entry->attr);
  node->lookups++;
}

static void
reply_entry (fuse_req_t req, int number, Node *node)
{
  struct fuse_entry_param entry;
  if (number != 0) {
    fuse_reply_err (req, number);
    return;
  }
  name_fill_entry (node, &entry);
  fuse_reply_entry (req, &entry);
}

void
op_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  struct fuse_entry_param entry = {.ino = CONTROL_INO};
  if (parent == FUSE_ROOT_ID && g_str_equal (name, CONTROL_NAME)) {
    control_status (&entry.attr);
    fuse_reply_entry (req, &entry);
    return;
  }
  Node *node = node_find (node_from_ino (parent), name);
  reply_entry (req, node != NULL ? 0 : ENOENT, node);
}

static int
make_living (Node *parent, const char *name, mode_t mode, dev_t device, const char *link)
{
  if (S_ISDIR (mode))
    return mkdirat (parent->live, name, 0700) == 0 ? 0 : errno;
  if (S_ISLNK (mode))
    return symlinkat (link, parent->live, name) == 0 ? 0 : errno;
  return mknodat (parent->live, name, (mode & S_IFMT) | 0600, device) == 0 ? 0 : errno;
}

static int
open_living (Node *parent, const char *name, mode_t mode, uid_t uid, gid_t gid, int *fd)
{
  int flags = S_ISDIR (mode) ? O_RDONLY | O_DIRECTORY : O_PATH;
  if (fchownat (parent->live, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      (!S_ISLNK (mode) && fchmodat (parent->live, name, mode & 07777, 0) != 0))
    return errno;
  *fd = openat (parent->live, name, flags | O_NOFOLLOW | O_CLOEXEC);
  return *fd >= 0 ? 0 : errno;
}

int
name_make (fuse_req_t req, Node *parent, const char *name, mode_t mode, dev_t device,
           const char *link, Node **made)
{
  const struct fuse_ctx *who = fuse_req_ctx (req);
  struct stat status;
  guint64 object = 0;
  int live = -1;
  int twin = -1;
  if (fstat (parent->live, &status) != 0)
    return errno;
  gid_t gid = (status.st_mode & S_ISGID) ? status.st_gid : who->gid;
  if (S_ISDIR (mode) && (status.st_mode & S_ISGID))
    mode |= S_ISGID;
  int number = make_living (parent, name, mode, device, link);
  if (number != 0)
    return number;
  number = open_living (parent, name, mode, who->uid, gid, &live);
  if (number == 0)
    number = twin_make (mode, who->uid, gid, device, link, &object, &twin);
  if (number != 0) {
    unlinkat (parent->live, name, S_ISDIR (mode) ? AT_REMOVEDIR : 0);
    if (live >= 0)
      close (live);
    return number;
  }
  *made = node_new (live, twin, object);
  if (S_ISDIR (mode))
    twin_place_new (*made);
  node_mark_name (parent, name);
  parent->attributes = TRUE;
  return 0;
}

void
op_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
  Node *node = NULL;
  int number = name_make (req, node_from_ino (parent), name, mode, device, NULL, &node);
  reply_entry (req, number, node);
}

void
op_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  Node *node = NULL;
  int number = name_make (req, node_from_ino (parent), name, mode | S_IFDIR, 0, NULL, &node);
  reply_entry (req, number, node);
}

void
op_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  Node *node = NULL;
  int number = name_make (req, node_from_ino (parent), name, S_IFLNK | 0777, 0, target, &node);
  reply_entry (req, number, node);
}

void
op_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  Node *node = node_from_ino (ino);
  Node *to = node_from_ino (parent);
  char path[64];
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", node->live);
  int number = linkat (AT_FDCWD, path, to->live, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
  if (number == 0) {
    node_mark_name (to, name);
    to->attributes = TRUE;
  }
  reply_entry (req, number, node);
}

static void
take_away (fuse_req_t req, fuse_ino_t ino, const char *name, int flags)
{
  Node *parent = node_from_ino (ino);
  Node *node = node_find (parent, name);
  if (unlinkat (parent->live, name, flags) != 0) {
    fuse_reply_err (req, errno);
    return;
  }
  node_mark_name (parent, name);
  parent->attributes = TRUE;
  if (node != NULL)
    node_forget (node, 0);
  fuse_reply_err (req, 0);
}

void
op_unlink (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  take_away (req, parent, name, 0);
}

void
op_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  take_away (req, parent, name, AT_REMOVEDIR);
}

void
op_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent,
           const char *to_name, unsigned int flags)
{
  Node *from = node_from_ino (parent);
  Node *to = node_from_ino (to_parent);
  Node *replaced = node_find (to, to_name);
  if (renameat2 (from->live, name, to->live, to_name, flags) != 0) {
    fuse_reply_err (req, errno);
    return;
  }
  node_mark_name (from, name);
  node_mark_name (to, to_name);
  from->attributes = to->attributes = TRUE;
  if (replaced != NULL)
    node_forget (replaced, 0);
  fuse_reply_err (req, 0);
}
