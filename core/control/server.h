/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/job-private.h"

G_BEGIN_DECLS

#define GODWIT_JOB_INTERFACE "org.godwit.Job1"
#define GODWIT_JOB_PATH      "/org/godwit/Job1"

/* The worker's socket: D-Bus from peer to peer, in a thread of its own, so that it answers while a
 * step blocks. Owner, root and, on root's sockets, the group `godwit` may connect. */
typedef struct _GodwitServer GodwitServer;

GodwitServer *godwit_server_start (GodwitJob *job, const char *path, GError **error);
/* Sends it to everybody who is connected. From any thread. */
void godwit_server_send (GodwitServer *self, const GodwitEvent *event);
/* What was sent arrives before the connections end, unless somebody does not read. */
void godwit_server_stop (GodwitServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitServer, godwit_server_stop)

G_END_DECLS
