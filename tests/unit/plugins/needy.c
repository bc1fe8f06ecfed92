/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

int godwit_toy_helper (void);

static int __attribute__ ((used)) use_helper (void)
{
  return godwit_toy_helper ();
}

TOY_PLUGIN (needy, "needy", GodwitToyNeedy, godwit_toy_needy)
