/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "contracts/contracts.h"
#include "registry/registry.h"

G_BEGIN_DECLS

/* --- record.c ----------------------------------------------------------------------------- */

GodwitPluginRecord *godwit_plugin_record_new (const char *name, const char *path);
/* Makes it unusable, for that reason. */
void godwit_plugin_record_refuse (GodwitPluginRecord *record, const GError *error);
GVariant *godwit_plugin_record_to_variant (const GodwitPluginRecord *record);
/* NULL if the variant, which may come from a plugin's own process, is not what it should be. */
GodwitPluginRecord *godwit_plugin_record_from_variant (GVariant *variant);
void godwit_plugin_provision_free (GodwitPluginProvision *provision);
void godwit_plugin_property_free (GodwitPluginProperty *property);

/* --- inspect.c ---------------------------------------------------------------------------- */

/* (element-type GodwitPluginProperty) */
GPtrArray *godwit_inspect_properties (GType type);
/* Metadata, provisions and types of a plugin that is loaded in this process. */
gboolean godwit_inspect_module (GodwitPluginRecord *record, GodwitModule *module, GError **error);

/* --- module.c ----------------------------------------------------------------------------- */

typedef struct {
  const GodwitContract *contract;
  GType type;
  char *name;
} GodwitProvided;

/* The only way to make a GodwitModule; its reference is never given up. Checks the
 * descriptor whole, then registers the types. */
GodwitModule *godwit_module_load (const char *name, GodwitPluginQuery query, GError **error);
const GodwitPluginInfo *godwit_module_get_info (GodwitModule *self);
GPtrArray *godwit_module_get_provided (GodwitModule *self); /* GodwitProvided */

/* --- loader.c ----------------------------------------------------------------------------- */

gboolean godwit_plugin_name_is_valid (const char *name);
/* "live-shared" of "/x/godwit-live-shared.so"; NULL if the file is not named like a plugin */
char *godwit_plugin_name_from_path (const char *path);

/* Locks libltdl and the registry's state; recursive. */
void godwit_loader_lock (void);
void godwit_loader_unlock (void);
/* @builtins are found by bare names, files by absolute paths. */
void godwit_loader_add_builtins (const GodwitBuiltin *builtins);
GodwitPluginQuery godwit_loader_open_builtin (const char *name, GError **error);
GodwitPluginQuery godwit_loader_open_file (const char *name, const char *path, GError **error);

/* --- trust.c ------------------------------------------------------------------------------ */

/* Whether nobody but root (and the caller) can replace what is there. */
gboolean godwit_trust_check_directory (const char *path, GError **error);
gboolean godwit_trust_check_file (const char *path, GError **error);

/* --- probe.c ------------------------------------------------------------------------------ */

/* Looks at plugin files in child processes, several at a time. (element-type
 * GodwitPluginRecord), in the order of @paths; every record is there, usable or refused. */
GPtrArray *godwit_probe_files (const char *const *paths);
/* For tests: how long a plugin may take to load. */
void godwit_probe_set_limits (guint cpu_ms, guint wall_ms);

/* --- cache.c ------------------------------------------------------------------------------ */

/* What earlier probes found, so that a process that needs a plugin need not start another one.
 * Only good results are kept: who has just repaired a plugin wants to see it at once. */
typedef struct _GodwitProbeCache GodwitProbeCache;
GodwitProbeCache *godwit_probe_cache_open (void);
void godwit_probe_cache_free (GodwitProbeCache *cache); /* writes it if it changed */
GodwitPluginRecord *godwit_probe_cache_get (GodwitProbeCache *cache, const char *path);
void godwit_probe_cache_put (GodwitProbeCache *cache, const GodwitPluginRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitProbeCache, godwit_probe_cache_free)

G_END_DECLS
