/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef gboolean (*CliWork) (gpointer data, GCancellable *cancellable, GError **error);
/* An interrupt or a lost terminal came; runs in the main thread. @count: how many, from 1 */
typedef void (*CliSignal) (int signal_number, guint count, gpointer data,
                           GCancellable *cancellable);

/* Runs blocking @work in a thread while the main thread waits for signals, so that an interrupt
 * is answered at once. With @on_signal NULL the first signal cancels the work and the second
 * ends the program. @cancellable: NULL for one of its own */
gboolean cli_run_in_background (CliWork work, CliSignal on_signal, gpointer data,
                                GCancellable *cancellable, GError **error);

G_END_DECLS
