/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/agent-private.h"

G_BEGIN_DECLS

/* The agent's ends of a transfer; each is a task. Return its number, 0 with an error. */

/* Options: path (s), nbd (b), and the way to the receiver (agent/dial.h). */
guint godwit_agent_start_send (GodwitAgent *self, GVariant *options, GError **error);
/* An offer, {kind: receive, path, nbd}: the channel that takes it up brings the sender. */
guint godwit_agent_offer_receive (GodwitAgent *self, GVariant *options, char **token,
                                  GError **error);
/* Options: path (s), nbd (b). The result has `digest`. */
guint godwit_agent_start_hash (GodwitAgent *self, GVariant *options, GError **error);

G_END_DECLS
