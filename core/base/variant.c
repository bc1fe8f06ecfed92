/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/variant.h"

void
godwit_variant_add_text (GVariantBuilder *builder, const char *key, const char *text)
{
  if (text == NULL)
    return;
  gboolean utf8 = g_utf8_validate (text, -1, NULL);
  g_variant_builder_add (builder, "{sv}", key,
                         utf8 ? g_variant_new_string (text) : g_variant_new_bytestring (text));
}

char *
godwit_variant_dup_text (GVariant *dict, const char *key)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (dict, key, NULL);
  if (value == NULL)
    return NULL;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (value, NULL);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return g_variant_dup_bytestring (value, NULL);
  return NULL;
}

guint64
godwit_variant_get_uint64 (GVariant *dict, const char *key)
{
  guint64 value = 0;
  g_variant_lookup (dict, key, "t", &value);
  return value;
}

guint32
godwit_variant_get_uint32 (GVariant *dict, const char *key)
{
  guint32 value = 0;
  g_variant_lookup (dict, key, "u", &value);
  return value;
}

gboolean
godwit_variant_get_boolean (GVariant *dict, const char *key)
{
  gboolean value = FALSE;
  g_variant_lookup (dict, key, "b", &value);
  return value;
}
