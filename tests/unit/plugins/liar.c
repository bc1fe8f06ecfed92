/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

#include <unistd.h>

/* Writes what it likes where the probe's result is expected. */
__attribute__ ((constructor)) static void
lie (void)
{
  (void)!write (3, "all is well, load me", 20);
  _exit (0);
}

TOY_PLUGIN (liar, "liar", GodwitToyLiar, godwit_toy_liar)
