/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal-private.h"

#include "base/paths.h"

#include <godwit/error.h>

#include <sys/random.h>

#define SLUG_LENGTH 24

static char *
make_hex (gsize n_bytes)
{
  guint8 bytes[16];
  g_assert (n_bytes <= sizeof bytes);
  if (getrandom (bytes, n_bytes, 0) != (gssize)n_bytes)
    g_error ("the kernel gives no random numbers");
  GString *hex = g_string_new (NULL);
  for (gsize i = 0; i < n_bytes; i++)
    g_string_append_printf (hex, "%02x", bytes[i]);
  return g_string_free (hex, FALSE);
}

/* Short enough to type, with the guest's name in it so that a list can be read. */
static char *
make_id (const char *guest)
{
  GString *id = g_string_new (NULL);
  for (const char *c = guest; *c != '\0' && id->len < SLUG_LENGTH; c++) {
    if (g_ascii_isalnum (*c))
      g_string_append_c (id, g_ascii_tolower (*c));
    else if (id->len > 0 && id->str[id->len - 1] != '-')
      g_string_append_c (id, '-');
  }
  if (id->len > 0 && id->str[id->len - 1] != '-')
    g_string_append_c (id, '-');
  g_autofree char *hex = make_hex (2);
  g_string_append (id, hex);
  return g_string_free (id, FALSE);
}

/* --- one guest, one job ------------------------------------------------------------------ */

#define UNFINISHED "state NOT IN ('done', 'failed', 'cancelled', 'reverted')"

static gboolean
check_guest_is_free (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  /* The same UUID is the same guest, whatever its host is called. */
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
      self, error,
      "SELECT id, guest, source, destination, state FROM jobs WHERE " UNFINISHED
      " AND id IS NOT :id AND (uuid = :uuid OR (guest = :guest AND source IS :source))",
      "id", record->id, "uuid", record->uuid, "guest", record->guest, "source", record->source,
      NULL);
  gboolean row = FALSE;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
    return FALSE;
  if (!row)
    return TRUE;
  const char *other = (const char *)sqlite3_column_text (stmt, 0);
  const char *source = (const char *)sqlite3_column_text (stmt, 2);
  g_autofree char *show = g_strdup_printf ("godwit show %s", other);
  godwit_set_error (error, GODWIT_ERROR_BUSY, show,
                    "guest %s is already being moved from %s to %s by job %s, which is %s",
                    (const char *)sqlite3_column_text (stmt, 1),
                    source != NULL ? source : "this machine",
                    (const char *)sqlite3_column_text (stmt, 3), other,
                    (const char *)sqlite3_column_text (stmt, 4));
  return FALSE;
}

/* --- reverts ----------------------------------------------------------------------------- */

static gboolean
check_no_revert (GodwitJournal *self, const char *id, GError **error)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, "SELECT id FROM jobs WHERE of_job = :id AND " UNFINISHED,
                         "id", id, NULL);
  gboolean row = FALSE;
  if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
    return FALSE;
  if (!row)
    return TRUE;
  const char *other = (const char *)sqlite3_column_text (stmt, 0);
  g_autofree char *watch = g_strdup_printf ("godwit watch %s", other);
  godwit_set_error (error, GODWIT_ERROR_BUSY, watch, "job %s is already being reverted by job %s",
                    id, other);
  return FALSE;
}

static gboolean
has_begun_confirm (GodwitJournal *self, const char *id)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, NULL, "SELECT confirm_begun FROM jobs WHERE id = :id", "id", id,
                         NULL);
  gboolean row = FALSE;
  return stmt != NULL && godwit_db_next (self, stmt, &row, NULL) && row &&
         sqlite3_column_int (stmt, 0) != 0;
}

static gboolean
check_can_revert (GodwitJournal *self, const GodwitJobRecord *original, GError **error)
{
  g_autofree char *show = g_strdup_printf ("godwit show %s", original->id);
  if (original->state != GODWIT_JOB_DONE || g_strcmp0 (original->kind, "migrate") != 0) {
    godwit_set_error (error, GODWIT_ERROR_REFUSED, show,
                      "job %s cannot be reverted: it is a %s that is %s, and only a migration that "
                      "is done can be reverted",
                      original->id, original->kind, godwit_job_state_to_string (original->state));
    return FALSE;
  }
  if (original->confirmed || has_begun_confirm (self, original->id)) {
    g_autofree char *migrate =
        g_strdup_printf ("godwit migrate %s --from %s --to %s", original->guest,
                         original->destination,
                         original->source != NULL ? original->source : "localhost");
    godwit_set_error (error, GODWIT_ERROR_REFUSED, migrate,
                      "job %s cannot be reverted: it was confirmed, and the copy at the source is "
                      "gone",
                      original->id);
    return FALSE;
  }
  return check_no_revert (self, original->id, error);
}

