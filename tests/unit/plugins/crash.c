/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

__attribute__ ((constructor)) static void
crash (void)
{
  g_printerr ("about to crash\n");
  abort ();
}

TOY_PLUGIN (crash, "crash", GodwitToyCrash, godwit_toy_crash)
