/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/paths.h"
#include "godwit-config.h"
#include "registry/registry-private.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_NAME     "plugins.cache"
#define CACHE_MAX_SIZE (1024 * 1024)
/* Made by which build of the library; then path -> (identity of the file, record). */
#define CACHE_TYPE G_VARIANT_TYPE ("(sa{s(sa{sv})})")

struct _GodwitProbeCache {
  char *host;          /* our own build */
  GHashTable *entries; /* path -> (sa{sv}) */
  gboolean changed;
};

/* Changes whenever the file does: no copy can forge a change time. */
static char *
identify (const char *path)
{
  struct stat st;
  if (path == NULL || stat (path, &st) != 0)
    return NULL;
  return g_strdup_printf ("%llx:%llx:%llx:%llx.%09lx:%llx.%09lx", (unsigned long long)st.st_dev,
                          (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
                          (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec,
                          (unsigned long long)st.st_ctim.tv_sec, (unsigned long)st.st_ctim.tv_nsec);
}

static char *
identify_host (void)
{
  Dl_info info;
  gboolean found = dladdr ((void *)identify_host, &info) != 0;
  g_autofree char *library = identify (found ? info.dli_fname : NULL);
  return g_strdup_printf (GODWIT_VERSION "/%s", library != NULL ? library : "static");
}

static char *
get_path (void)
{
  return g_build_filename (godwit_paths_get_runtime_dir (), CACHE_NAME, NULL);
}

/* The cache says that a file need not be probed, so only our own counts. */
static GBytes *
read_trusted (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return NULL;
  struct stat st;
  g_autofree char *data = NULL;
  gssize n = -1;
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_uid == geteuid () &&
      (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && st.st_size <= CACHE_MAX_SIZE) {
    data = g_malloc ((gsize)st.st_size + 1);
    n = read (fd, data, (gsize)st.st_size);
  }
  close (fd);
  return n > 0 ? g_bytes_new_take (g_steal_pointer (&data), (gsize)n) : NULL;
}

static void
load_entries (GodwitProbeCache *cache)
{
  g_autofree char *path = get_path ();
  g_autoptr (GBytes) bytes = read_trusted (path);
  if (bytes == NULL)
    return;
  g_autoptr (GVariant) all =
      g_variant_ref_sink (g_variant_new_from_bytes (CACHE_TYPE, bytes, FALSE));
  const char *host;
  g_autoptr (GVariant) entries = NULL;
  g_variant_get (all, "(&s@a{s(sa{sv})})", &host, &entries);
  if (!g_str_equal (host, cache->host))
    return;
  for (gsize i = 0; i < g_variant_n_children (entries); i++) {
    char *key;
    GVariant *value;
    g_variant_get_child (entries, i, "{s@(sa{sv})}", &key, &value);
    g_hash_table_replace (cache->entries, key, value);
  }
}

GodwitProbeCache *
godwit_probe_cache_open (void)
{
  GodwitProbeCache *cache = g_new0 (GodwitProbeCache, 1);
  cache->host = identify_host ();
  cache->entries =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
  load_entries (cache);
  return cache;
}

GodwitPluginRecord *
godwit_probe_cache_get (GodwitProbeCache *cache, const char *path)
{
  GVariant *entry = g_hash_table_lookup (cache->entries, path);
  g_autofree char *identity = identify (path);
  if (entry == NULL || identity == NULL)
    return NULL;
  const char *then;
  g_autoptr (GVariant) dict = NULL;
  g_variant_get (entry, "(&s@a{sv})", &then, &dict);
  if (!g_str_equal (then, identity))
    return NULL;
  return godwit_plugin_record_from_variant (dict);
}

void
godwit_probe_cache_put (GodwitProbeCache *cache, const GodwitPluginRecord *record)
{
  g_autofree char *identity = identify (record->path);
  if (!record->usable || identity == NULL)
    return;
  GVariant *entry = g_variant_new ("(s@a{sv})", identity, godwit_plugin_record_to_variant (record));
  g_hash_table_replace (cache->entries, g_strdup (record->path), g_variant_ref_sink (entry));
  cache->changed = TRUE;
}

/* A cache that cannot be written costs a little time and nothing else. */
static void
save_entries (GodwitProbeCache *cache)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{s(sa{sv})}"));
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, cache->entries);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (g_file_test (key, G_FILE_TEST_EXISTS))
      g_variant_builder_add (&builder, "{s@(sa{sv})}", key, value);
  g_autoptr (GVariant) all =
      g_variant_ref_sink (g_variant_new ("(sa{s(sa{sv})})", cache->host, &builder));

  g_autofree char *path = get_path ();
  g_autoptr (GError) error = NULL;
  if (!godwit_paths_make_dir (godwit_paths_get_runtime_dir (), 0755, &error) ||
      !g_file_set_contents_full (path, g_variant_get_data (all), (gssize)g_variant_get_size (all),
                                 G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_debug ("the plugin cache was not written: %s", error->message);
}

void
godwit_probe_cache_free (GodwitProbeCache *cache)
{
  if (cache == NULL)
    return;
  if (cache->changed)
    save_entries (cache);
  g_hash_table_unref (cache->entries);
  g_free (cache->host);
  g_free (cache);
}
