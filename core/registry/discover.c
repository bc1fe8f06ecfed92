/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of plugins, usable or not, without loading them here. */
#include "registry/registry-struct.h"

#include <godwit/error.h>

static GodwitPluginRecord *
lookup_record (GodwitRegistry *self, const char *name)
{
  for (guint i = 0; i < self->records->len; i++) {
    GodwitPluginRecord *record = g_ptr_array_index (self->records, i);
    if (g_str_equal (record->name, name))
      return record;
  }
  return NULL;
}

static GodwitPluginRecord *
add_refused (GodwitRegistry *self, const char *name, const char *path, const GError *error)
{
  GodwitPluginRecord *record = godwit_plugin_record_new (name, path);
  godwit_plugin_record_refuse (record, error);
  g_ptr_array_add (self->records, record);
  return record;
}

/* Loads it: what is part of the program needs no child process to look at it. */
static GodwitPluginRecord *
look_at_builtin (GodwitRegistry *self, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitPluginRecord) record = godwit_plugin_record_new (name, NULL);
  GodwitModule *module = godwit_registry_open_module (name, NULL, &error);
  if (module == NULL || !godwit_inspect_module (record, module, &error))
    godwit_plugin_record_refuse (record, error);
  GodwitPluginRecord *result = g_steal_pointer (&record);
  g_ptr_array_add (self->records, result);
  return result;
}

/* Checks the files, asks the cache, probes the rest together. Each path gets a record. */
static void
look_at_files (GodwitRegistry *self, const char *const *paths)
{
  g_autoptr (GodwitProbeCache) cache = godwit_probe_cache_open ();
  g_autoptr (GPtrArray) unknown = g_ptr_array_new ();
  for (; *paths != NULL; paths++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *name = godwit_plugin_name_from_path (*paths);
    GodwitPluginRecord *known = NULL;
    if (!godwit_trust_check_file (*paths, &error))
      add_refused (self, name, *paths, error);
    else if ((known = godwit_probe_cache_get (cache, *paths)) != NULL)
      g_ptr_array_add (self->records, known);
    else
      g_ptr_array_add (unknown, (gpointer)*paths);
  }
  if (unknown->len == 0)
    return;

  g_ptr_array_add (unknown, NULL);
  g_autoptr (GPtrArray) probed = godwit_probe_files ((const char *const *)unknown->pdata);
  for (guint i = 0; i < probed->len; i++)
    godwit_probe_cache_put (cache, g_ptr_array_index (probed, i));
  g_ptr_array_extend_and_steal (self->records, g_steal_pointer (&probed));
}

GodwitPluginRecord *
godwit_registry_look_at (GodwitRegistry *self, const char *name)
{
  GodwitPluginRecord *record = lookup_record (self, name);
  if (record != NULL || !godwit_plugin_name_is_valid (name))
    return record;

  gboolean builtin = g_hash_table_contains (self->builtins, name);
  g_autofree char *file = g_strdup_printf ("godwit-%s.so", name);
  g_autofree char *path = g_build_filename (self->directory, file, NULL);
  if (!builtin && !g_file_test (path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK))
    return NULL;
  if (g_hash_table_contains (self->disabled, name)) {
    g_autoptr (GError) error = NULL;
    godwit_set_error (&error, GODWIT_ERROR_CONFIG,
                      "take it out of [plugins] disable=", "it is disabled in the configuration");
    return add_refused (self, name, builtin ? NULL : path, error);
  }
  if (builtin)
    return look_at_builtin (self, name);
  const char *const paths[] = {path, NULL};
  look_at_files (self, paths);
  return lookup_record (self, name);
}

const GodwitPluginRecord *
godwit_registry_find (GodwitRegistry *self, const char *name)
{
  g_return_val_if_fail (GODWIT_IS_REGISTRY (self), NULL);
  godwit_loader_lock ();
  const GodwitPluginRecord *record = godwit_registry_look_at (self, name);
  godwit_loader_unlock ();
  return record;
}

/* Files that somebody meant as plugins and that can never be loaded are shown, not skipped. */
static void
refuse_misnamed (GodwitRegistry *self, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (self->directory, file, NULL);
  if (g_str_has_suffix (file, ".la"))
    godwit_set_error (&error, GODWIT_ERROR_CONFIG, "install the .so file instead, and remove this",
                      "it is a libtool archive, which could lead to any other file");
  else if (g_str_has_prefix (file, "godwit-") && g_str_has_suffix (file, ".so"))
    godwit_set_error (&error, GODWIT_ERROR_CONFIG, "rename it",
                      "plugin files are named godwit-NAME.so, where NAME is made of a-z, 0-9 and "
                      "- and begins with a letter");
  else
    return;
  add_refused (self, file, path, error);
}

static int
compare_records (gconstpointer a, gconstpointer b)
{
  const GodwitPluginRecord *const *left = a;
  const GodwitPluginRecord *const *right = b;
  return g_strcmp0 ((*left)->name, (*right)->name);
}

static void
discover_files (GodwitRegistry *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->directory, 0, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  const char *file;
  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL) {
    g_autofree char *name = godwit_plugin_name_from_path (file);
    if (name == NULL)
      refuse_misnamed (self, file);
    else if (g_hash_table_contains (self->disabled, name))
      godwit_registry_look_at (self, name);
    else if (lookup_record (self, name) == NULL)
      g_ptr_array_add (paths, g_build_filename (self->directory, file, NULL));
  }
  g_ptr_array_add (paths, NULL);
  look_at_files (self, (const char *const *)paths->pdata);
}

GPtrArray *
godwit_registry_discover (GodwitRegistry *self)
{
  g_return_val_if_fail (GODWIT_IS_REGISTRY (self), NULL);
  godwit_loader_lock ();
  if (!self->discovered) {
    self->discovered = TRUE;
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init (&iter, self->builtins);
    while (g_hash_table_iter_next (&iter, &name, NULL))
      godwit_registry_look_at (self, name);
    discover_files (self);
    g_ptr_array_sort (self->records, compare_records);
  }
  godwit_loader_unlock ();
  return self->records;
}
