/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "take-over.h"

#include "background.h"
#include "output.h"

#include "agent/records.h"
#include "host/host-private.h"
#include "journal/copy.h"
#include "plan/machines.h"

#include <unistd.h>

typedef struct {
  GodwitMachines *machines;
  const CliTakeOver *what;
  GBytes *copy;
} Fetch;

static gboolean
fetch (gpointer data, GCancellable *cancellable, GError **error)
{
  Fetch *self = data;
  g_autoptr (GodwitHost) host = NULL;

  if (!godwit_machines_open (self->machines, self->what->from, &host, NULL, cancellable, error))
    return FALSE;
  self->copy = godwit_host_read_record (host, self->what->job, cancellable, error);
  return self->copy != NULL;
}

static void
warn_of_another (const GodwitJobRecord *job)
{
  cli_note ("job %s of guest %s was started by %s and is now this machine's; whatever that one "
            "still does for it is ended on both hosts",
            job->id, job->guest, job->started_by);
}

gboolean
cli_take_over (CliContext *context, const CliTakeOver *take_over, GError **error)
{
  g_autoptr (GodwitMachines) machines = NULL;
  g_autoptr (GBytes) copy = NULL;
  g_autoptr (GodwitJobRecord) job = NULL;
  Fetch fetching = {.what = take_over};
  GodwitClient *client = cli_context_get_client (context, error);
  GodwitConfig *config;
  GodwitRegistry *registry;

  if (client == NULL || !cli_context_get_checked (context, &config, &registry, error))
    return FALSE;
  fetching.machines = machines = godwit_machines_new (config, registry, NULL);
  if (!cli_run_in_background (fetch, NULL, &fetching, NULL, error))
    return FALSE;
  copy = fetching.copy;
  job = godwit_journal_import_job (godwit_client_get_journal (client), copy, take_over->source,
                                   take_over->destination, error);
  if (job != NULL)
    warn_of_another (job);
  return job != NULL;
}

static gboolean
is_of_interest (GodwitJournal *journal, const GodwitJobRecord *job)
{
  g_autoptr (GodwitJobRecord) known = godwit_journal_get_job (journal, job->id, NULL);

  return known == NULL && (!godwit_job_state_is_terminal (job->state) || job->debts > 0);
}

void
cli_mention_others (CliContext *context)
{
  GodwitClient *client = cli_context_get_client (context, NULL);
  g_auto (GStrv) names = godwit_records_list ();

  for (gsize i = 0; client != NULL && names[i] != NULL; i++) {
    g_autoptr (GBytes) copy = godwit_records_read (names[i], NULL);
    g_autoptr (GodwitJobRecord) job = copy != NULL ? godwit_journal_read_copy (copy, NULL) : NULL;

    if (job != NULL && is_of_interest (godwit_client_get_journal (client), job))
      cli_note ("job %s (%s, %s to %s, %s) was started by %s; if that machine is lost: godwit "
                "recover %s --take-over-from localhost",
                job->id, job->guest, job->source, job->destination,
                godwit_job_state_to_string (job->state), job->started_by, job->id);
  }
}
