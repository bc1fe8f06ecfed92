/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host-internal.h"

G_BEGIN_DECLS

/* Serves a task of @from that asks for channels to an offer of @to: the controller brings them
 * and carries the bytes. Where @from can open them itself, nothing is to be served. */
typedef struct _GodwitRelay GodwitRelay;

/* Does not own the hosts. @wait_ms: how long the offer may take to answer. */
GodwitRelay *godwit_relay_new (GodwitHost *from, GodwitHost *to, const char *to_token,
                               guint wait_ms);
/* Brings the channels that @details of a poll ask for. */
void godwit_relay_serve (GodwitRelay *self, GVariant *details);
/* Why the last channel could not be brought; NULL if nothing went wrong. */
char *godwit_relay_dup_error (GodwitRelay *self);
/* Ends all channels. */
void godwit_relay_free (GodwitRelay *self);

/* Adds to @options how @from is to reach @token at @to: command, host, token and wait; or relay. */
gboolean godwit_relay_add_route (GVariantDict *options, GodwitHost *from, GodwitHost *to,
                                 const char *token, guint wait_ms, gboolean *relayed,
                                 GError **error);

G_END_DECLS
