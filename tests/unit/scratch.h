/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

/* A directory for one test, gone with everything in it at the end of the scope. In memory where
 * that is possible: what is tested here does not depend on a disk's speed. */
typedef char Scratch;

static inline Scratch *
scratch_new (void)
{
  char *path = g_strdup ("/dev/shm/godwit-test-XXXXXX");
  if (g_mkdtemp (path) != NULL)
    return path;
  g_free (path);
  GError *error = NULL;
  path = g_dir_make_tmp ("godwit-test-XXXXXX", &error);
  g_assert_no_error (error);
  return path;
}

static inline void
scratch_remove (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    scratch_remove (child);
  }
  if (dir != NULL)
    g_dir_close (dir);
  g_remove (path);
}

static inline void
scratch_free (Scratch *path)
{
  scratch_remove (path);
  g_free (path);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scratch, scratch_free)
