/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/job-private.h"

#include <godwit/strategy.h>

G_BEGIN_DECLS

/* How a worker ends when no record could be written about it. */
#define GODWIT_EXIT_DEADLINE 70 /* a step passed its deadline and could not be interrupted */
#define GODWIT_EXIT_JOURNAL  71 /* the journal could not be written */
#define GODWIT_EXIT_FENCED   72 /* another worker has taken the job over */

/* What the engine needs from its surroundings; the engine itself knows no planner. */
typedef struct {
  /* Plans the job. Everything that stands against it is the error (REFUSED). */
  gboolean (*plan) (GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps, gpointer data,
                    GCancellable *cancellable, GError **error);
  /* For a job that another worker began: hosts, storage plugins and the strategy. A host that
   * cannot be reached is left NULL in the job. */
  GodwitStrategy *(*reopen) (GodwitJob *job, gpointer data, GCancellable *cancellable,
                             GError **error);
  /* Only the hosts, for a job that was never planned to the end; NULL where there are none. */
  void (*reach) (GodwitJob *job, gpointer data, GCancellable *cancellable);
  gboolean (*has_parked) (GodwitJob *job);
  /* Instead of ending the process when a deadline was missed; NULL for that. */
  void (*expire) (const char *what, guint seconds, gpointer data);
  guint pause_ms; /* unit of waiting before something is tried or asked again; 0: a second */
  guint grace_ms; /* between the cancellation of a late step and the end; 0: five seconds */
  gpointer data;
} GodwitEngineBackend;

/*
 * All three return TRUE when the journal holds how the job stands: done, rolled back, in doubt,
 * or waiting for `recover` with the reason; godwit_job_record_get_exit_code() tells. They return
 * FALSE only if the journal could not be written any more, or another worker has taken the job
 * over (DENIED): nothing was touched after that, and whoever recovers the job decides.
 */

/* Plans and drives a new job to its end. @cancellable: aborts before the commit */
gboolean godwit_engine_run (GodwitJob *job, const GodwitEngineBackend *backend,
                            GCancellable *cancellable, GError **error);

/* Finishes or undoes a job whose worker is gone, from the journal and from what both hosts say;
 * tries again what a job that has ended still owes. Running it twice changes nothing. */
gboolean godwit_engine_recover (GodwitJob *job, const GodwitEngineBackend *backend, GError **error);

/* Removes the source's copy of a job that is done. */
gboolean godwit_engine_confirm (GodwitJob *job, const GodwitEngineBackend *backend, GError **error);

G_END_DECLS
