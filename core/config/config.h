/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _GodwitRegistry GodwitRegistry;

/* godwit.conf, then conf.d beside it in name order, merged; later files win. Unknown groups
 * and keys, wrong types and values out of range are errors that name file, group, key, the
 * allowed values and the nearest spelling. */
#define GODWIT_TYPE_CONFIG (godwit_config_get_type ())
G_DECLARE_FINAL_TYPE (GodwitConfig, godwit_config, GODWIT, CONFIG, GObject)

/* A missing default file is an empty configuration; a missing named file is an error. Checks
 * core groups: [migration] [strategy] [plugins] [agent] [host NAME] [guest NAME]. The keys of
 * plugins are checked by godwit_config_check_plugins(). */
GodwitConfig *godwit_config_load (const char *path, GError **error);

/* Value as written, or the schema's default as text; NULL if there is neither. */
const char *godwit_config_get (GodwitConfig *self, const char *group, const char *key);
gboolean godwit_config_get_boolean (GodwitConfig *self, const char *group, const char *key);
guint64 godwit_config_get_uint64 (GodwitConfig *self, const char *group, const char *key);
GStrv godwit_config_get_list (GodwitConfig *self, const char *group, const char *key);

/* NULL, or "FILE" where that key was set; for `godwit plugins NAME` and error messages. */
const char *godwit_config_get_origin (GodwitConfig *self, const char *group, const char *key);

/* Groups that the files contain, and the keys that they set in one of them, in the order of the
 * files; for `godwit config show`. */
GStrv godwit_config_list_groups (GodwitConfig *self);
GStrv godwit_config_list_keys (GodwitConfig *self, const char *group);

GStrv godwit_config_list_hosts (GodwitConfig *self);
gboolean godwit_config_has_host (GodwitConfig *self, const char *name);
const char *godwit_config_get_host (GodwitConfig *self, const char *host, const char *key);

/* [guest UUID], else [guest NAME], else [migration], or [strategy] for `order`. Either name may be
 * NULL. */
const char *godwit_config_get_for_guest (GodwitConfig *self, const char *name, const char *uuid,
                                         const char *key);

/* Every group and key that belongs to a plugin, against its properties. */
gboolean godwit_config_check_plugins (GodwitConfig *self, GodwitRegistry *registry, GError **error);

/* Sets the GODWIT_PARAM_CONFIG properties of a plugin's object: [CONTRACT NAME], then
 * [host HOST] (those with GODWIT_PARAM_HOST), then [host HOST/CONTRACT NAME]. */
gboolean godwit_config_apply (GodwitConfig *self, GObject *object, const char *contract,
                              const char *name, const char *host, GError **error);

/* Like a configuration key, but from the command line or a claimed address. Parses text by the
 * property's GParamSpec; the error names the allowed values. */
gboolean godwit_config_set_property (GObject *object, const char *key, const char *text,
                                     GError **error);

/* A commented configuration file with every key, its type, range, default and meaning. */
char *godwit_config_template (GodwitRegistry *registry, GError **error);

/* The schema of the core's own groups, also for the man page. */
typedef struct {
  const char *group; /* "migration", "host *", ... */
  const char *key;
  char type; /* b boolean, u number, s text, p absolute path, l list, P list of absolute paths,
              * d duration in ms ("300ms", "10m"), e one of */
  guint64 minimum;
  guint64 maximum;
  const char *choices; /* for e: "a|b|c" */
  const char *fallback;
  const char *blurb;
} GodwitConfigKey;
const GodwitConfigKey *godwit_config_get_schema (gsize *n_keys);

/* "boolean", "duration from 1ms to 1m", ... */
char *godwit_config_key_describe (const GodwitConfigKey *key);

/* "300ms", "10s", "10m", "1h" in milliseconds; a number needs its unit. FALSE if it is none. */
gboolean godwit_config_parse_duration (const char *text, guint64 *milliseconds);

G_END_DECLS
