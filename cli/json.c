/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <stdio.h>

void
cli_json_print (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, FALSE);

  puts (text);
  /* Whoever reads a pipe wants the line now. */
  fflush (stdout);
}

void
cli_json_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL) {
    /* JSON is UTF-8; names and messages may hold anything. */
    g_autofree char *valid = g_utf8_make_valid (value, -1);

    json_builder_add_string_value (builder, valid);
  } else {
    json_builder_add_null_value (builder);
  }
}

void
cli_json_add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
cli_json_add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

/* The way events write their time; null for "not yet". */
void
cli_json_add_time (JsonBuilder *builder, const char *name, gint64 us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (us / G_USEC_PER_SEC);
  g_autofree char *seconds =
      us > 0 && time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S") : NULL;
  g_autofree char *text =
      seconds != NULL ? g_strdup_printf ("%s.%06dZ", seconds, (int)(us % G_USEC_PER_SEC)) : NULL;

  cli_json_add_string (builder, name, text);
}

static void
add_options (JsonBuilder *builder, GVariant *options)
{
  GVariantIter iter;
  const char *name;
  const char *value;

  json_builder_set_member_name (builder, "options");
  json_builder_begin_object (builder);
  if (options != NULL) {
    g_variant_iter_init (&iter, options);
    while (g_variant_iter_next (&iter, "{&s&s}", &name, &value))
      cli_json_add_string (builder, name, value);
  }
  json_builder_end_object (builder);
}

static void
add_job (JsonBuilder *builder, const GodwitJobRecord *job)
{
  cli_json_add_string (builder, "job", job->id);
  cli_json_add_string (builder, "operation", job->kind);
  cli_json_add_string (builder, "of-job", job->of_job);
  cli_json_add_string (builder, "guest", job->guest);
  cli_json_add_string (builder, "uuid", job->uuid);
  cli_json_add_string (builder, "source", job->source);
  cli_json_add_string (builder, "destination", job->destination);
  cli_json_add_string (builder, "strategy", job->strategy);
  cli_json_add_string (builder, "why", job->why);
  cli_json_add_string (builder, "state", godwit_job_state_to_string (job->state));
  cli_json_add_boolean (builder, "committed", job->committed);
  cli_json_add_boolean (builder, "awaiting-confirm", job->awaiting_confirm);
  cli_json_add_boolean (builder, "confirmed", job->confirmed);
  cli_json_add_time (builder, "created", job->created_us);
  cli_json_add_time (builder, "ended", job->ended_us);
  cli_json_add_string (builder, "started-by", job->started_by);
  cli_json_add_string (builder, "aborted-by", job->aborted_by);
  cli_json_add_string (builder, "error", job->error);
  cli_json_add_string (builder, "failed-step", job->failed_step);
  cli_json_add_int (builder, "debts", job->debts);
  cli_json_add_int (builder, "bytes", job->bytes);
  cli_json_add_int (builder, "exit-code", godwit_job_record_get_exit_code (job));
  add_options (builder, job->options);
}

void
cli_json_print_job (const GodwitJobRecord *job, gint64 downtime_us)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_add_string (builder, "kind", "job");
  add_job (builder, job);
  if (downtime_us >= 0)
    cli_json_add_int (builder, "downtime-us", downtime_us);
  json_builder_end_object (builder);
  cli_json_print (builder);
}
