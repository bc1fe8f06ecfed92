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

static gboolean
is_under_way (const GodwitJobRecord *job)
{
  return !godwit_job_state_is_terminal (job->state);
}

/* @unknown: why it is no job of the caller's own */
static CliExit
abort_of_root (const char *id, const GError *unknown)
{
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;

  if (godwit_client_abort_of_root (id, &found, &error)) {
    cli_note ("job %s was asked to end; its log says how it does", id);
    return CLI_DONE;
  }
  return cli_fail (found ? error : unknown);
}

static CliExit
run_abort (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = cli_find_job (context, arguments[0], is_under_way, &error);
  GodwitClient *client = cli_context_get_client (context, NULL);
  CliWatch watch = {.json = option_json};
  CliExit code;

  if (job == NULL)
    return abort_of_root (arguments[0], error);
  watch.after = cli_get_last_serial (client, job->id);
  if (!godwit_client_abort (client, job->id, &error))
    return cli_fail (error);
  if (option_detach)
    return CLI_DONE;
  code = cli_watch_job (context, job->id, &watch);
  /* Interrupted and rolled back is what was asked for. */
  return code == CLI_INTERRUPTED ? CLI_DONE : code;
}

/* Who accepts that a guest was carried back needs its older copy there no more. */
static CliExit
confirm_original (CliContext *context, const char *id)
{
  g_autoptr (GError) error = NULL;
  GodwitClient *client = cli_context_get_client (context, NULL);
  g_autoptr (GodwitJobRecord) original =
      godwit_journal_get_job (godwit_client_get_journal (client), id, &error);
  CliWatch watch = {.json = option_json};

  if (original == NULL)
    return cli_fail (error);
  if (!godwit_job_record_can_confirm (original))
    return CLI_DONE;
  watch.after = cli_get_last_serial (client, id);
  if (!godwit_client_confirm (client, id, &error))
    return cli_fail (error);
  return option_detach ? CLI_DONE : cli_watch_job (context, id, &watch);
}

static CliExit
run_confirm (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job =
      cli_find_job (context, arguments[0], godwit_job_record_can_confirm, &error);
  GodwitClient *client = cli_context_get_client (context, NULL);
  CliWatch watch = {.json = option_json};

  if (job == NULL)
    return cli_fail (error);
  watch.after = cli_get_last_serial (client, job->id);
  if (!godwit_client_confirm (client, job->id, &error))
    return cli_fail (error);
  CliExit code = option_detach ? CLI_DONE : cli_watch_job (context, job->id, &watch);
  return code == CLI_DONE && job->of_job != NULL ? confirm_original (context, job->of_job) : code;
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
