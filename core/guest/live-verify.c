/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/live-private.h"

#include <godwit/error.h>
#include <godwit/live.h>
#include <godwit/verify.h>

/* A string: "begun"; or what was found wrong. A worker that takes over cannot go on with it: what
 * the stream wrote is only known to the agent of the worker that died. */
#define FACT  "live.verify"
#define BEGUN "begun"

gboolean
godwit_live_wants_verify (GodwitJob *job)
{
  return g_strcmp0 (godwit_job_get_option (job, "verify"), "none") != 0;
}

static const char *
destination_name (GodwitJob *job)
{
  return godwit_host_get_name (godwit_job_get_destination (job));
}

/* Never silently: whoever retires the source must know what was not looked at. */
static void
give_up (GodwitLiveRun *run, const GError *error)
{
  g_autofree char *message = godwit_error_dup_message (error);

  if (run->unverified == NULL)
    run->unverified = g_steal_pointer (&message);
}

/* --- beginning ----------------------------------------------------------------------------- */

static gboolean
add_disk (GodwitJob *job, const char *target, GArray *disks, GPtrArray *exports, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  const GodwitDisk *disk = godwit_guest_find_disk (guest, target);
  const GodwitImage *top = disk != NULL ? godwit_disk_get_top (disk) : NULL;
  char *export =
      godwit_hypervisor_get_export (godwit_job_get_source_hypervisor (job), guest, target, error);

  if (export == NULL)
    return FALSE;
  g_ptr_array_add (exports, export);
  GodwitVerifyDisk one = {
      .name = target,
      .export = export,
      .image = top != NULL && top->destination != NULL ? top->destination : "",
      .format = top != NULL && top->format != NULL ? top->format : "",
      .fresh = disk != NULL && (disk->flatten || disk->chain->len == 1),
  };
  g_array_append_val (disks, one);
  return TRUE;
}

static GodwitVerify *
begin (GodwitJob *job, const char *const *mirror, GError **error)
{
  GObject *tunnel = godwit_job_kept (job, "tunnel-disks");
  g_autoptr (GArray) disks = g_array_new (FALSE, TRUE, sizeof (GodwitVerifyDisk));
  g_autoptr (GPtrArray) exports = g_ptr_array_new_with_free_func (g_free);

  if (tunnel == NULL) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "there is no tunnel for the disks");
    return NULL;
  }
  for (guint i = 0; mirror[i] != NULL; i++)
    if (!add_disk (job, mirror[i], disks, exports, error))
      return NULL;
  return godwit_verify_new (GODWIT_TUNNEL (tunnel), (GodwitVerifyDisk *)(gpointer)disks->data,
                            disks->len, NULL, error);
}

/* --- while the guest runs -------------------------------------------------------------------- */

static gboolean
start (GodwitJob *job, GodwitLiveRun *run, const char *const *mirror, GError **error)
{
  if (!godwit_job_set_fact (job, FACT, g_variant_new_string (BEGUN), error))
    return FALSE;
  run->verify = begin (job, mirror, error);
  return run->verify != NULL;
}

static void
show_progress (GodwitJob *job, GodwitLiveRun *run)
{
  GodwitVerifyFigures figures;

  godwit_verify_get_figures (run->verify, NULL, &figures);
  run->looked_at = figures.verified;
  if (figures.verified > 0)
    godwit_job_progress (job, "verification", figures.verified, figures.verified + figures.waiting);
}

gboolean
godwit_live_verify (GodwitJob *job, const char *const *mirror, GError **error)
{
  GodwitLiveRun *run = godwit_live_get_run (job);
  g_autoptr (GError) local = NULL;

  if (mirror == NULL || mirror[0] == NULL || run->unverified != NULL ||
      !godwit_live_wants_verify (job))
    return TRUE;
  /* Not a moment of the switch-over is spent on asking. */
  if (run->status.source_state == GODWIT_GUEST_PAUSED_MIGRATION)
    return TRUE;
  gboolean ok = run->verify == NULL ? start (job, run, mirror, &local)
                                    : godwit_verify_check (run->verify, NULL, &local);
  if (ok) {
    show_progress (job, run);
    return TRUE;
  }
  if (g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_CORRUPT)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  give_up (run, local);
  return TRUE;
}

