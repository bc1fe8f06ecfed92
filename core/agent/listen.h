/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/agent-private.h"

G_BEGIN_DECLS

/* Listens at a unix socket and carries each connection to the other end that the options' way
 * (dial.h) leads to. Options: path (s), mode (u). Returns the task's number, 0 with an error.
 * Cancelling it ends every connection. */
guint godwit_agent_start_listen (GodwitAgent *self, GVariant *options, GError **error);

G_END_DECLS
