/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/job-private.h"
#include "registry/registry.h"

#include <godwit/strategy.h>

G_BEGIN_DECLS

typedef struct {
  char *name;
  gboolean allowed;
  char *reason;     /* why not; for the chosen one why it was taken */
  guint64 bytes;    /* that would be moved for disks */
  GPtrArray *disks; /* GodwitDisk copies with the treatment it would give */
} GodwitCandidate;

typedef struct {
  GodwitReport *report;
  GPtrArray *candidates; /* GodwitCandidate, in the order of preference */
  char *chosen;          /* NULL if every strategy is refused */
  GodwitStrategy *strategy;
  GPtrArray *steps; /* GodwitStep; NULL if none was chosen */
} GodwitPlan;

void godwit_plan_free (GodwitPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitPlan, godwit_plan_free)

/* Opens both hosts, describes the guest, inspects and compares its disks, runs every strategy's
 * checks and chooses one. Everything that goes wrong with the operator's input is a finding, so
 * that all of it is reported at once; an error is returned only if nothing could be looked at.
 * The job's options say which strategy is asked for. */
GodwitPlan *godwit_plan_make (GodwitJob *job, GodwitRegistry *registry, GCancellable *cancellable,
                              GError **error);

/* For a worker that takes a job over: hosts, hypervisors, storage plugins and the strategy,
 * from the record alone. A host that cannot be reached is left NULL and noted in @report. */
GodwitStrategy *godwit_plan_reopen (GodwitJob *job, GodwitRegistry *registry, GodwitReport *report,
                                    GCancellable *cancellable, GError **error);

/* Opens both hosts at the same time. Adds `source-reachable`, `destination-reachable` and
 * `host-known`; sets what could be opened in the job. */
void godwit_plan_open_hosts (GodwitJob *job, GodwitRegistry *registry, GodwitReport *report,
                             GCancellable *cancellable);

/* The error of a plan in which nothing was chosen: code REFUSED, all blockers, the remedy. */
GError *godwit_plan_to_error (const GodwitPlan *plan);

char *godwit_plan_to_json (const GodwitPlan *plan, GodwitJob *job);

G_END_DECLS
