/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/disks-private.h"

#include <godwit/error.h>
#include <godwit/transfer.h>

typedef struct {
  GodwitJob *job;
  const char *what;
  guint64 wire; /* already counted as carried */
  gboolean carries;
} Progress;

static void
on_progress (const GodwitTransferStats *stats, gpointer user_data)
{
  Progress *progress = user_data;

  godwit_job_progress (progress->job, progress->what, stats->done, stats->total);
  if (progress->carries && stats->wire > progress->wire) {
    godwit_job_add_bytes (progress->job, stats->wire - progress->wire);
    progress->wire = stats->wire;
  }
}

/* --- the source's digest, computed beside the transfer ---------------------------------- */

typedef struct {
  GodwitEnd end;
  GCancellable *cancellable;
  char *digest;
  GError *error;
} Digest;

static gpointer
digest_thread (gpointer user_data)
{
  Digest *task = user_data;
  task->digest = godwit_transfer_digest (&task->end, NULL, NULL, task->cancellable, &task->error);
  return NULL;
}

static void
on_cancelled (GCancellable *cancellable, gpointer inner)
{
  g_cancellable_cancel (inner);
}

gboolean
godwit_disks_transfer (GodwitJob *job, const char *what, const GodwitEnd *source,
                       const GodwitEnd *target, char **digest, GCancellable *cancellable,
                       GError **error)
{
  Progress progress = {.job = job, .what = what, .carries = TRUE};
  GodwitTransferStats stats = {0};
  g_autoptr (GCancellable) inner = g_cancellable_new ();
  Digest task = {.end = *source, .cancellable = inner};
  GThread *thread = NULL;
  gulong handler = 0;

  /* The transfer brings the same blocks into the page cache at the same time, so the digest
   * costs no second reading of the medium. */
  if (digest != NULL)
    thread = g_thread_new ("digest", digest_thread, &task);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), inner, NULL);
  gboolean moved =
      godwit_transfer_run (source, target, on_progress, &progress, &stats, cancellable, error);
  if (moved)
    on_progress (&stats, &progress);
  else
    g_cancellable_cancel (inner);
  if (thread != NULL)
    g_thread_join (thread);
  g_cancellable_disconnect (cancellable, handler);

  g_autofree char *value = task.digest;
  g_autoptr (GError) digest_error = task.error;
  if (!moved)
    return FALSE;
  if (digest_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&digest_error));
    return FALSE;
  }
  if (digest != NULL)
    *digest = g_steal_pointer (&value);
  return TRUE;
}

/* --- one disk --------------------------------------------------------------------------- */

static char *
fact_name (const GodwitDisk *disk, const char *what)
{
  return g_strdup_printf ("disk.%s.%s", disk->target, what);
}

gboolean
godwit_disks_copy_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage,
                       GCancellable *cancellable, GError **error)
{
  g_autofree char *fact = fact_name (disk, "digest");
  g_autoptr (GVariant) known = godwit_job_get_fact (job, fact);
  if (known != NULL || godwit_disk_get_top (disk)->present)
    return TRUE;

  GodwitEnd from = {0};
  GodwitEnd to = {0};
  g_autofree char *what = g_strconcat ("disk ", disk->target, NULL);
  g_autofree char *digest = NULL;
  if (!godwit_disks_note_source (job, disk, cancellable, error))
    return FALSE;
  g_autoptr (GObject) source =
      godwit_storage_open_source (storage, job, disk, &from, cancellable, error);
  if (source == NULL)
    return FALSE;
  g_autoptr (GObject) target =
      godwit_storage_open_target (storage, job, disk, &to, cancellable, error);
  if (target == NULL)
    return FALSE;
  if (!godwit_disks_transfer (job, what, &from, &to, &digest, cancellable, error))
    return FALSE;
  return godwit_job_set_fact (job, fact, g_variant_new_string (digest), error);
}

gboolean
godwit_disks_verify_one (GodwitJob *job, GodwitDisk *disk, GodwitStorage *storage,
                         GCancellable *cancellable, GError **error)
{
  g_autofree char *digest_fact = fact_name (disk, "digest");
  g_autofree char *verified_fact = fact_name (disk, "verified");
  g_autoptr (GVariant) expected = godwit_job_get_fact (job, digest_fact);
  g_autoptr (GVariant) verified = godwit_job_get_fact (job, verified_fact);
  if (verified != NULL || godwit_disk_get_top (disk)->present)
    return TRUE;
  if (expected == NULL || !g_variant_is_of_type (expected, G_VARIANT_TYPE_STRING)) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL,
                      "it is to be verified but was never copied");
    return FALSE;
  }

  GodwitEnd end = {0};
  g_autofree char *what = g_strconcat ("verify ", disk->target, NULL);
  Progress progress = {.job = job, .what = what};
  g_autoptr (GObject) target =
      godwit_storage_open_target (storage, job, disk, &end, cancellable, error);
  if (target == NULL)
    return FALSE;
  g_autofree char *seen = godwit_transfer_digest (&end, on_progress, &progress, cancellable, error);
  if (seen == NULL)
    return FALSE;
  if (g_strcmp0 (seen, g_variant_get_string (expected, NULL)) != 0) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT,
                      "check memory and disks of both hosts, then migrate again",
                      "the copy at %s is not what was sent: SHA-256 %s there, %s at the source; "
                      "the source is untouched",
                      godwit_host_get_name (end.host), seen, g_variant_get_string (expected, NULL));
    return FALSE;
  }
  return godwit_job_set_fact (job, verified_fact, g_variant_new_boolean (TRUE), error);
}
