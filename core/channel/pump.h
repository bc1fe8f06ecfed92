/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* One end of a byte stream; both may be the same descriptor (a socket). */
typedef struct {
  int in;  /* read from here */
  int out; /* write to here */
} GodwitStream;

#define GODWIT_STREAM_NONE ((GodwitStream){-1, -1})

void godwit_stream_close (GodwitStream *stream);

/* Carries bytes both ways until both ways have ended or @cancellable is cancelled. The end of
 * one way is passed on (half-close), so @a and @b may lose their `out`. @bytes is added to,
 * atomically, by what was carried in either direction. Uses splice where the kernel can. */
void godwit_pump_run (GodwitStream *a, GodwitStream *b, guint64 *bytes, GCancellable *cancellable);

/* Told of all bytes in their order, before they are passed on; of each way in a thread of its
 * own. */
typedef void (*GodwitPumpWatch) (gboolean from_b, const void *data, gsize length,
                                 gpointer user_data);
/* The same, with somebody looking on. */
void godwit_pump_run_watched (GodwitStream *a, GodwitStream *b, guint64 *bytes,
                              GodwitPumpWatch watch, gpointer user_data, GCancellable *cancellable);

G_END_DECLS
