/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

TOY_PLUGIN (twin_b, "twin-b", GodwitToyTwin, godwit_toy_twin)
