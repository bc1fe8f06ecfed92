/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "output.h"

#include "base/spelling.h"

const CliCommand *const cli_commands[] = {
    &cli_command_migrate, &cli_command_plan,      &cli_command_jobs,         &cli_command_show,
    &cli_command_watch,   &cli_command_log,       &cli_command_wait,         &cli_command_abort,
    &cli_command_confirm, &cli_command_revert,    &cli_command_recover,      &cli_command_hosts,
    &cli_command_plugins, &cli_command_config,    &cli_command_agent,        &cli_command_help,
    &cli_command_work,    &cli_command_supervise, &cli_command_plugin_probe, NULL,
};

const CliCommand *
cli_command_find (const char *name)
{
  for (gsize i = 0; cli_commands[i] != NULL; i++)
    if (g_str_equal (cli_commands[i]->name, name))
      return cli_commands[i];
  return NULL;
}

CliExit
cli_fail_unknown_command (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *remedy = NULL;
  const char *nearest;

  for (gsize i = 0; cli_commands[i] != NULL; i++)
    if (!(cli_commands[i]->flags & CLI_COMMAND_HIDDEN))
      g_ptr_array_add (names, (gpointer)cli_commands[i]->name);
  g_ptr_array_add (names, NULL);

  nearest = godwit_spelling_nearest (name, (const char *const *)names->pdata);
  remedy = nearest != NULL ? g_strdup_printf ("did you mean godwit %s?", nearest)
                           : g_strdup ("godwit help lists the commands");
  godwit_set_error (&error, GODWIT_ERROR_CONFIG, remedy, "unknown command %s", name);
  cli_fail (error);
  return CLI_USAGE;
}
