/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Each test does something, cuts the power and looks at what is left. */

static void
test_nothing_synced (Power *power, gconstpointer data)
{
  power_write (power, "a", "text", 0);
  power_cut (power);
  power_assert_absent (power, "a");
}

static void
test_name_without_contents (Power *power, gconstpointer data)
{
  power_write (power, "a", "text", 0);
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_text (power, "a", "");
}

static void
test_contents_without_name (Power *power, gconstpointer data)
{
  power_write (power, "a", "text", SYNC_FILE);
  power_cut (power);
  power_assert_absent (power, "a");
}

static void
test_both_synced (Power *power, gconstpointer data)
{
  power_write (power, "a", "text", SYNC_FILE);
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_text (power, "a", "text");
}

static void
test_overwritten (Power *power, gconstpointer data)
{
  power_settle (power, "a", "before");
  power_write (power, "a", "after", 0);
  power_assert_text (power, "a", "after");
  power_cut (power);
  power_assert_text (power, "a", "before");
}

static void
test_truncated (Power *power, gconstpointer data)
{
  power_settle (power, "a", "before");
  g_assert_cmpint (truncate (power_path (power, "a"), 2), ==, 0);
  power_assert_text (power, "a", "be");
  power_cut (power);
  power_assert_text (power, "a", "before");
}

/* What was cut off must not come back when the file has grown again and is synced. */
static void
test_shrunk_and_grown (Power *power, gconstpointer data)
{
  char text[7] = "";
  power_settle (power, "a", "before");
  int fd = open (power_path (power, "a"), O_RDWR);
  g_assert_cmpint (ftruncate (fd, 2), ==, 0);
  g_assert_cmpint (ftruncate (fd, 6), ==, 0);
  g_assert_cmpint (fdatasync (fd), ==, 0);
  close (fd);
  power_cut (power);
  fd = open (power_path (power, "a"), O_RDONLY);
  g_assert_cmpint (read (fd, text, 7), ==, 6);
  close (fd);
  g_assert_cmpint (memcmp (text, "be\0\0\0\0", 6), ==, 0);
}

static void
test_unlinked (Power *power, gconstpointer data)
{
  power_settle (power, "a", "text");
  power_settle (power, "b", "text");
  g_assert_cmpint (unlink (power_path (power, "a")), ==, 0);
  power_sync_directory (power, "");
  g_assert_cmpint (unlink (power_path (power, "b")), ==, 0);
  power_assert_absent (power, "b");
  power_cut (power);
  power_assert_absent (power, "a");
  power_assert_text (power, "b", "text");
}

static void
test_renamed (Power *power, gconstpointer data)
{
  power_settle (power, "a", "text");
  power_rename (power, "a", "b");
  power_cut (power);
  power_assert_text (power, "a", "text");
  power_assert_absent (power, "b");

  power_rename (power, "a", "b");
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_absent (power, "a");
  power_assert_text (power, "b", "text");
}

static void
test_replaced (Power *power, gconstpointer data)
{
  power_settle (power, "a", "old");
  power_write (power, "t", "new", SYNC_FILE);
  power_rename (power, "t", "a");
  power_assert_text (power, "a", "new");
  power_cut (power);
  power_assert_text (power, "a", "old");
  power_assert_absent (power, "t");

  power_write (power, "t", "new", SYNC_FILE);
  power_rename (power, "t", "a");
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_text (power, "a", "new");
}

/* The one that careless programs count on to be safe. */
static void
test_replaced_unsynced (Power *power, gconstpointer data)
{
  power_settle (power, "a", "old");
  power_write (power, "t", "new", 0);
  power_rename (power, "t", "a");
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_text (power, "a", "");
}

