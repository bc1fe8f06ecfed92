/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

/* Provides the name that belongs to plugin good. */
TOY_TYPE (GodwitToyRival, godwit_toy_rival)
TOY_CLASS_INIT (GodwitToyRival, godwit_toy_rival)

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_toy_rival_provide (module, "good", error);
}

GODWIT_PLUGIN_DEFINE (rival, "rival", "1.0", "A toy", "MIT", "tests", register_types)
