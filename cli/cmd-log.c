/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "jobs.h"
#include "output.h"

static gboolean option_json;

static const GOptionEntry options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "One JSON object a line", NULL},
    {NULL},
};

/* Milliseconds matter here: the log is where a downtime is explained. */
static char *
format_time (gint64 us)
{
  g_autofree char *seconds = cli_format_time (us);

  return g_strdup_printf ("%s.%03d", seconds, (int)(us % G_USEC_PER_SEC / 1000));
}

static void
print_event (const GodwitEvent *event)
{
  g_autofree char *time = format_time (event->time_us);
  g_autofree char *message = NULL;

  message = event->message != NULL ? g_strdup (event->message) : g_strdup ("");
  /* One event, one line: that is what grep works on. */
  g_strdelimit (message, "\n", ' ');
  printf ("%s %-7s %-8s %s%s%s%s%s\n", time, godwit_severity_to_string (event->severity),
          godwit_event_kind_to_string (event->kind),
          event->host != NULL && *event->host != '\0' ? event->host : "-",
          event->what != NULL ? " " : "", event->what != NULL ? event->what : "",
          *message != '\0' ? ": " : "", message);
}

static void
print_heading (const GodwitJobRecord *job)
{
  g_autofree char *time = format_time (job->created_us);

  printf ("%s %-7s %-8s - job %s: %s %s from %s to %s, started by %s\n", time, "info", "job",
          job->id, job->kind, job->guest, job->source != NULL ? job->source : "this machine",
          job->destination, job->started_by != NULL ? job->started_by : "unknown");
}

static void
print_end (const GodwitJobRecord *job)
{
  g_autofree char *time = NULL;

  if (job->ended_us == 0)
    return;
  time = format_time (job->ended_us);
  printf ("%s %-7s %-8s - job %s: %s%s%s\n", time, "info", "job", job->id,
          godwit_job_state_to_string (job->state), job->aborted_by != NULL ? ", aborted by " : "",
          job->aborted_by != NULL ? job->aborted_by : "");
}

static CliExit
run (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GodwitJobRecord) job = cli_find_job (context, arguments[0], NULL, &error);
  GodwitClient *client = cli_context_get_client (context, NULL);

  if (job == NULL)
    return cli_fail (error);
  events = godwit_journal_get_events (godwit_client_get_journal (client), job->id, 0, &error);
  if (events == NULL)
    return cli_fail (error);
  if (!option_json)
    print_heading (job);
  for (guint i = 0; i < events->len; i++) {
    if (option_json) {
      g_autofree char *line = godwit_event_to_json (events->pdata[i], job->id);

      puts (line);
    } else {
      print_event (events->pdata[i]);
    }
  }
  if (!option_json)
    print_end (job);
  return CLI_DONE;
}

const CliCommand cli_command_log = {
    .name = "log",
    .arguments = "JOB",
    .summary = "Every step, decision and error of a job, with time and host",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
