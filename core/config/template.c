/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include <string.h>

static const char head[] =
    "# godwit.conf: the configuration of godwit(1)\n"
    "#\n"
    "# Files in conf.d beside this one are read after it, in the order of their names; what they\n"
    "# say wins. Every key is shown with its default. A comment stands on a line of its own.\n"
    "# `godwit config check` reads all of it and says what is wrong.\n";

/* Lines of at most 96 columns behind a hash. */
static void
append_comment (GString *text, const char *comment)
{
  g_auto (GStrv) words = g_strsplit (comment, " ", -1);
  gsize column = 0;
  for (gsize i = 0; words[i] != NULL; i++) {
    gsize length = strlen (words[i]);
    if (column == 0 || column + 1 + length > 96) {
      g_string_append_printf (text, "%s# %s", column > 0 ? "\n" : "", words[i]);
      column = 2 + length;
    } else {
      g_string_append_printf (text, " %s", words[i]);
      column += 1 + length;
    }
  }
  g_string_append_c (text, '\n');
}

/* The group itself is only a comment where its name is an example. */
static void
append_group (GString *text, const char *group, gboolean example, const char *comment)
{
  g_string_append_c (text, '\n');
  append_comment (text, comment);
  g_string_append_printf (text, "%s[%s]\n", example ? "# " : "", group);
}

static void
append_key (GString *text, const char *key, const char *value, const char *kind, const char *blurb)
{
  g_autofree char *sentence = g_strdup_printf ("%s (%s)", blurb != NULL ? blurb : "", kind);
  if (*sentence != '\0')
    *sentence = g_ascii_toupper (*sentence);
  append_comment (text, sentence);
  g_string_append_printf (text, "# %s=%s\n", key, value != NULL ? value : "");
}

static void
append_schema_group (GString *text, const char *schema_group)
{
  gsize n_keys = 0;
  const GodwitConfigKey *keys = godwit_config_get_schema (&n_keys);
  for (gsize i = 0; i < n_keys; i++) {
    if (!g_str_equal (keys[i].group, schema_group))
      continue;
    g_autofree char *kind = godwit_config_key_describe (&keys[i]);
    append_key (text, keys[i].key, keys[i].fallback, kind, keys[i].blurb);
  }
}

static void
append_property (GString *text, const GodwitPluginProperty *property, const char *whose)
{
  g_autoptr (GString) kind = g_string_new (property->type);
  if (property->range != NULL && !g_str_equal (property->type, "boolean"))
    g_string_append_printf (kind, " %s", property->range);
  if ((property->flags & GODWIT_PARAM_REQUIRED) != 0)
    g_string_append (kind, ", must be set");
  if ((property->flags & GODWIT_PARAM_SECRET) != 0)
    g_string_append (kind, ", secret, may be file:PATH");
  if (whose != NULL)
    g_string_append_printf (kind, "; for %s", whose);
  append_key (text, property->name, property->fallback, kind->str, property->blurb);
}

static void
append_provision (GString *text, const GodwitPluginProvision *provision, const char *summary)
{
  g_autofree char *group = g_strdup_printf ("%s %s", provision->contract, provision->name);
  gboolean begun = FALSE;
  for (guint i = 0; i < provision->properties->len; i++) {
    const GodwitPluginProperty *property = g_ptr_array_index (provision->properties, i);
    if ((property->flags & (GODWIT_PARAM_CONFIG | GODWIT_PARAM_HOST)) == 0)
      continue;
    if (!begun) {
      g_autofree char *comment =
          g_strdup_printf ("%s; for one host only in [host NAME/%s].", summary, group);
      append_group (text, group, FALSE, comment);
      begun = TRUE;
    }
    append_property (text, property, NULL);
  }
}

static void
append_host_properties (GString *text, GPtrArray *records)
{
  for (guint i = 0; i < records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (records, i);
    for (guint j = 0; record->usable && j < record->provisions->len; j++) {
      const GodwitPluginProvision *provision = g_ptr_array_index (record->provisions, j);
      g_autofree char *whose = g_strdup_printf ("%s %s", provision->contract, provision->name);
      for (guint k = 0; k < provision->properties->len; k++) {
        const GodwitPluginProperty *property = g_ptr_array_index (provision->properties, k);
        if ((property->flags & GODWIT_PARAM_HOST) != 0)
          append_property (text, property, whose);
      }
    }
  }
}

char *
godwit_config_template (GodwitRegistry *registry, GError **error)
{
  GPtrArray *records = godwit_registry_discover (registry);
  GString *text = g_string_new (head);

  append_group (text, "migration", FALSE, "What holds for every migration.");
  append_schema_group (text, "migration");
  append_group (text, "strategy", FALSE, "How strategy=auto chooses.");
  append_schema_group (text, "strategy");
  append_group (text, "plugins", FALSE, "Which plugins are used.");
  append_schema_group (text, "plugins");
  append_group (text, "agent", FALSE,
                "What jobs may do on this machine; also if they are started from another one.");
  append_schema_group (text, "agent");
  append_group (
      text, "host NAME", TRUE,
      "A host, as operators call it. Without a group a host can be named by its address.");
  append_schema_group (text, "host *");
  append_host_properties (text, records);
  append_group (text, "guest NAME-OR-UUID", TRUE,
                "What holds for one guest instead of the groups above.");
  append_schema_group (text, "guest *");
  for (guint i = 0; i < records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (records, i);
    for (guint j = 0; record->usable && j < record->provisions->len; j++)
      append_provision (text, g_ptr_array_index (record->provisions, j), record->summary);
  }
  return g_string_free (text, FALSE);
}
