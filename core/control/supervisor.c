/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/supervisor.h"

#include "control/client.h"
#include "control/leftovers.h"
#include "control/lock.h"
#include "control/log.h"
#include "control/spawn.h"
#include "engine/engine.h"

#include <godwit/error.h>

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_RECOVERIES     3
#define PAUSE_MS         5000
#define LEFTOVER_TRIES   40
#define LEFTOVER_WAIT_US 50000

/* The record may be NULL: then only the system's log has it. */
static void
note (const GodwitSupervision *self, GodwitSeverity severity, const char *message)
{
  g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_LOG, NULL, message);
  event->severity = severity;
  g_autoptr (GodwitJobRecord) record =
      self->journal != NULL ? godwit_journal_get_job (self->journal, self->job, NULL) : NULL;
  if (record != NULL)
    godwit_journal_add_event (self->journal, record, event, NULL);
  godwit_log_event (self->job, event);
}

static int
wait_for (GPid pid)
{
  int status = 0;
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

/* Channels that a dead worker had opened could still carry its last orders. */
static void
end_leftovers (GPid pid)
{
  kill (-pid, SIGKILL);
  for (guint i = 0; i < LEFTOVER_TRIES; i++) {
    pid_t found;
    while ((found = waitpid (-pid, NULL, WNOHANG)) > 0)
      ;
    if (found < 0 && errno == ECHILD)
      return;
    g_usleep (LEFTOVER_WAIT_US);
  }
}

static gboolean
is_orderly (int status)
{
  static const int codes[] = {0, 1, 2, 3, 4, 5, 130, GODWIT_EXIT_FENCED};
  for (guint i = 0; WIFEXITED (status) && i < G_N_ELEMENTS (codes); i++) {
    if (WEXITSTATUS (status) == codes[i])
      return TRUE;
  }
  return FALSE;
}

static char *
describe (int status)
{
  if (WIFSIGNALED (status))
    return g_strdup_printf ("was killed by signal %d (%s)", WTERMSIG (status),
                            g_strsignal (WTERMSIG (status)));
  if (WEXITSTATUS (status) == GODWIT_EXIT_DEADLINE)
    return g_strdup ("ended itself: a step hung past its deadline");
  if (WEXITSTATUS (status) == GODWIT_EXIT_JOURNAL)
    return g_strdup ("stopped: it could not write the journal");
  return g_strdup_printf ("ended with the unexpected exit code %d", WEXITSTATUS (status));
}

/* FALSE: it did not end in order. */
static gboolean
run_worker (const GodwitSupervision *self, const char *purpose, int *code)
{
  GPid pid;
  g_autoptr (GError) error = NULL;
  *code = 1;
  if (!self->start (purpose, &pid, self->data, &error)) {
    note (self, GODWIT_SEVERITY_BLOCKER, error->message);
    return FALSE;
  }
  int status = wait_for (pid);
  if (is_orderly (status)) {
    *code = WEXITSTATUS (status);
    return TRUE;
  }
  end_leftovers (pid);
  g_autofree char *how = describe (status);
  g_autofree char *message = g_strdup_printf ("the job's worker (process %d) %s", (int)pid, how);
  note (self, GODWIT_SEVERITY_WARNING, message);
  *code = WIFEXITED (status) ? WEXITSTATUS (status) : 1;
  return FALSE;
}

int
godwit_supervise (const GodwitSupervision *self, const char *purpose)
{
  int code;
  /* Children of a dead worker become ours, and can be waited for. */
  prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (run_worker (self, purpose, &code))
    return code;
  guint pause_ms = self->pause_ms != 0 ? self->pause_ms : PAUSE_MS;
  for (guint n = 0; n < N_RECOVERIES; n++) {
    /* At once, then with growing pauses: what killed it may need time to pass. */
    if (n > 0)
      g_usleep ((gulong)pause_ms * 1000 * (n == 1 ? 1 : 6));
    note (self, GODWIT_SEVERITY_INFO, "recovering the job");
    if (run_worker (self, "recover", &code))
      return code;
  }
  g_autofree char *message = g_strdup_printf (
      "the job could not be recovered in %d attempts and waits; next: godwit recover %s",
      N_RECOVERIES, self->job);
  note (self, GODWIT_SEVERITY_BLOCKER, message);
  return code;
}

static gboolean
start_worker (const char *purpose, GPid *pid, gpointer data, GError **error)
{
  GodwitErrand *errand = data;
  g_free (errand->purpose);
  errand->purpose = g_strdup (purpose);
  return godwit_errand_start (errand, "work", STDERR_FILENO, pid, error);
}

int
godwit_supervisor_main (int argc, char **argv)
{
  g_auto (GodwitErrand) errand;
  g_autoptr (GError) error = NULL;
  if (!godwit_errand_parse (&errand, "supervise", argc, argv, &error)) {
    g_printerr ("godwit: %s\n", error->message);
    return 2;
  }
  godwit_log_use_system ();
  /* Without a journal the worker says why; there is no reason not to try. */
  g_autoptr (GodwitJournal) journal = godwit_journal_open (NULL, NULL);
  g_autofree char *purpose = g_strdup (errand.purpose);
  const GodwitSupervision supervision = {.job = errand.job,
                                         .journal = journal,
                                         .start = start_worker,
                                         .data = &errand};
  int code = godwit_supervise (&supervision, purpose);
  /* The worker's own agent may have been killed while it worked, and this may have been the last
   * job here for a long time. */
  godwit_leftovers_sweep (NULL);
  godwit_lock_remove (errand.job);
  return code;
}
