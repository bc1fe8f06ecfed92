/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/blocks.h"

#include <string.h>
#include <xxhash.h>

typedef struct {
  guint64 digest;
  guint32 serial; /* of the last write, so that one between two looks is seen */
  guint8 state;
  guint8 flying : 7; /* writes that were asked for and not answered */
  guint8 clash : 1;  /* two of them at once: nobody knows which comes last */
  guint8 pass;       /* in which it was last found right; 0: not since it was written */
} Block;

/* Millions of them are held in memory. */
G_STATIC_ASSERT (sizeof (Block) == 16);

#define FLYING_MAX 127

struct _GodwitBlocks {
  GMutex lock;
  guint64 size;
  guint64 count;
  Block *table;
  guint64 verified, waiting, unknown; /* blocks */
};

guint64
godwit_digest (const void *data, gsize length)
{
  return XXH3_64bits (data, length);
}

guint64
godwit_digest_of_zeroes (gsize length)
{
  static const guint8 zeroes[GODWIT_TAP_BLOCK];
  static gsize ready;
  static guint64 whole;

  if (g_once_init_enter (&ready)) {
    whole = godwit_digest (zeroes, sizeof zeroes);
    g_once_init_leave (&ready, 1);
  }
  return length == sizeof zeroes ? whole : godwit_digest (zeroes, length);
}

GodwitBlocks *
godwit_blocks_new (guint64 size)
{
  if (size > GODWIT_TAP_SIZE_MAX)
    return NULL;
  guint64 count = (size + GODWIT_TAP_BLOCK - 1) / GODWIT_TAP_BLOCK;
  /* Zeroed memory that is never touched takes no room, so a big disk with little on it is
   * cheap. */
  Block *table = g_try_new0 (Block, MAX (count, 1));
  if (table == NULL)
    return NULL;
  GodwitBlocks *self = g_new0 (GodwitBlocks, 1);
  g_mutex_init (&self->lock);
  self->size = size;
  self->count = count;
  self->table = table;
  return self;
}

void
godwit_blocks_free (GodwitBlocks *self)
{
  if (self == NULL)
    return;
  g_mutex_clear (&self->lock);
  g_free (self->table);
  g_free (self);
}

guint64
godwit_blocks_get_size (GodwitBlocks *self)
{
  return self->size;
}

gsize
godwit_blocks_get_length (GodwitBlocks *self, guint64 index)
{
  return MIN (self->size - index * GODWIT_TAP_BLOCK, GODWIT_TAP_BLOCK);
}

void
godwit_blocks_get_figures (GodwitBlocks *self, GodwitBlocksFigures *figures)
{
  g_mutex_lock (&self->lock);
  /* The last block may be short; that it counts as whole would show as more than the disk. */
  figures->verified = MIN (self->verified * GODWIT_TAP_BLOCK, self->size);
  figures->waiting = MIN (self->waiting * GODWIT_TAP_BLOCK, self->size);
  figures->unknown = MIN (self->unknown * GODWIT_TAP_BLOCK, self->size);
  g_mutex_unlock (&self->lock);
}

/* --- the stream ------------------------------------------------------------------------------ */

/* In which figure a block counts; NULL for none. */
static guint64 *
figure_of (GodwitBlocks *self, const Block *block)
{
  if (block->state == GODWIT_BLOCK_UNKNOWN)
    return &self->unknown;
  if (block->pass != 0)
    return &self->verified;
  return block->state != GODWIT_BLOCK_UNTOUCHED ? &self->waiting : NULL;
}

static void
change (GodwitBlocks *self, Block *block, GodwitBlockState state, guint8 pass)
{
  guint64 *figure = figure_of (self, block);
  if (figure != NULL)
    (*figure)--;
  block->state = state;
  block->pass = pass;
  figure = figure_of (self, block);
  if (figure != NULL)
    (*figure)++;
}

void
godwit_blocks_begin (GodwitBlocks *self, guint64 offset, guint64 length)
{
  g_return_if_fail (length > 0 && offset < self->size && length <= self->size - offset);
  g_mutex_lock (&self->lock);
  guint64 end = (offset + length - 1) / GODWIT_TAP_BLOCK;
  for (guint64 i = offset / GODWIT_TAP_BLOCK; i <= end; i++) {
    Block *block = &self->table[i];
    block->clash = block->flying > 0;
    if (block->flying < FLYING_MAX)
      block->flying++;
    block->serial++;
    change (self, block, GODWIT_BLOCK_OPEN, 0);
  }
  g_mutex_unlock (&self->lock);
}

