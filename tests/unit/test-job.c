/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-private.h"
#include "job/progress.h"
#include "scratch.h"

#include <godwit/error.h>

#include <unistd.h>

static GodwitJob *
make_job (GodwitJournal *journal)
{
  g_autoptr (GodwitJobRecord) record = godwit_job_record_new ();
  record->guest = g_strdup ("web");
  record->source = g_strdup ("a");
  record->destination = g_strdup ("b");
  record->options = g_variant_ref_sink (g_variant_new_parsed (
      "{'allow-downtime': 'true', 'max-downtime': '2s', 'limit': '3MiB', 'odd': '3 apples'}"));
  if (journal == NULL)
    return godwit_job_new (NULL, g_steal_pointer (&record), NULL);
  g_autoptr (GError) error = NULL;
  godwit_journal_create_job (journal, record, &error);
  g_assert_no_error (error);
  GodwitJobRecord *claimed = godwit_journal_claim_job (journal, record->id, getpid (), &error);
  g_assert_no_error (error);
  return godwit_job_new (journal, claimed, NULL);
}

static GodwitJournal *
open_journal (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "journal.db", NULL);
  GodwitJournal *journal = godwit_journal_open (path, NULL);
  g_assert_nonnull (journal);
  return journal;
}

static void
test_options (void)
{
  g_autoptr (GodwitJob) job = make_job (NULL);
  const char *text = godwit_job_get_option (job, "max-downtime");
  g_assert_cmpstr (text, ==, "2s");
  g_assert_null (godwit_job_get_option (job, "auto-confirm"));
  g_assert_true (godwit_job_get_option_boolean (job, "allow-downtime"));
  g_assert_false (godwit_job_get_option_boolean (job, "auto-confirm"));
  g_assert_cmpuint (godwit_job_get_option_uint64 (job, "max-downtime"), ==, 2000);
  g_assert_cmpuint (godwit_job_get_option_uint64 (job, "limit"), ==, 3 << 20);
  g_assert_cmpuint (godwit_job_get_option_uint64 (job, "odd"), ==, 0);
  g_assert_true (godwit_job_get_option (job, "max-downtime") == text);
}

static void
check_facts (GodwitJob *job)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_job_set_fact (job, "b", g_variant_new_int32 (1), &error));
  g_assert_true (godwit_job_set_fact (job, "a", g_variant_new_int32 (2), &error));
  g_assert_true (godwit_job_set_fact (job, "b", g_variant_new_int32 (3), &error));
  g_assert_true (godwit_job_set_fact (job, "gone", g_variant_new_int32 (4), &error));
  g_assert_true (godwit_job_set_fact (job, "gone", NULL, &error));
  g_assert_true (godwit_job_set_fact (job, "never", NULL, &error));
  g_assert_no_error (error);
  g_assert_false (godwit_job_set_fact (job, "Not Valid", g_variant_new_int32 (1), &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_INTERNAL);
}

static void
assert_facts (GodwitJob *job)
{
  g_auto (GStrv) names = godwit_job_list_facts (job, "");
  const char *expected[] = {"b", "a", NULL};
  g_assert_cmpstrv (names, expected);
  g_autoptr (GVariant) value = godwit_job_get_fact (job, "b");
  g_assert_cmpint (g_variant_get_int32 (value), ==, 3);
  g_assert_null (godwit_job_get_fact (job, "gone"));
}

static void
test_facts_in_memory (void)
{
  g_autoptr (GodwitJob) job = make_job (NULL);
  check_facts (job);
  assert_facts (job);
}