/* --- when it stands still ----------------------------------------------------------------------
 */

/* The source's memory is gone, so nothing can be undone without asking: which of the two is worth
 * more, the memory or the disk, is not for a program to say. */
static void
doubt (GodwitJob *job, const char *what, GError **error)
{
  const char *there = destination_name (job),
             *here = godwit_host_get_name (godwit_job_get_source (job));
  g_autofree char *remedy = g_strdup_printf (
      "end the guest on %s and start it on %s, which loses its memory, or resume it on %s with "
      "the disk as it is; then 'godwit recover'",
      there, here, there);

  godwit_set_error (error, GODWIT_ERROR_IN_DOUBT, remedy,
                    "%s stands paused on %s and is not resumed: %s. Its disks on %s are whole, as "
                    "they were when it was stopped",
                    godwit_job_get_guest (job)->name, there, what, here);
}

gboolean
godwit_live_verify_rest (GodwitJob *job, const char *const *mirror, GError **error)
{
  GodwitLiveRun *run = godwit_live_get_run (job);
  g_autoptr (GError) local = NULL;

  if (mirror == NULL || mirror[0] == NULL || run->unverified != NULL || run->verified ||
      !godwit_live_wants_verify (job))
    return TRUE;
  /* A disk that was mirrored within one turn has not been looked at at all. */
  if (run->verify == NULL && !start (job, run, mirror, &local)) {
    give_up (run, local);
    return TRUE;
  }
  run->verified = godwit_verify_rest (run->verify, NULL, &local);
  if (run->verified)
    return TRUE;
  if (!g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_CORRUPT)) {
    give_up (run, local);
    return TRUE;
  }
  g_autofree char *message = godwit_error_dup_message (local);
  if (godwit_job_set_fact (job, FACT, g_variant_new_string (message), error))
    doubt (job, message, error);
  return FALSE;
}

gboolean
godwit_live_verify_allows (GodwitJob *job, GodwitGuestState destination, GError **error)
{
  g_autoptr (GVariant) fact = godwit_job_get_fact (job, FACT);
  const char *text = fact != NULL ? g_variant_get_string (fact, NULL) : BEGUN;

  /* Running: somebody has resumed it, knowing what was said. */
  if (g_str_equal (text, BEGUN) || destination == GODWIT_GUEST_RUNNING)
    return TRUE;
  doubt (job, text, error);
  return FALSE;
}

/* --- what is said of it --------------------------------------------------------------------------
 */

static void
report_disk (GodwitJob *job, GodwitVerify *verify, const char *target)
{
  GodwitVerifyFigures figures;

  godwit_verify_get_figures (verify, target, &figures);
  g_autofree char *size = g_format_size_full (figures.verified, G_FORMAT_SIZE_IEC_UNITS);
  godwit_job_log (job, GODWIT_SEVERITY_INFO, NULL, "%s: %s verified at %s", target, size,
                  destination_name (job));
  if (figures.unknown + figures.waiting == 0)
    return;
  g_autofree char *rest =
      g_format_size_full (figures.unknown + figures.waiting, G_FORMAT_SIZE_IEC_UNITS);
  godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL,
                  "%s: %s could not be verified at %s: discarded, or not written in whole blocks",
                  target, rest, destination_name (job));
}

void
godwit_live_report_verify (GodwitJob *job)
{
  GodwitLiveRun *run = godwit_live_get_run (job);
  g_autoptr (GVariant) fact = godwit_job_get_fact (job, FACT);
  GPtrArray *disks = godwit_job_get_guest (job)->disks;

  if (run == NULL && fact != NULL)
    godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL,
                    "the disks could not be verified at %s to the end: the worker that kept track "
                    "of them died",
                    destination_name (job));
  if (run == NULL)
    return;
  if (run->unverified != NULL)
    godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL, "the disks were not verified at %s: %s",
                    destination_name (job), run->unverified);
  for (guint i = 0; run->verified && i < disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (disks, i);
    if (disk->treatment == GODWIT_TREATMENT_MIRROR)
      report_disk (job, run->verify, disk->target);
  }
}
