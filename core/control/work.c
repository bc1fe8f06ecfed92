/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/work.h"

#include "control/lock.h"
#include "control/log.h"
#include "control/server.h"

#include <godwit/error.h>

#include <unistd.h>

/* Ending what the job kept must not keep its end from being seen. */
#define LEAVE_DEADLINE_S 60

typedef struct {
  const GodwitErrand *errand;
  GodwitJournal *journal;
  GodwitJob *job;
  GodwitServer *server; /* NULL if it could not be made: then nobody can abort */
} Work;

static void
work_clear (Work *self)
{
  if (self->job != NULL)
    godwit_job_set_listener (self->job, NULL, NULL);
  g_clear_pointer (&self->server, godwit_server_stop);
  g_clear_object (&self->job);
  g_clear_object (&self->journal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

static void
on_event (const GodwitEvent *event, gpointer data)
{
  Work *self = data;
  godwit_log_event (self->errand->job, event);
  if (self->server != NULL)
    godwit_server_send (self->server, event);
}

static gboolean
open_control (Work *self, GError **error)
{
  g_autofree char *path = godwit_control_make_path (self->errand->job);
  if (!godwit_control_make_directory (error))
    return FALSE;
  self->server = godwit_server_start (self->job, path, error);
  if (self->server == NULL)
    return FALSE;
  GodwitJobRecord *record = godwit_job_get_record (self->job);
  g_free (record->control_path);
  record->control_path = g_steal_pointer (&path);
  return godwit_journal_update_job (self->journal, record, error);
}

static gboolean
begin (Work *self, GodwitConfig *config, GError **error)
{
  self->journal = godwit_journal_open (NULL, error);
  GodwitJobRecord *record =
      self->journal != NULL
          ? godwit_journal_claim_job (self->journal, self->errand->job, getpid (), error)
          : NULL;
  if (record == NULL)
    return FALSE;
  self->job = godwit_job_new (self->journal, record, config);
  g_autoptr (GError) local = NULL;
  if (!open_control (self, &local))
    godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, NULL,
                    "this job cannot be aborted or watched live: %s", local->message);
  godwit_job_set_listener (self->job, on_event, self);
  return TRUE;
}

static gboolean
drive (Work *self, const GodwitEngineBackend *backend, GError **error)
{
  if (g_str_equal (self->errand->purpose, "recover"))
    return godwit_engine_recover (self->job, backend, error);
  if (g_str_equal (self->errand->purpose, "confirm"))
    return godwit_engine_confirm (self->job, backend, error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  return godwit_engine_run (self->job, backend, cancellable, error);
}

/* What was refused before anything was done is no reason to recover. */
static int
end_refused (Work *self, const GError *error)
{
  if (g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_DENIED))
    return GODWIT_EXIT_FENCED;
  gboolean confirm = g_str_equal (self->errand->purpose, "confirm");
  if (!g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED) &&
      !(confirm && g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_BUSY)))
    return GODWIT_EXIT_JOURNAL;
  GodwitJobRecord *record = godwit_job_get_record (self->job);
  godwit_job_log (self->job, GODWIT_SEVERITY_BLOCKER, NULL, "%s", error->message);
  record->worker_pid = 0;
  g_clear_pointer (&record->control_path, g_free);
  return godwit_journal_update_job (self->journal, record, NULL) ? 3 : GODWIT_EXIT_JOURNAL;
}

static int
fail_to_begin (const GError *error)
{
  g_warning ("%s", error->message);
  if (g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
    return 2;
  return GODWIT_EXIT_JOURNAL;
}

int
godwit_work (const GodwitErrand *errand, GodwitConfig *config, const GodwitEngineBackend *backend)
{
  g_autoptr (GError) error = NULL;
  g_auto (Work) self = {.errand = errand};
  if (!begin (&self, config, &error))
    return fail_to_begin (error);
  int code = drive (&self, backend, &error)
                 ? godwit_job_record_get_exit_code (godwit_job_get_record (self.job))
                 : end_refused (&self, error);
  alarm (LEAVE_DEADLINE_S);
  /* Channels end before the socket does: who watches sees the end of everything. */
  godwit_job_drop_kept (self.job);
  return code >= 0 ? code : 1;
}
