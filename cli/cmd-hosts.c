/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "json.h"
#include "output.h"
#include "pairing.h"
#include "survey.h"

#include "host/host-private.h"

static gboolean option_json;
static gboolean option_one_way;

static const GOptionEntry options[] = {
    {"one-way", 0, 0, G_OPTION_ARG_NONE, &option_one_way, "pair: only from A to B", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "One JSON object a line", NULL},
    {NULL},
};

static char *
describe_pairs (const CliSurvey *survey, const CliFoundHost *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < survey->hosts->len; i++) {
    const CliFoundHost *other = survey->hosts->pdata[i];

    if (cli_found_host_is_paired (self, other))
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                              godwit_host_get_name (other->host));
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
add_row (CliTable *table, const CliSurvey *survey, const CliFoundHost *self)
{
  g_autofree char *memory =
      self->facts != NULL ? cli_format_bytes (self->facts->memory_free) : NULL;
  g_autofree char *space = self->has_space ? cli_format_bytes (self->free_space) : NULL;
  g_autofree char *pairs = describe_pairs (survey, self);
  g_autofree char *message = self->error != NULL ? godwit_error_dup_message (self->error) : NULL;
  const char *cells[] = {cli_found_host_get_name (self),
                         self->host != NULL ? "yes" : "no",
                         self->host != NULL ? godwit_host_get_agent_version (self->host) : NULL,
                         self->facts != NULL ? self->facts->version : NULL,
                         memory,
                         space,
                         message != NULL ? message : pairs};

  cli_table_add (table, cells);
  if (self->error != NULL)
    cli_table_add_note (table, "next", godwit_error_get_remedy (self->error));
}

