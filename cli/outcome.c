/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include "jobs.h"
#include "json.h"
#include "output.h"

GVariant *
cli_get_result (GodwitClient *client, const char *job)
{
  g_autoptr (GPtrArray) events =
      godwit_journal_get_events (godwit_client_get_journal (client), job, 0, NULL);

  for (guint i = events != NULL ? events->len : 0; i > 0; i--) {
    const GodwitEvent *event = events->pdata[i - 1];

    if (event->kind == GODWIT_EVENT_RESULT && event->data != NULL)
      return g_variant_ref (event->data);
  }
  return NULL;
}

char *
cli_result_get_downtime (GVariant *result)
{
  g_autoptr (GVariant) value =
      result != NULL ? g_variant_lookup_value (result, "downtime-us", NULL) : NULL;

  if (value == NULL)
    return NULL;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    return cli_format_duration (MAX (0, g_variant_get_int64 (value)));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return cli_format_duration (g_variant_get_uint64 (value));
  return NULL;
}

static void
print_moved (GodwitClient *client, const GodwitJobRecord *job)
{
  gboolean revert = g_strcmp0 (job->kind, "revert") == 0;
  g_autoptr (GVariant) result = cli_get_result (client, job->id);
  g_autofree char *downtime = cli_result_get_downtime (result);
  g_autofree char *duration = cli_format_duration (job->ended_us - job->created_us);
  g_autofree char *bytes = cli_format_bytes (job->bytes);

  g_print ("%s %s from %s to %s: %s, %s", job->guest, revert ? "went back" : "moved", job->source,
           job->destination, job->strategy, duration);
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
  if (stranded)
    cli_note ("job %s stands still in state %s: its worker has ended", job->id,
              godwit_job_state_to_string (job->state));
  owner = cli_job_describe_owner (job);
  if (job->state == GODWIT_JOB_DONE)
    print_moved (client, job);
  else
    g_printerr ("  %s\n", owner);
  if (job->debts > 0)
    cli_note ("%u clean-ups are owed", job->debts);
  if (remedy == NULL || job->state == GODWIT_JOB_DONE)
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
  cli_json_print_job (record);
  code = godwit_job_record_get_exit_code (record);
  return code >= 0 ? code : CLI_NEEDS_RECOVER;
}
