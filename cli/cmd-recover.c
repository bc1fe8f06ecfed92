/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"
#include "watching.h"

static gboolean option_json;

static const GOptionEntry options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "Every event as one JSON object a line", NULL},
    {NULL},
};

static CliExit
recover_one (CliContext *context, const char *job)
{
  g_autoptr (GError) error = NULL;
  GodwitClient *client = cli_context_get_client (context, NULL);
  CliWatch watch = {.json = option_json};

  watch.after = cli_get_last_serial (client, job);
  if (!godwit_client_recover (client, job, &error))
    return cli_fail (error);
  return cli_watch_job (context, job, &watch);
}

/* A job that ended rolled back is recovered as well as one that went forward: only what still
 * waits makes the command fail. */
static CliExit
judge (CliExit code)
{
  return code == CLI_NEEDS_RECOVER || code == CLI_CLEANUP_OWED || code == CLI_GOES_ON ||
                 code == CLI_USAGE
             ? code
             : CLI_DONE;
}

static CliExit
recover_all (CliContext *context)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) stranded = NULL;
  GodwitClient *client = cli_context_get_client (context, &error);
  CliExit worst = CLI_DONE;

  stranded = client != NULL ? godwit_client_list_stranded (client, &error) : NULL;
  if (stranded == NULL)
    return cli_fail (error);
  if (stranded->len == 0 && !option_json)
    g_print ("nothing to recover\n");
  for (guint i = 0; i < stranded->len; i++) {
    const GodwitJobRecord *job = stranded->pdata[i];
    CliExit code = judge (recover_one (context, job->id));

    worst = MAX (worst, code);
  }
  return worst;
}

static CliExit
run (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = NULL;

  if (arguments[0] == NULL)
    return recover_all (context);
  job = cli_find_job (context, arguments[0], NULL, &error);
  return job != NULL ? judge (recover_one (context, job->id)) : cli_fail (error);
}

const CliCommand cli_command_recover = {
    .name = "recover",
    .arguments = "[JOB]",
    .summary = "Finish or undo a job whose worker died; say who owns the guest",
    .details = "Without JOB: all that wait. Running it twice changes nothing.",
    .options = options,
    .max_arguments = 1,
    .flags = CLI_COMMAND_SILENT,
    .run = run,
};
