/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

TOY_PLUGIN (strangetype, "strangetype", StrangeToy, strange_toy)
