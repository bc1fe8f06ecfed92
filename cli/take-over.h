/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

/* Makes a job of a controller that is lost one of this machine, from the copy of its record at
 * @from. @source, @destination: what to call the two hosts here; NULL: as that controller did */
typedef struct {
  const char *job;
  const char *from;
  const char *source;
  const char *destination;
} CliTakeOver;

gboolean cli_take_over (CliContext *context, const CliTakeOver *take_over, GError **error);

/* Says which jobs of other controllers this machine has unfinished records of. */
void cli_mention_others (CliContext *context);
