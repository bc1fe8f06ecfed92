/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

typedef struct {
  gboolean json;      /* events as JSON lines on standard output */
  gboolean quiet;     /* no events; only the outcome */
  gboolean may_abort; /* an interrupt aborts the job; otherwise it only stops watching */
  guint64 after;      /* serial of the last event that is not wanted */
  guint timeout_s;    /* stop watching then; 0 for never */
} CliWatch;

/* Follows a job to its end and prints how it ended. Returns the job's exit code. */
CliExit cli_watch_job (CliContext *context, const char *job, const CliWatch *watch);

/* What a command that starts a job without watching it prints. */
void cli_print_job_id (const char *job, gboolean json);

/* Serial of the newest event of a job: what is watched from there on is new. */
guint64 cli_get_last_serial (GodwitClient *client, const char *job);

G_END_DECLS
