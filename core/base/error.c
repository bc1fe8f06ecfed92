/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/error.h>

GQuark
godwit_error_quark (void)
{
  return g_quark_from_static_string ("godwit-error");
}