static void
test_facts_survive (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJob) job = make_job (journal);
  check_facts (job);
  GodwitJobRecord *again =
      godwit_journal_claim_job (journal, godwit_job_get_id (job), getpid (), NULL);
  g_autoptr (GodwitJob) other = godwit_job_new (journal, again, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_job_load (other, &error));
  g_assert_no_error (error);
  assert_facts (other);
  /* The first worker was taken over: what it believes to know must not get into the journal. */
  g_assert_false (godwit_job_set_fact (job, "c", g_variant_new_int32 (5), &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_null (godwit_job_get_fact (job, "c"));
}

static void
test_guest_survives (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJob) job = make_job (journal);
  GodwitGuest *guest = godwit_guest_new ("web", "0c1d");
  g_ptr_array_add (guest->disks, godwit_disk_new ("vda"));
  g_autoptr (GError) error = NULL;
  g_assert_true (godwit_job_set_guest (job, guest, &error));
  g_assert_no_error (error);
  /* What the planner decides later reaches the journal with the next record. */
  godwit_guest_find_disk (guest, "vda")->treatment = GODWIT_TREATMENT_MIRROR;
  g_assert_true (godwit_job_set_state (job, GODWIT_JOB_PREPARING, &error));
  GodwitJobRecord *again =
      godwit_journal_claim_job (journal, godwit_job_get_id (job), getpid (), NULL);
  g_assert_cmpstr (again->uuid, ==, "0c1d");
  g_autoptr (GodwitJob) other = godwit_job_new (journal, again, NULL);
  g_assert_true (godwit_job_load (other, &error));
  GodwitDisk *disk = godwit_guest_find_disk (godwit_job_get_guest (other), "vda");
  g_assert_cmpint (disk->treatment, ==, GODWIT_TREATMENT_MIRROR);
}

static void
collect (const GodwitEvent *event, gpointer user_data)
{
  g_ptr_array_add (user_data, godwit_event_copy (event));
}

static void
test_events (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GodwitJob) job = make_job (journal);
  g_autoptr (GPtrArray) seen = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_event_free);
  godwit_job_set_listener (job, collect, seen);
  godwit_job_log (job, GODWIT_SEVERITY_WARNING, "a", "%d wheels", 3);
  g_assert_true (godwit_job_set_state (job, GODWIT_JOB_PREPARING, NULL));
  g_assert_true (godwit_job_set_state (job, GODWIT_JOB_PREPARING, NULL));
  godwit_job_progress (job, "disk vda", 1, 10);
  g_assert_cmpuint (seen->len, ==, 3);
  const GodwitEvent *log = g_ptr_array_index (seen, 0);
  g_assert_cmpstr (log->message, ==, "3 wheels");
  g_assert_cmpstr (log->host, ==, "a");
  const GodwitEvent *state = g_ptr_array_index (seen, 1);
  g_assert_cmpstr (state->what, ==, "preparing");
  const GodwitEvent *progress = g_ptr_array_index (seen, 2);
  g_assert_cmpuint (progress->serial, ==, 0);
  g_autoptr (GPtrArray) kept =
      godwit_journal_get_events (journal, godwit_job_get_id (job), 0, NULL);
  g_assert_cmpuint (kept->len, ==, 2);
}

static double
fraction_of (const GodwitEvent *event)
{
  double fraction = -1;
  g_assert_true (g_variant_lookup (event->data, "fraction", "d", &fraction));
  return fraction;
}

static void
test_progress_never_goes_back (void)
{
  GodwitProgress *progress = godwit_progress_new ();
  gint64 now = 1000 * G_USEC_PER_SEC;
  static const struct {
    guint64 done;
    guint64 total;
  } reports[] = {{0, 100},  {50, 100},  {30, 100},  {60, 300},
                 {60, 200}, {250, 300}, {400, 300}, {0, 300}};
  guint64 done = 0;
  double fraction = 0;
  for (guint i = 0; i < G_N_ELEMENTS (reports); i++) {
    g_autoptr (GodwitEvent) event =
        godwit_progress_report (progress, "disk vda", reports[i].done, reports[i].total, now);
    g_assert_nonnull (event);
    g_assert_cmpuint (event->done, >=, done);
    g_assert_cmpuint (event->done, <=, event->total);
    g_assert_cmpfloat (fraction_of (event), >=, fraction);
    done = event->done;
    fraction = fraction_of (event);
    now += G_USEC_PER_SEC;
  }
  g_assert_cmpuint (done, ==, 300);
  g_assert_cmpfloat (fraction, ==, 1.0);
  godwit_progress_free (progress);
}

