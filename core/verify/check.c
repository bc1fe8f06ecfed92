/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/check.h"

#include <godwit/error.h>

typedef struct {
  GodwitBlocks *blocks;
  GodwitImage *image;
  guint8 *buffer;
  guint8 mark;
  GodwitMismatch *mismatch;
} Sweep;

/* Holes are asked about and not read, so that an empty disk of a terabyte takes no time. */
static gboolean
is_hole (Sweep *self, const GodwitRun *run, guint64 offset, guint64 length, gboolean *hole,
         GError **error)
{
  guint64 start, end;

  *hole = FALSE;
  if (!run->zero)
    return TRUE;
  if (!godwit_image_next_data (self->image, offset, &start, &end, error))
    return FALSE;
  *hole = start >= offset + length;
  return TRUE;
}

static void
note (Sweep *self, guint64 offset, gsize length)
{
  GodwitMismatch *mismatch = self->mismatch;

  if (mismatch->count == 0)
    mismatch->first = offset;
  mismatch->last = MAX (mismatch->last, offset + length);
  mismatch->count++;
}

static void
judge (Sweep *self, const GodwitRun *run, gboolean hole)
{
  guint64 start = run->index * GODWIT_TAP_BLOCK;

  for (guint i = 0; i < run->count; i++) {
    guint64 offset = start + (guint64)i * GODWIT_TAP_BLOCK;
    gsize length = godwit_blocks_get_length (self->blocks, run->index + i);
    guint64 digest = hole ? godwit_digest_of_zeroes (length)
                          : godwit_digest (self->buffer + (offset - start), length);
    if (godwit_blocks_judge (self->blocks, run, i, digest, self->mark) == GODWIT_JUDGED_DIFFERENT)
      note (self, offset, length);
  }
}

static gboolean
check_run (Sweep *self, const GodwitRun *run, GError **error)
{
  guint64 offset = run->index * GODWIT_TAP_BLOCK;
  guint64 size = godwit_blocks_get_size (self->blocks);
  gsize length = MIN ((guint64)run->count * GODWIT_TAP_BLOCK, size - offset);
  gboolean hole = FALSE;

  if (!is_hole (self, run, offset, length, &hole, error) ||
      (!hole && !godwit_image_read (self->image, self->buffer, offset, length, error)))
    return FALSE;
  judge (self, run, hole);
  return TRUE;
}

gboolean
godwit_check_sweep (GodwitBlocks *blocks, GodwitImage *image, guint8 pass, guint8 mark,
                    gboolean untouched, GodwitMismatch *mismatch, GCancellable *cancellable,
                    GError **error)
{
  g_autofree guint8 *buffer = g_malloc ((gsize)GODWIT_RUN_MAX * GODWIT_TAP_BLOCK);
  Sweep self = {
      .blocks = blocks, .image = image, .buffer = buffer, .mark = mark, .mismatch = mismatch};
  guint64 from = 0;
  GodwitRun run;

  if (godwit_image_get_size (image) < godwit_blocks_get_size (blocks)) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL,
                      "it has %" G_GUINT64_FORMAT " bytes and not %" G_GUINT64_FORMAT,
                      godwit_image_get_size (image), godwit_blocks_get_size (blocks));
    return FALSE;
  }
  godwit_image_forget_holes (image);
  while (mismatch->count < GODWIT_MISMATCH_MAX &&
         godwit_blocks_next (blocks, &from, pass, untouched, &run)) {
    if (g_cancellable_is_cancelled (cancellable)) {
      godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "the verification was cancelled");
      return FALSE;
    }
    if (!check_run (&self, &run, error))
      return FALSE;
  }
  return TRUE;
}
