/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-struct.h"

#include "host/host-private.h"
#include "journal/copy.h"

#include <godwit/error.h>

/* One copy on its way to one host. */
typedef struct {
  GodwitJob *job;
  GodwitHost *host;
  GBytes *record;
  gboolean *stale;
} Errand;

/* A copy is there for the day on which the controller is lost; it must not be a reason for a
 * migration to fail. A host that did not take one is not asked again: every wait for it would
 * hold the job up. */
static gpointer
send_copy (gpointer data)
{
  Errand *errand = data;
  g_autoptr (GError) error = NULL;
  if (errand->host == NULL || *errand->stale)
    return NULL;
  const GodwitJobRecord *record = errand->job->record;
  if (godwit_host_keep_record (errand->host, record->id, record->epoch, errand->record, NULL,
                               &error))
    return NULL;
  *errand->stale = TRUE;
  g_autofree char *message = godwit_error_dup_message (error);
  godwit_job_log (errand->job, GODWIT_SEVERITY_WARNING, godwit_host_get_name (errand->host),
                  "the job's record cannot be kept on this host as well, so it could not be "
                  "recovered from there: %s",
                  message);
  return NULL;
}

void
godwit_job_hold_copies (GodwitJob *self, gboolean hold)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  self->hold_copies = hold;
}

gboolean
godwit_job_has_stale_copies (GodwitJob *self)
{
  g_return_val_if_fail (GODWIT_IS_JOB (self), FALSE);
  return self->source_copy_is_stale || self->destination_copy_is_stale;
}

void
godwit_job_renew_copies (GodwitJob *self)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  self->source_copy_is_stale = FALSE;
  self->destination_copy_is_stale = FALSE;
}

void
godwit_job_send_copies (GodwitJob *self)
{
  g_return_if_fail (GODWIT_IS_JOB (self));
  if (self->hold_copies || self->journal == NULL || !self->may_touch ||
      (self->source == NULL && self->destination == NULL))
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) record = godwit_journal_export_job (self->journal, self->record->id, &error);
  if (record == NULL) {
    godwit_job_log (self, GODWIT_SEVERITY_WARNING, NULL, "the job's record cannot be copied: %s",
                    error->message);
    return;
  }
  Errand there = {.job = self,
                  .host = self->destination,
                  .record = record,
                  .stale = &self->destination_copy_is_stale};
  Errand here = {.job = self,
                 .host = self->source,
                 .record = record,
                 .stale = &self->source_copy_is_stale};
  GThread *thread = g_thread_new ("copy-record", send_copy, &there);
  send_copy (&here);
  g_thread_join (thread);
}
