/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "json.h"
#include "outcome.h"
#include "output.h"

static gboolean option_ids;
static gboolean option_json;
static int option_count = 20;

static const GOptionEntry jobs_options[] = {
    {"count", 'n', 0, G_OPTION_ARG_INT, &option_count, "How many of the newest; 0 is all (20)",
     "NUMBER"},
    {"ids", 0, 0, G_OPTION_ARG_NONE, &option_ids, "Only the ids, one a line", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "One JSON object a line", NULL},
    {NULL},
};

static const GOptionEntry show_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "One JSON object", NULL},
    {NULL},
};

/* What of a job an operator must not overlook in a list. */
static char *
describe_state (const GodwitJobRecord *job)
{
  const char *state = godwit_job_state_to_string (job->state);

  if (job->debts > 0)
    return g_strdup_printf ("%s, clean-up owed", state);
  if (godwit_job_record_can_confirm (job))
    return g_strdup_printf ("%s, unconfirmed", state);
  return g_strdup (state);
}

static void
add_job (CliTable *table, const GodwitJobRecord *job)
{
  g_autofree char *state = describe_state (job);
  g_autofree char *created = cli_format_time (job->created_us);
  g_autofree char *remedy = NULL;
  g_autofree char *message =
      job->error != NULL ? cli_split_error (job->error_code, job->error, &remedy) : NULL;
  const char *cells[] = {job->id,
                         job->guest,
                         job->source != NULL ? job->source : "here",
                         job->destination,
                         job->strategy,
                         created,
                         state,
                         message};

  cli_table_add (table, cells);
}

static CliExit
run_jobs (CliContext *context, char **arguments)
{
  static const char *const headings[] = {"job",     "guest", "from",  "to", "strategy",
                                         "started", "state", "error", NULL};
  g_autoptr (GError) error = NULL;
  g_autoptr (CliTable) table = cli_table_new (headings);
  g_autoptr (GPtrArray) jobs = NULL;
  GodwitClient *client = cli_context_get_client (context, &error);
  guint count;

  jobs =
      client != NULL ? godwit_journal_list_jobs (godwit_client_get_journal (client), &error) : NULL;
  if (jobs == NULL)
    return cli_fail (error);
  count = option_count > 0 ? MIN (jobs->len, (guint)option_count) : jobs->len;
  for (guint i = 0; i < count; i++) {
    if (option_ids)
      g_print ("%s\n", ((GodwitJobRecord *)jobs->pdata[i])->id);
    else if (option_json)
      cli_json_print_job (jobs->pdata[i], -1);
    else
      add_job (table, jobs->pdata[i]);
  }
  if (option_ids || option_json)
    return CLI_DONE;
  if (count == 0)
    g_print ("no jobs yet\n");
  else
    cli_table_print (table, stdout);
  if (count < jobs->len)
    g_print ("%u older ones: godwit jobs -n 0\n", jobs->len - count);
  return CLI_DONE;
}

static void
print_times (const GodwitJobRecord *job)
{
  g_autofree char *created = cli_format_time (job->created_us);
  g_autofree char *ended = job->ended_us > 0 ? cli_format_time (job->ended_us) : NULL;
  g_autofree char *took =
      job->ended_us > 0 ? cli_format_duration (job->ended_us - job->created_us) : NULL;

  cli_print_field (stdout, "started", created);
  cli_print_field (stdout, "started by", job->started_by);
  cli_print_field (stdout, "aborted by", job->aborted_by);
  cli_print_field (stdout, "ended", ended);
  cli_print_field (stdout, "took", took);
}

static void
print_error (const GodwitJobRecord *job)
{
  g_autofree char *remedy = NULL;
  g_autofree char *message = NULL;

  if (job->error == NULL)
    return;
  message = cli_split_error (job->error_code, job->error, &remedy);
  cli_print_field (stdout, "error", message);
  cli_print_field (stdout, "failed in", job->failed_step);
  cli_print_field (stdout, "remedy", remedy);
}

static void
print_details (GodwitClient *client, const GodwitJobRecord *job)
{
  gint64 downtime_us = cli_get_downtime (client, job->id);
  g_autofree char *downtime = downtime_us >= 0 ? cli_format_duration (downtime_us) : NULL;
  g_autofree char *bytes = cli_format_bytes (job->bytes);
  g_autofree char *state = describe_state (job);
  g_autofree char *owner = cli_job_describe_owner (job);
  g_autofree char *next = cli_job_get_next (job, cli_is_stranded (client, job->id));
  g_autofree char *debts = job->debts > 0 ? g_strdup_printf ("%u", job->debts) : NULL;

  cli_print_field (stdout, "job", job->id);
  cli_print_field (stdout, "operation", job->kind);
  cli_print_field (stdout, "of job", job->of_job);
  cli_print_field (stdout, "guest", job->guest);
  cli_print_field (stdout, "uuid", job->uuid);
  cli_print_field (stdout, "from", job->source != NULL ? job->source : "this machine");
  cli_print_field (stdout, "to", job->destination);
  cli_print_field (stdout, "strategy", job->strategy);
  cli_print_field (stdout, "why", job->why);
  cli_print_field (stdout, "state", state);
  cli_print_field (stdout, "owner", owner);
  print_times (job);
  cli_print_field (stdout, "downtime", downtime);
  cli_print_field (stdout, "carried", bytes);
  cli_print_field (stdout, "debts", debts);
  print_error (job);
  cli_print_field (stdout, "next", next);
}

static CliExit
run_show (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) job = cli_find_job (context, arguments[0], NULL, &error);
  GodwitClient *client;

  if (job == NULL)
    return cli_fail (error);
  client = cli_context_get_client (context, NULL);
  if (option_json)
    cli_json_print_job (job, cli_get_downtime (client, job->id));
  else
    print_details (client, job);
  return CLI_DONE;
}

const CliCommand cli_command_jobs = {
    .name = "jobs",
    .arguments = "",
    .summary = "List jobs, the newest first",
    .options = jobs_options,
    .run = run_jobs,
};

const CliCommand cli_command_show = {
    .name = "show",
    .arguments = "JOB",
    .summary = "What became of a job, and what can be done with it now",
    .options = show_options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run_show,
};
