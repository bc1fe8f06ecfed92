/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/task.h"

#include "channel/fd.h"
#include "verify/check.h"

#include <godwit/error.h>

/* How long to let writes gather before they are looked at. */
#define GATHER_MS 200
/* A whole disk is read again, for what was written to blocks that were right before; but no more
 * than a tenth of the time is spent on it. */
#define AGAIN_MS     5000
#define AGAIN_FACTOR 10
/* Images at rest are read again for so long before a difference counts: whoever wrote them may
 * have their last table in memory for a moment. */
#define SETTLE_MS  1000
#define SETTLE_GAP 20

typedef struct {
  char *name;
  char *export;
  char *image;
  char *format;
  gboolean fresh;
  GodwitImage *server; /* what it is read through while the mirror runs; NULL for none */
} Disk;

typedef struct {
  GodwitAgent *agent;
  GodwitTap *tap;
  char *path;
  GPtrArray *disks;
  gboolean rest;
  gint passes; /* atomic */
} Verify;

static void
disk_free (gpointer data)
{
  Disk *disk = data;
  godwit_image_close (disk->server);
  g_free (disk->name);
  g_free (disk->export);
  g_free (disk->image);
  g_free (disk->format);
  g_free (disk);
}

static void
verify_free (gpointer data)
{
  Verify *self = data;
  godwit_tap_unref (self->tap);
  g_ptr_array_unref (self->disks);
  g_free (self->path);
  g_free (self);
}

/* --- the taps of an agent -------------------------------------------------------------------- */

GodwitTaps *
godwit_taps_new (void)
{
  GodwitTaps *self = g_new0 (GodwitTaps, 1);
  g_mutex_init (&self->lock);
  self->table =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)godwit_tap_unref);
  return self;
}

void
godwit_taps_add (GodwitTaps *self, const char *path, GodwitTap *tap)
{
  g_mutex_lock (&self->lock);
  g_hash_table_replace (self->table, g_strdup (path), godwit_tap_ref (tap));
  g_mutex_unlock (&self->lock);
}

void
godwit_taps_remove (GodwitTaps *self, const char *path, GodwitTap *tap)
{
  g_mutex_lock (&self->lock);
  if (g_hash_table_lookup (self->table, path) == tap)
    g_hash_table_remove (self->table, path);
  g_mutex_unlock (&self->lock);
}

GodwitTap *
godwit_taps_find (GodwitTaps *self, const char *path)
{
  g_mutex_lock (&self->lock);
  GodwitTap *tap = g_hash_table_lookup (self->table, path);
  if (tap != NULL)
    godwit_tap_ref (tap);
  g_mutex_unlock (&self->lock);
  return tap;
}

/* --- figures -----------------------------------------------------------------------------------
 */

static GVariant *
describe_verify (gpointer data)
{
  Verify *self = data;
  GVariantBuilder builder;
  GVariantDict dict;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (GODWIT_VERIFY_FIGURES_TYPE));
  for (guint i = 0; i < self->disks->len; i++) {
    const Disk *disk = g_ptr_array_index (self->disks, i);
    GodwitBlocks *blocks = godwit_tap_find (self->tap, disk->export);
    GodwitBlocksFigures figures = {0};
    if (blocks != NULL)
      godwit_blocks_get_figures (blocks, &figures);
    g_variant_builder_add (&builder, "(sttt)", disk->name, figures.verified, figures.waiting,
                           figures.unknown);
  }
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "figures", g_variant_builder_end (&builder));
  g_variant_dict_insert (&dict, "passes", "u", (guint32)g_atomic_int_get (&self->passes));
  return g_variant_dict_end (&dict);
}

/* --- one look at all disks ----------------------------------------------------------------------
 */

