/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "builtins.h"
#include "cli.h"
#include "json.h"
#include "output.h"

#include "base/paths.h"
#include "base/spelling.h"

#include <string.h>

static gboolean option_json;

static const GOptionEntry options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "show: one JSON object a line", NULL},
    {NULL},
};

/* --- show ------------------------------------------------------------------------------- */

typedef struct {
  GodwitConfig *config;
  GPtrArray *plugins;
  GHashTable *groups; /* printed already */
} Show;

typedef void (*PropertyFunc) (const GodwitPluginProvision *provision,
                              const GodwitPluginProperty *property, gpointer user_data);

static void
foreach_property (GPtrArray *plugins, PropertyFunc func, gpointer user_data)
{
  for (guint i = 0; i < plugins->len; i++) {
    const GodwitPluginRecord *plugin = plugins->pdata[i];

    for (guint j = 0; plugin->provisions != NULL && j < plugin->provisions->len; j++) {
      const GodwitPluginProvision *provision = plugin->provisions->pdata[j];

      for (guint k = 0; provision->properties != NULL && k < provision->properties->len; k++)
        func (provision, provision->properties->pdata[k], user_data);
    }
  }
}

typedef struct {
  const char *key;
  gboolean secret;
} Secret;

static void
look_for_secret (const GodwitPluginProvision *provision, const GodwitPluginProperty *property,
                 gpointer user_data)
{
  Secret *secret = user_data;

  if (property->flags & GODWIT_PARAM_SECRET && g_str_equal (property->name, secret->key))
    secret->secret = TRUE;
}

static void
show_key (Show *self, const char *group, const char *key, const char *fallback, CliTable *table)
{
  const char *value = godwit_config_get (self->config, group, key);
  const char *origin = godwit_config_get_origin (self->config, group, key);
  Secret secret = {.key = key};

  if (value == NULL)
    value = fallback;
  foreach_property (self->plugins, look_for_secret, &secret);
  if (secret.secret && value != NULL)
    value = "(secret)";
  if (option_json) {
    g_autoptr (JsonBuilder) builder = json_builder_new ();

    json_builder_begin_object (builder);
    cli_json_add_string (builder, "group", group);
    cli_json_add_string (builder, "key", key);
    cli_json_add_string (builder, "value", value);
    cli_json_add_string (builder, "origin", origin);
    json_builder_end_object (builder);
    cli_json_print (builder);
  } else {
    const char *cells[] = {key, value, origin != NULL ? origin : "(default)"};

    cli_table_add (table, cells);
  }
}

static CliTable *
begin_group (Show *self, const char *group)
{
  static const char *const headings[] = {"key", "value", "from", NULL};

  g_hash_table_add (self->groups, g_strdup (group));
  if (!option_json)
    printf ("%s[%s]\n", g_hash_table_size (self->groups) > 1 ? "\n" : "", group);
  return cli_table_new (headings);
}

static void
end_group (CliTable *table)
{
  if (!option_json)
    cli_table_print (table, stdout);
  cli_table_free (table);
}

/* The core's own groups, with every key and its default. */
static void
show_schema (Show *self)
{
  gsize n_keys = 0;
  const GodwitConfigKey *keys = godwit_config_get_schema (&n_keys);
  CliTable *table = NULL;
  const char *group = NULL;

  for (gsize i = 0; i < n_keys; i++) {
    if (strchr (keys[i].group, '*') != NULL)
      continue;
    if (g_strcmp0 (group, keys[i].group) != 0) {
      g_clear_pointer (&table, end_group);
      group = keys[i].group;
      table = begin_group (self, group);
    }
    show_key (self, group, keys[i].key, keys[i].fallback, table);
  }
  g_clear_pointer (&table, end_group);
}

typedef struct {
  Show *show;
  char *group;
  CliTable *table;
} PluginGroup;

