/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transfer/image.h"
#include "verify/blocks.h"

G_BEGIN_DECLS

/* Blocks of a disk that hold something else than was written to them. */
typedef struct {
  guint64 count;
  guint64 first; /* offset of the first one, in bytes */
  guint64 last;  /* where the last one ends */
} GodwitMismatch;

/* Reads once over what godwit_blocks_next() asks for in @pass and judges it as seen in @mark.
 * What it finds is added to @mismatch, at most GODWIT_MISMATCH_MAX blocks of it. FALSE: @image
 * cannot be read, or @cancellable was cancelled. */
gboolean godwit_check_sweep (GodwitBlocks *blocks, GodwitImage *image, guint8 pass, guint8 mark,
                             gboolean untouched, GodwitMismatch *mismatch,
                             GCancellable *cancellable, GError **error);

#define GODWIT_MISMATCH_MAX 65536u

G_END_DECLS