static void
set (GodwitBlocks *self, guint64 index, guint64 digest)
{
  Block *block = &self->table[index];
  if (block->state != GODWIT_BLOCK_OPEN)
    return;
  block->digest = digest;
  change (self, block, block->clash ? GODWIT_BLOCK_UNKNOWN : GODWIT_BLOCK_KNOWN, 0);
}

void
godwit_blocks_set (GodwitBlocks *self, guint64 index, guint64 digest)
{
  g_return_if_fail (index < self->count);
  g_mutex_lock (&self->lock);
  set (self, index, digest);
  g_mutex_unlock (&self->lock);
}

void
godwit_blocks_set_zero (GodwitBlocks *self, guint64 offset, guint64 length)
{
  guint64 end = offset + length;
  guint64 first = (offset + GODWIT_TAP_BLOCK - 1) / GODWIT_TAP_BLOCK;
  guint64 last = end == self->size ? self->count : end / GODWIT_TAP_BLOCK;

  g_mutex_lock (&self->lock);
  for (guint64 i = first; i < last; i++)
    set (self, i, godwit_digest_of_zeroes (godwit_blocks_get_length (self, i)));
  g_mutex_unlock (&self->lock);
}

void
godwit_blocks_end (GodwitBlocks *self, guint64 offset, guint64 length, gboolean ok)
{
  g_return_if_fail (length > 0 && offset < self->size && length <= self->size - offset);
  g_mutex_lock (&self->lock);
  guint64 end = (offset + length - 1) / GODWIT_TAP_BLOCK;
  for (guint64 i = offset / GODWIT_TAP_BLOCK; i <= end; i++) {
    Block *block = &self->table[i];
    /* A count that was full cannot be counted down: such a block is never looked at again. */
    if (block->flying > 0 && block->flying < FLYING_MAX)
      block->flying--;
    if (!ok || (block->flying == 0 && block->state == GODWIT_BLOCK_OPEN))
      change (self, block, GODWIT_BLOCK_UNKNOWN, 0);
  }
  g_mutex_unlock (&self->lock);
}

/* --- the disk --------------------------------------------------------------------------------- */

static gboolean
is_wanted (const Block *block, guint8 pass, gboolean untouched)
{
  gboolean seen = pass == 0 ? block->pass != 0 : block->pass == pass;
  return !seen && block->flying == 0 &&
         (block->state == GODWIT_BLOCK_KNOWN ||
          (untouched && block->state == GODWIT_BLOCK_UNTOUCHED));
}

static void
add_to_run (GodwitBlocks *self, GodwitRun *run, guint64 index)
{
  const Block *block = &self->table[index];
  guint64 zero = godwit_digest_of_zeroes (godwit_blocks_get_length (self, index));
  guint64 digest = block->state == GODWIT_BLOCK_UNTOUCHED ? zero : block->digest;

  run->zero = run->zero && digest == zero;
  run->digests[run->count] = digest;
  run->serials[run->count] = block->serial;
  run->count++;
}

gboolean
godwit_blocks_next (GodwitBlocks *self, guint64 *from, guint8 pass, gboolean untouched,
                    GodwitRun *run)
{
  g_mutex_lock (&self->lock);
  while (*from < self->count && !is_wanted (&self->table[*from], pass, untouched))
    (*from)++;
  run->index = *from;
  run->count = 0;
  run->zero = TRUE;
  while (*from < self->count && run->count < GODWIT_RUN_MAX &&
         is_wanted (&self->table[*from], pass, untouched))
    add_to_run (self, run, (*from)++);
  g_mutex_unlock (&self->lock);
  return run->count > 0;
}

GodwitJudgement
godwit_blocks_judge (GodwitBlocks *self, const GodwitRun *run, guint i, guint64 digest, guint8 pass)
{
  GodwitJudgement judgement = GODWIT_JUDGED_DIFFERENT;

  g_return_val_if_fail (i < run->count && pass > 0, GODWIT_JUDGED_MOVED);
  g_mutex_lock (&self->lock);
  Block *block = &self->table[run->index + i];
  if (block->serial != run->serials[i]) {
    judgement = GODWIT_JUDGED_MOVED;
  } else if (digest == run->digests[i]) {
    change (self, block, block->state, pass);
    judgement = GODWIT_JUDGED_SAME;
  } else {
    /* It was right in an earlier pass, and must not count as that any more. */
    change (self, block, block->state, 0);
  }
  g_mutex_unlock (&self->lock);
  return judgement;
}
