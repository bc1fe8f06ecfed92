/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "output.h"
#include "request.h"
#include "watching.h"

static gboolean option_dry_run;
static gboolean option_detach;
static gboolean option_json;

static const GOptionEntry options[] = {
    CLI_REQUEST_OPTIONS,
    {"dry-run", 0, 0, G_OPTION_ARG_NONE, &option_dry_run, "Only plan; touch nothing", NULL},
    {"detach", 0, 0, G_OPTION_ARG_NONE, &option_detach, "Start the job, print its id and return",
     NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "Every event as one JSON object a line", NULL},
    {NULL},
};

static CliExit
run (CliContext *context, char **arguments)
{
  CliWatch watch = {.json = option_json, .may_abort = TRUE};
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) record = NULL;
  g_autofree char *job = NULL;
  GodwitClient *client;
  GodwitConfig *config;
  GodwitRegistry *registry;

  if (option_dry_run)
    return cli_run_plan (context, arguments[0], option_json);

  record = cli_request_make_record (arguments[0], &error);
  /* Checked here too, so that a mistake in a file makes no job. */
  if (record == NULL || !cli_context_get_checked (context, &config, &registry, &error))
    return cli_fail (error);
  client = cli_context_get_client (context, &error);
  if (client == NULL)
    return cli_fail (error);
  job = godwit_client_migrate (client, record, &error);
  if (job == NULL)
    return cli_fail (error);
  if (option_detach) {
    cli_print_job_id (job, option_json);
    return CLI_DONE;
  }
  return cli_watch_job (context, job, &watch);
}

const CliCommand cli_command_migrate = {
    .name = "migrate",
    .arguments = "GUEST --to HOST",
    .summary = "Move a guest to another host",
    .details = "An interrupt (Ctrl-C) before the commit aborts and undoes everything. After it the "
               "job\nfinishes, and a second interrupt only stops watching. A lost terminal stops "
               "watching:\nthe job goes on.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
