/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actor.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *
below (const char *variable, const char *name)
{
  const char *directory = g_getenv (variable);
  g_assert_nonnull (directory);
  return g_build_filename (directory, name, NULL);
}

const char *
data_path (const char *name)
{
  return below ("POWER_DATA", name);
}

const char *
data_directory (void)
{
  return g_getenv ("POWER_DATA");
}

const char *
safe_path (const char *name)
{
  return below ("POWER_SAFE", name);
}

void
make_file (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

gboolean
has_text (const char *path, const char *text)
{
  g_autofree char *found = NULL;
  return g_file_get_contents (path, &found, NULL, NULL) && g_str_equal (found, text);
}

gboolean
is_there (const char *path)
{
  struct stat status;
  return lstat (path, &status) == 0;
}

static const PowerCase *const tables[] = {file_cases, state_cases, transfer_cases};

static const PowerCase *
find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const PowerCase *it = tables[i]; it->name != NULL; it++)
      if (g_strcmp0 (it->name, name) == 0)
        return it;
  return NULL;
}

static int
list (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const PowerCase *it = tables[i]; it->name != NULL; it++)
      printf ("%s\n", it->name);
  return 0;
}

/* Exit code of `check`: 0 intact, 3 something is lost. */
int
main (int argc, char **argv)
{
  const PowerCase *it = argc == 3 ? find (argv[1]) : NULL;
  if (argc == 2 && g_str_equal (argv[1], "list"))
    return list ();
  if (it == NULL) {
    g_printerr ("usage: power-actor list | CASE prepare|act|check\n");
    return 2;
  }
  if (g_str_equal (argv[2], "check"))
    return it->is_intact () ? 0 : 3;
  if (g_str_equal (argv[2], "act"))
    it->act ();
  else if (it->prepare != NULL)
    it->prepare ();
  return 0;
}
