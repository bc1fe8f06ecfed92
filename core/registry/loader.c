/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "registry/registry-private.h"

#include <godwit/error.h>

#include <dlfcn.h>
#include <ltdl.h>
#include <stdlib.h>
#include <string.h>

/* libltdl is not thread-safe, and its handles and our records change together. */
static GRecMutex mutex;
static char *last_dlerror;

void
godwit_loader_lock (void)
{
  g_rec_mutex_lock (&mutex);
}

void
godwit_loader_unlock (void)
{
  g_rec_mutex_unlock (&mutex);
}

gboolean
godwit_plugin_name_is_valid (const char *name)
{
  if (name == NULL || !g_ascii_islower (*name))
    return FALSE;
  return name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

char *
godwit_plugin_name_from_path (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  if (!g_str_has_prefix (base, "godwit-") || !g_str_has_suffix (base, ".so"))
    return NULL;
  base[strlen (base) - strlen (".so")] = '\0';
  const char *name = base + strlen ("godwit-");
  return godwit_plugin_name_is_valid (name) ? g_strdup (name) : NULL;
}

/* libltdl's own loader binds lazily, so that a plugin with an undefined function would end the
 * process in the middle of a migration; it obeys LTDL_LIBRARY_PATH; and lt_dlerror() forgets the
 * reason of a failure, so it is kept here. */
static lt_module
open_now (G_GNUC_UNUSED lt_user_data data, const char *filename, G_GNUC_UNUSED lt_dladvise advise)
{
  if (filename == NULL || *filename != '/')
    return NULL;
  void *handle = dlopen (filename, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == NULL) {
    g_free (last_dlerror);
    last_dlerror = g_strdup (dlerror ());
  }
  return handle;
}

static int
never_close (G_GNUC_UNUSED lt_user_data data, G_GNUC_UNUSED lt_module module)
{
  return 0;
}

static void *
find_symbol (G_GNUC_UNUSED lt_user_data data, lt_module module, const char *symbol)
{
  return dlsym (module, symbol);
}

static void
set_up (void)
{
  static gboolean done;
  static const lt_dlvtable vtable = {
      .name = "godwit",
      .module_open = open_now,
      .module_close = never_close,
      .find_sym = find_symbol,
      .priority = LT_DLLOADER_PREPEND,
  };
  if (done)
    return;
  done = TRUE;
  if (lt_dlinit () != 0 || lt_dlloader_add (&vtable) != 0)
    g_error ("libltdl cannot be set up: %s", lt_dlerror ());
  free ((void *)lt_dlloader_remove ("lt_dlopen"));
}

static char *
get_symbol_name (const char *name)
{
  g_autofree char *ident = g_strdelimit (g_strdup (name), "-", '_');
  return g_strdup_printf ("godwit_plugin_%s_query", ident);
}

/* libltdl looks for a name without a directory in the system's library directories first, and
 * directories there have names that plugins have too. */
static char *
get_module_name (const char *name)
{
  return g_strconcat ("godwit-builtin-", name, NULL);
}

void
godwit_loader_add_builtins (const GodwitBuiltin *builtins)
{
  godwit_loader_lock ();
  set_up ();
  for (; builtins != NULL && builtins->name != NULL; builtins++) {
    /* What libtool would generate: originator, module, its symbols, end. libltdl keeps the
     * pointer, so it lives as long as the process. */
    lt_dlsymlist *table = g_new0 (lt_dlsymlist, 4);
    table[0].name = "@PROGRAM@";
    table[1].name = get_module_name (builtins->name);
    table[2].name = get_symbol_name (builtins->name);
    table[2].address = (void *)builtins->query;
    lt_dlpreload (table);
  }
  godwit_loader_unlock ();
}

static void
set_open_error (GError **error, const char *path)
{
  g_autofree char *reason = g_steal_pointer (&last_dlerror);
  g_autofree char *remedy = NULL;
  const char *text = reason != NULL ? reason : "the dynamic linker refused it and gave no reason";
  /* The caller says which file it is about. */
  if (g_str_has_prefix (text, path) && g_str_has_prefix (text + strlen (path), ": "))
    text += strlen (path) + strlen (": ");
  if (strstr (text, "cannot open shared object file") != NULL)
    remedy = g_strdup_printf ("install the library that is missing; `ldd %s` lists it", path);
  else if (strstr (text, "undefined symbol") != NULL)
    remedy = g_strdup_printf ("install a build of it for godwit %d.%d", GODWIT_SDK_VERSION / 10000,
                              GODWIT_SDK_VERSION / 100 % 100);
  else
    remedy = g_strdup_printf ("install it again, or remove %s", path);
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, remedy, "%s", text);
}

static GodwitPluginQuery
find_query (lt_dlhandle handle, const char *name, GError **error)
{
  g_autofree char *symbol = get_symbol_name (name);
  void *query = lt_dlsym (handle, symbol);
  if (query == NULL)
    godwit_set_error (error, GODWIT_ERROR_CONFIG,
                      "give the file its own name back, or remove it if it is no plugin of godwit",
                      "it has no symbol %s", symbol);
  return (GodwitPluginQuery)query;
}

GodwitPluginQuery
godwit_loader_open_builtin (const char *name, GError **error)
{
  godwit_loader_lock ();
  set_up ();
  GodwitPluginQuery query = NULL;
  g_autofree char *module = get_module_name (name);
  lt_dlhandle handle = lt_dlopen (module);
  if (handle != NULL)
    query = find_query (handle, name, error);
  else
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "no plugin %s is built in", name);
  godwit_loader_unlock ();
  return query;
}

GodwitPluginQuery
godwit_loader_open_file (const char *name, const char *path, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (path) && g_str_has_suffix (path, ".so"), NULL);
  godwit_loader_lock ();
  set_up ();
  g_clear_pointer (&last_dlerror, g_free);
  GodwitPluginQuery query = NULL;
  lt_dlhandle handle = lt_dlopen (path);
  if (handle == NULL) {
    set_open_error (error, path);
  } else {
    lt_dlmakeresident (handle);
    query = find_query (handle, name, error);
  }
  godwit_loader_unlock ();
  return query;
}
