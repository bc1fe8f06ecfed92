/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/error.h>
#include <godwit/strategy.h>

GPtrArray *
godwit_step_entries_plan (const GodwitStepEntry *entries)
{
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);

  for (; entries->name != NULL; entries++)
    g_ptr_array_add (steps,
                     godwit_step_new (entries->name, entries->summary, entries->phase,
                                      entries->weight, entries->deadline, entries->flags, NULL));
  return steps;
}

gboolean
godwit_step_entries_run (const GodwitStepEntry *entries, gboolean undo, GodwitJob *job,
                         const GodwitStep *step, GCancellable *cancellable, GError **error)
{
  for (; entries->name != NULL; entries++) {
    if (!g_str_equal (entries->name, step->name))
      continue;
    if (!undo)
      return entries->run (job, step, cancellable, error);
    return entries->undo == NULL || entries->undo (job, step, cancellable, error);
  }
  godwit_set_error (error, GODWIT_ERROR_INTERNAL,
                    "finish the job with the version of godwit that began it",
                    "the strategy has no step called %s", step->name);
  return FALSE;
}
