/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/plugin.h>

G_BEGIN_DECLS

typedef struct {
  char *name;
  char *type;     /* "boolean", "uint", "string", ... */
  char *range;    /* "[1, 65535]" or NULL */
  char *fallback; /* default as text or NULL */
  char *blurb;
  guint flags; /* the GODWIT_PARAM_ bits of plugin.h */
} GodwitPluginProperty;

typedef struct {
  char *contract; /* "strategy", "transport", "hypervisor", "storage", "image-source" */
  char *name;
  char *type_name;       /* of the GObject that implements it */
  GPtrArray *properties; /* GodwitPluginProperty */
} GodwitPluginProvision;

/* What is known of one plugin file or built-in, usable or not. */
typedef struct {
  char *name;
  char *path; /* NULL for a built-in one */
  gboolean usable;
  char *reason; /* why not; NULL if usable */
  char *remedy;
  char *version;
  char *summary;
  char *license;
  char *origin;
  GPtrArray *provisions; /* GodwitPluginProvision */
  GStrv types;           /* names of all types that it registers */
} GodwitPluginRecord;

void godwit_plugin_record_free (GodwitPluginRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitPluginRecord, godwit_plugin_record_free)
const GodwitPluginProperty *
godwit_plugin_provision_find_property (const GodwitPluginProvision *provision, const char *name);

/* Finds, probes and loads plugins. One per process; never unloads. */
#define GODWIT_TYPE_REGISTRY (godwit_registry_get_type ())
G_DECLARE_FINAL_TYPE (GodwitRegistry, godwit_registry, GODWIT, REGISTRY, GObject)

typedef struct {
  const char *name;
  GodwitPluginQuery query;
} GodwitBuiltin;

/* @directory: NULL for the installed one; another is refused for root unless it is trusted the
 * same way (owned by root, not writable by others). @builtins: ended by a NULL name; may be NULL */
GodwitRegistry *godwit_registry_new (const char *directory, const GodwitBuiltin *builtins,
                                     GError **error);

/* Names in [plugins] disable=: never probed and never loaded. */
void godwit_registry_disable (GodwitRegistry *self, const char *const *names);

/* Built-in plugins, then every file of the directory, probed in child processes. Sorted by name;
 * refused ones are listed with the reason. (transfer none) (element-type GodwitPluginRecord) */
GPtrArray *godwit_registry_discover (GodwitRegistry *self);
/* Looks at that one plugin only. NULL if there is none of that name. */
const GodwitPluginRecord *godwit_registry_find (GodwitRegistry *self, const char *name);

/* Loads a plugin after all checks; loading it again is success. The error has path, reason and
 * remedy; a plugin that is not installed names the package to install. */
gboolean godwit_registry_load (GodwitRegistry *self, const char *name, GError **error);

/* Loads every usable plugin that provides @contract. */
gboolean godwit_registry_load_contract (GodwitRegistry *self, GType contract, GError **error);

/* Names of the implementations of a contract that usable plugins provide, loaded or not, sorted.
 * (transfer full) */
GStrv godwit_registry_list_available (GodwitRegistry *self, GType contract);

/* The type of an implementation, for its properties; loads the plugin if needed. */
GType godwit_registry_find_type (GodwitRegistry *self, GType contract, const char *name,
                                 GError **error);

/* Names of loaded implementations of a contract, sorted. (transfer full) */
GStrv godwit_registry_list (GodwitRegistry *self, GType contract);

/* A new object of a loaded implementation; loads the plugin of that name if needed. */
GObject *godwit_registry_create (GodwitRegistry *self, GType contract, const char *name,
                                 GError **error);

/* No plugin is loaded after this. */
void godwit_registry_latch (GodwitRegistry *self);

const char *godwit_contract_to_string (GType contract); /* "transport" */
GType godwit_contract_from_string (const char *name);   /* G_TYPE_INVALID if unknown */

/* main() of the probe child: `godwit plugin-probe PATH`. */
int godwit_probe_main (int argc, char **argv);

G_END_DECLS
