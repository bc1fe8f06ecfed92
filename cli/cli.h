/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "control/client.h"
#include "registry/registry.h"

#include <godwit/error.h>

#include <stdio.h>

G_BEGIN_DECLS

/* Documented in godwit(1); scripts depend on them. */
typedef enum {
  CLI_DONE = 0,
  CLI_FAILED = 1,
  CLI_USAGE = 2,
  CLI_REFUSED = 3,
  CLI_NEEDS_RECOVER = 4,
  CLI_CLEANUP_OWED = 5,
  CLI_GOES_ON = 6, /* this command stopped watching a job that goes on */
  CLI_INTERRUPTED = 130,
} CliExit;

typedef enum {
  CLI_COMMAND_HIDDEN = 1 << 0, /* godwit starts it itself; not in help and completion */
  CLI_COMMAND_RAW = 1 << 1,    /* takes its arguments as they are, options included */
  CLI_COMMAND_SILENT = 1 << 2, /* says nothing of stranded jobs */
} CliCommandFlags;

/* What one run of the program shares. The objects are made when a command first asks. */
typedef struct {
  char *config_path; /* --config; NULL for the default */
  char *plugin_dir;  /* --plugin-dir; NULL for the installed one */
  GodwitConfig *config;
  GodwitRegistry *registry;
  GodwitClient *client;
} CliContext;

typedef struct {
  const char *name;
  const char *arguments; /* "GUEST", for usage lines; "" for none */
  const char *summary;   /* one line for `godwit help` */
  const char *details;   /* shown below the options; NULL for nothing */
  const GOptionEntry *options;
  guint min_arguments;
  guint max_arguments;
  CliCommandFlags flags;
  CliExit (*run) (CliContext *context, char **arguments);
  /* For CLI_COMMAND_RAW instead of run; argv[0] is the command's name. */
  int (*run_raw) (CliContext *context, int argc, char **argv);
} CliCommand;

/* In the order of `godwit help`, ended by NULL. */
extern const CliCommand *const cli_commands[];
const CliCommand *cli_command_find (const char *name);
/* Says so, with the nearest spelling; returns CLI_USAGE. */
CliExit cli_fail_unknown_command (const char *name);

extern const CliCommand cli_command_abort;
extern const CliCommand cli_command_agent;
extern const CliCommand cli_command_config;
extern const CliCommand cli_command_confirm;
extern const CliCommand cli_command_help;
extern const CliCommand cli_command_hosts;
extern const CliCommand cli_command_jobs;
extern const CliCommand cli_command_log;
extern const CliCommand cli_command_migrate;
extern const CliCommand cli_command_plan;
extern const CliCommand cli_command_plugin_probe;
extern const CliCommand cli_command_plugins;
extern const CliCommand cli_command_recover;
extern const CliCommand cli_command_revert;
extern const CliCommand cli_command_show;
extern const CliCommand cli_command_supervise;
extern const CliCommand cli_command_wait;
extern const CliCommand cli_command_watch;
extern const CliCommand cli_command_work;

void cli_context_clear (CliContext *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliContext, cli_context_clear)

/* All (transfer none); NULL with @error set if it cannot be had. */
GodwitConfig *cli_context_get_config (CliContext *self, GError **error);
GodwitRegistry *cli_context_get_registry (CliContext *self, GError **error);
GodwitClient *cli_context_get_client (CliContext *self, GError **error);
/* Both, with the plugins' keys of the configuration checked too. */
gboolean cli_context_get_checked (CliContext *self, GodwitConfig **config,
                                  GodwitRegistry **registry, GError **error);

extern const GOptionEntry cli_global_options[];

/* Takes the options before the command's name out of @arguments. */
gboolean cli_parse_global (CliContext *context, char ***arguments, gboolean *help,
                           gboolean *version, GError **error);
/* Takes the options of @command out of @arguments, of which the first is the command's name;
 * what remains are its positional ones. */
gboolean cli_parse (const CliCommand *command, CliContext *context, char ***arguments,
                    gboolean *help, GError **error);
char *cli_command_get_help (const CliCommand *command);
void cli_print_help (FILE *stream);

G_END_DECLS
