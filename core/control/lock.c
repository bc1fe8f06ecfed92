/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/lock.h"

#include "base/paths.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where root has its sockets. */
#define SYSTEM_DIRECTORY "/run/godwit/jobs"

/* A worker that has just ended may take a moment to be gone. */
#define N_TRIES      40
#define TRY_PAUSE_US 50000

static char *
make_path (const char *job, const char *suffix)
{
  g_autofree char *name = g_strconcat (job, suffix, NULL);
  return g_build_filename (godwit_paths_get_runtime_dir (), "jobs", name, NULL);
}

char *
godwit_control_make_path (const char *job)
{
  return make_path (job, ".sock");
}

char *
godwit_control_find_of_root (const char *job)
{
  g_autofree char *name = g_strconcat (job, ".sock", NULL);
  g_autofree char *path = g_build_filename (SYSTEM_DIRECTORY, name, NULL);
  return strchr (job, '/') == NULL && access (path, W_OK) == 0 ? g_steal_pointer (&path) : NULL;
}

gboolean
godwit_control_make_directory (GError **error)
{
  g_autofree char *path = g_build_filename (godwit_paths_get_runtime_dir (), "jobs", NULL);
  return godwit_paths_make_dir (godwit_paths_get_runtime_dir (), 0755, error) &&
         godwit_paths_make_dir (path, 0750, error);
}

/* Locks of the open file description: they are inherited with the descriptor and can be looked at
 * without being taken. */
static gboolean
try_lock (int fd)
{
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl (fd, F_OFD_SETLK, &lock) == 0;
}

/* The holder before us may have removed the file that we waited for; a lock on that keeps nobody
 * out. */
static gboolean
is_removed (int fd)
{
  struct stat info;
  return fstat (fd, &info) != 0 || info.st_nlink == 0;
}

/* -1 with errno if it is held or cannot be opened. */
static int
open_locked (const char *path, int flags)
{
  int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
  if (fd < 0)
    return -1;
  gboolean locked = try_lock (fd);
  int saved = errno;
  if (locked && !is_removed (fd))
    return fd;
  close (fd);
  errno = locked ? EAGAIN : saved;
  return -1;
}

int
godwit_lock_take (const char *job, GError **error)
{
  if (!godwit_control_make_directory (error))
    return -1;
  g_autofree char *path = make_path (job, ".lock");
  int saved = EAGAIN;
  for (guint i = 0; i < N_TRIES && (saved == EAGAIN || saved == EACCES); i++) {
    if (i > 0)
      g_usleep (TRY_PAUSE_US);
    int fd = open_locked (path, O_CREAT);
    if (fd >= 0)
      return fd;
    saved = errno;
  }
  g_autofree char *watch = g_strdup_printf ("godwit watch %s", job);
  godwit_set_error (error, GODWIT_ERROR_BUSY, watch, "job %s is being worked on already%s%s", job,
                    saved == EAGAIN || saved == EACCES ? "" : ": ",
                    saved == EAGAIN || saved == EACCES ? "" : g_strerror (saved));
  return -1;
}

GodwitLockState
godwit_lock_look (const char *job)
{
  g_autofree char *path = make_path (job, ".lock");
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return errno == ENOENT ? GODWIT_LOCK_FREE : GODWIT_LOCK_UNKNOWN;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int result = fcntl (fd, F_OFD_GETLK, &lock);
  close (fd);
  if (result != 0)
    return GODWIT_LOCK_UNKNOWN;
  return lock.l_type == F_UNLCK ? GODWIT_LOCK_FREE : GODWIT_LOCK_HELD;
}

void
godwit_lock_remove (const char *job)
{
  g_autofree char *path = make_path (job, ".lock");
  unlink (path);
}

void
godwit_lock_sweep (const char *job)
{
  g_autofree char *path = make_path (job, ".lock");
  g_autofree char *socket = make_path (job, ".sock");
  int fd = open_locked (path, 0);
  if (fd < 0)
    return;
  unlink (socket);
  unlink (path);
  close (fd);
}
