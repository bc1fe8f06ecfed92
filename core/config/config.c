/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include "base/paths.h"
#include "contracts/contracts.h"

#include <godwit/error.h>

#include <stdlib.h>
#include <string.h>

typedef struct {
  char *value;
  const char *file; /* interned */
} Entry;

typedef struct {
  char *name;
  const char *file;    /* that mentions it first; interned */
  GPtrArray *keys;     /* in the order of the files */
  GHashTable *entries; /* key -> Entry */
} Group;

struct _GodwitConfig {
  GObject parent_instance;
  GPtrArray *groups; /* Group, in the order of the files */
};

G_DEFINE_FINAL_TYPE (GodwitConfig, godwit_config, G_TYPE_OBJECT)

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_free (entry->value);
  g_free (entry);
}

static void
group_free (gpointer data)
{
  Group *group = data;
  g_free (group->name);
  g_ptr_array_unref (group->keys);
  g_hash_table_unref (group->entries);
  g_free (group);
}

static void
godwit_config_finalize (GObject *object)
{
  g_ptr_array_unref (GODWIT_CONFIG (object)->groups);
  G_OBJECT_CLASS (godwit_config_parent_class)->finalize (object);
}

static void
godwit_config_class_init (GodwitConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_config_finalize;
}

static void
godwit_config_init (GodwitConfig *self)
{
  self->groups = g_ptr_array_new_with_free_func (group_free);
}

/* UUIDs are written in either case. */
static gboolean
is_same_group (const char *a, const char *b)
{
  const gsize skip = strlen ("guest ");
  if (g_str_has_prefix (a, "guest ") && g_uuid_string_is_valid (a + skip))
    return g_ascii_strcasecmp (a, b) == 0;
  return g_str_equal (a, b);
}

static Group *
find_group (GodwitConfig *self, const char *name)
{
  for (guint i = 0; i < self->groups->len; i++) {
    Group *group = g_ptr_array_index (self->groups, i);
    if (is_same_group (group->name, name))
      return group;
  }
  return NULL;
}

static const Entry *
find_entry (GodwitConfig *self, const char *group, const char *key)
{
  const Group *found = find_group (self, group);
  return found != NULL ? g_hash_table_lookup (found->entries, key) : NULL;
}

/* --- reading the files ---------------------------------------------------------------------- */

static Group *
ensure_group (GodwitConfig *self, const char *name, const char *file)
{
  Group *group = find_group (self, name);
  if (group != NULL)
    return group;
  group = g_new0 (Group, 1);
  group->name = g_strdup (name);
  group->file = file;
  group->keys = g_ptr_array_new_with_free_func (g_free);
  group->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
  g_ptr_array_add (self->groups, group);
  return group;
}

static gboolean
check_group_name (const char *file, const char *name, GError **error)
{
  if (godwit_config_match_group (name) != NULL)
    return TRUE;
  g_autoptr (GodwitConfigPluginGroup) plugin = godwit_config_parse_plugin_group (name);
  if (plugin != NULL)
    return TRUE;

  /* Suggested with the operator's own names: "host b" for "hots b". */
  g_autoptr (GPtrArray) known = g_ptr_array_new_with_free_func (g_free);
  const char *space = strchr (name, ' ');
  const char *own = space != NULL ? space : " NAME";
  const char *const plain[] = {"migration", "strategy", "plugins", "agent"};
  for (gsize i = 0; i < G_N_ELEMENTS (plain); i++)
    g_ptr_array_add (known, g_strdup (plain[i]));
  g_ptr_array_add (known, g_strconcat ("host", own, NULL));
  g_ptr_array_add (known, g_strconcat ("guest", own, NULL));
  for (const GodwitContract *contract = godwit_contracts_get (); contract->name != NULL; contract++)
    g_ptr_array_add (known, g_strconcat (contract->name, own, NULL));
  g_ptr_array_add (known, NULL);
  godwit_config_set_unknown (error, file, "group", name, (const char *const *)known->pdata);
  return FALSE;
}

