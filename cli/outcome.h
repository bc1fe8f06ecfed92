/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* How long the job held the guest still, in microseconds; -1 if it is not known (yet). */
gint64 cli_get_downtime (GodwitClient *client, const char *job);

/* Prints how a job ended, with the next command. Returns its exit code. */
CliExit cli_print_outcome (GodwitClient *client, const char *job, gboolean json);

G_END_DECLS
