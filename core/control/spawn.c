/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/spawn.h"

#include "base/paths.h"

#include <godwit/error.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define LOCK_FD 3

void
godwit_errand_clear (GodwitErrand *errand)
{
  g_clear_pointer (&errand->job, g_free);
  g_clear_pointer (&errand->purpose, g_free);
  g_clear_pointer (&errand->config_path, g_free);
  g_clear_pointer (&errand->plugin_dir, g_free);
}

static gboolean
take_words (GodwitErrand *errand, const char *command, char **words, GError **error)
{
  if (words != NULL && words[0] != NULL && g_str_equal (words[0], command))
    words++;
  guint n = words != NULL ? g_strv_length (words) : 0;
  if (n != 2 || (!g_str_equal (words[1], "run") && !g_str_equal (words[1], "recover") &&
                 !g_str_equal (words[1], "confirm"))) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, NULL,
                      "usage: godwit %s JOB run|recover|confirm; godwit starts it itself", command);
    return FALSE;
  }
  errand->job = g_strdup (words[0]);
  errand->purpose = g_strdup (words[1]);
  return TRUE;
}

gboolean
godwit_errand_parse (GodwitErrand *errand, const char *command, int argc, char **argv,
                     GError **error)
{
  *errand = (GodwitErrand){.lock_fd = -1};
  g_auto (GStrv) words = NULL;
  const GOptionEntry entries[] = {
      {"config", 0, 0, G_OPTION_ARG_FILENAME, &errand->config_path, NULL, NULL},
      {"plugin-dir", 0, 0, G_OPTION_ARG_FILENAME, &errand->plugin_dir, NULL, NULL},
      {"lock-fd", 0, 0, G_OPTION_ARG_INT, &errand->lock_fd, NULL, NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, NULL},
      {NULL},
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_help_enabled (context, FALSE);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (int i = 0; i < argc; i++)
    g_strv_builder_add (builder, argv[i]);
  g_auto (GStrv) copy = g_strv_builder_end (builder);
  if (!g_option_context_parse_strv (context, &copy, error) ||
      !take_words (errand, command, words, error))
    return FALSE;
  /* Programs that a worker starts must not keep the job's lock. */
  if (errand->lock_fd >= 0)
    fcntl (errand->lock_fd, F_SETFD, FD_CLOEXEC);
  return TRUE;
}

static GStrv
make_command_line (const GodwitErrand *errand, const char *command)
{
  g_autoptr (GStrvBuilder) argv = g_strv_builder_new ();
  /* The file, and then the words that the program sees. */
  g_strv_builder_add_many (argv, godwit_paths_get_self (), "godwit", command, errand->job,
                           errand->purpose, NULL);
  if (errand->config_path != NULL)
    g_strv_builder_add_many (argv, "--config", errand->config_path, NULL);
  if (errand->plugin_dir != NULL)
    g_strv_builder_add_many (argv, "--plugin-dir", errand->plugin_dir, NULL);
  if (errand->lock_fd >= 0) {
    g_autofree char *fd = g_strdup_printf ("%d", LOCK_FD);
    g_strv_builder_add_many (argv, "--lock-fd", fd, NULL);
  }
  return g_strv_builder_end (argv);
}

/* Only what is safe between fork and exec. */
static void
prepare_supervisor (gpointer data)
{
  /* Neither the terminal's interrupts nor its end are for the job. */
  setsid ();
  signal (SIGINT, SIG_IGN);
  signal (SIGHUP, SIG_IGN);
}

static void
prepare_worker (gpointer data)
{
  /* A group of its own: the supervisor can end everything that a dead worker leaves behind. */
  setpgid (0, 0);
}

gboolean
godwit_errand_start (const GodwitErrand *errand, const char *command, int log_fd, GPid *pid,
                     GError **error)
{
  g_auto (GStrv) argv = make_command_line (errand, command);
  int null_fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  const int target = LOCK_FD;
  GSpawnFlags flags = G_SPAWN_FILE_AND_ARGV_ZERO | (pid != NULL ? G_SPAWN_DO_NOT_REAP_CHILD : 0);
  gboolean ok =
      g_spawn_async_with_pipes_and_fds ("/", (const char *const *)argv, NULL, flags,
                                        pid != NULL ? prepare_worker : prepare_supervisor, NULL,
                                        null_fd, log_fd, log_fd, &errand->lock_fd, &target,
                                        errand->lock_fd >= 0 ? 1 : 0, pid, NULL, NULL, NULL, error);
  if (null_fd >= 0)
    close (null_fd);
  if (!ok)
    g_prefix_error (error, "cannot start `godwit %s %s %s`: ", command, errand->job,
                    errand->purpose);
  return ok;
}
