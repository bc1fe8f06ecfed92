/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One descriptor serves all who have the file open. The kernel has checked what each may do, and
 * it aligns, appends and syncs for them. */
static int
hold (Node *node)
{
  if (node->io < 0)
    node->io = node_reopen (node->live, O_RDWR);
  if (node->io < 0)
    return errno;
  node->opens++;
  return 0;
}

static void
release (Node *node)
{
  if (--node->opens > 0)
    return;
  close (node->io);
  node->io = -1;
  node_forget (node, 0);
}

int
file_truncate (Node *node, off_t size)
{
  struct stat status;
  int number = hold (node);
  if (number != 0)
    return number;
  if (fstat (node->io, &status) != 0 || ftruncate (node->io, size) != 0) {
    number = errno;
  } else {
    /* What was cut off reads as zeros if the file grows again. */
    node_mark_written (node, size, status.st_size);
    node->resized = node->attributes = TRUE;
  }
  release (node);
  return number;
}

int
file_open (Node *node, int flags)
{
  int number = hold (node);
  if (number == 0 && (flags & O_TRUNC))
    number = file_truncate (node, 0);
  return number;
}

void
op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (ino == CONTROL_INO) {
    fi->direct_io = 1;
    fuse_reply_open (req, fi);
    return;
  }
  int number = file_open (node_from_ino (ino), fi->flags);
  /* Nobody but the kernel changes files here, so what it has cached stays right. */
  fi->keep_cache = 1;
  if (number != 0)
    fuse_reply_err (req, number);
  else if (fuse_reply_open (req, fi) == -ENOENT)
    release (node_from_ino (ino));
}

void
op_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
           struct fuse_file_info *fi)
{
  Node *node = NULL;
  struct fuse_entry_param entry;
  int number = name_make (req, node_from_ino (parent), name, mode, 0, NULL, &node);
  if (number == EEXIST && !(fi->flags & O_EXCL)) {
    node = node_find (node_from_ino (parent), name);
    number = node != NULL ? 0 : EEXIST;
  }
  if (number == 0)
    number = file_open (node, fi->flags);
  if (number != 0) {
    fuse_reply_err (req, number);
    return;
  }
  fi->keep_cache = 1;
  name_fill_entry (node, &entry);
  fuse_reply_create (req, &entry, fi);
}

void
op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  if (ino == CONTROL_INO) {
    control_read (req, size, offset);
    return;
  }
  if (fs.bad_reads) {
    fuse_reply_err (req, EIO);
    return;
  }
  g_autofree char *data = g_malloc (size);
  ssize_t n = pread (node_from_ino (ino)->io, data, size, offset);
  if (n < 0)
    fuse_reply_err (req, errno);
  else
    fuse_reply_buf (req, data, (size_t)n);
}

void
op_write (fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
          struct fuse_file_info *fi)
{
  if (ino == CONTROL_INO) {
    control_write (req, data, size);
    return;
  }
  if (fs.bad_writes) {
    fuse_reply_err (req, EIO);
    return;
  }
  Node *node = node_from_ino (ino);
  ssize_t n = pwrite (node->io, data, size, offset);
  if (n < 0) {
    fuse_reply_err (req, errno);
    return;
  }
  node_mark_written (node, offset, offset + n);
  node->attributes = TRUE;
  fuse_reply_write (req, (size_t)n);
}

void
op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (ino != CONTROL_INO)
    release (node_from_ino (ino));
  fuse_reply_err (req, 0);
}

void
op_fsync (fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi)
{
  Node *node = node_from_ino (ino);
  int number = ino == CONTROL_INO ? 0 : twin_sync_data (node);
  if (number == 0 && ino != CONTROL_INO && !only_data)
    number = twin_sync_attributes (node);
  fuse_reply_err (req, number);
}

void
op_fallocate (fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
              struct fuse_file_info *fi)
{
  Node *node = node_from_ino (ino);
  Range range = {offset, offset + length};
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
    /* The others move what is behind the range. */
    fuse_reply_err (req, EOPNOTSUPP);
    return;
  }
  if (fallocate (node->io, mode, offset, length) != 0) {
    fuse_reply_err (req, errno);
    return;
  }
  if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
    node_mark_written (node, range.start, range.end);
  else
    g_array_append_val (node->reserved, range);
  node->resized = node->attributes = TRUE;
  fuse_reply_err (req, 0);
}

void
op_lseek (fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
  off_t at = lseek (node_from_ino (ino)->io, offset, whence);
  if (at < 0)
    fuse_reply_err (req, errno);
  else
    fuse_reply_lseek (req, at);
}