static void
test_moved (Power *power, gconstpointer data)
{
  g_assert_cmpint (mkdir (power_path (power, "from"), 0755), ==, 0);
  g_assert_cmpint (mkdir (power_path (power, "to"), 0755), ==, 0);
  power_control (power, "sync");
  power_settle (power, "from/a", "text");
  power_rename (power, "from/a", "to/a");
  power_sync_directory (power, "to");
  power_cut (power);
  /* The old name is there until its own directory is synced. */
  power_assert_text (power, "to/a", "text");
  power_assert_text (power, "from/a", "text");

  power_rename (power, "to/a", "to/b");
  power_rename (power, "to/b", "from/b");
  power_sync_directory (power, "to");
  power_cut (power);
  power_assert_absent (power, "to/a");
  power_assert_absent (power, "from/b");
  power_assert_text (power, "from/a", "text");
}

static void
test_directories (Power *power, gconstpointer data)
{
  g_assert_cmpint (mkdir (power_path (power, "d"), 0755), ==, 0);
  power_write (power, "d/a", "text", SYNC_FILE);
  power_sync_directory (power, "d");
  power_cut (power);
  power_assert_absent (power, "d");

  g_assert_cmpint (mkdir (power_path (power, "d"), 0755), ==, 0);
  power_write (power, "d/a", "text", SYNC_FILE);
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_absent (power, "d/a");

  power_write (power, "d/a", "text", SYNC_FILE);
  power_sync_directory (power, "d");
  power_rename (power, "d", "e");
  power_sync_directory (power, "");
  g_assert_cmpint (unlink (power_path (power, "e/a")), ==, 0);
  g_assert_cmpint (rmdir (power_path (power, "e")), ==, 0);
  power_cut (power);
  power_assert_absent (power, "d");
  power_assert_text (power, "e/a", "text");

  g_assert_cmpint (unlink (power_path (power, "e/a")), ==, 0);
  g_assert_cmpint (rmdir (power_path (power, "e")), ==, 0);
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_absent (power, "e");
}

/* They are not those of the moment at which names became durable. */
static void
test_directory_times (Power *power, gconstpointer data)
{
  struct timespec past[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
  struct stat status;
  g_assert_cmpint (mkdir (power_path (power, "d"), 0755), ==, 0);
  power_write (power, "d/a", "text", 0);
  g_assert_cmpint (utimensat (AT_FDCWD, power_path (power, "d"), past, 0), ==, 0);
  power_control (power, "sync");
  power_cut (power);
  power_assert_text (power, "d/a", "text");
  g_assert_cmpint (stat (power_path (power, "d"), &status), ==, 0);
  g_assert_cmpint (status.st_mtim.tv_sec, ==, 1000000);
}

/* A directory that is synced at its new place first and one that is at its old place first. */
static void
test_moved_directories (Power *power, gconstpointer data)
{
  static const char *const names[] = {"p", "p/x", "p/y", "q"};
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpint (mkdir (power_path (power, names[i]), 0755), ==, 0);
  power_control (power, "sync");
  power_settle (power, "p/x/a", "x");
  power_settle (power, "p/y/a", "y");
  power_rename (power, "p/x", "q/x");
  power_rename (power, "p/y", "q/y");
  power_rename (power, "p", "r");
  power_sync_directory (power, "r");
  power_sync_directory (power, "q");
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_absent (power, "p");
  power_assert_absent (power, "r/x");
  power_assert_text (power, "q/x/a", "x");
  power_assert_text (power, "q/y/a", "y");
}

static void
test_links (Power *power, gconstpointer data)
{
  struct stat a, b;
  power_settle (power, "a", "text");
  g_autofree char *from = g_strdup (power_path (power, "a"));
  g_assert_cmpint (link (from, power_path (power, "b")), ==, 0);
  g_assert_cmpint (symlink ("a", power_path (power, "s")), ==, 0);
  power_cut (power);
  power_assert_absent (power, "b");
  power_assert_absent (power, "s");
  g_assert_cmpint (link (from, power_path (power, "b")), ==, 0);
  g_assert_cmpint (symlink ("a", power_path (power, "s")), ==, 0);
  power_sync_directory (power, "");
  power_cut (power);
  power_assert_text (power, "s", "text");
  g_assert_cmpint (stat (from, &a), ==, 0);
  g_assert_cmpint (stat (power_path (power, "b"), &b), ==, 0);
  g_assert_cmpuint (a.st_ino, ==, b.st_ino);
  g_assert_cmpuint (a.st_nlink, ==, 2);
}

/* --- attributes ---------------------------------------------------------------------------- */

static void
change_attributes (Power *power)
{
  const char *path = power_path (power, "a");
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  g_assert_cmpint (chown (path, 12, 34), ==, 0);
  g_assert_cmpint (setxattr (path, "user.key", "value", 5, 0), ==, 0);
  g_assert_cmpint (setxattr (path, "trusted.key", "value", 5, 0), ==, 0);
}

static void
assert_attributes (Power *power, gboolean changed)
{
  struct stat status;
  char value[8];
  const char *path = power_path (power, "a");
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, changed ? 0640 : 0600);
  g_assert_cmpint (status.st_uid, ==, changed ? 12 : 0);
  g_assert_cmpint (status.st_gid, ==, changed ? 34 : 0);
  g_assert_cmpint (getxattr (path, "user.key", value, 8), ==, changed ? 5 : -1);
  g_assert_cmpint (getxattr (path, "trusted.key", value, 8), ==, changed ? 5 : -1);
}

