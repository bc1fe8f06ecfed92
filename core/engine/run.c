/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

#define PLAN_DEADLINE_S 600

static gboolean
make_plan (GodwitEngine *self, GError **error)
{
  g_autoptr (GPtrArray) steps = NULL;
  GCancellable *cancellable =
      godwit_watchdog_begin (self->watchdog, "planning", PLAN_DEADLINE_S, self->cancellable);
  gboolean ok = self->backend->plan (self->job, &self->strategy, &steps, self->backend->data,
                                     cancellable, error);
  if (godwit_watchdog_end (self->watchdog) && !ok) {
    g_clear_error (error);
    godwit_set_error (error, GODWIT_ERROR_TRANSIENT, "godwit hosts",
                      "planning did not end within %u s; nothing was touched", PLAN_DEADLINE_S);
  }
  return ok && godwit_engine_set_steps (self, steps, error);
}

static gboolean
save_plan (GodwitEngine *self)
{
  GError *error = NULL;
  godwit_job_refresh_record (self->job);
  if (!godwit_journal_set_plan (self->journal, self->record, self->steps, &error))
    return godwit_engine_lose (self, error);
  return TRUE;
}

static gboolean
run (GodwitEngine *self)
{
  GError *error = NULL;
  if (!make_plan (self, &error)) {
    if (self->cancellable != NULL && g_cancellable_is_cancelled (self->cancellable)) {
      g_clear_error (&error);
      godwit_set_error (&error, GODWIT_ERROR_CANCELLED, NULL,
                        "aborted while it was planned; nothing was touched");
    }
    /* Nothing has begun, so there is nothing to ask and nothing to undo. */
    g_clear_pointer (&self->steps, g_ptr_array_unref);
    return godwit_engine_set_cause (self, NULL, error) && godwit_engine_finish_rolled_back (self);
  }
  if (!save_plan (self))
    return FALSE;
  gboolean failed = FALSE;
  if (!godwit_engine_run_up_to_commit (self, &failed))
    return FALSE;
  return failed ? godwit_engine_resolve (self) : godwit_engine_go_on (self);
}

gboolean
godwit_engine_run (GodwitJob *job, const GodwitEngineBackend *backend, GCancellable *cancellable,
                   GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (job) && backend != NULL, FALSE);
  g_autoptr (GodwitEngine) self = godwit_engine_new (job, backend);
  if (self->record->state != GODWIT_JOB_PLANNED) {
    g_autofree char *recover = g_strdup_printf ("godwit recover %s", self->record->id);
    godwit_set_error (error, GODWIT_ERROR_REFUSED, recover,
                      "job %s has been begun already: it is %s", self->record->id,
                      godwit_job_state_to_string (self->record->state));
    return FALSE;
  }
  g_set_object (&self->cancellable, cancellable);
  godwit_job_set_cancellable (job, cancellable);
  godwit_job_set_may_touch (job, TRUE);
  if (!godwit_job_load (job, error))
    return FALSE;
  return godwit_engine_return (self, run (self), error);
}
