/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "output.h"

static gboolean option_list;

static const GOptionEntry options[] = {
    {"list", 0, 0, G_OPTION_ARG_NONE, &option_list,
     "One line a command: its name and its options, for scripts", NULL},
    {NULL},
};

void
cli_print_help (FILE *stream)
{
  fputs ("Usage:\n"
         "  godwit [--config FILE] [--plugin-dir DIR] COMMAND [ARGUMENT...]\n"
         "\n"
         "Moves virtual machines between hosts.\n"
         "\n"
         "Commands:\n",
         stream);
  for (gsize i = 0; cli_commands[i] != NULL; i++)
    if (!(cli_commands[i]->flags & CLI_COMMAND_HIDDEN))
      fprintf (stream, "  %-10s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
  fputs ("\n"
         "Options:\n"
         "  --config FILE     Configuration file, instead of the default one\n"
         "  --plugin-dir DIR  Directory of plugins, instead of the installed one\n"
         "  --version         Print the version\n"
         "  -h, --help        This text; after a command, what it does\n"
         "\n"
         "Exit status:\n"
         "  0    done\n"
         "  1    failed and rolled back\n"
         "  2    usage or configuration\n"
         "  3    refused by checks; nothing was touched\n"
         "  4    needs godwit recover\n"
         "  5    moved, but clean-up is owed or the guest has ended since\n"
         "  6    this command stopped watching; the job goes on\n"
         "  130  interrupted and rolled back\n"
         "\n"
         "The first move:\n"
         "  godwit plan GUEST --to root@HOST      what would happen; touches nothing\n"
         "  godwit migrate GUEST --to root@HOST\n",
         stream);
}

static void
print_options (const GOptionEntry *entries)
{
  for (gsize i = 0; entries != NULL && entries[i].long_name != NULL; i++)
    if (!(entries[i].flags & G_OPTION_FLAG_HIDDEN))
      g_print (" --%s%s", entries[i].long_name, entries[i].arg == G_OPTION_ARG_NONE ? "" : "=");
}

/* An option that takes a value ends with an equals sign. */
static void
print_list (void)
{
  for (gsize i = 0; cli_commands[i] != NULL; i++) {
    if (cli_commands[i]->flags & CLI_COMMAND_HIDDEN)
      continue;
    g_print ("%s", cli_commands[i]->name);
    print_options (cli_commands[i]->options);
    print_options (cli_global_options);
    g_print ("\n");
  }
}

static CliExit
run (CliContext *context, char **arguments)
{
  const CliCommand *command;
  g_autofree char *text = NULL;

  if (option_list) {
    print_list ();
    return CLI_DONE;
  }
  if (arguments[0] == NULL) {
    cli_print_help (stdout);
    return CLI_DONE;
  }
  command = cli_command_find (arguments[0]);
  if (command == NULL)
    return cli_fail_unknown_command (arguments[0]);
  text = cli_command_get_help (command);
  g_print ("%s", text);
  return CLI_DONE;
}

const CliCommand cli_command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "Explain godwit or one of its commands",
    .options = options,
    .max_arguments = 1,
    .flags = CLI_COMMAND_SILENT,
    .run = run,
};
