/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include <godwit/error.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

GParamSpec *
godwit_config_find_property (GObjectClass *klass, const char *key, guint flags)
{
  GParamSpec *spec = g_object_class_find_property (klass, key);
  return spec != NULL && (spec->flags & flags) != 0 ? spec : NULL;
}

GPtrArray *
godwit_config_list_properties (GObjectClass *klass, guint flags)
{
  GPtrArray *names = g_ptr_array_new ();
  guint n_specs = 0;
  g_autofree GParamSpec **specs = g_object_class_list_properties (klass, &n_specs);
  for (guint i = 0; i < n_specs; i++)
    if ((specs[i]->flags & flags) != 0)
      g_ptr_array_add (names, (gpointer)specs[i]->name);
  return names;
}

static void set_not_allowed (GParamSpec *spec, const char *text, GError **error, const char *format,
                             ...) G_GNUC_PRINTF (4, 5);

/* Secrets are not quoted. */
static void
set_not_allowed (GParamSpec *spec, const char *text, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *allowed = g_strdup_vprintf (format, args);
  va_end (args);
  gboolean secret = (spec->flags & GODWIT_PARAM_SECRET) != 0;
  godwit_set_error (error, GODWIT_ERROR_CONFIG, NULL, "%s=%s is not allowed: it must be %s",
                    spec->name, secret ? "(secret)" : text, allowed);
}

static gboolean
parse_signed (GParamSpec *spec, const char *text, gint64 minimum, gint64 maximum, gint64 *number,
              GError **error)
{
  if (g_ascii_string_to_signed (text, 10, minimum, maximum, number, NULL))
    return TRUE;
  set_not_allowed (spec, text, error, "a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                   minimum, maximum);
  return FALSE;
}

static gboolean
parse_unsigned (GParamSpec *spec, const char *text, guint64 minimum, guint64 maximum,
                guint64 *number, GError **error)
{
  if (g_ascii_string_to_unsigned (text, 10, minimum, maximum, number, NULL))
    return TRUE;
  set_not_allowed (spec, text, error, "a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                   minimum, maximum);
  return FALSE;
}

static gboolean
parse_integer (GParamSpec *spec, const char *text, GValue *value, GError **error)
{
  gint64 number = 0;
  guint64 unsigned_number = 0;
  gboolean ok;
  if (G_IS_PARAM_SPEC_INT (spec)) {
    GParamSpecInt *range = G_PARAM_SPEC_INT (spec);
    ok = parse_signed (spec, text, range->minimum, range->maximum, &number, error);
    g_value_set_int (value, (int)number);
  } else if (G_IS_PARAM_SPEC_INT64 (spec)) {
    GParamSpecInt64 *range = G_PARAM_SPEC_INT64 (spec);
    ok = parse_signed (spec, text, range->minimum, range->maximum, &number, error);
    g_value_set_int64 (value, number);
  } else if (G_IS_PARAM_SPEC_UINT (spec)) {
    GParamSpecUInt *range = G_PARAM_SPEC_UINT (spec);
    ok = parse_unsigned (spec, text, range->minimum, range->maximum, &unsigned_number, error);
    g_value_set_uint (value, (guint)unsigned_number);
  } else {
    GParamSpecUInt64 *range = G_PARAM_SPEC_UINT64 (spec);
    ok = parse_unsigned (spec, text, range->minimum, range->maximum, &unsigned_number, error);
    g_value_set_uint64 (value, unsigned_number);
  }
  return ok;
}

static gboolean
parse_double (GParamSpec *spec, const char *text, GValue *value, GError **error)
{
  GParamSpecDouble *range = G_PARAM_SPEC_DOUBLE (spec);
  char *end = NULL;
  double number = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0' || !(number >= range->minimum && number <= range->maximum)) {
    set_not_allowed (spec, text, error, "a number from %g to %g", range->minimum, range->maximum);
    return FALSE;
  }
  g_value_set_double (value, number);
  return TRUE;
}

static gboolean
parse_enum (GParamSpec *spec, const char *text, GValue *value, GError **error)
{
  GEnumClass *klass = G_PARAM_SPEC_ENUM (spec)->enum_class;
  const GEnumValue *item = g_enum_get_value_by_nick (klass, text);
  if (item != NULL) {
    g_value_set_enum (value, item->value);
    return TRUE;
  }
  g_autoptr (GString) choices = g_string_new (NULL);
  for (guint i = 0; i < klass->n_values; i++)
    g_string_append_printf (choices, "%s%s", i > 0 ? ", " : "", klass->values[i].value_nick);
  set_not_allowed (spec, text, error, "one of %s", choices->str);
  return FALSE;
}

static gboolean
read_secret (GParamSpec *spec, const char *path, GValue *value, GError **error)
{
  struct stat st;
  if (stat (path, &st) != 0) {
    int saved = errno;
    godwit_set_error (error, saved == EACCES ? GODWIT_ERROR_DENIED : GODWIT_ERROR_CONFIG, NULL,
                      "%s=file:%s cannot be read: %s", spec->name, path, g_strerror (saved));
    return FALSE;
  }
  if ((st.st_mode & S_IRWXO) != 0) {
    g_autofree char *remedy = g_strdup_printf ("chmod o= %s", path);
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy,
                      "%s=file:%s is not allowed: everybody may use that file (mode %04o)",
                      spec->name, path, (guint)(st.st_mode & 07777));
    return FALSE;
  }
  g_autofree char *contents = NULL;
  if (!g_file_get_contents (path, &contents, NULL, error))
    return FALSE;
  g_value_set_string (value, g_strchomp (contents));
  return TRUE;
}

