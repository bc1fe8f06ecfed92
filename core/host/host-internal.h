/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "channel/channel.h"
#include "host/host-private.h"

G_BEGIN_DECLS

/* What the files of core/host and core/transfer share. */

struct _GodwitHost {
  GObject parent_instance;
  char *name;
  GodwitTransport *transport;
  GStrv agent;
  char *session;
  GHashTable *config;

  GodwitChannel *channel;
  GDBusConnection *connection;
  GVariant *info; /* GetInfo() */
  gint64 clock_offset_us;

  GMutex lock;
  GCond changed;
  gboolean closed;
  gboolean asked;   /* the next question is to be put at once */
  gboolean suspect; /* a call went unanswered: whether the host is there at all is to be asked */
  int silent;       /* atomic: it is not, and calls fail without being sent */
  GCancellable *closing;
  GThread *keepalive;
  GPtrArray *forwards;
  GHashTable *paired; /* name of the other host -> 1 yes, 2 no */
};

/* A call of the agent, with the host's name in every error. @reply: the expected type.
 * @extra_ms: how long the call itself may wait at the other end. */
GVariant *godwit_host_call (GodwitHost *self, const char *method, GVariant *arguments,
                            const char *reply, guint extra_ms, GCancellable *cancellable,
                            GError **error);
gboolean godwit_host_call_nothing (GodwitHost *self, const char *method, GVariant *arguments,
                                   GCancellable *cancellable, GError **error);
/* A call that starts a task: its number, 0 with an error. */
guint godwit_host_start (GodwitHost *self, const char *method, GVariant *arguments,
                         GCancellable *cancellable, GError **error);
/* One Poll(). @details: (transfer full). A failed task is an error here. */
gboolean godwit_host_poll (GodwitHost *self, guint id, guint wait_ms, gboolean *done,
                           GVariant **details, GCancellable *cancellable, GError **error);
/* Polls until the task is done; cancels it if @cancellable is. Forgets it. */
GVariant *godwit_host_finish (GodwitHost *self, guint id, GCancellable *cancellable,
                              GError **error);
/* Errors are of no use to anybody. */
void godwit_host_cancel (GodwitHost *self, guint id);
/* The same without waiting, for a host that may be out of reach. */
void godwit_host_post_cancel (GodwitHost *self, guint id);

/* Offers something to channels. @id: (out): to be cancelled at the end. Returns its token. */
char *godwit_host_offer (GodwitHost *self, GVariant *options, guint *id, GCancellable *cancellable,
                         GError **error);
/* Lets channels connect to a unix socket on the host. @id: (out): to be cancelled at the end.
 * @options: (nullable): more than where to connect to */
char *godwit_host_offer_connect (GodwitHost *self, const char *path, guint wait_ms,
                                 const GodwitTunnelOptions *options, guint *id,
                                 GCancellable *cancellable, GError **error);
/* The end that a tunnel connects to. */
GodwitHost *godwit_tunnel_get_target (GodwitTunnel *self);
const char *godwit_tunnel_get_target_path (GodwitTunnel *self);
/* From the controller. */
GodwitChannel *godwit_host_open_channel (GodwitHost *self, const char *token, guint wait_ms,
                                         GCancellable *cancellable, GError **error);
/* The command with which @from opens a channel to @to itself. NULL without an error: it cannot,
 * the bytes are to be relayed. */
GStrv godwit_host_get_direct_command (GodwitHost *from, GodwitHost *to, GError **error);

/* `agent --stdio` of this very program. */
GStrv godwit_host_get_own_command (void);

/* Opens a channel to each and carries bytes between them until they end. */
gboolean godwit_relay_run (GodwitHost *from, const char *from_token, GodwitHost *to,
                           const char *to_token, guint wait_ms, GCancellable *cancellable,
                           GError **error);

/* For tests: what stands in for `godwit agent --stdio` on the controller's own machine. */
void godwit_host_set_local_agent (const char *const *argv);

G_END_DECLS
