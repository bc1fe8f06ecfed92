/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Sees that whatever the engine waits for ends in time. A call that hangs cannot be interrupted
 * from within its process; when it does not answer to its cancellable either, the process ends,
 * and the recovery decides. */
typedef struct _GodwitWatchdog GodwitWatchdog;

typedef void (*GodwitWatchdogFunc) (const char *what, guint seconds, gpointer user_data);

/* @expire: called in the watchdog's thread @grace_ms after the deadline; NULL: the process exits
 * with GODWIT_EXIT_DEADLINE */
GodwitWatchdog *godwit_watchdog_new (guint grace_ms, GodwitWatchdogFunc expire, gpointer user_data);
void godwit_watchdog_free (GodwitWatchdog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitWatchdog, godwit_watchdog_free)

/* @seconds: 0 for no deadline. @parent: may be NULL; its cancellation is passed on.
 * Returns: (transfer none): the cancellable for the call */
GCancellable *godwit_watchdog_begin (GodwitWatchdog *self, const char *what, guint seconds,
                                     GCancellable *parent);
/* Returns: TRUE if the deadline has passed meanwhile */
gboolean godwit_watchdog_end (GodwitWatchdog *self);

G_END_DECLS
