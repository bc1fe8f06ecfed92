/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/paths.h"
#include "base/spelling.h"
#include "registry/registry-struct.h"

#include <godwit/error.h>

/* Plugins stay loaded as long as the process, so what is loaded belongs to the process and not to
 * one registry object. Protected by the loader's lock. */
static GHashTable *modules;         /* name -> GodwitModule that passed all checks */
static GHashTable *implementations; /* "contract/name" -> GodwitProvided */

G_DEFINE_FINAL_TYPE (GodwitRegistry, godwit_registry, G_TYPE_OBJECT)

static void
godwit_registry_finalize (GObject *object)
{
  GodwitRegistry *self = GODWIT_REGISTRY (object);
  g_free (self->directory);
  g_hash_table_unref (self->builtins);
  g_hash_table_unref (self->disabled);
  g_ptr_array_unref (self->records);
  G_OBJECT_CLASS (godwit_registry_parent_class)->finalize (object);
}

static void
godwit_registry_class_init (GodwitRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_registry_finalize;
}

static void
godwit_registry_init (GodwitRegistry *self)
{
  self->builtins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->disabled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->records = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_plugin_record_free);
}

const char *
godwit_contract_to_string (GType contract)
{
  const GodwitContract *known = godwit_contracts_find (contract);
  return known != NULL ? known->name : "unknown";
}

GType
godwit_contract_from_string (const char *name)
{
  for (const GodwitContract *contract = godwit_contracts_get (); contract->name != NULL; contract++)
    if (g_strcmp0 (contract->name, name) == 0)
      return contract->get_type ();
  return G_TYPE_INVALID;
}

GodwitRegistry *
godwit_registry_new (const char *directory, const GodwitBuiltin *builtins, GError **error)
{
  g_autofree char *absolute = NULL;
  if (directory != NULL) {
    absolute = g_canonicalize_filename (directory, NULL);
    if (!godwit_trust_check_directory (absolute, error)) {
      g_prefix_error (error, "the plugin directory %s is refused: ", directory);
      return NULL;
    }
  }

  GodwitRegistry *self = g_object_new (GODWIT_TYPE_REGISTRY, NULL);
  self->directory = g_strdup (absolute != NULL ? absolute : godwit_paths_get_plugin_dir ());
  godwit_loader_lock ();
  if (modules == NULL) {
    modules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    implementations = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  }
  godwit_loader_add_builtins (builtins);
  for (; builtins != NULL && builtins->name != NULL; builtins++)
    g_hash_table_add (self->builtins, g_strdup (builtins->name));
  godwit_loader_unlock ();
  return self;
}

void
godwit_registry_disable (GodwitRegistry *self, const char *const *names)
{
  for (; names != NULL && *names != NULL; names++)
    if (**names != '\0')
      g_hash_table_add (self->disabled, g_strdup (*names));
}

void
godwit_registry_latch (GodwitRegistry *self)
{
  self->latched = TRUE;
}

/* --- loading ------------------------------------------------------------------------------- */

GodwitModule *
godwit_registry_open_module (const char *name, const char *path, GError **error)
{
  GodwitModule *module = g_hash_table_lookup (modules, name);
  if (module != NULL)
    return module;
  GodwitPluginQuery query = path != NULL ? godwit_loader_open_file (name, path, error)
                                         : godwit_loader_open_builtin (name, error);
  module = query != NULL ? godwit_module_load (name, query, error) : NULL;
  if (module != NULL)
    g_hash_table_insert (modules, g_strdup (name), module);
  return module;
}

static char *
make_key (const char *contract, const char *name)
{
  return g_strdup_printf ("%s/%s", contract, name);
}

static const char *
get_owner (GType type)
{
  GTypePlugin *plugin = g_type_get_plugin (type);
  return GODWIT_IS_MODULE (plugin) ? G_TYPE_MODULE (plugin)->name : "godwit itself";
}

/* Two plugins may each be good and yet exclude each other. Asked before the second one registers
 * anything, because type names cannot be given back. */
