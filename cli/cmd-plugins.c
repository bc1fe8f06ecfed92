/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "json.h"
#include "output.h"

#include "base/spelling.h"

static gboolean option_json;

static const GOptionEntry options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "One JSON object a line", NULL},
    {NULL},
};

static const struct {
  guint flag;
  const char *name;
} flag_names[] = {
    {GODWIT_PARAM_CONFIG, "config"},
    {GODWIT_PARAM_HOST, "host"},
    {GODWIT_PARAM_REQUIRED, "required"},
    {GODWIT_PARAM_SECRET, "secret"},
};

static char *
describe_flags (const GodwitPluginProperty *property)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (flag_names); i++)
    if (property->flags & flag_names[i].flag)
      g_ptr_array_add (names, (gpointer)flag_names[i].name);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **)names->pdata);
}

static char *
describe_contracts (const GodwitPluginRecord *plugin)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; plugin->provisions != NULL && i < plugin->provisions->len; i++) {
    const GodwitPluginProvision *provision = plugin->provisions->pdata[i];

    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", provision->contract);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
add_property_json (JsonBuilder *builder, const GodwitPluginProperty *property)
{
  json_builder_begin_object (builder);
  cli_json_add_string (builder, "name", property->name);
  cli_json_add_string (builder, "type", property->type);
  cli_json_add_string (builder, "range", property->range);
  cli_json_add_string (builder, "default", property->fallback);
  json_builder_set_member_name (builder, "flags");
  json_builder_begin_array (builder);
  for (gsize i = 0; i < G_N_ELEMENTS (flag_names); i++)
    if (property->flags & flag_names[i].flag)
      json_builder_add_string_value (builder, flag_names[i].name);
  json_builder_end_array (builder);
  cli_json_add_string (builder, "blurb", property->blurb);
  json_builder_end_object (builder);
}

static void
add_provisions_json (JsonBuilder *builder, GPtrArray *provisions)
{
  json_builder_set_member_name (builder, "provides");
  json_builder_begin_array (builder);
  for (guint i = 0; provisions != NULL && i < provisions->len; i++) {
    const GodwitPluginProvision *provision = provisions->pdata[i];

    json_builder_begin_object (builder);
    cli_json_add_string (builder, "contract", provision->contract);
    cli_json_add_string (builder, "name", provision->name);
    json_builder_set_member_name (builder, "properties");
    json_builder_begin_array (builder);
    for (guint j = 0; provision->properties != NULL && j < provision->properties->len; j++)
      add_property_json (builder, provision->properties->pdata[j]);
    json_builder_end_array (builder);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
print_json (const GodwitPluginRecord *plugin)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_add_string (builder, "kind", "plugin");
  cli_json_add_string (builder, "name", plugin->name);
  cli_json_add_string (builder, "path", plugin->path);
  cli_json_add_boolean (builder, "usable", plugin->usable);
  cli_json_add_string (builder, "reason", plugin->reason);
  cli_json_add_string (builder, "remedy", plugin->remedy);
  cli_json_add_string (builder, "version", plugin->version);
  cli_json_add_string (builder, "summary", plugin->summary);
  cli_json_add_string (builder, "license", plugin->license);
  cli_json_add_string (builder, "origin", plugin->origin);
  add_provisions_json (builder, plugin->provisions);
  json_builder_end_object (builder);
  cli_json_print (builder);
}

static void
print_property (const GodwitPluginProperty *property)
{
  g_autofree char *flags = describe_flags (property);

  g_print ("  %-20s %s\n", property->name, property->blurb != NULL ? property->blurb : "");
  g_print ("  %-20s %s%s%s, default %s", "", property->type, property->range != NULL ? " " : "",
           property->range != NULL ? property->range : "",
           property->fallback != NULL ? property->fallback : "none");
  g_print ("%s%s%s\n", *flags != '\0' ? " (" : "", flags, *flags != '\0' ? ")" : "");
}

/* Where the operator writes the property: the group of the configuration. */
static void
print_provision (const GodwitPluginProvision *provision)
{
  g_print ("\n[%s %s]\n", provision->contract, provision->name);
  if (provision->properties == NULL || provision->properties->len == 0)
    g_print ("  no properties\n");
  for (guint i = 0; provision->properties != NULL && i < provision->properties->len; i++)
    print_property (provision->properties->pdata[i]);
}

static void
print_details (const GodwitPluginRecord *plugin)
{
  cli_print_field (stdout, "name", plugin->name);
  cli_print_field (stdout, "summary", plugin->summary);
  cli_print_field (stdout, "version", plugin->version);
  cli_print_field (stdout, "licence", plugin->license);
  cli_print_field (stdout, "origin", plugin->origin);
  cli_print_field (stdout, "file", plugin->path != NULL ? plugin->path : "(built in)");
  cli_print_field (stdout, "state", plugin->usable ? "usable" : "refused");
  cli_print_field (stdout, "reason", plugin->reason);
  cli_print_field (stdout, "next", plugin->remedy);
  fflush (stdout);
  for (guint i = 0; plugin->provisions != NULL && i < plugin->provisions->len; i++)
    print_provision (plugin->provisions->pdata[i]);
}

static CliExit
list_plugins (GPtrArray *plugins)
{
  static const char *const headings[] = {"plugin", "contracts", "version", "state", "about", NULL};
  g_autoptr (CliTable) table = cli_table_new (headings);

  for (guint i = 0; i < plugins->len; i++) {
    const GodwitPluginRecord *plugin = plugins->pdata[i];
    g_autofree char *contracts = describe_contracts (plugin);
    const char *cells[] = {plugin->name, contracts, plugin->version,
                           plugin->usable ? "usable" : "refused",
                           plugin->usable ? plugin->summary : plugin->reason};

    if (option_json) {
      print_json (plugin);
      continue;
    }
    cli_table_add (table, cells);
    cli_table_add_note (table, "next", plugin->remedy);
  }
  if (option_json)
    return CLI_DONE;
  if (plugins->len == 0)
    g_print ("no plugins are installed\n");
  else
    cli_table_print (table, stdout);
  return CLI_DONE;
}

static CliExit
fail_unknown_plugin (GPtrArray *plugins, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *remedy = NULL;
  const char *nearest;

  for (guint i = 0; i < plugins->len; i++)
    g_ptr_array_add (names, ((GodwitPluginRecord *)plugins->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  nearest = godwit_spelling_nearest (name, (const char *const *)names->pdata);
  remedy = nearest != NULL ? g_strdup_printf ("did you mean godwit plugins %s?", nearest)
                           : g_strdup ("godwit plugins lists what is installed");
  godwit_set_error (&error, GODWIT_ERROR_CONFIG, remedy, "no plugin is called %s", name);
  return cli_fail (error);
}

static CliExit
run (CliContext *context, char **arguments)
{
  g_autoptr (GError) error = NULL;
  GodwitRegistry *registry = cli_context_get_registry (context, &error);
  const GodwitPluginRecord *plugin;
  GPtrArray *plugins;

  if (registry == NULL)
    return cli_fail (error);
  plugins = godwit_registry_discover (registry);
  if (arguments[0] == NULL)
    return list_plugins (plugins);

  plugin = godwit_registry_find (registry, arguments[0]);
  if (plugin == NULL)
    return fail_unknown_plugin (plugins, arguments[0]);
  if (option_json)
    print_json (plugin);
  else
    print_details (plugin);
  return CLI_DONE;
}

const CliCommand cli_command_plugins = {
    .name = "plugins",
    .arguments = "[NAME]",
    .summary = "List plugins; all that is known of one, and why one is refused",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
