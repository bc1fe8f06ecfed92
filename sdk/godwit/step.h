/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * GodwitStepFlags:
 * @GODWIT_STEP_UNDO: the step changes something and the engine must undo it on rollback.
 * @GODWIT_STEP_COMMIT: the step is the proof that precedes the commit. It changes nothing.
 *   When it returns %TRUE the engine journals COMMITTED; after that the job only goes
 *   forward. A plan has exactly one.
 * @GODWIT_STEP_MAY_OWE: only after the commit: if the step fails the guest has moved all the
 *   same; the engine notes a debt, goes on, and the job ends "moved, clean-up owed".
 * @GODWIT_STEP_VOLATILE: the step makes something that lives in this worker only (a tunnel, a
 *   running migration). A worker that takes the job over cannot continue after it: before
 *   the commit it rolls back.
 *
 * Since: 0.1
 */
typedef enum {
  GODWIT_STEP_UNDO = 1 << 0,
  GODWIT_STEP_COMMIT = 1 << 1,
  GODWIT_STEP_MAY_OWE = 1 << 2,
  GODWIT_STEP_VOLATILE = 1 << 3,
} GodwitStepFlags;

/**
 * GodwitPhase:
 * @GODWIT_PHASE_PREPARING: making room and targets at the destination
 * @GODWIT_PHASE_COPYING: disks or memory move
 * @GODWIT_PHASE_FROZEN: the guest stands still on both sides
 * @GODWIT_PHASE_RESUMING: after the commit: the destination starts
 * @GODWIT_PHASE_RETIRING: the source's remains are put away
 *
 * What a step does, for people and for state names. Since: 0.1
 */
typedef enum {
  GODWIT_PHASE_PREPARING,
  GODWIT_PHASE_COPYING,
  GODWIT_PHASE_FROZEN,
  GODWIT_PHASE_RESUMING,
  GODWIT_PHASE_RETIRING,
} GodwitPhase;

/**
 * GodwitStep:
 * @name: unique in its plan and stable across versions: recovery finds the step by it
 * @summary: one line for people: "create disks at the destination"
 * @phase: what kind of work it is
 * @weight: share of the progress bar, 0 for none
 * @deadline: seconds after which the engine ends the worker and recovery decides; 0 for a step
 *   that watches its own progress in bytes
 * @flags: see #GodwitStepFlags
 * @arguments: (nullable): whatever the strategy needs to run or undo it, `a{sv}`
 *
 * One step of a plan. Immutable after godwit_step_new(). Since: 0.1
 */
typedef struct {
  char *name;
  char *summary;
  GodwitPhase phase;
  guint weight;
  guint deadline;
  GodwitStepFlags flags;
  GVariant *arguments;
} GodwitStep;

/**
 * godwit_step_new:
 * @arguments: (nullable): sunk if floating
 *
 * Returns: (transfer full): a new step. Since: 0.1
 */
GodwitStep *godwit_step_new (const char *name, const char *summary, GodwitPhase phase, guint weight,
                             guint deadline, GodwitStepFlags flags, GVariant *arguments);
void godwit_step_free (GodwitStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitStep, godwit_step_free)

GVariant *godwit_step_to_variant (const GodwitStep *step);
GodwitStep *godwit_step_from_variant (GVariant *variant, GError **error);

const char *godwit_phase_to_string (GodwitPhase phase);

G_END_DECLS
