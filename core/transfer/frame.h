/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a transfer says on its channel. Numbers are big-endian.
 *
 * Sender:   HELLO  magic, size                          once, first
 *           BLOCK  offset, length, SHA-256, data        any number; nothing for zeroes
 *           END    digest                               once, last
 * Receiver: READY  size of the target                   answers HELLO
 *           ACK    bytes written and acknowledged since the last
 *           DONE   digest                               answers END, after the sync
 *           FAIL   code, message                        instead of anything, then it ends
 *
 * The digest is the SHA-256 of every block's offset, length and hash in the order sent. */

#define GODWIT_FRAME_MAGIC    G_GUINT64_CONSTANT (0x676f647769740001)
#define GODWIT_BLOCK_SIZE     (1024 * 1024)
#define GODWIT_HASH_SIZE      32
#define GODWIT_FRAME_TEXT_MAX 8192

typedef enum {
  GODWIT_FRAME_HELLO = 'H',
  GODWIT_FRAME_BLOCK = 'B',
  GODWIT_FRAME_END = 'E',
  GODWIT_FRAME_READY = 'R',
  GODWIT_FRAME_ACK = 'A',
  GODWIT_FRAME_DONE = 'D',
  GODWIT_FRAME_FAIL = 'F',
} GodwitFrameType;

/* The head of every frame; what the numbers mean depends on the type. */
typedef struct {
  GodwitFrameType type;
  guint64 number; /* magic, offset, size, bytes, code */
  guint64 second; /* size */
  guint32 length; /* of what follows: data or text */
  guint8 hash[GODWIT_HASH_SIZE];
} GodwitFrame;

gboolean godwit_frame_write (int fd, const GodwitFrame *frame, const void *body,
                             GCancellable *cancellable, GError **error);
/* The head only; the caller reads @length bytes. A silent end is G_IO_ERROR_PARTIAL_INPUT. */
gboolean godwit_frame_read (int fd, GodwitFrame *frame, GCancellable *cancellable, GError **error);

/* --- hashes --------------------------------------------------------------------------------- */

void godwit_hash_block (const void *data, gsize length, guint8 hash[GODWIT_HASH_SIZE]);

/* A running SHA-256. */
typedef struct _GodwitHash GodwitHash;
GodwitHash *godwit_hash_new (void);
void godwit_hash_add (GodwitHash *self, const void *data, gsize length);
/* A block's part of the digest. */
void godwit_hash_add_block (GodwitHash *self, const GodwitFrame *block);
void godwit_hash_finish (GodwitHash *self, guint8 hash[GODWIT_HASH_SIZE]);
void godwit_hash_free (GodwitHash *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitHash, godwit_hash_free)

gboolean godwit_is_zero (const void *data, gsize length);

G_END_DECLS
