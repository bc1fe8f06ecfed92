/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/copy.h"
#include "scratch.h"

#include <godwit/error.h>

#include <unistd.h>

/* Two controllers, each with a journal: one is lost, the other goes on. */
typedef struct {
  Scratch *dir;
  GodwitJournal *lost;
  GodwitJournal *other;
  GodwitJobRecord *job; /* as the lost one's worker has it */
} Bench;

static GodwitJournal *
open_journal (const char *dir, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (dir, name, NULL);
  GodwitJournal *journal = godwit_journal_open (path, &error);
  g_assert_no_error (error);
  return journal;
}

static GodwitJobRecord *
claim (GodwitJournal *journal, const char *id)
{
  g_autoptr (GError) error = NULL;
  GodwitJobRecord *record = godwit_journal_claim_job (journal, id, getpid (), &error);
  g_assert_no_error (error);
  return record;
}

static void
set_fact (GodwitJournal *journal, const GodwitJobRecord *job, const char *name, GVariant *value)
{
  g_autoptr (GError) error = NULL;
  godwit_journal_set_fact (journal, job, name, value, &error);
  g_assert_no_error (error);
}

static void
bench_init (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  bench->dir = scratch_new ();
  bench->lost = open_journal (bench->dir, "lost.db");
  bench->other = open_journal (bench->dir, "other.db");
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->guest = g_strdup ("web");
  record->source = g_strdup ("a");
  record->destination = g_strdup ("b");
  record->options = g_variant_ref_sink (g_variant_new_parsed ("{'auto-confirm': 'true'}"));
  godwit_journal_create_job (bench->lost, record, &error);
  g_assert_no_error (error);
  bench->job = claim (bench->lost, record->id);
  bench->job->guest_facts = g_variant_ref_sink (g_variant_new_parsed ("{'secret': <'xyzzy'>}"));
  bench->job->state = GODWIT_JOB_COPYING;

  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  g_ptr_array_add (steps,
                   godwit_step_new ("prepare", "make room", GODWIT_PHASE_PREPARING, 1, 0, 0, NULL));
  g_ptr_array_add (steps,
                   godwit_step_new ("copy", "copy all", GODWIT_PHASE_COPYING, 1, 0, 0, NULL));
  godwit_journal_set_plan (bench->lost, bench->job, steps, &error);
  g_assert_no_error (error);
  godwit_journal_set_step (bench->lost, bench->job, 0, GODWIT_STEP_DONE, NULL, &error);
  godwit_journal_set_step (bench->lost, bench->job, 1, GODWIT_STEP_BEGUN, NULL, &error);
  g_assert_no_error (error);
  set_fact (bench->lost, bench->job, "z.first", g_variant_new_string ("/images/web"));
  set_fact (bench->lost, bench->job, "a.second", g_variant_new_uint64 (7));
}

static void
bench_clear (Bench *bench)
{
  godwit_job_record_free (bench->job);
  g_object_unref (bench->lost);
  g_object_unref (bench->other);
  scratch_free (bench->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static GBytes *export(Bench *bench)
{
  g_autoptr (GError) error = NULL;
  GBytes *copy = godwit_journal_export_job (bench->lost, bench->job->id, &error);
  g_assert_no_error (error);
  return copy;
}

static void
test_carries_everything (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GBytes) copy = export(&bench);
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJobRecord) taken =
      godwit_journal_import_job (bench.other, copy, NULL, "root@b", &error);
  g_assert_no_error (error);
  const char *id = bench.job->id;
  g_assert_cmpstr (taken->id, ==, id);
  g_assert_cmpstr (taken->token, ==, bench.job->token);
  g_assert_cmpstr (taken->source, ==, "a");
  g_assert_cmpstr (taken->destination, ==, "root@b");
  g_assert_cmpint (taken->state, ==, GODWIT_JOB_COPYING);
  g_assert_cmpint (taken->worker_pid, ==, 0);
  g_assert_true (g_variant_equal (taken->options, bench.job->options));
  g_assert_true (g_variant_equal (taken->guest_facts, bench.job->guest_facts));

  g_autoptr (GPtrArray) steps = godwit_journal_get_plan (bench.other, id, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (steps->len, ==, 2);
  g_assert_cmpint (godwit_journal_get_step (bench.other, id, 0, NULL), ==, GODWIT_STEP_DONE);
  g_assert_cmpint (godwit_journal_get_step (bench.other, id, 1, NULL), ==, GODWIT_STEP_BEGUN);
  g_auto (GStrv) facts = godwit_journal_list_facts (bench.other, id, NULL);
  g_assert_cmpuint (g_strv_length (facts), ==, 3);
  g_assert_cmpstr (facts[0], ==, "z.first");
  g_assert_cmpstr (facts[2], ==, GODWIT_FACT_TAKEN_OVER);
}

/* However often the lost one comes back and claims its job, hosts know who is the later. */
static void
test_epochs_never_meet (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GBytes) copy = export(&bench);
  g_autoptr (GodwitJobRecord) taken =
      godwit_journal_import_job (bench.other, copy, NULL, NULL, NULL);
  g_autoptr (GodwitJobRecord) mine = claim (bench.other, taken->id);
  for (guint i = 0; i < 10; i++) {
    g_autoptr (GodwitJobRecord) theirs = claim (bench.lost, taken->id);
    g_assert_cmpuint (theirs->epoch, <, mine->epoch);
  }
}

