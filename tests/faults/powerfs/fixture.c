/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_US (20 * G_USEC_PER_SEC)

gboolean
power_is_possible (void)
{
  int fd = open ("/dev/fuse", O_RDWR | O_CLOEXEC);
  gboolean possible = fd >= 0 && geteuid () == 0;
  if (fd >= 0)
    close (fd);
  if (!possible)
    printf ("1..0 # SKIP needs root and /dev/fuse\n");
  return possible;
}

static void
run (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *errors = NULL;
  int status;
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors, &status,
                &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s: %s", argv[0], error->message, errors);
}

void
power_mount (Power *power)
{
  const char *argv[] = {g_getenv ("POWERFS"), power->backing, power->mount, NULL};
  g_assert_nonnull (argv[0]);
  run (argv);
}

static gboolean
is_served (const Power *power)
{
  struct stat here, above;
  return stat (power->mount, &here) == 0 && stat (power->root, &above) == 0 &&
         here.st_dev != above.st_dev;
}

void
power_unmount (Power *power)
{
  /* A program that looks at all mounts may have it in hand at this moment. */
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  while (umount2 (power->mount, 0) != 0) {
    if (errno != EBUSY || g_get_monotonic_time () > deadline)
      break;
    g_usleep (1000);
  }
  umount2 (power->mount, MNT_DETACH);
  g_assert_false (is_served (power));
}

void
power_set_up (Power *power, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  /* Not in /tmp, which may be a file system without holes or attributes. */
  g_autofree char *template = g_strdup ("/var/tmp/godwit-power-XXXXXX");
  g_assert_nonnull (g_mkdtemp (template));
  power->root = g_steal_pointer (&template);
  power->backing = g_build_filename (power->root, "backing", NULL);
  power->mount = g_build_filename (power->root, "mount", NULL);
  g_assert_cmpint (g_mkdir (power->backing, 0755), ==, 0);
  g_assert_cmpint (g_mkdir (power->mount, 0755), ==, 0);
  power_mount (power);
}

void
power_tear_down (Power *power, gconstpointer data)
{
  const char *argv[] = {"rm", "-rf", power->root, NULL};
  power_unmount (power);
  run (argv);
  g_free (power->root);
  g_free (power->backing);
  g_free (power->mount);
  g_free (power->last);
}

void
power_control (Power *power, const char *word)
{
  int fd = open (power_path (power, ".powerfs-control"), O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, word, strlen (word)), ==, (gssize)strlen (word));
  close (fd);
}

void
power_cut (Power *power)
{
  power_control (power, "cut");
  umount2 (power->mount, MNT_DETACH);
  power_mount (power);
}

/* The process is found by its arguments: it is a daemon, and no child of ours. */
static pid_t
find_process (const Power *power)
{
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (proc)) != NULL) {
    g_autofree char *path = g_build_filename ("/proc", name, "cmdline", NULL);
    g_autofree char *words = NULL;
    gsize length = 0;
    if (!g_ascii_isdigit (name[0]) || !g_file_get_contents (path, &words, &length, NULL))
      continue;
    gsize first = strlen (words) + 1;
    if (first < length && g_str_equal (words + first, power->backing))
      return atoi (name);
  }
  return 0;
}

void
power_kill (Power *power)
{
  pid_t pid = find_process (power);
  g_assert_cmpint (pid, >, 0);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  umount2 (power->mount, MNT_DETACH);
  power_mount (power);
}

const char *
power_path (Power *power, const char *name)
{
  g_free (power->last);
  power->last = g_build_filename (power->mount, name, NULL);
  return power->last;
}

void
power_write (Power *power, const char *name, const char *text, int flags)
{
  int fd = open (power_path (power, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize)strlen (text));
  if (flags & SYNC_FILE)
    g_assert_cmpint (fsync (fd), ==, 0);
  close (fd);
}

void
power_settle (Power *power, const char *name, const char *text)
{
  g_autofree char *parent = g_path_get_dirname (name);
  power_write (power, name, text, SYNC_FILE);
  power_sync_directory (power, g_str_equal (parent, ".") ? "" : parent);
}

void
power_rename (Power *power, const char *from, const char *to)
{
  g_autofree char *old = g_strdup (power_path (power, from));
  g_assert_cmpint (rename (old, power_path (power, to)), ==, 0);
}

static void
sync_object (Power *power, const char *name, int flags, gboolean only_data)
{
  int fd = open (power_path (power, name), O_RDONLY | O_CLOEXEC | flags);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (only_data ? fdatasync (fd) : fsync (fd), ==, 0);
  close (fd);
}

void
power_sync_file (Power *power, const char *name, gboolean only_data)
{
  sync_object (power, name, 0, only_data);
}

void
power_sync_directory (Power *power, const char *name)
{
  sync_object (power, name, O_DIRECTORY, FALSE);
}

void
power_assert_text (Power *power, const char *name, const char *text)
{
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (power_path (power, name), &found, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, text);
}

void
power_assert_absent (Power *power, const char *name)
{
  struct stat status;
  g_assert_cmpint (lstat (power_path (power, name), &status), ==, -1);
  g_assert_cmpint (errno, ==, ENOENT);
}