static gboolean
fail_different (const Disk *disk, const GodwitMismatch *mismatch, GError **error)
{
  g_autofree char *remedy =
      g_strdup_printf ("find what else writes to %s there, and check its disk and memory",
                       disk->image);

  godwit_set_error (error, GODWIT_ERROR_CORRUPT, remedy,
                    "disk %s holds something else than this migration wrote to it: "
                    "%" G_GUINT64_FORMAT " %s of 64 KiB between offset %" G_GUINT64_FORMAT
                    " and %" G_GUINT64_FORMAT "; something else writes to %s, or loses writes",
                    disk->name, mismatch->count, mismatch->count == 1 ? "block" : "blocks",
                    mismatch->first, mismatch->last, disk->image);
  return FALSE;
}

static GodwitImage *
open_at_rest (Verify *self, const Disk *disk, GCancellable *cancellable, GError **error)
{
  GodwitImageOptions options = {.path = disk->image};

  if (g_str_equal (disk->format, "raw"))
    return godwit_image_open (self->agent->policy, &options, cancellable, error);
  if (g_str_equal (disk->format, "qcow2"))
    return godwit_image_open_qcow2 (self->agent->policy, &options, cancellable, error);
  godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                    "images of format %s cannot be read at rest", disk->format);
  return NULL;
}

/* @image: NULL for the image at rest, which is opened anew each time: its tables may change. */
static gboolean
look_at (Verify *self, const Disk *disk, GodwitImage *image, guint8 pass, guint8 mark,
         GCancellable *cancellable, GError **error)
{
  GodwitBlocks *blocks = godwit_tap_find (self->tap, disk->export);
  g_autoptr (GodwitImage) at_rest = NULL;
  GodwitBlocksFigures figures = {0};
  GodwitMismatch mismatch = {0};

  if (blocks != NULL)
    godwit_blocks_get_figures (blocks, &figures);
  if (blocks == NULL || (pass == 0 && image != NULL && figures.waiting == 0))
    return TRUE;
  if (image == NULL)
    image = at_rest = open_at_rest (self, disk, cancellable, error);
  if (image == NULL ||
      !godwit_check_sweep (blocks, image, pass, mark, disk->fresh, &mismatch, cancellable, error)) {
    g_prefix_error (error, "disk %s: ", disk->name);
    return FALSE;
  }
  return mismatch.count == 0 || fail_different (disk, &mismatch, error);
}

static gboolean
look_at_all (Verify *self, guint8 pass, guint8 mark, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < self->disks->len; i++) {
    const Disk *disk = g_ptr_array_index (self->disks, i);
    if (!self->rest && disk->server == NULL)
      continue;
    if (!look_at (self, disk, disk->server, pass, mark, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_listening (Verify *self, GError **error)
{
  g_autofree char *off = godwit_tap_dup_off (self->tap);
  if (off == NULL)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                    "what writes to the disks cannot be followed: %s", off);
  return FALSE;
}

/* --- while the mirror runs -----------------------------------------------------------------------
 */

typedef struct {
  guint8 number; /* of the last pass over everything; 0 before the first */
  gint64 again_us;
} Passes;

static gboolean
take_turn (Verify *self, Passes *passes, GCancellable *cancellable, GError **error)
{
  gint64 now = g_get_monotonic_time ();

  if (now < passes->again_us)
    return look_at_all (self, 0, passes->number, cancellable, error);
  guint8 number = passes->number % G_MAXUINT8 + 1;
  if (!look_at_all (self, number, number, cancellable, error))
    return FALSE;
  passes->number = number;
  g_atomic_int_inc (&self->passes);
  gint64 end = g_get_monotonic_time ();
  passes->again_us = end + MAX (AGAIN_MS * 1000, AGAIN_FACTOR * (end - now));
  return TRUE;
}

/* One connection for each disk, made before memory moves and never again: QEMU 7.2 waits for ever
 * for a client that is still negotiating when its server is told to stop, which it is told right
 * after memory has moved. A client that is through is simply sent away. */
static gboolean
connect_all (Verify *self, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < self->disks->len; i++) {
    Disk *disk = g_ptr_array_index (self->disks, i);
    GodwitImageOptions options = {.path = self->path, .nbd = TRUE, .export = disk->export};
    if (godwit_tap_find (self->tap, disk->export) == NULL) {
      godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL,
                        "disk %s is not mirrored to the export %s", disk->name, disk->export);
      return FALSE;
    }
    disk->server = godwit_image_open (self->agent->policy, &options, cancellable, error);
    if (disk->server == NULL)
      return FALSE;
  }
  godwit_tap_set_connected (self->tap);
  return TRUE;
}