static void
test_only_what_is_newer (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GBytes) copy = export(&bench);
  g_autoptr (GError) error = NULL;
  g_assert_null (godwit_journal_import_job (bench.lost, copy, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
  g_clear_error (&error);

  /* The other one has finished it; the one that was lost learns so. */
  g_autoptr (GodwitJobRecord) taken =
      godwit_journal_import_job (bench.other, copy, NULL, NULL, NULL);
  g_autoptr (GodwitJobRecord) mine = claim (bench.other, taken->id);
  mine->state = GODWIT_JOB_FAILED;
  g_assert_true (godwit_journal_update_job (bench.other, mine, &error));
  g_autoptr (GBytes) ended = godwit_journal_export_job (bench.other, taken->id, &error);
  g_autoptr (GodwitJobRecord) learnt =
      godwit_journal_import_job (bench.lost, ended, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (learnt->state, ==, GODWIT_JOB_FAILED);
}

static void
test_forgets_secrets_at_the_end (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GBytes) before = export(&bench);
  gsize length;
  const char *data = g_bytes_get_data (before, &length);
  g_assert_nonnull (memmem (data, length, "xyzzy", 5));
  bench.job->state = GODWIT_JOB_FAILED;
  g_assert_true (godwit_journal_update_job (bench.lost, bench.job, NULL));
  g_autoptr (GBytes) after = export(&bench);
  data = g_bytes_get_data (after, &length);
  g_assert_null (memmem (data, length, "xyzzy", 5));
  g_assert_null (memmem (data, length, "/images/web", 11));
  g_autoptr (GodwitJobRecord) read = godwit_journal_read_copy (after, NULL);
  g_assert_cmpint (read->state, ==, GODWIT_JOB_FAILED);
}

/* A copy that was cut or changed anywhere is refused, or says what it says; it never crashes. */
static void
test_damage (void)
{
  g_auto (Bench) bench = {0};
  bench_init (&bench);
  g_autoptr (GBytes) copy = export(&bench);
  gsize length;
  const guint8 *data = g_bytes_get_data (copy, &length);
  for (gsize cut = 0; cut < length; cut++) {
    g_autoptr (GBytes) part = g_bytes_new (data, cut);
    g_autoptr (GError) error = NULL;
    g_autoptr (GodwitJobRecord) read = godwit_journal_read_copy (part, &error);
    g_assert_true ((read == NULL) == (error != NULL));
  }
  g_autofree guint8 *changed = g_memdup2 (data, length);
  for (gsize i = 0; i < length; i++) {
    changed[i] ^= 0x55;
    g_autoptr (GBytes) bytes = g_bytes_new (changed, length);
    g_autoptr (GError) error = NULL;
    g_autoptr (GodwitJobRecord) read = godwit_journal_read_copy (bytes, &error);
    g_assert_true ((read == NULL) == (error != NULL));
    changed[i] ^= 0x55;
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/copy/carries-everything", test_carries_everything);
  g_test_add_func ("/copy/epochs-never-meet", test_epochs_never_meet);
  g_test_add_func ("/copy/only-what-is-newer", test_only_what_is_newer);
  g_test_add_func ("/copy/forgets-secrets-at-the-end", test_forgets_secrets_at_the_end);
  g_test_add_func ("/copy/damage", test_damage);
  return g_test_run ();
}
