/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "registry/registry.h"

G_BEGIN_DECLS

/* --- schema.c ----------------------------------------------------------------------------- */

/* The schema's name of a core group: "host *" for "host b"; NULL for a plugin's group. */
const char *godwit_config_match_group (const char *group);
const GodwitConfigKey *godwit_config_find_key (const char *schema_group, const char *key);
/* Keys of a group of the schema. (transfer container) */
GPtrArray *godwit_config_list_schema_keys (const char *schema_group);
/* The error says only what is allowed; the caller adds where. */
gboolean godwit_config_check_value (const GodwitConfigKey *key, const char *text, GError **error);
gboolean godwit_config_parse_boolean (const char *text, gboolean *value);

/* "transport scp" or "host b/transport scp", taken apart; @host is NULL for the first form. */
typedef struct {
  char *host;
  char *contract;
  char *name;
} GodwitConfigPluginGroup;

GodwitConfigPluginGroup *godwit_config_parse_plugin_group (const char *group);
void godwit_config_plugin_group_free (GodwitConfigPluginGroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitConfigPluginGroup, godwit_config_plugin_group_free)

/* Sets an error about one place of the configuration. @known: (nullable): what it could have been
 * instead of @word. */
void godwit_config_set_unknown (GError **error, const char *file, const char *where,
                                const char *word, const char *const *known);
/* Puts "FILE: [GROUP] " before the message, and names the usual next command. */
void godwit_config_prefix_error (GError **error, const char *file, const char *group);

/* --- property.c --------------------------------------------------------------------------- */

/* (transfer none); NULL unless the operator may set it in a group of that kind. */
GParamSpec *godwit_config_find_property (GObjectClass *klass, const char *key, guint flags);
/* Parses and checks, without an object. */
gboolean godwit_config_parse_property (GParamSpec *spec, const char *text, GValue *value,
                                       GError **error);
/* Keys that the operator may set. (transfer container, names are interned) */
GPtrArray *godwit_config_list_properties (GObjectClass *klass, guint flags);

G_END_DECLS
