/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/copy.h"

#include "journal/journal-private.h"

#include <godwit/error.h>

/* A job as one value, so that another journal can go on with it: (version, record, whether its
 * confirm has begun, steps as (definition, state), facts in order). */
#define COPY_VERSION 1
#define COPY_TYPE    G_VARIANT_TYPE ("(ua{sv}ba(vs)a(sv))")

/* Epochs of a journal that takes a job over begin so far above those of the one that lost it that
 * the two never meet. Two that take it over at once get different ones: the higher one wins. */
#define EPOCH_STRIDE 1000000

/* --- writing one ------------------------------------------------------------------------- */

static gboolean
add_steps (GodwitJournal *self, const char *id, GVariantBuilder *builder, GError **error)
{
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "SELECT definition, state FROM steps WHERE job = :id ORDER BY position",
                         "id", id, NULL);
  gboolean row = TRUE;
  g_variant_builder_open (builder, G_VARIANT_TYPE ("a(vs)"));
  while (row) {
    if (stmt == NULL || !godwit_db_next (self, stmt, &row, error))
      return FALSE;
    if (!row)
      break;
    g_autoptr (GVariant) definition = godwit_db_get_variant (self, stmt, 0, error);
    if (definition == NULL)
      return FALSE;
    g_variant_builder_add (builder, "(vs)", definition, sqlite3_column_text (stmt, 1));
  }
  g_variant_builder_close (builder);
  return TRUE;
}

/* Nobody will need more of such a job than how it ended, and a definition with the passwords of
 * its consoles must not lie about for nothing. */
static gboolean
is_over (const GodwitJobRecord *record)
{
  return godwit_job_state_is_terminal (record->state) && record->debts == 0 &&
         !record->awaiting_confirm;
}

GBytes *
godwit_journal_export_job (GodwitJournal *self, const char *id, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOURNAL (self) && id != NULL, NULL);
  g_autoptr (GVariant) facts = godwit_journal_get_facts (self, id, error);
  if (facts == NULL)
    return NULL;
  gboolean confirm = godwit_journal_has_begun_confirm (self, id);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  g_autoptr (GodwitJobRecord) record = godwit_journal_read_record (self, id, error);
  if (record == NULL)
    return NULL;
  if (is_over (record)) {
    g_clear_pointer (&record->guest_facts, g_variant_unref);
    g_variant_unref (facts);
    facts = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("(sv)"), NULL, 0));
  }
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (COPY_TYPE);
  g_variant_builder_add (&builder, "u", COPY_VERSION);
  g_variant_builder_add_value (&builder, godwit_journal_record_to_copy (record));
  g_variant_builder_add (&builder, "b", confirm);
  if (!add_steps (self, id, &builder, error))
    return NULL;
  g_variant_builder_add_value (&builder, facts);
  g_autoptr (GVariant) copy = g_variant_ref_sink (g_variant_builder_end (&builder));
  return g_variant_get_data_as_bytes (copy);
}

/* --- reading one ------------------------------------------------------------------------- */

static GVariant *
parse (GBytes *bytes, GError **error)
{
  g_autoptr (GVariant) copy =
      g_variant_ref_sink (g_variant_new_from_bytes (COPY_TYPE, bytes, FALSE));
  guint32 version = 0;
  if (g_variant_is_normal_form (copy))
    g_variant_get_child (copy, 0, "u", &version);
  if (version == COPY_VERSION)
    return g_steal_pointer (&copy);
  if (version > COPY_VERSION)
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "use the newer godwit that wrote it",
                      "the copy of the job's record has format %u, this godwit reads %u", version,
                      COPY_VERSION);
  else
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, "use the copy on the other host",
                      "the copy of the job's record is damaged");
  return NULL;
}

static GodwitJobRecord *
get_record (GVariant *copy, GError **error)
{
  g_autoptr (GVariant) members = g_variant_get_child_value (copy, 1);
  return godwit_journal_record_from_copy (members, error);
}

GodwitJobRecord *
godwit_journal_read_copy (GBytes *bytes, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_autoptr (GVariant) copy = parse (bytes, error);
  return copy != NULL ? get_record (copy, error) : NULL;
}

/* --- taking one over --------------------------------------------------------------------- */

typedef struct {
  GodwitJobRecord *record;
  guint64 epoch; /* of the copy; the record has the one to come */
  gboolean confirm_begun;
  gboolean taken_over; /* the copy may be older than a commit */
  GPtrArray *steps;    /* GodwitStep */
  GPtrArray *states;   /* char * */
  GVariant *facts;
} Import;