static gboolean
check_clashes (const GodwitPluginRecord *record, GError **error)
{
  for (guint i = 0; record->types != NULL && record->types[i] != NULL; i++) {
    GType type = g_type_from_name (record->types[i]);
    if (type != 0) {
      godwit_set_error (error, GODWIT_ERROR_CONFIG, "disable one of the two in [plugins] disable=",
                        "its type %s has a name that %s has taken", record->types[i],
                        get_owner (type));
      return FALSE;
    }
  }
  for (guint i = 0; i < record->provisions->len; i++) {
    const GodwitPluginProvision *provision = g_ptr_array_index (record->provisions, i);
    g_autofree char *key = make_key (provision->contract, provision->name);
    const GodwitProvided *other = g_hash_table_lookup (implementations, key);
    if (other != NULL) {
      godwit_set_error (error, GODWIT_ERROR_CONFIG, "disable one of the two in [plugins] disable=",
                        "the %s %s is provided by plugin %s already", other->contract->title,
                        provision->name, get_owner (other->type));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
is_loaded (const char *name)
{
  GHashTableIter iter;
  gpointer provided;
  g_hash_table_iter_init (&iter, implementations);
  while (g_hash_table_iter_next (&iter, NULL, &provided))
    if (g_strcmp0 (get_owner (((GodwitProvided *)provided)->type), name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
load_record (const GodwitPluginRecord *record, GError **error)
{
  /* The types of a built-in plugin were registered when it was looked at. */
  const GodwitPluginRecord builtin = {.provisions = record->provisions};
  if (!check_clashes (record->path != NULL ? record : &builtin, error))
    return FALSE;
  GodwitModule *module = godwit_registry_open_module (record->name, record->path, error);
  if (module == NULL)
    return FALSE;
  GPtrArray *provided = godwit_module_get_provided (module);
  for (guint i = 0; i < provided->len; i++) {
    GodwitProvided *item = g_ptr_array_index (provided, i);
    g_hash_table_insert (implementations, make_key (item->contract->name, item->name), item);
  }
  return TRUE;
}

static void
set_not_installed (GodwitRegistry *self, const char *name, GError **error)
{
  g_autofree char *remedy =
      g_strdup_printf ("install the package godwit-plugin-%s; `godwit plugins` lists what is there",
                       name);
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND,
                    godwit_plugin_name_is_valid (name) ? remedy : "`godwit plugins` lists plugins",
                    "plugin \"%s\" is not installed: %s has no godwit-%s.so", name, self->directory,
                    name);
}

static gboolean
load_locked (GodwitRegistry *self, const char *name, GError **error)
{
  if (is_loaded (name))
    return TRUE;
  GodwitPluginRecord *record = godwit_registry_look_at (self, name);
  if (record == NULL) {
    set_not_installed (self, name, error);
    return FALSE;
  }
  const char *where = record->path != NULL ? record->path : "built in";
  g_autoptr (GError) reason = NULL;
  if (record->usable && self->latched)
    godwit_set_error (&reason, GODWIT_ERROR_INTERNAL, NULL, "loading has ended in this process");
  else if (record->usable && !load_record (record, &reason))
    godwit_plugin_record_refuse (record, reason);
  else if (record->usable)
    return TRUE;
  godwit_set_error (error, reason != NULL ? (GodwitErrorCode)reason->code : GODWIT_ERROR_CONFIG,
                    reason != NULL ? godwit_error_get_remedy (reason) : record->remedy,
                    "plugin %s (%s) is refused: %s", name, where,
                    reason != NULL ? reason->message : record->reason);
  return FALSE;
}

gboolean
godwit_registry_load (GodwitRegistry *self, const char *name, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_REGISTRY (self), FALSE);
  godwit_loader_lock ();
  gboolean ok = load_locked (self, name, error);
  godwit_loader_unlock ();
  return ok;
}

static const GodwitPluginProvision *
find_provision (const GodwitPluginRecord *record, const char *contract, const char *name)
{
  for (guint i = 0; i < record->provisions->len; i++) {
    const GodwitPluginProvision *provision = g_ptr_array_index (record->provisions, i);
    if (g_str_equal (provision->contract, contract) &&
        (name == NULL || g_str_equal (provision->name, name)))
      return provision;
  }
  return NULL;
}

static void
set_none_provides (GodwitRegistry *self, const GodwitContract *contract, GError **error)
{
  g_autoptr (GString) refused = g_string_new (NULL);
  const char *remedy = NULL;
  for (guint i = 0; i < self->records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (self->records, i);
    if (record->usable)
      continue;
    g_string_append_printf (refused, "; %s is refused: %s",
                            record->path != NULL ? record->path : record->name, record->reason);
    remedy = remedy != NULL ? remedy : record->remedy;
  }
  g_autofree char *install = g_strdup_printf (
      "install a package godwit-plugin-* that has a %s; `godwit plugins` lists what is there",
      contract->title);
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, remedy != NULL ? remedy : install,
                    "no plugin in %s provides a %s%s", self->directory, contract->title,
                    refused->str);
}

gboolean
godwit_registry_load_contract (GodwitRegistry *self, GType type, GError **error)
{
  const GodwitContract *contract = godwit_contracts_find (type);
  g_return_val_if_fail (GODWIT_IS_REGISTRY (self) && contract != NULL, FALSE);

  godwit_loader_lock ();
  GPtrArray *records = godwit_registry_discover (self);
  gboolean any = FALSE;
  for (guint i = 0; i < records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (records, i);
    if (!record->usable || find_provision (record, contract->name, NULL) == NULL)
      continue;
    /* One plugin that stands in another's way must not take the others along. */
    g_autoptr (GError) failure = NULL;
    if (load_locked (self, record->name, &failure))
      any = TRUE;
    else
      g_warning ("%s", failure->message);
  }
  if (!any)
    set_none_provides (self, contract, error);
  godwit_loader_unlock ();
  return any;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *)a, *(const char *const *)b);
}

static GStrv
finish_names (GPtrArray *names)
{
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv)g_ptr_array_free (names, FALSE);
}

