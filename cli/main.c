/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"

#include "godwit-config.h"

#include <locale.h>

static CliExit
run_command (const CliCommand *command, CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = g_strdupv (arguments);
  gboolean help = FALSE;

  if (!cli_parse (command, context, &rest, &help, &error)) {
    cli_fail (error);
    return CLI_USAGE;
  }
  if (help) {
    g_autofree char *text = cli_command_get_help (command);

    g_print ("%s", text);
    return CLI_DONE;
  }
  if (!(command->flags & CLI_COMMAND_SILENT))
    cli_mention_stranded (context);
  return command->run (context, rest);
}

int
main (int argc, char **argv)
{
  g_auto (CliContext) context = {0};
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = g_strdupv (argv);
  const CliCommand *command;
  gboolean help = FALSE;
  gboolean version = FALSE;

  setlocale (LC_ALL, "");
  if (!cli_parse_global (&context, &arguments, &help, &version, &error)) {
    cli_fail (error);
    return CLI_USAGE;
  }
  if (version) {
    g_print ("godwit " GODWIT_VERSION "\n");
    return CLI_DONE;
  }
  if (help) {
    cli_print_help (stdout);
    return CLI_DONE;
  }
  if (arguments[1] == NULL) {
    cli_print_help (stderr);
    return CLI_USAGE;
  }

  command = cli_command_find (arguments[1]);
  if (command == NULL)
    return cli_fail_unknown_command (arguments[1]);
  if (command->flags & CLI_COMMAND_RAW && g_strcmp0 (arguments[2], "--help") == 0) {
    g_autofree char *text = cli_command_get_help (command);

    g_print ("%s", text);
    return CLI_DONE;
  }
  if (command->flags & CLI_COMMAND_RAW)
    return command->run_raw (&context, g_strv_length (arguments) - 1, arguments + 1);
  return run_command (command, &context, arguments + 1);
}
