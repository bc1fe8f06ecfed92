/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/godwit.h>

/* Fails and does not say why. */
static gboolean
register_types (GodwitModule *module, GError **error)
{
  return FALSE;
}

GODWIT_PLUGIN_DEFINE (silent, "silent", "1.0", "A toy", "MIT", "tests", register_types)
