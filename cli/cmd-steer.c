/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"
#include "watching.h"

static gboolean option_detach;
static gboolean option_json;

static const GOptionEntry options[] = {
    {"detach", 0, 0, G_OPTION_ARG_NONE, &option_detach, "Do not wait for the end", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "Every event as one JSON object a line", NULL},
    {NULL},
};

static CliExit
run_abort (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = cli_find_job (context, arguments[0], &error);
  GodwitClient *client = cli_context_get_client (context, NULL);
  CliWatch watch = {.json = option_json};
  CliExit code;

  if (job == NULL)
    return cli_fail (error);
  watch.after = cli_get_last_serial (client, job->id);
  if (!godwit_client_abort (client, job->id, &error))
    return cli_fail (error);
  if (option_detach)
    return CLI_DONE;
  code = cli_watch_job (context, job->id, &watch);
  /* Interrupted and rolled back is what was asked for. */
  return code == CLI_INTERRUPTED ? CLI_DONE : code;
}

static CliExit
run_confirm (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = cli_find_job (context, arguments[0], &error);
  GodwitClient *client = cli_context_get_client (context, NULL);
  CliWatch watch = {.json = option_json};

  if (job == NULL)
    return cli_fail (error);
  watch.after = cli_get_last_serial (client, job->id);
  if (!godwit_client_confirm (client, job->id, &error))
    return cli_fail (error);
  return option_detach ? CLI_DONE : cli_watch_job (context, job->id, &watch);
}

const CliCommand cli_command_abort = {
    .name = "abort",
    .arguments = "JOB",
    .summary = "End a job that has not committed, and undo what it did",
    .details = "After the commit the guest belongs to the destination and abort is refused.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_abort,
};

const CliCommand cli_command_confirm = {
    .name = "confirm",
    .arguments = "JOB",
    .summary = "Accept a move: remove the copy that was parked at the source",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_confirm,
};