static void
test_attributes (Power *power, gconstpointer data)
{
  power_settle (power, "a", "text");
  change_attributes (power);
  assert_attributes (power, TRUE);
  power_cut (power);
  assert_attributes (power, FALSE);

  change_attributes (power);
  power_sync_file (power, "a", TRUE);
  power_cut (power);
  assert_attributes (power, FALSE);

  change_attributes (power);
  power_sync_file (power, "a", FALSE);
  power_cut (power);
  assert_attributes (power, TRUE);

  g_assert_cmpint (removexattr (power_path (power, "a"), "user.key"), ==, 0);
  power_cut (power);
  assert_attributes (power, TRUE);
}

/* --- ways to write ------------------------------------------------------------------------- */

static void
test_synchronous_writes (Power *power, gconstpointer data)
{
  static const int flags[] = {O_SYNC, O_DSYNC};
  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++) {
    power_settle (power, "a", "before");
    int fd = open (power_path (power, "a"), O_WRONLY | flags[i]);
    g_assert_cmpint (write (fd, "after!", 6), ==, 6);
    power_cut (power);
    close (fd);
    power_assert_text (power, "a", "after!");
  }
}

/* It only begins to write out, and promises nothing. */
static void
test_sync_file_range (Power *power, gconstpointer data)
{
  power_settle (power, "a", "before");
  int fd = open (power_path (power, "a"), O_WRONLY);
  g_assert_cmpint (write (fd, "after!", 6), ==, 6);
  g_assert_cmpint (sync_file_range (fd, 0, 6,
                                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                        SYNC_FILE_RANGE_WAIT_AFTER),
                   ==, 0);
  close (fd);
  power_cut (power);
  power_assert_text (power, "a", "before");
}

static void
test_direct (Power *power, gconstpointer data)
{
  char *block = NULL;
  g_assert_cmpint (posix_memalign ((void **)&block, 4096, 4096), ==, 0);
  memset (block, 'd', 4096);
  power_settle (power, "a", "before");
  int fd = open (power_path (power, "a"), O_RDWR | O_DIRECT);
  g_assert_cmpint (pwrite (fd, block, 4096, 8192), ==, 4096);
  g_assert_cmpint (fdatasync (fd), ==, 0);
  g_assert_cmpint (pwrite (fd, block, 4096, 16384), ==, 4096);
  power_cut (power);
  close (fd);
  fd = open (power_path (power, "a"), O_RDWR | O_DIRECT);
  memset (block, 0, 4096);
  g_assert_cmpint (pread (fd, block, 4096, 8192), ==, 4096);
  g_assert_cmpint (block[4095], ==, 'd');
  g_assert_cmpint (pread (fd, block, 4096, 16384), ==, 0);
  close (fd);
  free (block);
}

