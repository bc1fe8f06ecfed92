/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config-private.h"

#include <godwit/error.h>

#define SETTABLE (GODWIT_PARAM_CONFIG | GODWIT_PARAM_HOST)

static gboolean
apply_group (GodwitConfig *self, GObject *object, const char *group, gboolean shared,
             GError **error)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (object);
  g_auto (GStrv) keys = godwit_config_list_keys (self, group);
  for (gsize i = 0; keys[i] != NULL; i++) {
    /* The plain group of a host has the keys of others too. */
    if (shared && godwit_config_find_property (klass, keys[i], GODWIT_PARAM_HOST) == NULL)
      continue;
    if (!godwit_config_set_property (object, keys[i], godwit_config_get (self, group, keys[i]),
                                     error)) {
      godwit_config_prefix_error (error, godwit_config_get_origin (self, group, keys[i]), group);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_required (GObject *object, const char *group, GError **error)
{
  guint n_specs = 0;
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n_specs);
  for (guint i = 0; i < n_specs; i++) {
    if ((specs[i]->flags & GODWIT_PARAM_REQUIRED) == 0 || (specs[i]->flags & G_PARAM_READABLE) == 0)
      continue;
    g_auto (GValue) value = G_VALUE_INIT;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (object, specs[i]->name, &value);
    if (!g_param_value_defaults (specs[i], &value))
      continue;
    g_autofree char *remedy =
        g_strdup_printf ("set %s= in the group [%s] of godwit.conf", specs[i]->name, group);
    godwit_set_error (error, GODWIT_ERROR_CONFIG, remedy, "[%s] has no %s, which must be set",
                      group, specs[i]->name);
    return FALSE;
  }
  return TRUE;
}

gboolean
godwit_config_apply (GodwitConfig *self, GObject *object, const char *contract, const char *name,
                     const char *host, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_CONFIG (self) && G_IS_OBJECT (object), FALSE);

  g_autofree char *general = g_strdup_printf ("%s %s", contract, name);
  if (!apply_group (self, object, general, FALSE, error))
    return FALSE;
  if (host != NULL) {
    g_autofree char *shared = g_strdup_printf ("host %s", host);
    g_autofree char *own = g_strdup_printf ("host %s/%s %s", host, contract, name);
    if (!apply_group (self, object, shared, TRUE, error) ||
        !apply_group (self, object, own, FALSE, error))
      return FALSE;
    return check_required (object, own, error);
  }
  return check_required (object, general, error);
}
