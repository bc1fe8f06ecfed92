/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>
#include <godwit/step.h>

G_BEGIN_DECLS

/**
 * GodwitStrategy:
 *
 * The contract of a strategy: what stands against moving this guest this way, and which steps
 * do it. A strategy plans; the engine drives, journals, undoes and recovers. Since: 0.1
 */
#define GODWIT_TYPE_STRATEGY (godwit_strategy_get_type ())
G_DECLARE_INTERFACE (GodwitStrategy, godwit_strategy, GODWIT, STRATEGY, GObject)

/**
 * GodwitStrategyInterface:
 * @stops_guest: %TRUE if the guest is down while it moves; `auto` then needs `allow-downtime`.
 * @check: required. Adds findings; may set each disk's treatment and flatten. The disks have
 *   been inspected and their sharing decided. Returns %FALSE only if the check itself failed.
 *   Changes nothing on any host.
 * @plan: required. Called after a check without blockers. Returns (transfer full)
 *   (element-type GodwitStep) the steps in order, exactly one with %GODWIT_STEP_COMMIT.
 * @run_step: required. Idempotent: may be called again after a crash in the middle, by another
 *   process, with the facts that were journaled.
 * @undo_step: required if any step has %GODWIT_STEP_UNDO. Idempotent; must also undo a step
 *   that only half ran or never began. Removes only what carries the job's token.
 * @confirm: optional. Removes what was parked at the source. The default removes what
 *   godwit_disks_park_source() parked.
 * @plan_revert: optional. Steps of the new job that brings the guest back to the source. Its
 *   run_step and undo_step go to this strategy too. The default says it is not supported.
 *
 * Methods run in the job's worker, one at a time. Since: 0.1
 */
struct _GodwitStrategyInterface {
  GTypeInterface parent_iface;

  gboolean (*stops_guest) (GodwitStrategy *self);
  gboolean (*check) (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                     GCancellable *cancellable, GError **error);
  GPtrArray *(*plan) (GodwitStrategy *self, GodwitJob *job, GError **error);
  gboolean (*run_step) (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                        GCancellable *cancellable, GError **error);
  gboolean (*undo_step) (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                         GCancellable *cancellable, GError **error);
  gboolean (*confirm) (GodwitStrategy *self, GodwitJob *job, GCancellable *cancellable,
                       GError **error);
  GPtrArray *(*plan_revert) (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                             GCancellable *cancellable, GError **error);

  gpointer _reserved[8];
};

gboolean godwit_strategy_stops_guest (GodwitStrategy *self);
gboolean godwit_strategy_check (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                                GCancellable *cancellable, GError **error);
GPtrArray *godwit_strategy_plan (GodwitStrategy *self, GodwitJob *job, GError **error);
gboolean godwit_strategy_run_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                                   GCancellable *cancellable, GError **error);
gboolean godwit_strategy_undo_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                                    GCancellable *cancellable, GError **error);
gboolean godwit_strategy_confirm (GodwitStrategy *self, GodwitJob *job, GCancellable *cancellable,
                                  GError **error);
GPtrArray *godwit_strategy_plan_revert (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                                        GCancellable *cancellable, GError **error);

/* --- a strategy as a table -------------------------------------------------------------- */

/**
 * GodwitStepFunc:
 *
 * Runs or undoes one step; idempotent. Since: 0.1
 */
typedef gboolean (*GodwitStepFunc) (GodwitJob *job, const GodwitStep *step,
                                    GCancellable *cancellable, GError **error);

/**
 * GodwitStepEntry:
 * @name: as in #GodwitStep
 * @summary: as in #GodwitStep
 * @phase: as in #GodwitStep
 * @weight: as in #GodwitStep
 * @deadline: as in #GodwitStep
 * @flags: as in #GodwitStep
 * @run: does it
 * @undo: (nullable): undoes it; needed with %GODWIT_STEP_UNDO
 *
 * One line of a table of steps, which ends with an entry whose name is %NULL. Since: 0.1
 */
typedef struct {
  const char *name;
  const char *summary;
  GodwitPhase phase;
  guint weight;
  guint deadline;
  GodwitStepFlags flags;
  GodwitStepFunc run;
  GodwitStepFunc undo;
} GodwitStepEntry;

/**
 * godwit_step_entries_plan:
 *
 * Returns: (transfer full) (element-type GodwitStep): the steps of @entries in order. Since: 0.1
 */
GPtrArray *godwit_step_entries_plan (const GodwitStepEntry *entries);

/**
 * godwit_step_entries_run:
 *
 * Runs the entry with the name of @step, or undoes it with @undo. Fails with
 * %GODWIT_ERROR_INTERNAL if there is none. Since: 0.1
 */
gboolean godwit_step_entries_run (const GodwitStepEntry *entries, gboolean undo, GodwitJob *job,
                                  const GodwitStep *step, GCancellable *cancellable,
                                  GError **error);

G_END_DECLS
