/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/registry-private.h"

#include <godwit/error.h>

#define SHOWN_FLAGS                                                                                \
  (GODWIT_PARAM_CONFIG | GODWIT_PARAM_REQUIRED | GODWIT_PARAM_SECRET | GODWIT_PARAM_HOST)

static const char *
get_type_word (GParamSpec *spec)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    return "boolean";
  if (G_IS_PARAM_SPEC_INT (spec) || G_IS_PARAM_SPEC_INT64 (spec))
    return "integer";
  if (G_IS_PARAM_SPEC_UINT (spec) || G_IS_PARAM_SPEC_UINT64 (spec))
    return "number";
  if (G_IS_PARAM_SPEC_DOUBLE (spec))
    return "decimal number";
  if (G_IS_PARAM_SPEC_ENUM (spec))
    return "choice";
  if (spec->value_type == G_TYPE_STRV)
    return "list";
  if (G_IS_PARAM_SPEC_STRING (spec))
    return "text";
  return g_type_name (spec->value_type);
}

static char *
get_range (GParamSpec *spec)
{
  if (G_IS_PARAM_SPEC_INT (spec)) {
    GParamSpecInt *range = G_PARAM_SPEC_INT (spec);
    return g_strdup_printf ("[%d, %d]", range->minimum, range->maximum);
  }
  if (G_IS_PARAM_SPEC_INT64 (spec)) {
    GParamSpecInt64 *range = G_PARAM_SPEC_INT64 (spec);
    return g_strdup_printf ("[%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "]", range->minimum,
                            range->maximum);
  }
  if (G_IS_PARAM_SPEC_UINT (spec)) {
    GParamSpecUInt *range = G_PARAM_SPEC_UINT (spec);
    return g_strdup_printf ("[%u, %u]", range->minimum, range->maximum);
  }
  if (G_IS_PARAM_SPEC_UINT64 (spec)) {
    GParamSpecUInt64 *range = G_PARAM_SPEC_UINT64 (spec);
    return g_strdup_printf ("[%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT "]", range->minimum,
                            range->maximum);
  }
  if (G_IS_PARAM_SPEC_DOUBLE (spec)) {
    GParamSpecDouble *range = G_PARAM_SPEC_DOUBLE (spec);
    return g_strdup_printf ("[%g, %g]", range->minimum, range->maximum);
  }
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    return g_strdup ("true|false");
  if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *klass = G_PARAM_SPEC_ENUM (spec)->enum_class;
    g_autoptr (GString) text = g_string_new (NULL);
    for (guint i = 0; i < klass->n_values; i++)
      g_string_append_printf (text, "%s%s", i > 0 ? "|" : "", klass->values[i].value_nick);
    return g_strdup (text->str);
  }
  return NULL;
}

static char *
get_default (GParamSpec *spec)
{
  const GValue *value = g_param_spec_get_default_value (spec);
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_strdup (g_value_get_boolean (value) ? "true" : "false");
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_strdup_printf ("%g", g_value_get_double (value));
  if (G_VALUE_HOLDS_ENUM (value)) {
    const GEnumValue *item =
        g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class, g_value_get_enum (value));
    return g_strdup (item != NULL ? item->value_nick : NULL);
  }
  if (G_VALUE_HOLDS (value, G_TYPE_STRV) ||
      !g_value_type_transformable (G_VALUE_TYPE (value), G_TYPE_STRING))
    return NULL;
  g_auto (GValue) text = G_VALUE_INIT;
  g_value_init (&text, G_TYPE_STRING);
  g_value_transform (value, &text);
  return g_value_dup_string (&text);
}

GPtrArray *
godwit_inspect_properties (GType type)
{
  GPtrArray *properties =
      g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_plugin_property_free);
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  guint n_specs = 0;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_CLASS (klass), &n_specs);
  for (guint i = 0; i < n_specs; i++) {
    GodwitPluginProperty *property = g_new0 (GodwitPluginProperty, 1);
    property->name = g_strdup (specs[i]->name);
    property->type = g_strdup (get_type_word (specs[i]));
    property->range = get_range (specs[i]);
    property->fallback = get_default (specs[i]);
    property->blurb = g_strdup (g_param_spec_get_blurb (specs[i]));
    property->flags = specs[i]->flags & SHOWN_FLAGS;
    g_ptr_array_add (properties, property);
  }
  return properties;
}

static void
collect_types (GType root, GodwitModule *module, GPtrArray *names)
{
  guint n_children = 0;
  g_autofree GType *children = g_type_children (root, &n_children);
  for (guint i = 0; i < n_children; i++) {
    if (g_type_get_plugin (children[i]) == G_TYPE_PLUGIN (module))
      g_ptr_array_add (names, g_strdup (g_type_name (children[i])));
    collect_types (children[i], module, names);
  }
}

/* Also the helper types that a plugin registers beside those that it provides: a name that two
 * plugins use is found by comparing these lists before the second one is loaded. */
static GStrv
list_types (GodwitModule *module)
{
  const GType roots[] = {G_TYPE_OBJECT, G_TYPE_INTERFACE, G_TYPE_ENUM, G_TYPE_FLAGS, G_TYPE_BOXED};
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (roots); i++)
    collect_types (roots[i], module, names);
  g_ptr_array_add (names, NULL);
  return (GStrv)g_ptr_array_steal (names, NULL);
}

gboolean
godwit_inspect_module (GodwitPluginRecord *record, GodwitModule *module, GError **error)
{
  const GodwitPluginInfo *info = godwit_module_get_info (module);
  record->version = g_strdup (info->version);
  record->summary = g_strdup (info->summary);
  record->license = g_strdup (info->license);
  record->origin = g_strdup (info->origin);
  record->types = list_types (module);

  GPtrArray *provided = godwit_module_get_provided (module);
  for (guint i = 0; i < provided->len; i++) {
    const GodwitProvided *item = g_ptr_array_index (provided, i);
    GodwitPluginProvision *provision = g_new0 (GodwitPluginProvision, 1);
    provision->contract = g_strdup (item->contract->name);
    provision->name = g_strdup (item->name);
    provision->type_name = g_strdup (g_type_name (item->type));
    provision->properties = godwit_inspect_properties (item->type);
    g_ptr_array_add (record->provisions, provision);
  }

  for (guint i = 0; record->types[i] != NULL; i++) {
    if (!g_str_has_prefix (record->types[i], "Godwit")) {
      godwit_set_error (error, GODWIT_ERROR_CONFIG, "tell the maker of the plugin",
                        "its type %s has a name that does not begin with Godwit", record->types[i]);
      return FALSE;
    }
  }
  return TRUE;
}
