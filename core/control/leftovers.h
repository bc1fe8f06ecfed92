/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Removes what killed processes of any job have left in the runtime directory, and lock and socket
 * of @job if nobody works on it. Whoever may not, or comes while somebody else does, does nothing.
 * @job: (nullable) */
void godwit_leftovers_sweep (const char *job);

G_END_DECLS
