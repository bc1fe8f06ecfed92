/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include <godwit/error.h>
#include <godwit/strategy.h>

#define SETTABLE (GODWIT_PARAM_CONFIG | GODWIT_PARAM_HOST)

typedef struct {
  GodwitConfig *config;
  GodwitRegistry *registry;
} Check;

static gboolean
check_value (Check *check, const char *group, const char *key, GType type, GError **error)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  const char *file = godwit_config_get_origin (check->config, group, key);
  GParamSpec *spec = godwit_config_find_property (G_OBJECT_CLASS (klass), key, SETTABLE);
  if (spec == NULL) {
    g_autoptr (GPtrArray) known = godwit_config_list_properties (G_OBJECT_CLASS (klass), SETTABLE);
    g_ptr_array_add (known, NULL);
    g_autofree char *where = g_strdup_printf ("key in [%s]:", group);
    godwit_config_set_unknown (error, file, where, key, (const char *const *)known->pdata);
    return FALSE;
  }
  g_auto (GValue) value = G_VALUE_INIT;
  if (godwit_config_parse_property (spec, godwit_config_get (check->config, group, key), &value,
                                    error))
    return TRUE;
  godwit_config_prefix_error (error, file, group);
  return FALSE;
}

static gboolean
is_disabled (Check *check, const char *plugin)
{
  g_auto (GStrv) names = godwit_config_get_list (check->config, "plugins", "disable");
  return g_strv_contains ((const char *const *)names, plugin);
}

/* [transport scp], [host b/transport scp] */
static gboolean
check_plugin_group (Check *check, const char *group, const GodwitConfigPluginGroup *parsed,
                    GError **error)
{
  if (is_disabled (check, parsed->name))
    return TRUE;
  g_auto (GStrv) keys = godwit_config_list_keys (check->config, group);
  if (keys[0] == NULL)
    return TRUE;
  GType type =
      godwit_registry_find_type (check->registry, godwit_contract_from_string (parsed->contract),
                                 parsed->name, error);
  if (type == G_TYPE_INVALID) {
    godwit_config_prefix_error (error, godwit_config_get_origin (check->config, group, keys[0]),
                                group);
    return FALSE;
  }
  for (gsize i = 0; keys[i] != NULL; i++)
    if (!check_value (check, group, keys[i], type, error))
      return FALSE;
  return TRUE;
}

/* The plugin that serves that contract at the host, if its group names one. */
static gboolean
may_serve (Check *check, const char *group, const GodwitPluginProvision *provision)
{
  const char *named = NULL;
  if (g_str_equal (provision->contract, "transport") ||
      g_str_equal (provision->contract, "hypervisor"))
    named = godwit_config_get (check->config, group, provision->contract);
  return named == NULL || *named == '\0' || g_str_equal (named, provision->name);
}

/* A key of a plain host group belongs to whatever plugin has such a property; only a plugin that
 * is really asked for is loaded for the check. */
static gboolean
check_host_key (Check *check, const char *group, const char *key, GPtrArray *known, GError **error)
{
  gboolean found = FALSE;
  GPtrArray *records = godwit_registry_discover (check->registry);
  for (guint i = 0; i < records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (records, i);
    for (guint j = 0; record->usable && j < record->provisions->len; j++) {
      const GodwitPluginProvision *provision = g_ptr_array_index (record->provisions, j);
      for (guint k = 0; k < provision->properties->len; k++) {
        const GodwitPluginProperty *property = g_ptr_array_index (provision->properties, k);
        if ((property->flags & GODWIT_PARAM_HOST) == 0 || !may_serve (check, group, provision))
          continue;
        g_ptr_array_add (known, property->name);
        if (!g_str_equal (property->name, key))
          continue;
        found = TRUE;
        GType type = godwit_registry_find_type (check->registry,
                                                godwit_contract_from_string (provision->contract),
                                                provision->name, error);
        if (type == G_TYPE_INVALID || !check_value (check, group, key, type, error))
          return FALSE;
      }
    }
  }
  if (found)
    return TRUE;
  g_ptr_array_add (known, NULL);
  g_autofree char *where = g_strdup_printf ("key in [%s]:", group);
  godwit_config_set_unknown (error, godwit_config_get_origin (check->config, group, key), where,
                             key, (const char *const *)known->pdata);
  return FALSE;
}

