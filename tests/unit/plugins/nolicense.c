/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

TOY_DESCRIPTOR (nolicense, license = "")
