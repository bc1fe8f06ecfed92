/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a stream of writes put onto one disk: for each block a digest of its last contents, and
 * whether somebody has read the disk since and found the same there. Any thread at a time. */
typedef struct _GodwitBlocks GodwitBlocks;

/* What a mirror writes at once, at least. */
#define GODWIT_TAP_BLOCK 65536u
/* Longest run of blocks that is looked at in one go: 1 MiB. */
#define GODWIT_RUN_MAX 16u
/* A table is 16 bytes for each block, and this is as much as it may take: 1 GiB for 4 TiB. */
#define GODWIT_TAP_SIZE_MAX ((guint64)1 << 42)

typedef enum {
  GODWIT_BLOCK_UNTOUCHED, /* never written by the stream */
  GODWIT_BLOCK_OPEN,      /* a write has begun, its contents are not complete */
  GODWIT_BLOCK_KNOWN,     /* the digest says what it must hold */
  GODWIT_BLOCK_UNKNOWN,   /* partly written, discarded, or the write failed */
} GodwitBlockState;

typedef struct {
  guint64 verified; /* bytes found at the disk as they were written, and not written since */
  guint64 waiting;  /* bytes written and not looked at since */
  guint64 unknown;  /* bytes of which nobody can say what they must be */
} GodwitBlocksFigures;

/* NULL if the disk is too big for a table. */
GodwitBlocks *godwit_blocks_new (guint64 size);
void godwit_blocks_free (GodwitBlocks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitBlocks, godwit_blocks_free)

guint64 godwit_blocks_get_size (GodwitBlocks *self);
void godwit_blocks_get_figures (GodwitBlocks *self, GodwitBlocksFigures *figures);

/* --- for who sees the stream: the range lies within the disk ------------------------------- */

/* A write was asked for. Until its end the range may hold old or new contents. */
void godwit_blocks_begin (GodwitBlocks *self, guint64 offset, guint64 length);
/* What a block within a begun range will hold. */
void godwit_blocks_set (GodwitBlocks *self, guint64 index, guint64 digest);
/* Blocks that lie whole in the range will read as zeroes. */
void godwit_blocks_set_zero (GodwitBlocks *self, guint64 offset, guint64 length);
/* The write was answered. */
void godwit_blocks_end (GodwitBlocks *self, guint64 offset, guint64 length, gboolean ok);

/* --- for who reads the disk ----------------------------------------------------------------- */

typedef struct {
  guint64 index;
  guint count;
  gboolean zero; /* all of them must read as zeroes */
  guint64 digests[GODWIT_RUN_MAX];
  guint32 serials[GODWIT_RUN_MAX];
} GodwitRun;

typedef enum {
  GODWIT_JUDGED_SAME,
  GODWIT_JUDGED_MOVED, /* written meanwhile: look again */
  GODWIT_JUDGED_DIFFERENT,
} GodwitJudgement;

/* The next run of blocks from *@from on that nothing flies to and that were not seen in @pass,
 * a number from 1 to 255; 0 asks for those that were not seen since they were written.
 * @untouched: those that the stream never wrote are asked for too and must read as zeroes.
 * *@from is moved behind the run. FALSE at the end of the disk. */
gboolean godwit_blocks_next (GodwitBlocks *self, guint64 *from, guint8 pass, gboolean untouched,
                             GodwitRun *run);
/* The @i-th block of @run was read after the run was asked for. @pass: 1 to 255 */
GodwitJudgement godwit_blocks_judge (GodwitBlocks *self, const GodwitRun *run, guint i,
                                     guint64 digest, guint8 pass);

/* Bytes of that block; only the last one may be short. */
gsize godwit_blocks_get_length (GodwitBlocks *self, guint64 index);
guint64 godwit_digest (const void *data, gsize length);
guint64 godwit_digest_of_zeroes (gsize length);

G_END_DECLS
