/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

#include <unistd.h>

__attribute__ ((constructor)) static void
sleep_for_ever (void)
{
  for (;;)
    pause ();
}

TOY_PLUGIN (sleepy, "sleepy", GodwitToySleepy, godwit_toy_sleepy)
