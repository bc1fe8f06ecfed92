/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

__attribute__ ((constructor)) static void
spin (void)
{
  for (volatile guint i = 0;; i++)
    ;
}

TOY_PLUGIN (spin, "spin", GodwitToySpin, godwit_toy_spin)
