/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "background.h"
#include "json.h"
#include "output.h"
#include "pairing.h"

#include "host/host-private.h"
#include "plan/machines.h"

/* Connecting is mostly waiting for the other end. */
#define AT_ONCE 8

static gboolean option_json;
static gboolean option_one_way;

static const GOptionEntry options[] = {
    {"one-way", 0, 0, G_OPTION_ARG_NONE, &option_one_way, "pair: only from A to B", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "One JSON object a line", NULL},
    {NULL},
};

/* What was found out about one host. */
typedef struct {
  char *name; /* NULL: this machine */
  GodwitHost *host;
  GodwitHypervisor *hypervisor;
  GodwitHostFacts *facts;
  char *directory; /* where its guests' images are */
  guint64 free_space;
  gboolean has_space;
  GError *error;
} Found;

typedef struct {
  GodwitMachines *machines;
  GPtrArray *hosts; /* Found */
  GCancellable *cancellable;
} Survey;

static void
found_free (Found *self)
{
  g_clear_pointer (&self->facts, godwit_host_facts_free);
  g_clear_object (&self->hypervisor);
  g_clear_object (&self->host);
  g_clear_error (&self->error);
  g_free (self->directory);
  g_free (self->name);
  g_free (self);
}

static void
look_at (gpointer item, gpointer data)
{
  Found *self = item;
  Survey *survey = data;
  guint64 filesystem;

  if (!godwit_machines_open (survey->machines, self->name, &self->host, &self->hypervisor,
                             survey->cancellable, &self->error))
    return;
  self->facts = godwit_hypervisor_get_facts (self->hypervisor, survey->cancellable, &self->error);
  self->directory = g_strdup (godwit_host_get_config (self->host, "instance-directory"));
  if (self->directory != NULL && *self->directory != '\0')
    self->has_space = godwit_host_free_space (self->host, self->directory, &self->free_space,
                                              &filesystem, survey->cancellable, NULL);
}

static gboolean
look_at_all (gpointer data, GCancellable *cancellable, GError **error)
{
  Survey *self = data;
  GThreadPool *pool = g_thread_pool_new (look_at, self, AT_ONCE, FALSE, NULL);

  self->cancellable = cancellable;
  for (guint i = 0; i < self->hosts->len; i++)
    g_thread_pool_push (pool, self->hosts->pdata[i], NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static char *
describe_pairs (const Survey *survey, const Found *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; self->host != NULL && i < survey->hosts->len; i++) {
    const Found *other = survey->hosts->pdata[i];

    if (other != self && other->host != NULL && godwit_host_are_paired (self->host, other->host))
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                              godwit_host_get_name (other->host));
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static const char *
get_name (const Found *self)
{
  if (self->name != NULL)
    return self->name;
  return self->host != NULL ? godwit_host_get_name (self->host) : "this machine";
}

static void
add_row (CliTable *table, const Survey *survey, const Found *self)
{
  g_autofree char *memory =
      self->facts != NULL ? cli_format_bytes (self->facts->memory_free) : NULL;
  g_autofree char *space = self->has_space ? cli_format_bytes (self->free_space) : NULL;
  g_autofree char *pairs = describe_pairs (survey, self);
  g_autofree char *message = self->error != NULL ? godwit_error_dup_message (self->error) : NULL;
  const char *cells[] = {get_name (self),
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
print_json (const Survey *survey, const Found *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *message = self->error != NULL ? godwit_error_dup_message (self->error) : NULL;

  json_builder_begin_object (builder);
  cli_json_add_string (builder, "kind", "host");
  cli_json_add_string (builder, "name", get_name (self));
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
  for (guint i = 0; self->host != NULL && i < survey->hosts->len; i++) {
    const Found *other = survey->hosts->pdata[i];

    if (other != self && other->host != NULL && godwit_host_are_paired (self->host, other->host))
      json_builder_add_string_value (builder, get_name (other));
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
print_details (const Survey *survey, const Found *self)
{
  g_autofree char *pairs = describe_pairs (survey, self);

  cli_print_field (stdout, "host", get_name (self));
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

static void
add_host (Survey *survey, const char *name)
{
  Found *found = g_new0 (Found, 1);

  found->name = g_strdup (name);
  g_ptr_array_add (survey->hosts, found);
}

/* Every host of the configuration, and this machine if it has no name there. */
static void
add_known (Survey *survey, GodwitConfig *config)
{
  g_auto (GStrv) names = godwit_config_list_hosts (config);
  gboolean has_this = FALSE;

  for (gsize i = 0; names[i] != NULL; i++) {
    has_this = has_this || godwit_machines_is_this (survey->machines, names[i]);
    add_host (survey, names[i]);
  }
  if (!has_this)
    add_host (survey, NULL);
}

static CliExit
print_list (const Survey *survey)
{
  static const char *const headings[] = {"host",        "reachable",  "agent",     "hypervisor",
                                         "free memory", "free space", "paired to", NULL};
  g_autoptr (CliTable) table = cli_table_new (headings);
  CliExit code = CLI_DONE;

  for (guint i = 0; i < survey->hosts->len; i++) {
    const Found *found = survey->hosts->pdata[i];

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
  g_autoptr (GodwitMachines) machines = NULL;
  g_autoptr (GPtrArray) hosts = g_ptr_array_new_with_free_func ((GDestroyNotify)found_free);
  Survey survey = {.hosts = hosts};
  const Found *found;
  GodwitConfig *config;
  GodwitRegistry *registry;

  if (!cli_context_get_checked (context, &config, &registry, &error))
    return cli_fail (error);
  survey.machines = machines = godwit_machines_new (config, registry, NULL);
  if (only != NULL)
    add_host (&survey, only);
  else
    add_known (&survey, config);
  if (!cli_run_in_background (look_at_all, NULL, &survey, NULL, &error))
    return cli_fail (error);
  if (only == NULL || option_json)
    return print_list (&survey);

  found = hosts->pdata[0];
  if (found->host == NULL)
    return cli_fail (found->error);
  print_details (&survey, found);
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