static void
import_clear (Import *self)
{
  g_clear_pointer (&self->record, godwit_job_record_free);
  g_clear_pointer (&self->steps, g_ptr_array_unref);
  g_clear_pointer (&self->states, g_ptr_array_unref);
  g_clear_pointer (&self->facts, g_variant_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

static gboolean
read_steps (Import *self, GVariant *copy, GError **error)
{
  g_autoptr (GVariant) steps = g_variant_get_child_value (copy, 3);
  self->steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  self->states = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < g_variant_n_children (steps); i++) {
    g_autoptr (GVariant) definition = NULL;
    const char *state;
    g_variant_get_child (steps, i, "(v&s)", &definition, &state);
    GodwitStep *step = godwit_step_from_variant (definition, error);
    if (step == NULL)
      return FALSE;
    g_ptr_array_add (self->steps, step);
    g_ptr_array_add (self->states, g_strdup (state));
  }
  return TRUE;
}

/* A copy that is older than what the journal has says nothing new. */
static gboolean
make_room (GodwitJournal *self, const GodwitJobRecord *record, guint64 epoch, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GodwitJobRecord) known = godwit_journal_read_record (self, record->id, &local);
  if (known == NULL) {
    if (g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_autofree char *recover = g_strdup_printf ("godwit recover %s", record->id);
  if (known->epoch >= epoch || g_strcmp0 (known->token, record->token) != 0) {
    godwit_set_error (error, GODWIT_ERROR_REFUSED, recover,
                      "the journal here has job %s already, and the copy is not newer", record->id);
    return FALSE;
  }
  static const char *const tables[] = {"events", "facts", "steps", "jobs"};
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autofree char *sql = g_strdup_printf ("DELETE FROM %s WHERE %s = :id", tables[i],
                                            g_str_equal (tables[i], "jobs") ? "id" : "job");
    g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (self, error, sql, "id", record->id, NULL);
    if (stmt == NULL || !godwit_db_run (self, stmt, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
insert_facts (GodwitJournal *self, const Import *import, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;
  g_variant_iter_init (&iter, import->facts);
  while (g_variant_iter_next (&iter, "(&sv)", &name, &value)) {
    g_autoptr (GVariant) owned = value;
    g_autoptr (sqlite3_stmt) stmt =
        godwit_db_prepare (self, error,
                           "INSERT INTO facts (job, name, value) VALUES (:id, :name, :value)", "id",
                           import->record->id, "name", name, NULL);
    if (stmt == NULL)
      return FALSE;
    godwit_db_bind_variant (stmt, "value", owned);
    if (!godwit_db_run (self, stmt, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
set_states (GodwitJournal *self, const Import *import, GError **error)
{
  for (guint i = 0; i < import->steps->len; i++) {
    g_autoptr (sqlite3_stmt) stmt = godwit_db_prepare (
        self, error, "UPDATE steps SET state = :state WHERE job = :id AND position = :position",
        "id", import->record->id, "state", g_ptr_array_index (import->states, i), NULL);
    if (stmt == NULL)
      return FALSE;
    godwit_db_bind_int (stmt, "position", i);
    if (!godwit_db_run (self, stmt, error))
      return FALSE;
  }
  if (!import->confirm_begun)
    return TRUE;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error, "UPDATE jobs SET confirm_begun = 1 WHERE id = :id", "id",
                         import->record->id, NULL);
  return stmt != NULL && godwit_db_run (self, stmt, error);
}

/* The commit itself is not waited for by the copies, so what is not in one may have happened. */
static gboolean
mark_taken_over (GodwitJournal *self, const Import *import, GError **error)
{
  if (!import->taken_over)
    return TRUE;
  g_autoptr (sqlite3_stmt) stmt =
      godwit_db_prepare (self, error,
                         "INSERT INTO facts (job, name, value) VALUES (:id, :name, :value)"
                         " ON CONFLICT (job, name) DO UPDATE SET value = excluded.value",
                         "id", import->record->id, "name", GODWIT_FACT_TAKEN_OVER, NULL);
  if (stmt == NULL)
    return FALSE;
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_boolean (TRUE));
  godwit_db_bind_variant (stmt, "value", value);
  return godwit_db_run (self, stmt, error);
}

static gboolean
import_job (GodwitJournal *self, gpointer data, GError **error)
{
  const Import *import = data;
  return make_room (self, import->record, import->epoch, error) &&
         godwit_journal_insert_record (self, import->record, error) &&
         godwit_journal_insert_steps (self, import->record->id, import->steps, error) &&
         set_states (self, import, error) && insert_facts (self, import, error) &&
         mark_taken_over (self, import, error);
}

/* "This machine" was the other controller's. */
static gboolean
check_names (const GodwitJobRecord *record, GError **error)
{
  gboolean source = g_strcmp0 (record->source, "localhost") == 0;
  if (!source && g_strcmp0 (record->destination, "localhost") != 0)
    return TRUE;
  g_autofree char *remedy =
      g_strdup_printf ("the same command with --%s HOST: what that machine is called here",
                       source ? "source" : "destination");
  godwit_set_error (
      error, GODWIT_ERROR_CONFIG, remedy,
      "the %s of job %s is the machine of its controller (it was started by %s), which "
      "has another name here",
      source ? "source" : "destination", record->id, record->started_by);
  return FALSE;
}

GodwitJobRecord *
godwit_journal_import_job (GodwitJournal *self, GBytes *bytes, const char *source,
                           const char *destination, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_JOURNAL (self) && bytes != NULL, NULL);
  g_autoptr (GVariant) copy = parse (bytes, error);
  g_auto (Import) import = {0};
  if (copy == NULL || (import.record = get_record (copy, error)) == NULL ||
      !read_steps (&import, copy, error))
    return NULL;
  g_variant_get_child (copy, 2, "b", &import.confirm_begun);
  import.facts = g_variant_get_child_value (copy, 4);
  import.taken_over = !import.record->committed;
  GodwitJobRecord *record = import.record;
  if (source != NULL) {
    g_free (record->source);
    record->source = g_strdup (source);
  }
  if (destination != NULL) {
    g_free (record->destination);
    record->destination = g_strdup (destination);
  }
  if (!check_names (record, error))
    return NULL;
  /* Whatever process that was, it is none of this machine. */
  record->worker_pid = 0;
  g_clear_pointer (&record->control_path, g_free);
  import.epoch = record->epoch;
  record->epoch += EPOCH_STRIDE + (guint64)g_random_int_range (0, EPOCH_STRIDE);
  if (!godwit_db_transact (self, import_job, &import, error))
    return NULL;
  return godwit_journal_get_job (self, record->id, error);
}
