/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "registry/registry-private.h"

G_BEGIN_DECLS

/* For the files of the registry only. Everything below is called with the loader's lock held. */
struct _GodwitRegistry {
  GObject parent_instance;
  char *directory;
  GHashTable *builtins; /* set of names */
  GHashTable *disabled; /* set of names */
  GPtrArray *records;   /* GodwitPluginRecord, sorted by name once all are known */
  gboolean discovered;
  gboolean latched;
};

/* The module of a plugin that passed all checks; opens it if it is not open yet. */
GodwitModule *godwit_registry_open_module (const char *name, const char *path, GError **error);

/* What is known of one plugin; looks at it if nothing is. NULL if there is none of that name. */
GodwitPluginRecord *godwit_registry_look_at (GodwitRegistry *self, const char *name);

G_END_DECLS
