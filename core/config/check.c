/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include <godwit/error.h>

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

gboolean
godwit_config_check_plugins (GodwitConfig *self, GodwitRegistry *registry, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CONFIG (self) && GODWIT_IS_REGISTRY (registry), FALSE);

  Check check = {self, registry};
  g_auto (GStrv) groups = godwit_config_list_groups (self);
  for (gsize i = 0; groups[i] != NULL; i++) {
    g_autoptr (GodwitConfigPluginGroup) parsed = godwit_config_parse_plugin_group (groups[i]);
    if (parsed != NULL ? !check_plugin_group (&check, groups[i], parsed, error)
                       : g_strcmp0 (godwit_config_match_group (groups[i]), "host *") == 0 &&
                             !check_host_group (&check, groups[i], error))
      return FALSE;
  }
  return TRUE;
}
