/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

/* Its type has the name of that of twin-b. */
TOY_PLUGIN (twin_a, "twin-a", GodwitToyTwin, godwit_toy_twin)
