/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/variant.h"
#include "registry/registry-private.h"

#include <godwit/error.h>

void
godwit_plugin_property_free (GodwitPluginProperty *property)
{
  g_free (property->name);
  g_free (property->type);
  g_free (property->range);
  g_free (property->fallback);
  g_free (property->blurb);
  g_free (property);
}

void
godwit_plugin_provision_free (GodwitPluginProvision *provision)
{
  g_free (provision->contract);
  g_free (provision->name);
  g_free (provision->type_name);
  g_clear_pointer (&provision->properties, g_ptr_array_unref);
  g_free (provision);
}

const GodwitPluginProperty *
godwit_plugin_provision_find_property (const GodwitPluginProvision *provision, const char *name)
{
  for (guint i = 0; i < provision->properties->len; i++) {
    const GodwitPluginProperty *property = g_ptr_array_index (provision->properties, i);
    if (g_str_equal (property->name, name))
      return property;
  }
  return NULL;
}

GodwitPluginRecord *
godwit_plugin_record_new (const char *name, const char *path)
{
  GodwitPluginRecord *record = g_new0 (GodwitPluginRecord, 1);
  record->name = g_strdup (name);
  record->path = g_strdup (path);
  record->usable = TRUE;
  record->provisions =
      g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_plugin_provision_free);
  return record;
}

void
godwit_plugin_record_free (GodwitPluginRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->name);
  g_free (record->path);
  g_free (record->reason);
  g_free (record->remedy);
  g_free (record->version);
  g_free (record->summary);
  g_free (record->license);
  g_free (record->origin);
  g_ptr_array_unref (record->provisions);
  g_strfreev (record->types);
  g_free (record);
}

void
godwit_plugin_record_refuse (GodwitPluginRecord *record, const GError *error)
{
  g_free (record->reason);
  g_free (record->remedy);
  record->usable = FALSE;
  record->reason = godwit_error_dup_message (error);
  record->remedy = g_strdup (godwit_error_get_remedy (error));
}

static GVariant *
property_to_variant (const GodwitPluginProperty *property)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "name", property->name);
  godwit_variant_add_text (&builder, "type", property->type);
  godwit_variant_add_text (&builder, "range", property->range);
  godwit_variant_add_text (&builder, "default", property->fallback);
  godwit_variant_add_text (&builder, "blurb", property->blurb);
  g_variant_builder_add (&builder, "{sv}", "flags", g_variant_new_uint32 (property->flags));
  return g_variant_builder_end (&builder);
}

static GVariant *
provision_to_variant (const GodwitPluginProvision *provision)
{
  GVariantBuilder properties;
  g_variant_builder_init (&properties, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < provision->properties->len; i++)
    g_variant_builder_add_value (&properties, property_to_variant (
                                                  g_ptr_array_index (provision->properties, i)));

  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "contract", provision->contract);
  godwit_variant_add_text (&builder, "name", provision->name);
  godwit_variant_add_text (&builder, "type-name", provision->type_name);
  g_variant_builder_add (&builder, "{sv}", "properties", g_variant_builder_end (&properties));
  return g_variant_builder_end (&builder);
}

GVariant *
godwit_plugin_record_to_variant (const GodwitPluginRecord *record)
{
  GVariantBuilder provisions;
  g_variant_builder_init (&provisions, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < record->provisions->len; i++)
    g_variant_builder_add_value (&provisions,
                                 provision_to_variant (g_ptr_array_index (record->provisions, i)));

  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  godwit_variant_add_text (&builder, "name", record->name);
  godwit_variant_add_text (&builder, "path", record->path);
  g_variant_builder_add (&builder, "{sv}", "usable", g_variant_new_boolean (record->usable));
  godwit_variant_add_text (&builder, "reason", record->reason);
  godwit_variant_add_text (&builder, "remedy", record->remedy);
  godwit_variant_add_text (&builder, "version", record->version);
  godwit_variant_add_text (&builder, "summary", record->summary);
  godwit_variant_add_text (&builder, "license", record->license);
  godwit_variant_add_text (&builder, "origin", record->origin);
  g_variant_builder_add (&builder, "{sv}", "provisions", g_variant_builder_end (&provisions));
  if (record->types != NULL)
    g_variant_builder_add (&builder, "{sv}", "types",
                           g_variant_new_strv ((const char *const *)record->types, -1));
  return g_variant_builder_end (&builder);
}

static GodwitPluginProperty *
property_from_variant (GVariant *dict)
{
  GodwitPluginProperty *property = g_new0 (GodwitPluginProperty, 1);
  property->name = godwit_variant_dup_text (dict, "name");
  property->type = godwit_variant_dup_text (dict, "type");
  property->range = godwit_variant_dup_text (dict, "range");
  property->fallback = godwit_variant_dup_text (dict, "default");
  property->blurb = godwit_variant_dup_text (dict, "blurb");
  property->flags = godwit_variant_get_uint32 (dict, "flags");
  return property;
}

static gboolean
read_properties (GodwitPluginProvision *provision, GVariant *dict)
{
  g_autoptr (GVariant) list =
      g_variant_lookup_value (dict, "properties", G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; list != NULL && i < g_variant_n_children (list); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (list, i);
    GodwitPluginProperty *property = property_from_variant (child);
    g_ptr_array_add (provision->properties, property);
    if (property->name == NULL || property->type == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_provisions (GodwitPluginRecord *record, GVariant *dict)
{
  g_autoptr (GVariant) list =
      g_variant_lookup_value (dict, "provisions", G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; list != NULL && i < g_variant_n_children (list); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (list, i);
    GodwitPluginProvision *provision = g_new0 (GodwitPluginProvision, 1);
    provision->properties =
        g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_plugin_property_free);
    provision->contract = godwit_variant_dup_text (child, "contract");
    provision->name = godwit_variant_dup_text (child, "name");
    provision->type_name = godwit_variant_dup_text (child, "type-name");
    g_ptr_array_add (record->provisions, provision);
    if (provision->contract == NULL || provision->name == NULL || provision->type_name == NULL ||
        godwit_contract_from_string (provision->contract) == G_TYPE_INVALID ||
        !read_properties (provision, child))
      return FALSE;
  }
  return TRUE;
}

GodwitPluginRecord *
godwit_plugin_record_from_variant (GVariant *variant)
{
  if (variant == NULL || !g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT))
    return NULL;

  g_autofree char *name = godwit_variant_dup_text (variant, "name");
  g_autofree char *path = godwit_variant_dup_text (variant, "path");
  if (!godwit_plugin_name_is_valid (name))
    return NULL;
  g_autoptr (GodwitPluginRecord) record = godwit_plugin_record_new (name, path);
  record->usable = godwit_variant_get_boolean (variant, "usable");
  record->reason = godwit_variant_dup_text (variant, "reason");
  record->remedy = godwit_variant_dup_text (variant, "remedy");
  record->version = godwit_variant_dup_text (variant, "version");
  record->summary = godwit_variant_dup_text (variant, "summary");
  record->license = godwit_variant_dup_text (variant, "license");
  record->origin = godwit_variant_dup_text (variant, "origin");
  g_variant_lookup (variant, "types", "^as", &record->types);
  if (!read_provisions (record, variant) ||
      (record->usable ? record->provisions->len == 0 : record->reason == NULL))
    return NULL;
  return g_steal_pointer (&record);
}
