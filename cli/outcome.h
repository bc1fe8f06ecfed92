/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* Figures of the job's last event, a{sv}; NULL if it has none (yet). */
GVariant *cli_get_result (GodwitClient *client, const char *job);
/* "0.09 s" or NULL */
char *cli_result_get_downtime (GVariant *result);

/* Prints how a job ended, with the next command. Returns its exit code. */
CliExit cli_print_outcome (GodwitClient *client, const char *job, gboolean json);

G_END_DECLS
