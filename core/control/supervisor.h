/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal/journal.h"

G_BEGIN_DECLS

/* What a supervisor needs, so that a test can supervise something else than a worker. */
typedef struct {
  const char *job;
  GodwitJournal *journal; /* NULL: nothing is written down */
  /* Starts a worker for a purpose. */
  gboolean (*start) (const char *purpose, GPid *pid, gpointer data, GError **error);
  gpointer data;
  guint pause_ms; /* before the second recovery; the third waits six times as long */
} GodwitSupervision;

/* Starts a worker and waits for it. If it dies, whatever it left behind is ended and the job is
 * recovered at once, at most three times. Returns the last worker's exit code, 1 if it was killed.
 */
int godwit_supervise (const GodwitSupervision *supervision, const char *purpose);

G_END_DECLS