static void
show_property (const GodwitPluginProvision *provision, const GodwitPluginProperty *property,
               gpointer user_data)
{
  PluginGroup *self = user_data;
  g_autofree char *group = g_strdup_printf ("%s %s", provision->contract, provision->name);

  if (!(property->flags & GODWIT_PARAM_CONFIG))
    return;
  if (g_strcmp0 (self->group, group) != 0) {
    g_clear_pointer (&self->table, end_group);
    g_free (self->group);
    self->group = g_steal_pointer (&group);
    self->table = begin_group (self->show, self->group);
  }
  show_key (self->show, self->group, property->name, property->fallback, self->table);
}

/* Groups of hosts and guests, and whatever else the files contain: only what is set. */
static void
show_rest (Show *self)
{
  g_auto (GStrv) groups = godwit_config_list_groups (self->config);

  for (gsize i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) keys = NULL;
    CliTable *table;

    if (g_hash_table_contains (self->groups, groups[i]))
      continue;
    table = begin_group (self, groups[i]);
    keys = godwit_config_list_keys (self->config, groups[i]);
    for (gsize j = 0; keys[j] != NULL; j++)
      show_key (self, groups[i], keys[j], NULL, table);
    end_group (table);
  }
}

static CliExit
run_show (CliContext *context)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GodwitRegistry *registry;
  Show self = {.groups = groups};
  PluginGroup plugin_group = {.show = &self};

  if (!cli_context_get_checked (context, &self.config, &registry, &error))
    return cli_fail (error);
  self.plugins = godwit_registry_discover (registry);
  show_schema (&self);
  foreach_property (self.plugins, show_property, &plugin_group);
  g_clear_pointer (&plugin_group.table, end_group);
  g_free (plugin_group.group);
  show_rest (&self);
  return CLI_DONE;
}

/* --- check and template ------------------------------------------------------------------ */

static CliExit
run_check (CliContext *context)
{
  g_autoptr (GError) error = NULL;
  const char *path =
      context->config_path != NULL ? context->config_path : godwit_paths_get_config_file ();
  GodwitConfig *config;
  GodwitRegistry *registry;

  if (!cli_context_get_checked (context, &config, &registry, &error))
    return cli_fail (error);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    g_print ("%s and what stands beside it in conf.d: no errors\n", path);
  else
    g_print ("%s is not there: the defaults are used\n", path);
  return CLI_DONE;
}

static CliExit
run_template (CliContext *context)
{
  g_autoptr (GError) error = NULL;
  /* Without the configuration: a broken one is a reason to ask for a template. */
  g_autoptr (GodwitRegistry) registry =
      godwit_registry_new (context->plugin_dir, cli_builtins, &error);
  g_autofree char *text = registry != NULL ? godwit_config_template (registry, &error) : NULL;

  if (text == NULL)
    return cli_fail (error);
  fputs (text, stdout);
  return CLI_DONE;
}

static CliExit
run (CliContext *context, char **arguments)
{
  static const char *const verbs[] = {"check", "show", "template", NULL};
  g_autoptr (GError) error = NULL;
  g_autofree char *remedy = NULL;
  const char *nearest;

  if (g_str_equal (arguments[0], "check"))
    return run_check (context);
  if (g_str_equal (arguments[0], "show"))
    return run_show (context);
  if (g_str_equal (arguments[0], "template"))
    return run_template (context);

  nearest = godwit_spelling_nearest (arguments[0], verbs);
  remedy = nearest != NULL ? g_strdup_printf ("did you mean godwit config %s?", nearest)
                           : g_strdup ("godwit config check, show or template");
  godwit_set_error (&error, GODWIT_ERROR_CONFIG, remedy, "config: unknown verb %s", arguments[0]);
  return cli_fail (error);
}

const CliCommand cli_command_config = {
    .name = "config",
    .arguments = "check|show|template",
    .summary = "Check the configuration, show what is in force, print a commented one",
    .details = "check     read every file, and check the keys of plugins too\n"
               "show      each value in force and the file that set it\n"
               "template  a commented configuration with every key, range and default",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
