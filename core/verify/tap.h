/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "verify/blocks.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Reads along with NBD connections that a mirror writes a guest's disks through, and keeps what
 * was written. It never holds a connection up or changes it: where it meets what it does not
 * understand it stops listening and says why, and nothing counts as verified from then on. */
typedef struct _GodwitTap GodwitTap;

GodwitTap *godwit_tap_new (void);
GodwitTap *godwit_tap_ref (GodwitTap *self);
void godwit_tap_unref (GodwitTap *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitTap, godwit_tap_unref)

/* Returns: (nullable) (transfer none): what was written to that export; lives as long as the
 * tap. NULL if nobody has opened it. */
GodwitBlocks *godwit_tap_find (GodwitTap *self, const char *name);
/* Why it has stopped listening; NULL while it listens. */
char *godwit_tap_dup_off (GodwitTap *self);

/* --- what waits for what ---------------------------------------------------------------------- */

/* The disks are whole from now on, and the mirror only follows what the guest writes. */
void godwit_tap_set_in_step (GodwitTap *self);
/* Waits for that until @deadline_us. */
gboolean godwit_tap_wait_in_step (GodwitTap *self, gint64 deadline_us);
/* Somebody is about to read the disks, or has ended. */
void godwit_tap_add_reader (GodwitTap *self, gint change);
/* The reader has all the connections that it will ever have. */
void godwit_tap_set_connected (GodwitTap *self);
/* Returns when the reader is connected and what waits to be looked at is at most @rest bytes and
 * a moment's work, as fast as it has been going; and at once if nobody reads or the reading does
 * not get on: then there is nothing to wait for. */
void godwit_tap_hold (GodwitTap *self, guint64 rest, GCancellable *cancellable);

/* One connection. Bytes of either direction are told in their order and before they are passed
 * on; the two directions may be told by two threads. */
typedef struct _GodwitTapStream GodwitTapStream;

GodwitTapStream *godwit_tap_stream_new (GodwitTap *tap);
void godwit_tap_stream_feed (GodwitTapStream *self, gboolean from_server, const void *data,
                             gsize length);
/* The connection has ended; writes without an answer count as failed. */
void godwit_tap_stream_free (GodwitTapStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitTapStream, godwit_tap_stream_free)

/* --- between its two files ------------------------------------------------------------------ */

#define GODWIT_TAP_HEAD_MAX 8192u

typedef struct _GodwitTapSide GodwitTapSide;
typedef void (*GodwitTapHead) (GodwitTapStream *self, const guint8 *head, gsize length);

/* One direction: a head of a known length, then a body that is only passed by. */
struct _GodwitTapSide {
  guint8 head[GODWIT_TAP_HEAD_MAX];
  gsize have;
  gsize want;
  GodwitTapHead on_head;
  guint64 body;
};

struct _GodwitTapStream {
  GodwitTap *tap;
  GMutex lock;
  gboolean off;
  GodwitTapSide client;
  GodwitTapSide server;

  /* The handshake: what was asked for and not answered. */
  guint32 option;
  guint options_open;
  gboolean server_can_omit;
  gboolean omit_zeroes;
  char *name;
  guint64 size;
  gboolean sized;
  gboolean structured;

  /* The transmission. */
  GodwitBlocks *blocks;
  GHashTable *pending; /* cookie -> Request */
  guint64 at;          /* where the body of the present write goes on */
  gboolean writing;
  gboolean whole; /* the present block was begun at its beginning */
  gpointer hash;
};

void godwit_tap_stop (GodwitTapStream *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void godwit_tap_expect (GodwitTapSide *side, gsize want, GodwitTapHead on_head);
/* The blocks of an export; NULL, and the tap is stopped, if that cannot be. */
GodwitBlocks *godwit_tap_open_export (GodwitTapStream *self, const char *name, guint64 size);

/* tap-handshake.c: expects the beginning of a connection from both sides. */
void godwit_tap_begin (GodwitTapStream *self);
/* tap-requests.c: both sides have agreed on an export, requests and replies follow. */
void godwit_tap_transmit (GodwitTapStream *self);
/* Part of a body from the client. */
void godwit_tap_take_body (GodwitTapStream *self, const guint8 *data, gsize length);
void godwit_tap_drop_requests (GodwitTapStream *self);

static inline guint64
godwit_tap_u64 (const guint8 *at)
{
  return ((guint64)at[0] << 56) | ((guint64)at[1] << 48) | ((guint64)at[2] << 40) |
         ((guint64)at[3] << 32) | ((guint64)at[4] << 24) | ((guint64)at[5] << 16) |
         ((guint64)at[6] << 8) | at[7];
}

static inline guint32
godwit_tap_u32 (const guint8 *at)
{
  return ((guint32)at[0] << 24) | ((guint32)at[1] << 16) | ((guint32)at[2] << 8) | at[3];
}

static inline guint16
godwit_tap_u16 (const guint8 *at)
{
  return (guint16)((at[0] << 8) | at[1]);
}

G_END_DECLS
