/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "powerfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LIST_MAX  65536
#define VALUE_MAX 65536

static int
copy_data (int from, int to, off_t start, off_t end)
{
  off_t in = start;
  off_t out = start;
  while (in < end) {
    ssize_t n = copy_file_range (from, &in, to, &out, (size_t)(end - in), 0);
    if (n < 0 && errno != EINTR)
      return errno;
    if (n == 0)
      return EIO;
  }
  return 0;
}

/* @to is as long as @from already. */
int
copy_range (int from, int to, Range range)
{
  struct stat status;
  if (fstat (from, &status) != 0)
    return errno;
  off_t end = MIN (range.end, status.st_size);
  for (off_t at = range.start; at < end;) {
    off_t data = lseek (from, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO)
      return errno;
    data = data < 0 ? end : MIN (data, end);
    if (data > at && fallocate (to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, data - at) != 0)
      return errno;
    off_t hole = data < end ? lseek (from, data, SEEK_HOLE) : end;
    hole = hole < 0 ? end : MIN (hole, end);
    int number = copy_data (from, to, data, hole);
    if (number != 0)
      return number;
    at = hole;
  }
  return 0;
}

static gboolean
has_name (const char *names, ssize_t length, const char *name)
{
  for (ssize_t at = 0; at < length; at += (ssize_t)strlen (names + at) + 1)
    if (g_str_equal (names + at, name))
      return TRUE;
  return FALSE;
}

static int
copy_xattrs (int from, int to)
{
  g_autofree char *wanted = g_malloc (LIST_MAX);
  g_autofree char *present = g_malloc (LIST_MAX);
  g_autofree char *value = g_malloc (VALUE_MAX);
  ssize_t n_wanted = flistxattr (from, wanted, LIST_MAX);
  ssize_t n_present = flistxattr (to, present, LIST_MAX);
  if (n_wanted < 0 || n_present < 0)
    return errno;
  for (ssize_t at = 0; at < n_present; at += (ssize_t)strlen (present + at) + 1)
    if (!has_name (wanted, n_wanted, present + at) && fremovexattr (to, present + at) != 0)
      return errno;
  for (ssize_t at = 0; at < n_wanted; at += (ssize_t)strlen (wanted + at) + 1) {
    ssize_t length = fgetxattr (from, wanted + at, value, VALUE_MAX);
    if (length < 0 || fsetxattr (to, wanted + at, value, (size_t)length, 0) != 0)
      return errno;
  }
  return 0;
}

/* Both are files or directories, open for more than their path. */
int
copy_attributes (int from, int to)
{
  struct stat status;
  if (fstat (from, &status) != 0)
    return errno;
  int number = copy_xattrs (from, to);
  if (number != 0)
    return number;
  struct timespec times[2] = {status.st_atim, status.st_mtim};
  /* The owner first: changing it takes set-id bits off. */
  if (fchown (to, status.st_uid, status.st_gid) != 0 || fchmod (to, status.st_mode & 07777) != 0 ||
      futimens (to, times) != 0)
    return errno;
  return 0;
}
