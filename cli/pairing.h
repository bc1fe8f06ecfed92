/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* `godwit hosts pair`: lets @from's machine open channels to @to's, and back if @both_ways. */
CliExit cli_pair_hosts (CliContext *context, const char *from, const char *to, gboolean both_ways);

G_END_DECLS
