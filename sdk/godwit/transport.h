/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * GodwitTransportFlags:
 * @GODWIT_TRANSPORT_ENCRYPTED: nobody between the machines can read the bytes.
 * @GODWIT_TRANSPORT_AUTHENTICATED: each end knows who the other is.
 *
 * Since: 0.1
 */
typedef enum {
  GODWIT_TRANSPORT_ENCRYPTED = 1 << 0,
  GODWIT_TRANSPORT_AUTHENTICATED = 1 << 1,
} GodwitTransportFlags;

/**
 * GodwitRoute:
 * @GODWIT_ROUTE_OPERATOR: from the controller, with the operator's own credentials.
 * @GODWIT_ROUTE_PAIR: from another host, with the key that `hosts pair` put there.
 *
 * Who opens the channel. Since: 0.1
 */
typedef enum {
  GODWIT_ROUTE_OPERATOR,
  GODWIT_ROUTE_PAIR,
} GodwitRoute;

/**
 * GodwitTransport:
 *
 * The contract of a transport: how one machine opens a byte channel to another. It gives
 * command lines; the engine runs them where they belong, speaks over their standard input and
 * output, and ends them. One object serves one host, configured by that host's keys. Since: 0.1
 */
#define GODWIT_TYPE_TRANSPORT (godwit_transport_get_type ())
G_DECLARE_INTERFACE (GodwitTransport, godwit_transport, GODWIT, TRANSPORT, GObject)

/**
 * GodwitTransportInterface:
 * @get_flags: required. What it guarantees.
 * @claims: optional. Whether @name, which is no group of the configuration, is an address of
 *   this transport (`root@b`); then sets the object's properties from it.
 * @get_command: required. The argv whose standard input and output are a channel to @remote,
 *   run on the target host (already split into words; quote it if the channel passes it
 *   through a shell). @session is a directory, private to the job, for sockets that let later
 *   channels share the first one's connection; %NULL with %GODWIT_ROUTE_PAIR.
 * @explain: optional. Turns what the command printed on its standard error before it failed,
 *   and its exit status, into an error with a remedy.
 * @pair: optional. Makes it possible for @from's host to open channels to @self's host with
 *   %GODWIT_ROUTE_PAIR: a key of its own there, restricted here to @remote. Uses only channels
 *   of its own. Idempotent. An agent runs only commands that its host knows, so on @from's host
 *   it also writes a file in `/etc/godwit/pairs`, owned by root, that holds the command which
 *   @get_command gives for %GODWIT_ROUTE_PAIR and @remote, one word a line.
 * @is_paired: optional. Quick and without side effects.
 *
 * Methods may be called from several threads at once. Since: 0.1
 */
struct _GodwitTransportInterface {
  GTypeInterface parent_iface;

  GodwitTransportFlags (*get_flags) (GodwitTransport *self);
  gboolean (*claims) (GodwitTransport *self, const char *name);
  GStrv (*get_command) (GodwitTransport *self, GodwitRoute route, const char *session,
                        const char *const *remote, GError **error);
  void (*explain) (GodwitTransport *self, int status, const char *printed, GError **error);
  gboolean (*pair) (GodwitTransport *self, GodwitTransport *from, const char *const *remote,
                    GCancellable *cancellable, GError **error);
  gboolean (*is_paired) (GodwitTransport *self, GodwitTransport *from, GCancellable *cancellable);

  gpointer _reserved[8];
};

GodwitTransportFlags godwit_transport_get_flags (GodwitTransport *self);
gboolean godwit_transport_claims (GodwitTransport *self, const char *name);
GStrv godwit_transport_get_command (GodwitTransport *self, GodwitRoute route, const char *session,
                                    const char *const *remote, GError **error);
void godwit_transport_explain (GodwitTransport *self, int status, const char *printed,
                               GError **error);
gboolean godwit_transport_pair (GodwitTransport *self, GodwitTransport *from,
                                const char *const *remote, GCancellable *cancellable,
                                GError **error);
gboolean godwit_transport_is_paired (GodwitTransport *self, GodwitTransport *from,
                                     GCancellable *cancellable);

G_END_DECLS
