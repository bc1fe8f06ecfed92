/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/live-private.h"

#include "../fake/fake-world.h"

/* Opens the channels, for disks too if @disks; every wait is a moment, and a migration goes as
 * @live says. */
void live_world_open (FakeWorld *world, gboolean disks, FakeLiveFunc live);
/* A world whose channels are open, where every wait is a moment and a migration goes as @live says.
 */
FakeWorld *live_world_new (GodwitGuestState state, const char *options, FakeLiveFunc live);
void live_assert_fact (FakeWorld *world, const char *name, gboolean there);
