/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "base/spelling.h"

#include <stdio.h>
#include <string.h>

static char *option_config;
static char *option_plugin_dir;
static gboolean option_help;
static gboolean option_version;

const GOptionEntry cli_global_options[] = {
    {"help", 'h', 0, G_OPTION_ARG_NONE, &option_help, "Explain the command and its options", NULL},
    {"config", 0, 0, G_OPTION_ARG_FILENAME, &option_config,
     "Configuration file, instead of the default one", "FILE"},
    {"plugin-dir", 0, 0, G_OPTION_ARG_FILENAME, &option_plugin_dir,
     "Directory of plugins, instead of the installed one", "DIR"},
    {NULL},
};

static const GOptionEntry version_option[] = {
    {"version", 0, 0, G_OPTION_ARG_NONE, &option_version, "Print the version", NULL},
    {NULL},
};

static void
add_names (GPtrArray *names, const GOptionEntry *entries)
{
  for (gsize i = 0; entries != NULL && entries[i].long_name != NULL; i++)
    g_ptr_array_add (names, (gpointer)entries[i].long_name);
}

/* GOption names the option that it does not know only in its message. */
static char *
get_unknown_option (const GError *error)
{
  const char *dashes = strstr (error->message, "--");

  return dashes != NULL ? g_strndup (dashes + 2, strcspn (dashes + 2, " =")) : NULL;
}

static void
set_parse_error (GError **error, const GError *parse_error, const GOptionEntry *entries,
                 const char *command)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *remedy = NULL;
  g_autofree char *unknown = NULL;
  const char *nearest = NULL;

  if (g_error_matches (parse_error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
    unknown = get_unknown_option (parse_error);
  if (unknown != NULL) {
    add_names (names, entries);
    add_names (names, cli_global_options);
    g_ptr_array_add (names, NULL);
    nearest = godwit_spelling_nearest (unknown, (const char *const *)names->pdata);
  }
  if (nearest != NULL)
    remedy = g_strdup_printf ("did you mean --%s?", nearest);
  else if (command != NULL)
    remedy = g_strdup_printf ("godwit %s --help lists its options", command);
  else
    remedy = g_strdup ("godwit --help");

  if (unknown != NULL)
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "%s%sunknown option --%s",
                      command != NULL ? command : "", command != NULL ? ": " : "", unknown);
  else
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "%s%s%s", command != NULL ? command : "",
                      command != NULL ? ": " : "", parse_error->message);
}

static void
take_global (CliContext *context)
{
  if (option_config != NULL) {
    g_free (context->config_path);
    context->config_path = g_steal_pointer (&option_config);
  }
  if (option_plugin_dir != NULL) {
    g_free (context->plugin_dir);
    context->plugin_dir = g_steal_pointer (&option_plugin_dir);
  }
}

gboolean
cli_parse_global (CliContext *context, char ***arguments, gboolean *help, gboolean *version,
                  GError **error)
{
  g_autoptr (GOptionContext) parser = g_option_context_new (NULL);
  g_autoptr (GError) parse_error = NULL;

  /* What follows the command's name is the command's own. */
  g_option_context_set_strict_posix (parser, TRUE);
  g_option_context_set_help_enabled (parser, FALSE);
  g_option_context_add_main_entries (parser, cli_global_options, NULL);
  g_option_context_add_main_entries (parser, version_option, NULL);
  if (!g_option_context_parse_strv (parser, arguments, &parse_error)) {
    set_parse_error (error, parse_error, version_option, NULL);
    return FALSE;
  }
  take_global (context);
  *help = option_help;
  *version = option_version;
  return TRUE;
}

static GOptionContext *
make_parser (const CliCommand *command)
{
  GOptionContext *parser = g_option_context_new (command->arguments);

  g_option_context_set_help_enabled (parser, FALSE);
  g_option_context_set_summary (parser, command->summary);
  g_option_context_set_description (parser, command->details);
  if (command->options != NULL)
    g_option_context_add_main_entries (parser, command->options, NULL);
  g_option_context_add_main_entries (parser, cli_global_options, NULL);
  return parser;
}

/* GOption leaves a "--" that stood before an argument which looks like an option. */
static void
drop_separator (char **arguments)
{
  for (gsize i = 1; arguments[i] != NULL; i++)
    if (g_str_equal (arguments[i], "--")) {
      g_free (arguments[i]);
      memmove (arguments + i, arguments + i + 1,
               (g_strv_length (arguments + i + 1) + 1) * sizeof *arguments);
      return;
    }
}

gboolean
cli_parse (const CliCommand *command, CliContext *context, char ***arguments, gboolean *help,
           GError **error)
{
  g_autoptr (GOptionContext) parser = make_parser (command);
  g_autoptr (GError) parse_error = NULL;
  g_autofree char *remedy = g_strdup_printf ("godwit %s --help", command->name);
  guint count;

  if (!g_option_context_parse_strv (parser, arguments, &parse_error)) {
    set_parse_error (error, parse_error, command->options, command->name);
    return FALSE;
  }
  take_global (context);
  *help = option_help;
  if (*help)
    return TRUE;

  drop_separator (*arguments);
  count = g_strv_length (*arguments) - 1;
  if (count < command->min_arguments) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "%s needs %s", command->name,
                      command->arguments);
    return FALSE;
  }
  if (count > command->max_arguments) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "%s: one argument too many: %s",
                      command->name, (*arguments)[command->max_arguments + 1]);
    return FALSE;
  }
  /* The command's name has done its work. */
  g_free ((*arguments)[0]);
  memmove (*arguments, *arguments + 1, (count + 1) * sizeof **arguments);
  return TRUE;
}

char *
cli_command_get_help (const CliCommand *command)
{
  g_autoptr (GOptionContext) parser = make_parser (command);
  g_autofree char *program = g_strdup_printf ("godwit %s", command->name);

  /* So that the usage line begins with what is typed. */
  g_set_prgname (program);
  return g_option_context_get_help (parser, TRUE, NULL);
}
