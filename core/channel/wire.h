/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define GODWIT_AGENT_PATH      "/org/godwit/Agent1"
#define GODWIT_AGENT_INTERFACE "org.godwit.Agent1"

/* No call takes longer than this; a poll waits less. */
#define GODWIT_AGENT_CALL_MS 5000
#define GODWIT_AGENT_POLL_MS 4000

/* States of a task, as Poll() gives them. */
#define GODWIT_TASK_RUNNING "running"
#define GODWIT_TASK_DONE    "done"
#define GODWIT_TASK_FAILED  "failed"

/* Gives the codes of GODWIT_ERROR names on the bus, so that they survive the way. */
void godwit_wire_register_errors (void);

/* D-Bus between the two ends of @stream. The channel is authenticated already, so the only
 * mechanism is ANONYMOUS. Does not need the caller's main loop. */
GDBusConnection *godwit_wire_connect (GIOStream *stream, gboolean server, guint timeout_ms,
                                      GCancellable *cancellable, GError **error);

/* An error as the value of a dictionary: (us) code and message. */
GVariant *godwit_wire_error_to_variant (const GError *error);
GError *godwit_wire_error_from_variant (GVariant *variant);

G_END_DECLS