static void
test_mapped (Power *power, gconstpointer data)
{
  power_settle (power, "a", "before");
  g_assert_cmpint (truncate (power_path (power, "a"), 32768), ==, 0);
  int fd = open (power_path (power, "a"), O_RDWR);
  char *map = mmap (NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (map != MAP_FAILED);
  strcpy (map, "mapped");
  g_assert_cmpint (msync (map, 32768, MS_SYNC), ==, 0);
  strcpy (map, "never!");
  power_assert_text (power, "a", "never!");
  munmap (map, 32768);
  close (fd);
  power_cut (power);
  power_assert_text (power, "a", "mapped");
}

static void
test_sparse (Power *power, gconstpointer data)
{
  struct stat status;
  const off_t size = 256 * 1024 * 1024;
  int fd = open (power_path (power, "a"), O_RDWR | O_CREAT, 0600);
  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  g_assert_cmpint (pwrite (fd, "x", 1, size / 2), ==, 1);
  g_assert_cmpint (lseek (fd, 0, SEEK_DATA), ==, size / 2);
  g_assert_cmpint (lseek (fd, size / 2, SEEK_HOLE), >, size / 2);
  g_assert_cmpint (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, 1 << 20), ==, 0);
  g_assert_cmpint (fsync (fd), ==, 0);
  power_sync_directory (power, "");
  g_assert_cmpint (fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size / 2, 4096), ==,
                   0);
  power_cut (power);
  close (fd);
  fd = open (power_path (power, "a"), O_RDWR);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, size);
  g_assert_cmpint (status.st_blocks, <, 8192);
  g_assert_cmpint (lseek (fd, 0, SEEK_DATA), ==, size / 2);
  g_assert_cmpint (fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size / 2, 4096), ==,
                   0);
  g_assert_cmpint (fsync (fd), ==, 0);
  close (fd);
  power_cut (power);
  fd = open (power_path (power, "a"), O_RDONLY);
  g_assert_cmpint (lseek (fd, 0, SEEK_DATA), ==, -1);
  g_assert_cmpint (errno, ==, ENXIO);
  close (fd);
}

