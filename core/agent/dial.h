/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/agent-private.h"
#include "channel/pump.h"

G_BEGIN_DECLS

/* How an agent reaches the other end of what it carries: it runs a channel's command itself, or
 * asks the controller, who polls, to bring a channel and relay. From the options of the call:
 *   command (as), host (s), token (s), wait (u, ms): the direct way
 *   relay (b): the other */
typedef struct _GodwitDialer GodwitDialer;

/* A command is run only where the caller could run any, or if it is, word by word, one that was
 * put into /etc/godwit/pairs, or into `pairs` beside this host's configuration. */
GodwitDialer *godwit_dialer_new (GodwitAgent *agent, GVariant *options, GError **error);
gboolean godwit_dialer_allows (GodwitAgent *agent, const char *const *command);
/* Name of the other host, for messages. */
const char *godwit_dialer_get_host (GodwitDialer *self);
void godwit_dialer_free (GodwitDialer *self);

typedef struct _GodwitCall GodwitCall;
/* @task is notified when the controller is to bring a channel. */
GodwitCall *godwit_dialer_call (GodwitDialer *self, GodwitTask *task, GCancellable *cancellable,
                                GError **error);
GodwitStream *godwit_call_get_stream (GodwitCall *self);
/* Why it ended, as the channel's process tells it; "" if it says nothing. */
char *godwit_call_dup_errors (GodwitCall *self);
void godwit_call_end (GodwitCall *self);

/* Adds `pending`: tokens of channels that the controller is to bring, each given out once. */
void godwit_dialer_describe (GodwitDialer *self, GVariantDict *dict);

G_END_DECLS
