/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/registry-private.h"

#include <godwit/error.h>

struct _GodwitModule {
  GTypeModule parent_instance;
  const GodwitPluginInfo *info;
  GPtrArray *provided;
};

G_DEFINE_FINAL_TYPE (GodwitModule, godwit_module, G_TYPE_TYPE_MODULE)

static gboolean
godwit_module_use (G_GNUC_UNUSED GTypeModule *module)
{
  return TRUE;
}

/* A module is used once and never unused: code of a plugin stays as long as the process. */
static void
godwit_module_unuse (G_GNUC_UNUSED GTypeModule *module)
{
}

static void
godwit_module_class_init (GodwitModuleClass *klass)
{
  G_TYPE_MODULE_CLASS (klass)->load = godwit_module_use;
  G_TYPE_MODULE_CLASS (klass)->unload = godwit_module_unuse;
}

static void
provided_free (gpointer data)
{
  GodwitProvided *provided = data;
  g_free (provided->name);
  g_free (provided);
}

static void
godwit_module_init (GodwitModule *self)
{
  self->provided = g_ptr_array_new_with_free_func (provided_free);
}

const GodwitPluginInfo *
godwit_module_get_info (GodwitModule *self)
{
  return self->info;
}

GPtrArray *
godwit_module_get_provided (GodwitModule *self)
{
  return self->provided;
}

static gboolean
check_provided (const GodwitContract *contract, GType implementation, const char *name,
                GError **error)
{
  const char *remedy = "tell the maker of the plugin";
  if (contract == NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "it provides an unknown contract");
    return FALSE;
  }
  if (!godwit_plugin_name_is_valid (name)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy,
                      "it names a %s \"%s\"; names are made of a-z, 0-9 and -", contract->title,
                      name);
    return FALSE;
  }
  if (implementation == 0 || implementation == G_TYPE_INVALID) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "disable one of the two in [plugins] disable=",
                      "the type of its %s %s has a name that another plugin has taken",
                      contract->title, name);
    return FALSE;
  }
  if (!g_type_is_a (implementation, contract->get_type ())) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "type %s does not implement a %s",
                      g_type_name (implementation), contract->title);
    return FALSE;
  }
  const char *slot = godwit_contract_find_missing_slot (contract, implementation);
  if (slot != NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "%s %s has no %s(), which is required",
                      contract->title, name, slot);
    return FALSE;
  }
  return TRUE;
}

gboolean
godwit_module_provide (GodwitModule *module, GType contract, GType implementation, const char *name,
                       GError **error)
{
  g_return_val_if_fail (GODWIT_IS_MODULE (module), FALSE);

  const GodwitContract *known = godwit_contracts_find (contract);
  if (!check_provided (known, implementation, name, error))
    return FALSE;
  for (guint i = 0; i < module->provided->len; i++) {
    const GodwitProvided *other = g_ptr_array_index (module->provided, i);
    if (other->contract == known && g_str_equal (other->name, name)) {
      godwit_set_error (error, GODWIT_ERROR_CONFIG, "tell the maker of the plugin",
                        "it provides the %s %s twice", known->title, name);
      return FALSE;
    }
  }

  GodwitProvided *provided = g_new0 (GodwitProvided, 1);
  provided->contract = known;
  provided->type = implementation;
  provided->name = g_strdup (name);
  g_ptr_array_add (module->provided, provided);
  return TRUE;
}

static gboolean
is_empty (const char *text)
{
  return text == NULL || *text == '\0';
}

static gboolean
check_version (const GodwitPluginInfo *info, GError **error)
{
  if (info->magic != GODWIT_PLUGIN_MAGIC) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "remove the file: it is no plugin of godwit",
                      "its descriptor begins with %08x, not with %08x", info->magic,
                      GODWIT_PLUGIN_MAGIC);
    return FALSE;
  }
  if (info->struct_size < sizeof (GodwitPluginInfo)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "tell the maker of the plugin",
                      "its descriptor has %u bytes, %u are needed", info->struct_size,
                      (guint)sizeof (GodwitPluginInfo));
    return FALSE;
  }
  if (info->abi != GODWIT_PLUGIN_ABI) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "install a build of it for this godwit",
                      "it was built for plugin ABI %u, this godwit has %u", info->abi,
                      GODWIT_PLUGIN_ABI);
    return FALSE;
  }
  if (info->sdk_version > GODWIT_SDK_VERSION) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG,
                      "upgrade godwit, or install an older build of the plugin",
                      "it was built with SDK %u.%u.%u, newer than this godwit's %u.%u.%u",
                      info->sdk_version / 10000, info->sdk_version / 100 % 100,
                      info->sdk_version % 100, GODWIT_SDK_VERSION / 10000,
                      GODWIT_SDK_VERSION / 100 % 100, GODWIT_SDK_VERSION % 100);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_metadata (const GodwitPluginInfo *info, const char *name, GError **error)
{
  if (is_empty (info->name) || !g_str_equal (info->name, name)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "give the file its own name back",
                      "it calls itself \"%s\", its file says \"%s\"",
                      info->name != NULL ? info->name : "", name);
    return FALSE;
  }
  const char *missing = is_empty (info->version)   ? "version"
                        : is_empty (info->summary) ? "summary"
                        : is_empty (info->license) ? "license"
                        : is_empty (info->origin)  ? "origin"
                        : !info->register_types    ? "register_types function"
                                                   : NULL;
  if (missing != NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "tell the maker of the plugin",
                      "its descriptor has no %s", missing);
    return FALSE;
  }
  return TRUE;
}

GodwitModule *
godwit_module_load (const char *name, GodwitPluginQuery query, GError **error)
{
  const GodwitPluginInfo *info = query ();
  if (info == NULL) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "tell the maker of the plugin",
                      "its query function returned no descriptor");
    return NULL;
  }
  /* All of it comes before any type is registered: a plugin with larger vtables than ours would
   * write past their end. */
  if (!check_version (info, error) || !check_metadata (info, name, error))
    return NULL;

  /* GTypeModules are for ever; so is this reference, also when the plugin is refused now. */
  GodwitModule *self = g_object_new (GODWIT_TYPE_MODULE, NULL);
  g_type_module_set_name (G_TYPE_MODULE (self), name);
  self->info = info;
  g_type_module_use (G_TYPE_MODULE (self));
  gboolean registered = info->register_types (self, error);
  if (!godwit_contract_result (self, "register_types", registered, error))
    return NULL;
  if (self->provided->len == 0) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "tell the maker of the plugin",
                      "it provides nothing");
    return NULL;
  }
  return self;
}