/* Two open descriptions of one process, as two programs. */
static void
test_locks (Power *power, gconstpointer data)
{
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
  power_settle (power, "a", "text");
  int one = open (power_path (power, "a"), O_RDWR);
  int two = open (power_path (power, "a"), O_RDWR);
  g_assert_cmpint (fcntl (one, F_OFD_SETLK, &lock), ==, 0);
  g_assert_cmpint (fcntl (two, F_OFD_SETLK, &lock), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  g_assert_cmpint (flock (one, LOCK_EX), ==, 0);
  g_assert_cmpint (flock (two, LOCK_EX | LOCK_NB), ==, -1);
  close (one);
  g_assert_cmpint (flock (two, LOCK_EX | LOCK_NB), ==, 0);
  close (two);
}

static void
test_unlinked_while_open (Power *power, gconstpointer data)
{
  char text[4];
  power_settle (power, "a", "text");
  int fd = open (power_path (power, "a"), O_RDWR);
  g_assert_cmpint (unlink (power_path (power, "a")), ==, 0);
  g_assert_cmpint (pwrite (fd, "TEXT", 4, 0), ==, 4);
  g_assert_cmpint (fsync (fd), ==, 0);
  g_assert_cmpint (pread (fd, text, 4, 0), ==, 4);
  g_assert_cmpint (memcmp (text, "TEXT", 4), ==, 0);
  close (fd);
  power_cut (power);
  /* It was synced, and so was, long ago, its name. */
  power_assert_text (power, "a", "TEXT");
}

/* --- the cut itself ------------------------------------------------------------------------ */

static void
test_dead (Power *power, gconstpointer data)
{
  struct stat status;
  power_settle (power, "a", "text");
  int fd = open (power_path (power, "a"), O_RDWR);
  power_control (power, "cut");
  g_assert_cmpint (write (fd, "x", 1), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  g_assert_cmpint (fsync (fd), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  g_assert_cmpint (stat (power_path (power, "other"), &status), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  g_assert_cmpint (mkdir (power_path (power, "d"), 0755), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  close (fd);
}

static gpointer
write_and_sync (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  return GINT_TO_POINTER (pwrite (fd, "after!", 6, 0) == 6 && fsync (fd) == 0);
}

/* Nobody is told of an error before the end, and nothing is kept. */
static void
test_stopped (Power *power, gconstpointer data)
{
  power_settle (power, "a", "before");
  int fd = open (power_path (power, "a"), O_RDWR);
  power_control (power, "stop");
  GThread *thread = g_thread_new ("writer", write_and_sync, GINT_TO_POINTER (fd));
  power_kill (power);
  g_assert_false (GPOINTER_TO_INT (g_thread_join (thread)));
  close (fd);
  power_assert_text (power, "a", "before");
}

static void
test_killed (Power *power, gconstpointer data)
{
  power_settle (power, "a", "before");
  power_write (power, "a", "after", 0);
  power_write (power, "b", "text", SYNC_FILE);
  power_kill (power);
  power_assert_text (power, "a", "before");
  power_assert_absent (power, "b");
}

static void
test_unmounted (Power *power, gconstpointer data)
{
  power_write (power, "a", "text", 0);
  power_unmount (power);
  power_mount (power);
  power_assert_text (power, "a", "text");
}

/* The same numbers after a cut: what remembers a file by its number must find it again. */
static void
test_numbers (Power *power, gconstpointer data)
{
  struct stat before, after;
  power_settle (power, "a", "text");
  g_assert_cmpint (stat (power_path (power, "a"), &before), ==, 0);
  power_cut (power);
  g_assert_cmpint (stat (power_path (power, "a"), &after), ==, 0);
  g_assert_cmpuint (before.st_ino, ==, after.st_ino);
  g_assert_cmpint (before.st_mtim.tv_nsec, ==, after.st_mtim.tv_nsec);
}

/* A medium that fails is no power cut: what was there is there again when it is mended. */
static void
test_bad_medium (Power *power, gconstpointer data)
{
  char text[4] = "";
  power_settle (power, "a", "old");
  int fd = open (power_path (power, "a"), O_RDWR | O_CLOEXEC);
  g_assert_cmpint (pread (fd, text, 3, 0), ==, 3);
  power_control (power, "bad-reads");
  /* The kernel forgets what it has in its own time. */
  while (pread (fd, text, 3, 0) == 3)
    g_usleep (1000);
  g_assert_cmpint (errno, ==, EIO);
  power_control (power, "good");
  power_control (power, "bad-writes");
  g_assert_cmpint (pread (fd, text, 3, 0), ==, 3);
  g_assert_cmpint (pwrite (fd, "new", 3, 0), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  power_control (power, "good");
  close (fd);
  power_assert_text (power, "a", "old");
}

#define ADD(name, function)                                                                        \
  g_test_add ("/powerfs/" name, Power, NULL, power_set_up, function, power_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!power_is_possible ())
    return 77;
  ADD ("nothing-synced", test_nothing_synced);
  ADD ("name-without-contents", test_name_without_contents);
  ADD ("contents-without-name", test_contents_without_name);
  ADD ("both-synced", test_both_synced);
  ADD ("overwritten", test_overwritten);
  ADD ("truncated", test_truncated);
  ADD ("shrunk-and-grown", test_shrunk_and_grown);
  ADD ("unlinked", test_unlinked);
  ADD ("renamed", test_renamed);
  ADD ("replaced", test_replaced);
  ADD ("replaced-unsynced", test_replaced_unsynced);
  ADD ("moved", test_moved);
  ADD ("directories", test_directories);
  ADD ("directory-times", test_directory_times);
  ADD ("moved-directories", test_moved_directories);
  ADD ("links", test_links);
  ADD ("attributes", test_attributes);
  ADD ("synchronous-writes", test_synchronous_writes);
  ADD ("sync-file-range", test_sync_file_range);
  ADD ("direct", test_direct);
  ADD ("mapped", test_mapped);
  ADD ("sparse", test_sparse);
  ADD ("locks", test_locks);
  ADD ("unlinked-while-open", test_unlinked_while_open);
  ADD ("dead", test_dead);
  ADD ("stopped", test_stopped);
  ADD ("killed", test_killed);
  ADD ("unmounted", test_unmounted);
  ADD ("numbers", test_numbers);
  ADD ("bad-medium", test_bad_medium);
  return g_test_run ();
}