/* Keys of plugins, also those in the groups of hosts, wait for godwit_config_check_plugins(). */
static gboolean
check_entry (const char *file, const char *group, const char *key, const char *value,
             GError **error)
{
  const char *schema_group = godwit_config_match_group (group);
  if (schema_group == NULL)
    return TRUE;
  const GodwitConfigKey *known = godwit_config_find_key (schema_group, key);
  if (known != NULL) {
    if (godwit_config_check_value (known, value, error))
      return TRUE;
    godwit_config_prefix_error (error, file, group);
    return FALSE;
  }
  if (g_str_equal (schema_group, "host *"))
    return TRUE;
  g_autoptr (GPtrArray) keys = godwit_config_list_schema_keys (schema_group);
  g_ptr_array_add (keys, NULL);
  g_autofree char *where = g_strdup_printf ("key in [%s]:", group);
  godwit_config_set_unknown (error, file, where, key, (const char *const *)keys->pdata);
  return FALSE;
}

static gboolean
merge_group (GodwitConfig *self, GKeyFile *key_file, const char *file, const char *name,
             GError **error)
{
  if (!check_group_name (file, name, error))
    return FALSE;
  Group *group = ensure_group (self, name, file);
  g_auto (GStrv) keys = g_key_file_get_keys (key_file, name, NULL, error);
  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++) {
    g_autofree char *value = g_key_file_get_string (key_file, name, keys[i], error);
    if (value == NULL) {
      godwit_config_prefix_error (error, file, name);
      return FALSE;
    }
    g_strchomp (value);
    if (!check_entry (file, name, keys[i], value, error))
      return FALSE;
    Entry *entry = g_new0 (Entry, 1);
    entry->value = g_steal_pointer (&value);
    entry->file = file;
    if (!g_hash_table_contains (group->entries, keys[i]))
      g_ptr_array_add (group->keys, g_strdup (keys[i]));
    g_hash_table_replace (group->entries, g_strdup (keys[i]), entry);
  }
  return TRUE;
}

static gboolean
set_read_error (const char *file, const GError *reason, GError **error)
{
  gboolean denied = g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_ACCES);
  gboolean absent = g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  gboolean parsing = reason->domain == G_KEY_FILE_ERROR;
  g_autofree char *remedy =
      denied ? g_strdup_printf ("let this user read %s, or run the command as root", file)
             : g_strdup (absent ? "check the path" : "correct it; then `godwit config check`");
  godwit_set_error (error, denied ? GODWIT_ERROR_DENIED : GODWIT_ERROR_CONFIG, remedy,
                    "%s cannot be %s: %s", file, parsing ? "understood" : "read", reason->message);
  return FALSE;
}

static gboolean
merge_file (GodwitConfig *self, const char *path, GError **error)
{
  const char *file = g_intern_string (path);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  if (!g_key_file_load_from_file (key_file, path, G_KEY_FILE_NONE, &reason))
    return set_read_error (file, reason, error);
  g_auto (GStrv) groups = g_key_file_get_groups (key_file, NULL);
  for (gsize i = 0; groups[i] != NULL; i++)
    if (!merge_group (self, key_file, file, groups[i], error))
      return FALSE;
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
merge_directory (GodwitConfig *self, const char *directory, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &reason);
  if (dir == NULL)
    return g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
           set_read_error (directory, reason, error);

  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".conf") && *name != '.')
      g_ptr_array_add (files, g_build_filename (directory, name, NULL));
  g_ptr_array_sort (files, compare_names);
  for (guint i = 0; i < files->len; i++)
    if (!merge_file (self, g_ptr_array_index (files, i), error))
      return FALSE;
  return TRUE;
}

