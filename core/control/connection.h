/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal/journal.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Connects to the worker of a job. Signals come in the caller's thread-default context once
 * g_dbus_connection_start_message_processing() was called. */
GDBusConnection *godwit_connection_open (const GodwitJobRecord *record, GCancellable *cancellable,
                                         GError **error);
/* Calls a method without arguments. (transfer full) */
GVariant *godwit_connection_call (GDBusConnection *connection, const char *method, int timeout_ms,
                                  GError **error);
/* Opens, calls, closes. */
gboolean godwit_connection_ask (const GodwitJobRecord *record, const char *method, int timeout_ms,
                                GError **error);

/* The process that listens at the socket @path, even if it stands still. 0 if nobody does */
int godwit_connection_find_listener (const char *path);

G_END_DECLS
