/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

void a_function_that_nobody_has (void);

static void __attribute__ ((used)) call_it (void)
{
  a_function_that_nobody_has ();
}

TOY_PLUGIN (undefined, "undefined", GodwitToyUndefined, godwit_toy_undefined)
