/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a journal with one job in each state that the commands must tell apart:
 * make-journal FILE. */
#include "journal/journal.h"

#include <godwit/error.h>

#include <unistd.h>

typedef struct {
  const char *guest;
  GodwitJobState state;
  gboolean committed;
  gboolean awaiting_confirm;
  guint debts;
  int error_code; /* -1 for none */
  const char *error;
  const char *remedy;
  const char *failed_step;
} Sample;

static const Sample samples[] = {
    {"web1", GODWIT_JOB_DONE, TRUE, FALSE, 0, -1, NULL, NULL, NULL},
    {"web1", GODWIT_JOB_DONE, TRUE, TRUE, 0, -1, NULL, NULL, NULL},
    {"db", GODWIT_JOB_FAILED, FALSE, FALSE, 0, GODWIT_ERROR_PEER, "the link is down",
     "try again when it is up", "copy"},
    {"wrong", GODWIT_JOB_FAILED, FALSE, FALSE, 0, GODWIT_ERROR_REFUSED,
     "disk vda is not reachable at host-b", "use --strategy live-block", NULL},
    {"aborted", GODWIT_JOB_CANCELLED, FALSE, FALSE, 0, GODWIT_ERROR_CANCELLED, "aborted", NULL,
     "copy"},
    {"owing", GODWIT_JOB_DONE, TRUE, FALSE, 2, -1, NULL, NULL, NULL},
    {"doubt", GODWIT_JOB_IN_DOUBT, FALSE, FALSE, 0, GODWIT_ERROR_IN_DOUBT, "host-b cannot be asked",
     "bring host-b back, then godwit recover", "copy"},
    {"dead", GODWIT_JOB_COPYING, FALSE, FALSE, 0, -1, NULL, NULL, NULL},
};

static void
add_events (GodwitJournal *journal, const GodwitJobRecord *record, GError **error)
{
  g_autoptr (GodwitEvent) step = godwit_event_new (GODWIT_EVENT_STEP, "copy", "copy the disks");
  g_autoptr (GodwitEvent) log =
      godwit_event_new (GODWIT_EVENT_LOG, NULL, "two lines\nin one message");
  g_autoptr (GodwitEvent) result = godwit_event_new (GODWIT_EVENT_RESULT, "done", "it is there");
  GVariantDict data;

  step->severity = GODWIT_SEVERITY_INFO;
  log->severity = GODWIT_SEVERITY_WARNING;
  log->host = g_strdup ("host-b");
  g_variant_dict_init (&data, NULL);
  g_variant_dict_insert (&data, "downtime-us", "x", G_GINT64_CONSTANT (93000));
  result->data = g_variant_ref_sink (g_variant_dict_end (&data));
  if (godwit_journal_add_event (journal, record, step, error) &&
      godwit_journal_add_event (journal, record, log, error))
    godwit_journal_add_event (journal, record, result, error);
}

static void
add (GodwitJournal *journal, const Sample *sample, GError **error)
{
  g_autoptr (GodwitJobRecord) made = godwit_job_record_new ();
  g_autoptr (GodwitJobRecord) record = NULL;

  made->guest = g_strdup (sample->guest);
  made->source = g_strdup ("host-a");
  made->destination = g_strdup ("host-b");
  made->strategy = g_strdup ("live-block");
  made->started_by = g_strdup ("oper (uid 1000) on host-a");
  if (!godwit_journal_create_job (journal, made, error))
    return;
  record = godwit_journal_claim_job (journal, made->id, getpid (), error);
  if (record == NULL)
    return;
  add_events (journal, record, error);
  record->state = sample->state;
  record->committed = sample->committed;
  record->awaiting_confirm = sample->awaiting_confirm;
  record->debts = sample->debts;
  record->bytes = 1024 * 1024;
  record->error_code = sample->error_code;
  if (sample->error != NULL) {
    g_autoptr (GError) kept = NULL;

    godwit_set_error (&kept, sample->error_code, sample->remedy, "%s", sample->error);
    record->error = g_strdup (kept->message);
  }
  record->failed_step = g_strdup (sample->failed_step);
  record->worker_pid = 0;
  if (godwit_job_state_is_terminal (sample->state))
    record->ended_us = record->created_us + 4 * G_USEC_PER_SEC;
  godwit_journal_update_job (journal, record, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJournal) journal = godwit_journal_open (argv[1], &error);

  for (gsize i = 0; error == NULL && i < G_N_ELEMENTS (samples); i++)
    add (journal, &samples[i], &error);
  if (error != NULL)
    g_printerr ("make-journal: %s\n", error->message);
  return error != NULL;
}
