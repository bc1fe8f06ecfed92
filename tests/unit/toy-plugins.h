/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests that load the plugins of tests/unit/plugins. Each test has a directory of its own
 * below one that only we can write to, wherever the build tree is. */
#include "registry/registry.h"

#include <glib/gstdio.h>
#include <unistd.h>

static inline char *
toy_make_directory (void)
{
  g_autoptr (GError) error = NULL;
  char *directory = g_dir_make_tmp ("godwit-toys-XXXXXX", &error);
  g_assert_no_error (error);
  return directory;
}

static inline void
toy_remove_directory (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *file;
  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (directory, file, NULL);
    g_unlink (path);
  }
  g_rmdir (directory);
}

/* Copies the built toy @from there, as godwit-@as.so. */
static inline char *
toy_install (const char *directory, const char *from, const char *as)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = g_strdup_printf ("%s/godwit-%s.so", g_getenv ("TOY_PLUGINS"), from);
  char *target = g_strdup_printf ("%s/godwit-%s.so", directory, as);
  g_autofree char *contents = NULL;
  gsize length = 0;
  g_file_get_contents (source, &contents, &length, &error);
  g_assert_no_error (error);
  g_file_set_contents_full (target, contents, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0755,
                            &error);
  g_assert_no_error (error);
  return target;
}