static gboolean
check_named_plugin (Check *check, const char *group, const char *contract, GError **error)
{
  const char *file = godwit_config_get_origin (check->config, group, contract);
  const char *name = godwit_config_get (check->config, group, contract);
  if (file == NULL || *name == '\0')
    return TRUE;
  if (godwit_registry_find_type (check->registry, godwit_contract_from_string (contract), name,
                                 error) != G_TYPE_INVALID)
    return TRUE;
  godwit_config_prefix_error (error, file, group);
  return FALSE;
}

static gboolean
check_host_group (Check *check, const char *group, GError **error)
{
  if (!check_named_plugin (check, group, "transport", error) ||
      !check_named_plugin (check, group, "hypervisor", error))
    return FALSE;
  g_auto (GStrv) keys = godwit_config_list_keys (check->config, group);
  for (gsize i = 0; keys[i] != NULL; i++) {
    g_autoptr (GPtrArray) known = godwit_config_list_schema_keys ("host *");
    if (godwit_config_find_key ("host *", keys[i]) == NULL &&
        !check_host_key (check, group, keys[i], known, error))
      return FALSE;
  }
  return TRUE;
}

/* The order may name what is installed, and what an ordinary installation has. */
static GStrv
list_strategies (Check *check)
{
  const GodwitConfigKey *key = godwit_config_find_key ("strategy", "order");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) usual = g_strsplit (key->fallback, ";", -1);
  g_auto (GStrv) here = godwit_registry_list_available (check->registry, GODWIT_TYPE_STRATEGY);
  g_strv_builder_addv (builder, (const char **)usual);
  for (gsize i = 0; here[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *)usual, here[i]))
      g_strv_builder_add (builder, here[i]);
  return g_strv_builder_end (builder);
}

/* A strategy that is misspelt would never be tried, and nobody would be told. */
static gboolean
check_order (Check *check, const char *group, GError **error)
{
  const char *file = godwit_config_get_origin (check->config, group, "order");
  if (file == NULL)
    return TRUE;
  g_auto (GStrv) names = godwit_config_get_list (check->config, group, "order");
  g_auto (GStrv) known = list_strategies (check);
  for (gsize i = 0; names[i] != NULL; i++) {
    if (*names[i] == '\0' || g_strv_contains ((const char *const *)known, names[i]) ||
        is_disabled (check, names[i]))
      continue;
    g_autofree char *where = g_strdup_printf ("strategy in order of [%s]:", group);
    godwit_config_set_unknown (error, file, where, names[i], (const char *const *)known);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_group (Check *check, const char *group, GError **error)
{
  g_autoptr (GodwitConfigPluginGroup) parsed = godwit_config_parse_plugin_group (group);
  if (parsed != NULL)
    return check_plugin_group (check, group, parsed, error);
  const char *kind = godwit_config_match_group (group);
  if (g_strcmp0 (kind, "host *") == 0)
    return check_host_group (check, group, error);
  if (g_strcmp0 (kind, "strategy") == 0 || g_strcmp0 (kind, "guest *") == 0)
    return check_order (check, group, error);
  return TRUE;
}

gboolean
godwit_config_check_plugins (GodwitConfig *self, GodwitRegistry *registry, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CONFIG (self) && GODWIT_IS_REGISTRY (registry), FALSE);

  Check check = {self, registry};
  g_auto (GStrv) groups = godwit_config_list_groups (self);
  for (gsize i = 0; groups[i] != NULL; i++)
    if (!check_group (&check, groups[i], error))
      return FALSE;
  return TRUE;
}
