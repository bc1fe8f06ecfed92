/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/queue.h"

#include <stdlib.h>

struct _GodwitQueue {
  GMutex lock;
  GCond changed;
  GQueue empty;
  GQueue full;
  GPtrArray *blocks;
  gboolean finished;
  gboolean closed;
};

static void
block_free (gpointer data)
{
  GodwitBlock *block = data;
  g_free (block->data);
  g_free (block);
}

GodwitQueue *
godwit_queue_new (guint depth)
{
  GodwitQueue *self = g_new0 (GodwitQueue, 1);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->empty);
  g_queue_init (&self->full);
  self->blocks = g_ptr_array_new_with_free_func (block_free);
  for (guint i = 0; i < depth; i++) {
    GodwitBlock *block = g_new0 (GodwitBlock, 1);
    block->data = g_malloc (GODWIT_BLOCK_SIZE);
    g_ptr_array_add (self->blocks, block);
    g_queue_push_tail (&self->empty, block);
  }
  return self;
}

void
godwit_queue_free (GodwitQueue *self)
{
  if (self == NULL)
    return;
  g_queue_clear (&self->empty);
  g_queue_clear (&self->full);
  g_ptr_array_unref (self->blocks);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

GodwitBlock *
godwit_queue_get_empty (GodwitQueue *self)
{
  g_mutex_lock (&self->lock);
  while (!self->closed && self->empty.length == 0)
    g_cond_wait (&self->changed, &self->lock);
  GodwitBlock *block = self->closed ? NULL : g_queue_pop_head (&self->empty);
  g_mutex_unlock (&self->lock);
  return block;
}

static void
put (GodwitQueue *self, GQueue *queue, GodwitBlock *block)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (queue, block);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
godwit_queue_push (GodwitQueue *self, GodwitBlock *block)
{
  put (self, &self->full, block);
}

void
godwit_queue_give_back (GodwitQueue *self, GodwitBlock *block)
{
  put (self, &self->empty, block);
}

GodwitBlock *
godwit_queue_pop (GodwitQueue *self)
{
  g_mutex_lock (&self->lock);
  while (!self->closed && !self->finished && self->full.length == 0)
    g_cond_wait (&self->changed, &self->lock);
  GodwitBlock *block = self->closed ? NULL : g_queue_pop_head (&self->full);
  g_mutex_unlock (&self->lock);
  return block;
}

void
godwit_queue_finish (GodwitQueue *self)
{
  g_mutex_lock (&self->lock);
  self->finished = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
godwit_queue_close (GodwitQueue *self)
{
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}
