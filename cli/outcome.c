/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include "jobs.h"
#include "json.h"
#include "output.h"

gint64
cli_get_downtime (GodwitClient *client, const char *job)
{
  g_autoptr (GPtrArray) events =
      godwit_journal_get_events (godwit_client_get_journal (client), job, 0, NULL);

  for (guint i = events != NULL ? events->len : 0; i > 0; i--) {
    const GodwitEvent *event = events->pdata[i - 1];
    g_autoptr (GVariant) value = NULL;

    if (event->kind == GODWIT_EVENT_RESULT && event->data != NULL)
      value = g_variant_lookup_value (event->data, "downtime-us", NULL);
    if (value == NULL)
      continue;
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
      return g_variant_get_int64 (value);
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
      return MIN (g_variant_get_uint64 (value), G_MAXINT64);
  }
  return -1;
}

static void
print_moved (GodwitClient *client, const GodwitJobRecord *job)
{
  gboolean revert = g_strcmp0 (job->kind, "revert") == 0;
  gint64 downtime_us = cli_get_downtime (client, job->id);
  g_autofree char *downtime = downtime_us >= 0 ? cli_format_duration (downtime_us) : NULL;
  g_autofree char *duration = cli_format_duration (job->ended_us - job->created_us);
  g_autofree char *bytes = cli_format_bytes (job->bytes);

  g_print ("%s %s from %s to %s: %s, %s", job->guest, revert ? "went back" : "moved",
           revert ? job->destination : job->source, revert ? job->source : job->destination,
           job->strategy, duration);
  if (downtime != NULL)
    g_print (", downtime %s", downtime);
  g_print (", %s carried\n", bytes);
}

static void
print_next (const GodwitJobRecord *job, gboolean stranded, FILE *stream)
{
  g_autofree char *next = cli_job_get_next (job, stranded);

  if (next != NULL)
    fprintf (stream, "  next: %s\n", next);
}

static CliExit
print_job (GodwitClient *client, const GodwitJobRecord *job)
{
  int code = godwit_job_record_get_exit_code (job);
  gboolean stranded = !godwit_job_state_is_terminal (job->state);
  g_autofree char *owner = NULL;
  g_autofree char *remedy = NULL;

  fflush (stdout);
  if (job->error != NULL) {
    g_autofree char *message = cli_split_error (job->error_code, job->error, &remedy);

    cli_print_error (job->error_code, job->error);
  }
  if (stranded && job->state != GODWIT_JOB_IN_DOUBT)
    cli_note ("job %s stands still in state %s: its worker has ended", job->id,
              godwit_job_state_to_string (job->state));
  owner = cli_job_describe_owner (job);
  if (job->state == GODWIT_JOB_DONE)
    print_moved (client, job);
  else
    g_printerr ("  %s\n", owner);
  if (job->debts > 0)
    cli_note ("%u clean-ups are owed", job->debts);
  if (remedy == NULL)
    print_next (job, stranded, job->state == GODWIT_JOB_DONE ? stdout : stderr);
  fflush (stdout);
  return code >= 0 ? code : CLI_NEEDS_RECOVER;
}

CliExit
cli_print_outcome (GodwitClient *client, const char *job, gboolean json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) record =
      godwit_journal_get_job (godwit_client_get_journal (client), job, &error);
  int code;

  if (record == NULL)
    return cli_fail (error);
  if (!json)
    return print_job (client, record);
  cli_json_print_job (record, cli_get_downtime (client, job));
  code = godwit_job_record_get_exit_code (record);
  return code >= 0 ? code : CLI_NEEDS_RECOVER;
}
