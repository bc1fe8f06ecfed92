/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/event.h"

#include <stdio.h>

G_BEGIN_DECLS

/* Shows the events of a job to a person. On a terminal each disk and phase that moves has one
 * line that is redrawn in place; elsewhere plain lines, progress at most every ten seconds. */
typedef struct _CliProgress CliProgress;

/* @width: columns of the terminal, 0 if @stream is none */
CliProgress *cli_progress_new (FILE *stream, guint width);
void cli_progress_event (CliProgress *self, const GodwitEvent *event);
/* Leaves the moving lines as they stand and begins a fresh one. */
void cli_progress_settle (CliProgress *self);
void cli_progress_free (CliProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliProgress, cli_progress_free)

G_END_DECLS
