/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-struct.h"

#include <godwit/error.h>

void
godwit_job_set_cancellable (GodwitJob *self, GCancellable *cancellable)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->commit_mutex);
  g_set_object (&self->cancellable, cancellable);
}

char *
godwit_job_dup_aborted_by (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->commit_mutex);
  return g_strdup (self->aborted_by);
}

/* NULL if it is too late. */
static GCancellable *
accept_abort (GodwitJob *self, const char *who, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->commit_mutex);
  if (self->committed || self->cancellable == NULL) {
    g_autofree char *watch = g_strdup_printf ("godwit watch %s", self->record->id);
    godwit_set_error (error, GODWIT_ERROR_REFUSED, watch,
                      self->committed ? "job %s can no longer be aborted: the guest has moved, and "
                                        "the job is finishing"
                                      : "job %s cannot be aborted now: it is not migrating",
                      self->record->id);
    return NULL;
  }
  if (self->aborted_by == NULL)
    self->aborted_by = g_strdup (who);
  return g_object_ref (self->cancellable);
}

gboolean
godwit_job_abort (GodwitJob *self, const char *who, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), FALSE);
  g_autoptr (GCancellable) cancellable = accept_abort (self, who, error);
  if (cancellable == NULL)
    return FALSE;
  /* The wish is on disk before it has an effect, so that a recovery knows why the job ended. A
   * journal that cannot be written must not keep the job from being aborted. */
  g_autoptr (GError) local = NULL;
  if (self->journal != NULL &&
      !godwit_journal_set_aborted_by (self->journal, self->record->id, who, &local))
    godwit_job_log (self, GODWIT_SEVERITY_WARNING, NULL, "the abort could not be written down: %s",
                    local->message);
  g_cancellable_cancel (cancellable);
  return TRUE;
}

gboolean
godwit_job_commit (GodwitJob *self, guint step, gboolean despite_abort, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), FALSE);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->commit_mutex);
  if (!despite_abort && self->cancellable != NULL &&
      g_cancellable_is_cancelled (self->cancellable)) {
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "aborted by %s",
                      self->aborted_by != NULL ? self->aborted_by : "a signal");
    return FALSE;
  }
  self->record->committed = TRUE;
  self->record->state = GODWIT_JOB_COMMITTED;
  if (!godwit_job_set_step (self, step, GODWIT_STEP_DONE, NULL, error))
    return FALSE;
  self->committed = TRUE;
  return TRUE;
}
