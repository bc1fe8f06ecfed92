/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

#include <unistd.h>

__attribute__ ((constructor)) static void
leave (void)
{
  _exit (0);
}

TOY_PLUGIN (leaver, "leaver", GodwitToyLeaver, godwit_toy_leaver)