static gboolean
parse_text (GParamSpec *spec, const char *text, GValue *value, GError **error)
{
  if ((spec->flags & GODWIT_PARAM_SECRET) != 0 && g_str_has_prefix (text, "file:"))
    return read_secret (spec, text + strlen ("file:"), value, error);
  g_value_set_string (value, text);
  return TRUE;
}

gboolean
godwit_config_parse_property (GParamSpec *spec, const char *text, GValue *value, GError **error)
{
  g_value_init (value, spec->value_type);
  if (G_IS_PARAM_SPEC_STRING (spec))
    return parse_text (spec, text, value, error);
  if (G_IS_PARAM_SPEC_INT (spec) || G_IS_PARAM_SPEC_INT64 (spec) || G_IS_PARAM_SPEC_UINT (spec) ||
      G_IS_PARAM_SPEC_UINT64 (spec))
    return parse_integer (spec, text, value, error);
  if (G_IS_PARAM_SPEC_DOUBLE (spec))
    return parse_double (spec, text, value, error);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    return parse_enum (spec, text, value, error);
  if (spec->value_type == G_TYPE_STRV) {
    g_auto (GStrv) words = g_strsplit (text, ";", -1);
    g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
    for (gsize i = 0; words[i] != NULL; i++)
      if (*g_strstrip (words[i]) != '\0')
        g_strv_builder_add (builder, words[i]);
    g_value_take_boxed (value, g_strv_builder_end (builder));
    return TRUE;
  }
  if (G_IS_PARAM_SPEC_BOOLEAN (spec)) {
    gboolean truth = FALSE;
    if (!godwit_config_parse_boolean (text, &truth)) {
      set_not_allowed (spec, text, error, "true or false");
      return FALSE;
    }
    g_value_set_boolean (value, truth);
    return TRUE;
  }
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, "tell the maker of the plugin",
                    "%s is of type %s, which a configuration cannot express", spec->name,
                    g_type_name (spec->value_type));
  return FALSE;
}

gboolean
godwit_config_set_property (GObject *object, const char *key, const char *text, GError **error)
{
  g_return_val_if_fail (G_IS_OBJECT (object) && key != NULL && text != NULL, FALSE);

  const guint settable = GODWIT_PARAM_CONFIG | GODWIT_PARAM_HOST;
  GObjectClass *klass = G_OBJECT_GET_CLASS (object);
  GParamSpec *spec = godwit_config_find_property (klass, key, settable);
  if (spec == NULL) {
    g_autoptr (GPtrArray) known = godwit_config_list_properties (klass, settable);
    g_ptr_array_add (known, NULL);
    godwit_config_set_unknown (error, G_OBJECT_TYPE_NAME (object), "key", key,
                               (const char *const *)known->pdata);
    return FALSE;
  }
  g_auto (GValue) value = G_VALUE_INIT;
  if (!godwit_config_parse_property (spec, text, &value, error))
    return FALSE;
  g_object_set_property (object, key, &value);
  return TRUE;
}
