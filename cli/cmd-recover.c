/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"
#include "take-over.h"
#include "watching.h"

static gboolean option_source_off;
static gboolean option_destination_off;
static gboolean option_json;
static char *option_from;
static char *option_source;
static char *option_destination;

static const GOptionEntry options[] = {
    {"source-is-off", 0, 0, G_OPTION_ARG_NONE, &option_source_off,
     "You have seen to it that the source is off, and so runs no guest", NULL},
    {"destination-is-off", 0, 0, G_OPTION_ARG_NONE, &option_destination_off,
     "You have seen to it that the destination is off", NULL},
    {"take-over-from", 0, 0, G_OPTION_ARG_STRING, &option_from,
     "The job's controller is lost: go on here, from the record that HOST has", "HOST"},
    {"source", 0, 0, G_OPTION_ARG_STRING, &option_source,
     "With --take-over-from: what the job's source is called here", "HOST"},
    {"destination", 0, 0, G_OPTION_ARG_STRING, &option_destination,
     "With --take-over-from: what the job's destination is called here", "HOST"},
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

static gboolean
owes (CliContext *context, const char *job)
{
  GodwitClient *client = cli_context_get_client (context, NULL);
  g_autoptr (GodwitJobRecord) record =
      godwit_journal_get_job (godwit_client_get_journal (client), job, NULL);

  return record == NULL || record->debts > 0;
}

/* A job that ended rolled back is recovered as well as one that went forward, also if its guest is
 * down since: only what still waits makes the command fail. */
static CliExit
judge (CliContext *context, const char *job, CliExit code)
{
  if (code == CLI_CLEANUP_OWED && !owes (context, job))
    return CLI_DONE;
  return code == CLI_NEEDS_RECOVER || code == CLI_CLEANUP_OWED || code == CLI_GOES_ON ||
                 code == CLI_USAGE
             ? code
             : CLI_DONE;
}

static CliExit
recover_each (CliContext *context, const GPtrArray *jobs)
{
  CliExit worst = CLI_DONE;

  for (guint i = 0; i < jobs->len; i++) {
    const GodwitJobRecord *job = jobs->pdata[i];
    CliExit code = judge (context, job->id, recover_one (context, job->id));

    worst = MAX (worst, code);
  }
  return worst;
}

static CliExit
recover_all (CliContext *context)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) stranded = NULL;
  g_autoptr (GPtrArray) owing = NULL;
  GodwitClient *client = cli_context_get_client (context, &error);
  CliExit worst;

  stranded = client != NULL ? godwit_client_list_stranded (client, &error) : NULL;
  owing = stranded != NULL ? godwit_client_list_owing (client, &error) : NULL;
  if (owing == NULL)
    return cli_fail (error);
  if (stranded->len + owing->len == 0 && !option_json)
    g_print ("nothing to recover\n");
  /* What a job owes may lie where another one still has to end. */
  worst = recover_each (context, stranded);
  return MAX (worst, recover_each (context, owing));
}

static gboolean
check_options (gboolean has_job, GError **error)
{
  gboolean off = option_source_off || option_destination_off;

  if (!has_job && (off || option_from != NULL))
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "godwit jobs lists them",
                      "this is said of one job: name it");
  else if (option_source_off && option_destination_off)
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "turn one of them on again, then recover",
                      "with both hosts off there is nobody who could have the guest");
  else if ((option_source != NULL || option_destination != NULL) && option_from == NULL)
    godwit_set_error (error, GODWIT_ERROR_CONFIG, NULL,
                      "--source and --destination go with --take-over-from only");
  else
    return TRUE;
  return FALSE;
}

static gboolean
state_off (CliContext *context, const char *job, GError **error)
{
  GodwitClient *client = cli_context_get_client (context, error);

  if (!option_source_off && !option_destination_off)
    return TRUE;
  return godwit_client_state_off (client, job, option_source_off, error);
}

static CliExit
run (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = NULL;

  if (!check_options (arguments[0] != NULL, &error))
    return cli_fail (error);
  if (arguments[0] == NULL) {
    CliExit code = recover_all (context);

    cli_mention_others (context);
    return code;
  }
  if (option_from != NULL) {
    const CliTakeOver take_over = {.job = arguments[0],
                                   .from = option_from,
                                   .source = option_source,
                                   .destination = option_destination};

    if (!cli_take_over (context, &take_over, &error))
      return cli_fail (error);
  }
  job = cli_find_job (context, arguments[0], NULL, &error);
  if (job == NULL || !state_off (context, job->id, &error))
    return cli_fail (error);
  return judge (context, job->id, recover_one (context, job->id));
}

const CliCommand cli_command_recover = {
    .name = "recover",
    .arguments = "[JOB]",
    .summary = "Finish or undo a job whose worker died; say who owns the guest",
    .details =
        "Without JOB: all that wait or owe clean-up. Running it twice changes nothing.\n"
        "Where a host cannot be asked and the guest may be on it, nothing is decided until it\n"
        "answers, or until you say that it is off. Say it only of a host that you have turned "
        "off:\n"
        "a guest that runs on it all the same would run twice.",
    .options = options,
    .max_arguments = 1,
    .flags = CLI_COMMAND_SILENT,
    .run = run,
};