static gboolean
is_ended (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "the verification was ended");
  return TRUE;
}

static GVariant *
run_live (Verify *self, GCancellable *cancellable, GError **error)
{
  Passes passes = {0};
  gboolean gone = FALSE;

  while (!godwit_tap_wait_in_step (self->tap, godwit_deadline_in_ms (GATHER_MS)))
    if (is_ended (cancellable, error))
      return NULL;
  if (!connect_all (self, cancellable, error))
    return NULL;
  while (is_listening (self, error) && !is_ended (cancellable, error)) {
    g_autoptr (GError) local = NULL;
    if (!gone && !take_turn (self, &passes, cancellable, &local)) {
      if (g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_CORRUPT)) {
        g_propagate_error (error, g_steal_pointer (&local));
        return NULL;
      }
      /* A server that has ended its work; what is left is for the look at rest. */
      gone = TRUE;
    }
    godwit_fd_wait (-1, 0, godwit_deadline_in_ms (GATHER_MS), cancellable, NULL);
  }
  return NULL;
}

/* --- when nothing writes any more
 * ----------------------------------------------------------------- */

static GVariant *
run_rest (Verify *self, GCancellable *cancellable, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + SETTLE_MS * 1000;

  while (is_listening (self, error)) {
    g_autoptr (GError) local = NULL;
    if (look_at_all (self, 0, 1, cancellable, &local))
      return describe_verify (self);
    if (g_get_monotonic_time () >= deadline ||
        !g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_CORRUPT)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
    g_usleep (SETTLE_GAP * 1000);
  }
  return NULL;
}

static GVariant *
run_verify (GodwitTask *task, gpointer data, GError **error)
{
  Verify *self = data;
  GCancellable *cancellable = godwit_task_get_cancellable (task);
  if (self->rest)
    return run_rest (self, cancellable, error);
  GVariant *result = run_live (self, cancellable, error);
  godwit_tap_add_reader (self->tap, -1);
  return result;
}

static void
add_disks (Verify *self, GVariant *options)
{
  g_autoptr (GVariant) disks =
      g_variant_lookup_value (options, "disks", G_VARIANT_TYPE (GODWIT_VERIFY_DISKS_TYPE));
  for (gsize i = 0; disks != NULL && i < g_variant_n_children (disks); i++) {
    Disk *disk = g_new0 (Disk, 1);
    g_variant_get_child (disks, i, "(ssssb)", &disk->name, &disk->export, &disk->image,
                         &disk->format, &disk->fresh);
    g_ptr_array_add (self->disks, disk);
  }
}

guint
godwit_agent_start_verify (GodwitAgent *agent, GVariant *options, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_verify,
                                        .describe = describe_verify,
                                        .free_data = verify_free};
  const char *path = "";

  g_variant_lookup (options, "path", "&s", &path);
  GodwitTap *tap = godwit_taps_find (agent->taps, path);
  if (tap == NULL) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "nobody follows what goes to %s", path);
    return 0;
  }
  Verify *self = g_new0 (Verify, 1);
  self->agent = agent;
  self->tap = tap;
  self->path = g_strdup (path);
  self->disks = g_ptr_array_new_with_free_func (disk_free);
  g_variant_lookup (options, "rest", "b", &self->rest);
  add_disks (self, options);
  if (!self->rest)
    godwit_tap_add_reader (self->tap, 1);
  return godwit_tasks_start (agent->tasks, &klass, self, NULL);
}