GStrv
godwit_registry_list (GodwitRegistry *self, GType type)
{
  g_return_val_if_fail (GODWIT_IS_REGISTRY (self), NULL);
  GPtrArray *names = g_ptr_array_new ();
  godwit_loader_lock ();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, implementations);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const GodwitProvided *provided = value;
    if (provided->contract->get_type () == type)
      g_ptr_array_add (names, g_strdup (provided->name));
  }
  godwit_loader_unlock ();
  return finish_names (names);
}

GStrv
godwit_registry_list_available (GodwitRegistry *self, GType type)
{
  const char *contract = godwit_contract_to_string (type);
  GPtrArray *names = g_ptr_array_new ();
  godwit_loader_lock ();
  GPtrArray *records = godwit_registry_discover (self);
  for (guint i = 0; i < records->len; i++) {
    const GodwitPluginRecord *record = g_ptr_array_index (records, i);
    for (guint j = 0; record->usable && j < record->provisions->len; j++) {
      const GodwitPluginProvision *provision = g_ptr_array_index (record->provisions, j);
      if (g_str_equal (provision->contract, contract))
        g_ptr_array_add (names, g_strdup (provision->name));
    }
  }
  godwit_loader_unlock ();
  return finish_names (names);
}

static void
set_unknown (GodwitRegistry *self, const GodwitContract *contract, const char *name, GError **error)
{
  g_auto (GStrv) names = godwit_registry_list_available (self, contract->get_type ());
  const char *nearest = godwit_spelling_nearest (name, (const char *const *)names);
  g_autofree char *known = g_strjoinv (", ", names);
  g_autofree char *remedy =
      nearest != NULL ? g_strdup_printf ("use %s", nearest)
                      : g_strdup_printf ("install the package godwit-plugin-%s, or use one of: %s",
                                         name, *known != '\0' ? known : "(none)");
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, remedy, "there is no %s \"%s\"; known: %s",
                    contract->title, name, *known != '\0' ? known : "none");
}

/* The plugin is usually named like what it provides; only if it is not are all others looked at. */
static gboolean
load_provider (GodwitRegistry *self, const GodwitContract *contract, const char *name,
               GError **error)
{
  const GodwitPluginRecord *record = godwit_registry_look_at (self, name);
  if (record != NULL && (!record->usable || find_provision (record, contract->name, name) != NULL))
    return load_locked (self, name, error);
  GPtrArray *records = godwit_registry_discover (self);
  for (guint i = 0; i < records->len; i++) {
    record = g_ptr_array_index (records, i);
    if (record->usable && find_provision (record, contract->name, name) != NULL)
      return load_locked (self, record->name, error);
  }
  set_unknown (self, contract, name, error);
  return FALSE;
}

GType
godwit_registry_find_type (GodwitRegistry *self, GType type, const char *name, GError **error)
{
  const GodwitContract *contract = godwit_contracts_find (type);
  g_return_val_if_fail (GODWIT_IS_REGISTRY (self) && contract != NULL, G_TYPE_INVALID);
  g_return_val_if_fail (name != NULL, G_TYPE_INVALID);

  g_autofree char *key = make_key (contract->name, name);
  godwit_loader_lock ();
  const GodwitProvided *provided = g_hash_table_lookup (implementations, key);
  if (provided == NULL && load_provider (self, contract, name, error))
    provided = g_hash_table_lookup (implementations, key);
  if (provided == NULL && error != NULL && *error == NULL)
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, "restart the command",
                      "the plugin of %s %s no longer provides it", contract->title, name);
  godwit_loader_unlock ();
  return provided != NULL ? provided->type : G_TYPE_INVALID;
}

GObject *
godwit_registry_create (GodwitRegistry *self, GType contract, const char *name, GError **error)
{
  GType type = godwit_registry_find_type (self, contract, name, error);
  return type != G_TYPE_INVALID ? g_object_new (type, NULL) : NULL;
}