static void
print_json (const CliSurvey *survey, const CliFoundHost *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *message = self->error != NULL ? godwit_error_dup_message (self->error) : NULL;

  json_builder_begin_object (builder);
  cli_json_add_string (builder, "kind", "host");
  cli_json_add_string (builder, "name", cli_found_host_get_name (self));
  cli_json_add_boolean (builder, "reachable", self->host != NULL);
  cli_json_add_string (builder, "error", message);
  cli_json_add_string (builder, "remedy",
                       self->error != NULL ? godwit_error_get_remedy (self->error) : NULL);
  if (self->host != NULL) {
    cli_json_add_string (builder, "agent", godwit_host_get_agent_version (self->host));
    cli_json_add_string (builder, "hostname", godwit_host_get_hostname (self->host));
    cli_json_add_string (builder, "machine-id", godwit_host_get_machine_id (self->host));
    cli_json_add_int (builder, "clock-offset-us", godwit_host_get_clock_offset_us (self->host));
  }
  if (self->facts != NULL) {
    cli_json_add_string (builder, "hypervisor", self->facts->version);
    cli_json_add_int (builder, "memory-free", self->facts->memory_free);
    cli_json_add_int (builder, "memory-total", self->facts->memory_total);
  }
  if (self->has_space)
    cli_json_add_int (builder, "space-free", self->free_space);
  json_builder_set_member_name (builder, "paired-to");
  json_builder_begin_array (builder);
  for (guint i = 0; i < survey->hosts->len; i++) {
    const CliFoundHost *other = survey->hosts->pdata[i];

    if (cli_found_host_is_paired (self, other))
      json_builder_add_string_value (builder, cli_found_host_get_name (other));
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_json_print (builder);
}

static void
print_clock (GodwitHost *host)
{
  gint64 offset = godwit_host_get_clock_offset_us (host);
  g_autofree char *size = cli_format_duration (ABS (offset));
  g_autofree char *text =
      g_strdup_printf ("%s %s this machine's", size, offset < 0 ? "behind" : "ahead of");

  cli_print_field (stdout, "clock", text);
}

static void
print_facts (const GodwitHostFacts *facts)
{
  g_autofree char *available = cli_format_bytes (facts->memory_free);
  g_autofree char *total = cli_format_bytes (facts->memory_total);
  g_autofree char *memory = g_strdup_printf ("%s free of %s", available, total);
  g_autofree char *user = g_strdup_printf ("uid %u, gid %u", facts->guest_uid, facts->guest_gid);

  cli_print_field (stdout, "hypervisor", facts->version);
  cli_print_field (stdout, "memory", memory);
  cli_print_field (stdout, "guests run as", user);
  cli_print_field (stdout, "confined by", facts->security);
}

static void
print_guests (GodwitHypervisor *hypervisor)
{
  g_auto (GStrv) guests = godwit_hypervisor_list_guests (hypervisor, NULL, NULL);
  g_autofree char *list = guests != NULL ? g_strjoinv (", ", guests) : NULL;

  cli_print_field (stdout, "guests", list != NULL && *list != '\0' ? list : "none");
}

static void
print_details (const CliSurvey *survey, const CliFoundHost *self)
{
  g_autofree char *pairs = describe_pairs (survey, self);

  cli_print_field (stdout, "host", cli_found_host_get_name (self));
  cli_print_field (stdout, "reachable", self->host != NULL ? "yes" : "no");
  if (self->host == NULL)
    return;
  cli_print_field (stdout, "hostname", godwit_host_get_hostname (self->host));
  cli_print_field (stdout, "agent", godwit_host_get_agent_version (self->host));
  cli_print_field (stdout, "banner", godwit_host_get_banner (self->host));
  print_clock (self->host);
  if (self->facts != NULL)
    print_facts (self->facts);
  if (self->has_space) {
    g_autofree char *space = cli_format_bytes (self->free_space);
    g_autofree char *text = g_strdup_printf ("%s free in %s", space, self->directory);

    cli_print_field (stdout, "images", text);
  }
  print_guests (self->hypervisor);
  cli_print_field (stdout, "paired to", *pairs != '\0' ? pairs : NULL);
}

static CliExit
print_list (const CliSurvey *survey)
{
  static const char *const headings[] = {"host",        "reachable",  "agent",     "hypervisor",
                                         "free memory", "free space", "paired to", NULL};
  g_autoptr (CliTable) table = cli_table_new (headings);
  CliExit code = CLI_DONE;

  for (guint i = 0; i < survey->hosts->len; i++) {
    const CliFoundHost *found = survey->hosts->pdata[i];

    if (found->error != NULL)
      code = CLI_FAILED;
    if (option_json)
      print_json (survey, found);
    else
      add_row (table, survey, found);
  }
  if (!option_json)
    cli_table_print (table, stdout);
  return code;
}

static CliExit
run_survey (CliContext *context, const char *only)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CliSurvey) survey = cli_survey_run (context, only, &error);
  const CliFoundHost *found;

  if (survey == NULL)
    return cli_fail (error);
  if (only == NULL || option_json)
    return print_list (survey);

  found = survey->hosts->pdata[0];
  if (found->host == NULL)
    return cli_fail (found->error);
  print_details (survey, found);
  return found->error != NULL ? cli_fail (found->error) : CLI_DONE;
}

static CliExit
run (CliContext *context, char **arguments)
{
  guint count = g_strv_length (arguments);
  g_autoptr (GError) error = NULL;

  if (count == 3 && g_str_equal (arguments[0], "pair"))
    return cli_pair_hosts (context, arguments[1], arguments[2], !option_one_way);
  if (count <= 1 && g_strcmp0 (arguments[0], "pair") != 0)
    return run_survey (context, arguments[0]);
  godwit_set_error (&error, GODWIT_ERROR_CONFIG,
                    "godwit hosts, godwit hosts NAME or godwit hosts "
                    "pair A B",
                    "hosts: these arguments make no sense together");
  return cli_fail (error);
}

const CliCommand cli_command_hosts = {
    .name = "hosts",
    .arguments = "[NAME | pair A B]",
    .summary = "Reach the known hosts and describe them; let two hosts trust each other",
    .details = "pair gives A a key of its own that may do nothing at B but carry godwit's data, "
               "and B one\n"
               "for A. Without a pair all data passes through this machine.",
    .options = options,
    .max_arguments = 3,
    .run = run,
};
