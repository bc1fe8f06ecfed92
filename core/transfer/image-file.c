/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/image.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much written data may wait in the page cache behind the place that is written. */
#define BEHIND (32 * 1024 * 1024)

typedef struct {
  GodwitImage base;
  int fd;
  gboolean device;
} FileImage;

static gboolean
file_next_data (GodwitImage *image, guint64 offset, guint64 *start, guint64 *end, GError **error)
{
  FileImage *self = (FileImage *)image;
  off_t data = self->device ? (off_t)offset : lseek (self->fd, (off_t)offset, SEEK_DATA);
  if (data < 0 && errno == ENXIO) {
    *start = *end = image->size;
    return TRUE;
  }
  /* A file system that cannot tell has data everywhere. */
  if (data < 0 && errno != EINVAL) {
    godwit_set_errno (error, errno, "map", image->path);
    return FALSE;
  }
  *start = data < 0 ? offset : MIN ((guint64)data, image->size);
  off_t hole = self->device || data < 0 ? -1 : lseek (self->fd, data, SEEK_HOLE);
  *end = hole < 0 ? image->size : MIN ((guint64)hole, image->size);
  return TRUE;
}

static gboolean
file_read (GodwitImage *image, void *buffer, guint64 offset, gsize length, GError **error)
{
  FileImage *self = (FileImage *)image;
  for (gsize done = 0; done < length;) {
    gssize n = pread (self->fd, (char *)buffer + done, length - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_autofree char *place =
          g_strdup_printf ("%s at byte %" G_GUINT64_FORMAT, image->path, offset + done);
      if (n == 0)
        godwit_set_error (error, GODWIT_ERROR_BUSY, "end what writes to it, then try again",
                          "%s became shorter while it was read", image->path);
      else
        godwit_set_errno (error, errno, "read", place);
      return FALSE;
    }
    done += n;
  }
  /* A copy of a whole disk would push everything else out of this host's memory. */
  posix_fadvise (self->fd, (off_t)offset, (off_t)length, POSIX_FADV_DONTNEED);
  return TRUE;
}

static gboolean
file_write (GodwitImage *image, const void *buffer, guint64 offset, gsize length, GError **error)
{
  FileImage *self = (FileImage *)image;
  for (gsize done = 0; done < length;) {
    gssize n =
        pwrite (self->fd, (const char *)buffer + done, length - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_autofree char *place =
          g_strdup_printf ("%s at byte %" G_GUINT64_FORMAT, image->path, offset + done);
      godwit_set_errno (error, errno, "write", place);
      return FALSE;
    }
    done += n;
  }
  /* Begin to write it out now, so that the sync at the end has little left to do. */
  sync_file_range (self->fd, (off_t)offset, (off_t)length, SYNC_FILE_RANGE_WRITE);
  if (offset >= BEHIND)
    posix_fadvise (self->fd, (off_t)(offset - BEHIND), (off_t)length, POSIX_FADV_DONTNEED);
  return TRUE;
}

/* A file that holds an image in a format of its own is as long as the last cluster that its guest
 * wrote, which may be after the target was made. */
static gboolean
file_grow (GodwitImage *image, guint64 size, GError **error)
{
  FileImage *self = (FileImage *)image;
  if (self->device)
    return TRUE;
  if (ftruncate (self->fd, (off_t)size) != 0) {
    godwit_set_errno (error, errno, "extend", image->path);
    return FALSE;
  }
  image->size = size;
  return TRUE;
}

static gboolean
file_sync (GodwitImage *image, GError **error)
{
  FileImage *self = (FileImage *)image;
  if (fsync (self->fd) == 0)
    return TRUE;
  godwit_set_errno (error, errno, "sync", image->path);
  return FALSE;
}

static void
file_close (GodwitImage *image)
{
  FileImage *self = (FileImage *)image;
  close (self->fd);
  g_free (self);
}

static gboolean
get_size (int fd, guint64 *size, gboolean *device, int *number)
{
  struct stat status;
  if (fstat (fd, &status) != 0) {
    *number = errno;
    return FALSE;
  }
  *device = S_ISBLK (status.st_mode);
  *size = (guint64)status.st_size;
  *number = S_ISREG (status.st_mode) || *device ? 0 : EINVAL;
  if (*device && ioctl (fd, BLKGETSIZE64, size) != 0)
    *number = errno;
  return *number == 0;
}

GodwitImage *
godwit_image_open_file (GodwitPolicy *policy, const GodwitImageOptions *options, GError **error)
{
  static const GodwitImageClass klass = {.next_data = file_next_data,
                                         .read = file_read,
                                         .write = file_write,
                                         .grow = file_grow,
                                         .sync = file_sync,
                                         .close = file_close};
  int flags = (options->writable ? O_RDWR : O_RDONLY) | O_NONBLOCK;
  int fd = godwit_policy_open (policy, options->path, flags, error);
  if (fd < 0)
    return NULL;
  guint64 size;
  gboolean device;
  int number;
  if (!get_size (fd, &size, &device, &number)) {
    godwit_set_errno (error, number, "open", options->path);
    close (fd);
    return NULL;
  }
  posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  FileImage *self = g_new0 (FileImage, 1);
  self->base.klass = &klass;
  self->base.size = size;
  self->fd = fd;
  self->device = device;
  return &self->base;
}
