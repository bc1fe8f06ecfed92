/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy.h"

TOY_DESCRIPTOR (newsdk, sdk_version = GODWIT_SDK_VERSION + 1)
