/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actor.h"

#include "agent/agent-private.h"
#include "agent/records.h"
#include "agent/token.h"
#include "journal/journal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What godwit remembers: epochs, records of what it owns, the journal. The state directory does
 * not exist at first. */

/* --- epochs -------------------------------------------------------------------------------- */

static void
act_claim (void)
{
  g_autoptr (GError) error = NULL;
  godwit_agent_claim_job ("job", 5, 0, &error);
  g_assert_no_error (error);
}

static void
act_claim_again (void)
{
  g_autoptr (GError) error = NULL;
  godwit_agent_claim_job ("job", 6, 0, &error);
  g_assert_no_error (error);
}

/* The worker that was turned away before the cut must be turned away after it. */
static gboolean
refuses (guint64 epoch)
{
  g_autoptr (GError) error = NULL;
  return !godwit_agent_claim_job ("job", epoch, 0, &error);
}

static gboolean
is_claimed (void)
{
  return refuses (4);
}

static gboolean
is_claimed_again (void)
{
  return refuses (5);
}

/* --- copies of jobs' records --------------------------------------------------------------- */

static void
keep (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) record = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE ("ay"), text, strlen (text), TRUE, NULL, NULL));
  godwit_agent_keep_record ("job", 5, record, &error);
  g_assert_no_error (error);
}

static void
act_keep (void)
{
  keep ("first");
}

static void
act_keep_again (void)
{
  keep ("second");
}

static gboolean
is_kept_as (const char *text)
{
  g_autoptr (GBytes) record = godwit_records_read ("job", NULL);
  return record != NULL && g_bytes_get_size (record) == strlen (text) &&
         memcmp (g_bytes_get_data (record, NULL), text, strlen (text)) == 0;
}

static gboolean
is_kept (void)
{
  return is_kept_as ("first");
}

static gboolean
is_kept_again (void)
{
  return is_kept_as ("second");
}

/* --- tokens beside the file ---------------------------------------------------------------- */

static void
act_record (void)
{
  g_autoptr (GError) error = NULL;
  const char *path = safe_path ("file");
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  godwit_token_set (fd, "job-1", path, &error);
  g_assert_no_error (error);
  close (fd);
}

static void
prepare_record (void)
{
  make_file (safe_path ("file"), "text");
}

static gboolean
is_recorded (void)
{
  char token[GODWIT_TOKEN_MAX + 1] = "";
  int fd = open (safe_path ("file"), O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && godwit_token_get (fd, token, NULL) && g_str_equal (token, "job-1");
  if (fd >= 0)
    close (fd);
  return ok;
}

/* --- the journal --------------------------------------------------------------------------- */

static GodwitJournal *
open_journal (void)
{
  g_autoptr (GError) error = NULL;
  GodwitJournal *journal = godwit_journal_open (NULL, &error);
  g_assert_no_error (error);
  return journal;
}

/* The process ends without closing the journal, which would write the log back and sync it. */
static GodwitJobRecord *
create_job (GodwitJournal *journal, const char *guest)
{
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record = godwit_job_record_new ();
  record->guest = g_strdup (guest);
  record->source = g_strdup ("a");
  record->destination = g_strdup ("b");
  godwit_journal_create_job (journal, record, &error);
  g_assert_no_error (error);
  make_file (safe_path ("id"), record->id);
  return record;
}

static void
act_create_job (void)
{
  create_job (open_journal (), "web");
  _exit (0);
}

static gboolean
is_job_there (void)
{
  g_autofree char *id = NULL;
  g_autoptr (GodwitJournal) journal = godwit_journal_open (NULL, NULL);
  g_assert_true (g_file_get_contents (safe_path ("id"), &id, NULL, NULL));
  g_autoptr (GodwitJobRecord) record =
      journal != NULL ? godwit_journal_get_job (journal, id, NULL) : NULL;
  return record != NULL;
}

/* Events are written with less care, after which the next record must be as durable as ever. */
static void
act_after_event (void)
{
  g_autoptr (GError) error = NULL;
  GodwitJournal *journal = open_journal ();
  g_autoptr (GodwitJobRecord) record = create_job (journal, "web");
  g_autoptr (GodwitEvent) event = godwit_event_new (GODWIT_EVENT_LOG, NULL, "told");
  godwit_journal_add_event (journal, record, event, &error);
  g_assert_no_error (error);
  godwit_journal_set_fact (journal, record, "home", g_variant_new_string ("b"), &error);
  g_assert_no_error (error);
  _exit (0);
}

static void
prepare_journal (void)
{
  g_object_unref (open_journal ());
}

static gboolean
is_fact_there (void)
{
  g_autofree char *id = NULL;
  g_autoptr (GodwitJournal) journal = godwit_journal_open (NULL, NULL);
  g_assert_true (g_file_get_contents (safe_path ("id"), &id, NULL, NULL));
  g_autoptr (GVariant) fact =
      journal != NULL ? godwit_journal_get_fact (journal, id, "home") : NULL;
  return fact != NULL;
}

const PowerCase state_cases[] = {
    {"claim", NULL, act_claim, is_claimed},
    {"claim-again", act_claim, act_claim_again, is_claimed_again},
    {"keep", NULL, act_keep, is_kept},
    {"keep-again", act_keep, act_keep_again, is_kept_again},
    {"record", prepare_record, act_record, is_recorded},
    {"journal-new", NULL, act_create_job, is_job_there},
    {"journal-job", prepare_journal, act_create_job, is_job_there},
    {"journal-after-event", prepare_journal, act_after_event, is_fact_there},
    {NULL},
};