static void
test_progress_is_throttled (void)
{
  GodwitProgress *progress = godwit_progress_new ();
  guint n = 0;
  guint64 rate = 0;
  /* One report a millisecond, 1 MB each, for two seconds. */
  for (guint i = 0; i <= 2000; i++) {
    g_autoptr (GodwitEvent) event =
        godwit_progress_report (progress, "memory", i * G_GUINT64_CONSTANT (1000000), 2000000000,
                                5000000 + i * 1000);
    n += event != NULL;
    rate = event != NULL ? event->rate : rate;
  }
  g_assert_cmpuint (n, >=, 8);
  g_assert_cmpuint (n, <=, 10);
  g_assert_cmpuint (rate, >, 990000000);
  g_assert_cmpuint (rate, <, 1010000000);
  /* The end is told at once, however fresh the last report is, and only once. */
  GodwitProgress *quick = godwit_progress_new ();
  g_autoptr (GodwitEvent) begin = godwit_progress_report (quick, "x", 0, 10, 1000);
  g_autoptr (GodwitEvent) middle = godwit_progress_report (quick, "x", 5, 10, 2000);
  g_autoptr (GodwitEvent) end = godwit_progress_report (quick, "x", 10, 10, 3000);
  g_autoptr (GodwitEvent) again = godwit_progress_report (quick, "x", 10, 10, 4000);
  g_assert_nonnull (begin);
  g_assert_null (middle);
  g_assert_nonnull (end);
  g_assert_null (again);
  godwit_progress_free (progress);
  godwit_progress_free (quick);
}

static void
note_end (gpointer user_data, GObject *where_it_was)
{
  static int n;
  *(int *)user_data = ++n;
}

static void
test_kept_objects (void)
{
  g_autoptr (GodwitJob) job = make_job (NULL);
  int ended[3] = {0};
  GObject *objects[3];
  for (guint i = 0; i < 3; i++) {
    objects[i] = g_object_new (G_TYPE_OBJECT, NULL);
    g_object_weak_ref (objects[i], note_end, &ended[i]);
  }
  godwit_job_keep (job, "one", objects[0]);
  godwit_job_keep (job, "two", objects[1]);
  g_assert_true (godwit_job_kept (job, "one") == objects[0]);
  godwit_job_keep (job, "one", objects[2]);
  g_assert_cmpint (ended[0], >, 0);
  godwit_job_drop_kept (job);
  g_assert_cmpint (ended[2], >, ended[0]);
  g_assert_cmpint (ended[1], >, ended[2]);
  g_assert_null (godwit_job_kept (job, "two"));
}

static void
test_abort_before_and_after_commit (void)
{
  g_autoptr (Scratch) dir = scratch_new ();
  g_autoptr (GodwitJournal) journal = open_journal (dir);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify)godwit_step_free);
  g_ptr_array_add (steps, godwit_step_new ("prove", "prove", GODWIT_PHASE_FROZEN, 0, 0,
                                           GODWIT_STEP_COMMIT, NULL));
  g_autoptr (GodwitJob) job = make_job (journal);
  g_assert_true (godwit_journal_set_plan (journal, godwit_job_get_record (job), steps, NULL));
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_job_abort (job, "alice", &error));
  g_clear_error (&error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  godwit_job_set_cancellable (job, cancellable);
  g_assert_true (godwit_job_abort (job, "alice", &error));
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_autoptr (GodwitJobRecord) read =
      godwit_journal_get_job (journal, godwit_job_get_id (job), NULL);
  g_assert_cmpstr (read->aborted_by, ==, "alice");
  g_assert_false (godwit_job_commit (job, 0, FALSE, &error));
  g_assert_true (godwit_error_is_cancelled (error));
  g_clear_error (&error);
  g_assert_true (godwit_job_commit (job, 0, TRUE, &error));
  g_assert_no_error (error);
  g_assert_false (godwit_job_abort (job, "bob", &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_REFUSED);
  g_autoptr (GodwitJobRecord) after =
      godwit_journal_get_job (journal, godwit_job_get_id (job), NULL);
  g_assert_true (after->committed);
  g_assert_cmpint (after->state, ==, GODWIT_JOB_COMMITTED);
  g_assert_cmpint (godwit_journal_get_step (journal, after->id, 0, NULL), ==, GODWIT_STEP_DONE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job/options", test_options);
  g_test_add_func ("/job/facts-in-memory", test_facts_in_memory);
  g_test_add_func ("/job/facts-survive", test_facts_survive);
  g_test_add_func ("/job/guest-survives", test_guest_survives);
  g_test_add_func ("/job/events", test_events);
  g_test_add_func ("/job/progress-never-goes-back", test_progress_never_goes_back);
  g_test_add_func ("/job/progress-is-throttled", test_progress_is_throttled);
  g_test_add_func ("/job/kept-objects", test_kept_objects);
  g_test_add_func ("/job/abort-before-and-after-commit", test_abort_before_and_after_commit);
  return g_test_run ();
}