/* The original's operator allowed the guest to be stopped, or did not. */
static GVariant *
inherit_downtime (const GodwitJobRecord *original)
{
  GVariantBuilder options = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
  const char *allowed = NULL;
  if (original->options != NULL &&
      g_variant_is_of_type (original->options, G_VARIANT_TYPE ("a{ss}")) &&
      g_variant_lookup (original->options, "allow-downtime", "&s", &allowed))
    g_variant_builder_add (&options, "{ss}", "allow-downtime", allowed);
  return g_variant_ref_sink (g_variant_builder_end (&options));
}

/* A migration back with what the guest wrote: a job like any other, only that its hosts are those
 * of the original, and that the guest is known by its UUID: another may have its name by now. */
static gboolean
turn_round (GodwitJournal *self, GodwitJobRecord *record, GError **error)
{
  g_autoptr (GodwitJobRecord) original = godwit_journal_read_record (self, record->of_job, error);
  if (original == NULL || !check_can_revert (self, original, error))
    return FALSE;
  g_free (record->guest);
  record->guest = g_steal_pointer (&original->guest);
  g_free (record->source);
  record->source = g_steal_pointer (&original->destination);
  g_free (record->destination);
  record->destination =
      original->source != NULL ? g_steal_pointer (&original->source) : g_strdup ("localhost");
  g_free (record->uuid);
  record->uuid = g_steal_pointer (&original->uuid);
  g_free (record->strategy);
  record->strategy = g_strdup ("auto");
  g_clear_pointer (&record->options, g_variant_unref);
  record->options = inherit_downtime (original);
  return TRUE;
}

/* What was parked carries the original's token, and only its facts say where it is. */
static gboolean
inherit (GodwitJournal *self, GodwitJobRecord *record, GError **error)
{
  g_autoptr (GodwitJobRecord) original = godwit_journal_read_record (self, record->of_job, error);
  if (original == NULL || !check_can_revert (self, original, error))
    return FALSE;
  g_free (record->token);
  record->token = g_steal_pointer (&original->token);
  g_free (record->guest);
  record->guest = g_steal_pointer (&original->guest);
  g_free (record->uuid);
  record->uuid = g_steal_pointer (&original->uuid);
  g_free (record->source);
  record->source = g_steal_pointer (&original->source);
  g_free (record->destination);
  record->destination = g_steal_pointer (&original->destination);
  g_free (record->strategy);
  record->strategy = g_steal_pointer (&original->strategy);
  g_clear_pointer (&record->guest_facts, g_variant_unref);
  record->guest_facts = g_steal_pointer (&original->guest_facts);
  return TRUE;
}

static gboolean
copy_facts (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
      self, error,
      "INSERT INTO facts (job, name, value)"
      " SELECT :id, name, value FROM facts WHERE job = :original AND name NOT LIKE 'engine.%'"
      " AND name <> 'downtime-us' ORDER BY serial",
      "id", record->id, "original", record->of_job, NULL);
  return stmt != NULL && godwit_db_run (self, stmt, error);
}

/* --- creating and claiming --------------------------------------------------------------- */

static gboolean
id_is_free (GodwitJournal *self, const char *id)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, NULL, "SELECT 1 FROM jobs WHERE id = :id", "id", id, NULL);
  gboolean row = TRUE;
  return stmt == NULL || !godwit_db_next (self, stmt, &row, NULL) || !row;
}

static gboolean
create_job (GodwitJournal *self, gpointer data, GError **error)
{
  GodwitJobRecord *record = data;
  gboolean revert = g_strcmp0 (record->kind, "revert") == 0;
  g_free (record->token);
  record->token = make_hex (16);
  if (revert && !inherit (self, record, error))
    return FALSE;
  if (!revert && record->of_job != NULL && !turn_round (self, record, error))
    return FALSE;
  do {
    g_free (record->id);
    record->id = make_id (record->guest != NULL ? record->guest : "");
  } while (!id_is_free (self, record->id));
  return check_guest_is_free (self, record, error) &&
         godwit_journal_insert_record (self, record, error) &&
         (!revert || copy_facts (self, record, error));
}

gboolean
godwit_journal_create_job (GodwitJournal *self, GodwitJobRecord *record, GError **error)
{
  g_return_val_if_fail (record != NULL, FALSE);
  record->created_us = g_get_real_time ();
  record->epoch = 0;
  if (record->kind == NULL)
    record->kind = g_strdup ("migrate");
  if (record->started_by == NULL)
    record->started_by = godwit_paths_describe_caller ();
  return godwit_db_transact (self, create_job, record, error);
}

static gboolean
update_job (GodwitJournal *self, gpointer data, GError **error)
{
  const GodwitJobRecord *record = data;
  if (!godwit_job_state_is_terminal (record->state) && !check_guest_is_free (self, record, error))
    return FALSE;
  return godwit_journal_write_record (self, record, error);
}