GodwitConfig *
godwit_config_load (const char *path, GError **error)
{
  /* Whoever names a file, also through the environment, wants to hear that it is not there. */
  gboolean named = path != NULL || secure_getenv ("GODWIT_CONFIG") != NULL;
  if (path == NULL)
    path = godwit_paths_get_config_file ();
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *parent = g_path_get_dirname (absolute);
  g_autofree char *directory = g_build_filename (parent, "conf.d", NULL);

  g_autoptr (GodwitConfig) self = g_object_new (GODWIT_TYPE_CONFIG, NULL);
  if ((named || g_file_test (absolute, G_FILE_TEST_EXISTS)) && !merge_file (self, absolute, error))
    return NULL;
  if (!merge_directory (self, directory, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* --- what they say -------------------------------------------------------------------------- */

const char *
godwit_config_get (GodwitConfig *self, const char *group, const char *key)
{
  g_return_val_if_fail (GODWIT_IS_CONFIG (self) && group != NULL && key != NULL, NULL);
  const Entry *entry = find_entry (self, group, key);
  if (entry != NULL)
    return entry->value;
  const char *schema_group = godwit_config_match_group (group);
  const GodwitConfigKey *known =
      schema_group != NULL ? godwit_config_find_key (schema_group, key) : NULL;
  return known != NULL ? known->fallback : NULL;
}

gboolean
godwit_config_get_boolean (GodwitConfig *self, const char *group, const char *key)
{
  const char *text = godwit_config_get (self, group, key);
  gboolean value = FALSE;
  return text != NULL && godwit_config_parse_boolean (text, &value) && value;
}

guint64
godwit_config_get_uint64 (GodwitConfig *self, const char *group, const char *key)
{
  const char *text = godwit_config_get (self, group, key);
  guint64 value = 0;
  if (text == NULL || godwit_config_parse_duration (text, &value))
    return value;
  return g_ascii_strtoull (text, NULL, 10);
}

GStrv
godwit_config_get_list (GodwitConfig *self, const char *group, const char *key)
{
  const char *text = godwit_config_get (self, group, key);
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", ";", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (gsize i = 0; words[i] != NULL; i++)
    if (*g_strstrip (words[i]) != '\0')
      g_strv_builder_add (builder, words[i]);
  return g_strv_builder_end (builder);
}

const char *
godwit_config_get_origin (GodwitConfig *self, const char *group, const char *key)
{
  const Entry *entry = find_entry (self, group, key);
  return entry != NULL ? entry->file : NULL;
}

GStrv
godwit_config_list_groups (GodwitConfig *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < self->groups->len; i++)
    g_strv_builder_add (builder, ((Group *)g_ptr_array_index (self->groups, i))->name);
  return g_strv_builder_end (builder);
}

GStrv
godwit_config_list_keys (GodwitConfig *self, const char *group)
{
  const Group *found = find_group (self, group);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; found != NULL && i < found->keys->len; i++)
    g_strv_builder_add (builder, g_ptr_array_index (found->keys, i));
  return g_strv_builder_end (builder);
}

GStrv
godwit_config_list_hosts (GodwitConfig *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < self->groups->len; i++) {
    const Group *group = g_ptr_array_index (self->groups, i);
    if (g_strcmp0 (godwit_config_match_group (group->name), "host *") == 0)
      g_strv_builder_add (builder, group->name + strlen ("host "));
  }
  return g_strv_builder_end (builder);
}

gboolean
godwit_config_has_host (GodwitConfig *self, const char *name)
{
  g_autofree char *group = g_strdup_printf ("host %s", name);
  return find_group (self, group) != NULL;
}

const char *
godwit_config_get_host (GodwitConfig *self, const char *host, const char *key)
{
  g_autofree char *group = g_strdup_printf ("host %s", host);
  return godwit_config_get (self, group, key);
}

const char *
godwit_config_get_for_guest (GodwitConfig *self, const char *name, const char *uuid,
                             const char *key)
{
  const char *const who[] = {uuid, name};
  for (gsize i = 0; i < G_N_ELEMENTS (who); i++) {
    if (who[i] == NULL)
      continue;
    g_autofree char *group = g_strdup_printf ("guest %s", who[i]);
    const Entry *entry = find_entry (self, group, key);
    if (entry != NULL)
      return entry->value;
  }
  return godwit_config_get (self, g_str_equal (key, "order") ? "strategy" : "migration", key);
}
