/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/agent-private.h"
#include "channel/pump.h"

G_BEGIN_DECLS

/* How data channels reach a control agent. Each channel is a process of its own, started by the
 * transport; it looks the control agent up by the first half of its token, at a private socket,
 * hands its standard input and output over and waits until it is told to end. So offers live in
 * the agent's memory: when it ends, nothing is left that could be taken up. */

/* Takes a channel up. Answers on it with godwit_channel_send_answer(), uses it, and returns when
 * it is done with it; @stream is closed for it. Runs in a thread of the channel's own. */
typedef void (*GodwitOfferFunc) (GodwitStream *stream, gpointer data, GCancellable *cancellable);

GodwitOffers *godwit_offers_new (GError **error);
/* Sockets of agents that were killed go away. */
void godwit_offers_sweep (void);
/* No channel is taken up any more, and the socket is gone. */
void godwit_offers_stop (GodwitOffers *self);

/* Returns: (transfer full): the token. @cancellable ends the channels that took it up.
 * @data must live until godwit_offers_withdraw() has returned. */
char *godwit_offers_add (GodwitOffers *self, GodwitOfferFunc func, gpointer data,
                         gboolean single_use, GCancellable *cancellable);
/* Waits for the threads of its channels, so cancel first. */
void godwit_offers_withdraw (GodwitOffers *self, const char *token);

/* The channel process: hands its standard streams to the agent that gave @token out, and
 * returns when that is done with them. */
gboolean godwit_offer_take_up (const char *token, GError **error);

/* Offers that a controller can ask for: {kind: connect, path, wait, tap, after, rest} and {kind:
 * receive, path, nbd}. Returns the task's number, 0 with an error. */
guint godwit_agent_offer (GodwitAgent *self, GVariant *options, char **token, GError **error);

/* Connects to a unix socket at an allowed path, waiting up to @wait_ms for it to appear. */
int godwit_agent_connect_socket (GodwitPolicy *policy, const char *path, guint wait_ms,
                                 GCancellable *cancellable, GError **error);

G_END_DECLS
