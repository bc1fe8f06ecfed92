/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What supervisor and worker of a job are told on their command lines:
 * `godwit supervise|work JOB PURPOSE [--config FILE] [--plugin-dir DIR] [--lock-fd N]`. */
typedef struct {
  char *job;
  char *purpose; /* "run", "recover", "confirm" */
  char *config_path;
  char *plugin_dir;
  int lock_fd; /* -1 for none */
} GodwitErrand;

void godwit_errand_clear (GodwitErrand *errand);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GodwitErrand, godwit_errand_clear)

/* @command: "supervise" or "work"; may be the first or the second word */
gboolean godwit_errand_parse (GodwitErrand *errand, const char *command, int argc, char **argv,
                              GError **error);
/* Starts this program again for that errand; the child has the errand's lock. @log_fd: its
 * standard output and error. @pid: NULL for a child that nobody waits for, in a session of its
 * own; else it is the leader of a process group and must be waited for. */
gboolean godwit_errand_start (const GodwitErrand *errand, const char *command, int log_fd,
                              GPid *pid, GError **error);

G_END_DECLS
