/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A small NBD server for tests: one export, any name, backed by a file; many connections. */
typedef struct _NbdServer NbdServer;

NbdServer *nbd_server_start (const char *socket_path, const char *file);
/* Ends all connections. */
void nbd_server_stop (NbdServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NbdServer, nbd_server_stop)

/* Writes are answered and not done from now on. */
void nbd_server_lose_writes (NbdServer *server);
/* How many connections there have been. */
guint nbd_server_count (NbdServer *server);

G_END_DECLS
