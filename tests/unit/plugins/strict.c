/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin with a property that the operator must set. */
#include "toy.h"

TOY_TYPE (GodwitToyStrict, godwit_toy_strict)

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  g_object_set_data_full (object, "server", g_value_dup_string (value), g_free);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  g_value_set_string (value, g_object_get_data (object, "server"));
}

static void
godwit_toy_strict_class_init (GodwitToyStrictClass *klass)
{
  klass->set_property = set_property;
  klass->get_property = get_property;
  g_object_class_install_property (klass, 1,
                                   g_param_spec_string ("server", NULL, "Where it is", NULL,
                                                        G_PARAM_READWRITE | GODWIT_PARAM_CONFIG |
                                                            GODWIT_PARAM_REQUIRED));
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_toy_strict_provide (module, "strict", error);
}

GODWIT_PLUGIN_DEFINE (strict, "strict", "1.0", "A strict toy", "MIT", "tests", register_types)
