/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "channel/child.h"
#include "channel/hello.h"
#include "channel/pump.h"

G_BEGIN_DECLS

/* One channel to the agent of a host: the child process that carries it, with its hello read
 * and answered. */
typedef struct {
  GodwitChild *child;
  GodwitTail *errors;
  GodwitHello hello;
  guint protocol;
} GodwitChannel;

/* Turns the exit status and what was printed into an error, if it knows more than we do. */
typedef void (*GodwitExplain) (int status, const char *printed, gpointer user_data, GError **error);

typedef struct {
  const char *host;        /* for messages */
  const char *const *argv; /* whose standard input and output are the channel */
  const char *token;       /* of the offer to take up; NULL for control */
  guint connect_ms;        /* until the hello is there */
  guint offer_ms;          /* until the offer answers; it may wait for a socket to appear */
  GodwitExplain explain;   /* may be NULL */
  gpointer explain_data;
} GodwitChannelOptions;

GodwitChannel *godwit_channel_open (const GodwitChannelOptions *options, GCancellable *cancellable,
                                    GError **error);
/* The pipes of the child, which are the caller's to close from here on. */
GodwitStream godwit_channel_steal_stream (GodwitChannel *self);
/* What the channel's own process printed, "" if nothing. */
char *godwit_channel_dup_errors (GodwitChannel *self, guint settle_ms);
void godwit_channel_free (GodwitChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitChannel, godwit_channel_free)

/* The offer's answer, sent before the first byte of data: "ok", or the error. */
gboolean godwit_channel_send_answer (int fd, const GError *failure, gint64 deadline_us,
                                     GError **error);

G_END_DECLS
