/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transfer/frame.h"

G_BEGIN_DECLS

/* A few blocks on their way between two threads. Buffers go round, so memory is bounded by the
 * queue's depth whatever the size of the disk. */
typedef struct {
  GodwitFrame frame;
  guint8 *data; /* GODWIT_BLOCK_SIZE bytes */
} GodwitBlock;

typedef struct _GodwitQueue GodwitQueue;

GodwitQueue *godwit_queue_new (guint depth);
void godwit_queue_free (GodwitQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitQueue, godwit_queue_free)

/* An empty block to fill; NULL once the queue has been closed. */
GodwitBlock *godwit_queue_get_empty (GodwitQueue *self);
void godwit_queue_push (GodwitQueue *self, GodwitBlock *block);
/* The next full block; NULL at the end. */
GodwitBlock *godwit_queue_pop (GodwitQueue *self);
void godwit_queue_give_back (GodwitQueue *self, GodwitBlock *block);
/* No more will be pushed; what is in it is still popped. */
void godwit_queue_finish (GodwitQueue *self);
/* Both sides stop at once. */
void godwit_queue_close (GodwitQueue *self);

G_END_DECLS