gboolean
godwit_journal_update_job (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  g_return_val_if_fail (record != NULL && record->id != NULL, FALSE);
  return godwit_db_transact (self, update_job, (gpointer)record, error);
}

typedef struct {
  const char *id;
  int pid;
  GodwitJobRecord *record;
} Claim;

/* The kill lies inside the transaction: two who claim at once cannot both spare the first's
 * worker, because the second sees the first's claim. */
static gboolean
claim_job (GodwitJournal *self, gpointer data, GError **error)
{
  Claim *claim = data;
  g_autoptr (GodwitJobRecord) record = godwit_journal_read_record (self, claim->id, error);
  if (record == NULL)
    return FALSE;
  if (record->worker_pid != claim->pid && !godwit_job_record_kill_worker (record, error))
    return FALSE;

  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
      self, error,
      "UPDATE jobs SET epoch = epoch + 1, worker_pid = :pid, worker_start = :start,"
      " worker_boot_id = :boot, control_path = NULL WHERE id = :id",
      "id", claim->id, NULL);
  if (stmt == NULL)
    return FALSE;
  g_autofree char *boot_id = godwit_process_get_boot_id ();
  godwit_db_bind_text (stmt, "boot", boot_id);
  godwit_db_bind_int (stmt, "pid", claim->pid);
  godwit_db_bind_int (stmt, "start", (gint64)godwit_process_get_start (claim->pid));
  if (!godwit_db_run (self, stmt, error))
    return FALSE;
  claim->record = godwit_journal_read_record (self, claim->id, error);
  return claim->record != NULL;
}

GodwitJobRecord *
godwit_journal_claim_job (GodwitJournal *self, const char *id, int pid, GError **error)
{
  g_return_val_if_fail (id != NULL, NULL);
  Claim claim = {.id = id, .pid = pid};
  if (godwit_db_transact (self, claim_job, &claim, error))
    return claim.record;
  godwit_job_record_free (claim.record);
  return NULL;
}

/* --- abort and confirm ------------------------------------------------------------------- */

typedef struct {
  const char *id;
  const char *who;
} Abort;

static gboolean
set_aborted_by (GodwitJournal *self, gpointer data, GError **error)
{
  const Abort *request = data;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "UPDATE jobs SET aborted_by = COALESCE (aborted_by, :who) WHERE id = :id",
                         "who", request->who, "id", request->id, NULL);
  return stmt != NULL && godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_set_aborted_by (GodwitJournal *self, const char *id, const char *who, GError **error)
{
  Abort request = {.id = id, .who = who};
  return godwit_db_transact (self, set_aborted_by, &request, error);
}

static gboolean
begin_confirm (GodwitJournal *self, gpointer data, GError **error)
{
  const GodwitJobRecord *record = data;
  if (!godwit_journal_check_epoch (self, record, error) ||
      !check_no_revert (self, record->id, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, "UPDATE jobs SET confirm_begun = 1 WHERE id = :id", "id",
                         record->id, NULL);
  return stmt != NULL && godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_begin_confirm (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  return godwit_db_transact (self, begin_confirm, (gpointer)record, error);
}

static gboolean
cancel_confirm (GodwitJournal *self, gpointer data, GError **error)
{
  const GodwitJobRecord *record = data;
  if (!godwit_journal_check_epoch (self, record, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, "UPDATE jobs SET confirm_begun = 0 WHERE id = :id", "id",
                         record->id, NULL);
  return stmt != NULL && godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_cancel_confirm (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  return godwit_db_transact (self, cancel_confirm, (gpointer)record, error);
}

gboolean
godwit_journal_has_begun_confirm (GodwitJournal *self, const char *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return has_begun_confirm (self, id);
}

static gboolean
mark_reverted (GodwitJournal *self, gpointer data, GError **error)
{
  const GodwitJobRecord *record = data;
  if (!godwit_journal_check_epoch (self, record, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
      self, error,
      "UPDATE jobs SET state = 'reverted', error = NULL, error_code = -1, debts = 0,"
      " awaiting_confirm ="
      " CASE :kind WHEN 'revert' THEN 0 ELSE awaiting_confirm END"
      " WHERE id = :original AND state = 'done'",
      "kind", record->kind, "original", record->of_job, NULL);
  return stmt != NULL && godwit_db_run (self, stmt, error);
}

gboolean
godwit_journal_mark_reverted (GodwitJournal *self, const GodwitJobRecord *record, GError **error)
{
  return godwit_db_transact (self, mark_reverted, (gpointer)record, error);
}

gboolean
godwit_journal_check_guest_is_free (GodwitJournal *self, const GodwitJobRecord *record,
                                    GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  return check_guest_is_free (self, record, error);
}
