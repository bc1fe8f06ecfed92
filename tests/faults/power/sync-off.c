/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loaded before the C library: numbers everything that makes something durable, over all processes
 * of a case, says who asked for it, and leaves out those whose numbers it is given.
 *
 *   SYNC_LOG=FILE        gets a line for each: NUMBER WHAT PATH MODULE OFFSET...; MODULE called it,
 *                        and the offsets are return addresses in libgodwit, innermost first
 *   SYNC_SKIP=1,4        these succeed and do nothing
 *   SYNC_NO_XATTR=1      as on a file system without user attributes
 *   SYNC_SQLITE_LAX=1    SQLite as built with synchronous=NORMAL as the default
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <libnbd.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FRAMES  40
#define LIBRARY "libgodwit.so"

static void *
find_next (const char *name)
{
  void *symbol = dlsym (RTLD_NEXT, name);
  if (symbol == NULL)
    abort ();
  return symbol;
}

/* --- who asks ------------------------------------------------------------------------------ */

static const char *
base_name (const char *path)
{
  const char *slash = strrchr (path, '/');
  return slash != NULL ? slash + 1 : path;
}

static void
describe_caller (char *text, size_t size)
{
  void *frames[FRAMES];
  Dl_info own, info;
  int n = backtrace (frames, FRAMES);
  size_t used = 0;
  dladdr ((void *)describe_caller, &own);
  for (int i = 0; i < n && used < size; i++) {
    if (dladdr (frames[i], &info) == 0 || info.dli_fbase == own.dli_fbase)
      continue;
    if (used == 0)
      used += (size_t)snprintf (text, size, "%s", base_name (info.dli_fname));
    if (strncmp (base_name (info.dli_fname), LIBRARY, strlen (LIBRARY)) == 0 && used < size)
      used += (size_t)snprintf (text + used, size - used, " %zx",
                                (size_t)((char *)frames[i] - (char *)info.dli_fbase));
  }
}

/* --- numbers ------------------------------------------------------------------------------- */

static int
count_lines (int fd)
{
  char text[4096];
  int lines = 0;
  ssize_t n;
  off_t at = 0;
  while ((n = pread (fd, text, sizeof text, at)) > 0) {
    for (ssize_t i = 0; i < n; i++)
      lines += text[i] == '\n';
    at += n;
  }
  return lines;
}

static bool
is_listed (int number)
{
  const char *list = getenv ("SYNC_SKIP");
  while (list != NULL && *list != '\0') {
    if (atoi (list) == number)
      return true;
    list = strchr (list, ',');
    list = list != NULL ? list + 1 : NULL;
  }
  return false;
}

static void
describe_object (int fd, char *path, size_t size)
{
  char link[64];
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = fd >= 0 ? readlink (link, path, size - 1) : -1;
  if (length <= 0)
    length = snprintf (path, size, "-");
  path[length] = '\0';
  /* Fields are parted by blanks. */
  for (char *at = path; (at = strchr (at, ' ')) != NULL;)
    *at = '_';
}

/* True: this one is left out. */
static bool
meet (const char *what, int object)
{
  const char *log = getenv ("SYNC_LOG");
  char caller[1024] = "";
  char path[512];
  int saved = errno;
  if (log == NULL)
    return false;
  int fd = open (log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || flock (fd, LOCK_EX) != 0)
    abort ();
  int number = count_lines (fd) + 1;
  describe_caller (caller, sizeof caller);
  describe_object (object, path, sizeof path);
  dprintf (fd, "%d %s %s %s\n", number, what, path, caller);
  close (fd);
  errno = saved;
  return is_listed (number);
}

/* --- what is watched ----------------------------------------------------------------------- */

int
fsync (int fd)
{
  static int (*next) (int);
  if (next == NULL)
    next = find_next ("fsync");
  return meet ("fsync", fd) ? 0 : next (fd);
}

int
fdatasync (int fd)
{
  static int (*next) (int);
  if (next == NULL)
    next = find_next ("fdatasync");
  return meet ("fdatasync", fd) ? 0 : next (fd);
}

int
nbd_flush (struct nbd_handle *nbd, uint32_t flags)
{
  static int (*next) (struct nbd_handle *, uint32_t);
  if (next == NULL)
    next = find_next ("nbd_flush");
  return meet ("nbd_flush", -1) ? 0 : next (nbd, flags);
}

static bool
is_durable_mode (const char *sql)
{
  return strcmp (sql, "PRAGMA synchronous=FULL") == 0 ||
         strcmp (sql, "PRAGMA synchronous=EXTRA") == 0;
}

int
sqlite3_exec (sqlite3 *db, const char *sql, int (*callback) (void *, int, char **, char **),
              void *data, char **error)
{
  static int (*next) (sqlite3 *, const char *, int (*) (void *, int, char **, char **), void *,
                      char **);
  if (next == NULL)
    next = find_next ("sqlite3_exec");
  if (is_durable_mode (sql) && meet ("pragma", -1))
    return SQLITE_OK;
  return next (db, sql, callback, data, error);
}

int
sqlite3_open_v2 (const char *path, sqlite3 **db, int flags, const char *vfs)
{
  static int (*next) (const char *, sqlite3 **, int, const char *);
  if (next == NULL)
    next = find_next ("sqlite3_open_v2");
  int result = next (path, db, flags, vfs);
  if (result == SQLITE_OK && getenv ("SYNC_SQLITE_LAX") != NULL)
    sqlite3_exec (*db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
  return result;
}

/* --- a poorer file system ------------------------------------------------------------------ */

static bool
lacks (const char *name)
{
  bool lacking = getenv ("SYNC_NO_XATTR") != NULL && strncmp (name, "user.", 5) == 0;
  if (lacking)
    errno = EOPNOTSUPP;
  return lacking;
}

int
setxattr (const char *path, const char *name, const void *value, size_t size, int flags)
{
  static int (*next) (const char *, const char *, const void *, size_t, int);
  if (next == NULL)
    next = find_next ("setxattr");
  return lacks (name) ? -1 : next (path, name, value, size, flags);
}

ssize_t
getxattr (const char *path, const char *name, void *value, size_t size)
{
  static ssize_t (*next) (const char *, const char *, void *, size_t);
  if (next == NULL)
    next = find_next ("getxattr");
  return lacks (name) ? -1 : next (path, name, value, size);
}
