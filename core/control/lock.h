/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A job is worked on as long as somebody holds its lock: the supervisor, and its worker, which
 * inherits the same descriptor, so that the lock ends with the last of them, however they end.
 * It says who is alive, not who may write: that is the journal's epoch. */
typedef enum {
  GODWIT_LOCK_FREE,
  GODWIT_LOCK_HELD,
  GODWIT_LOCK_UNKNOWN, /* the caller may not look */
} GodwitLockState;

/* Returns: a descriptor, or -1 with BUSY if somebody else holds it for longer than a moment */
int godwit_lock_take (const char *job, GError **error);
GodwitLockState godwit_lock_look (const char *job);
/* By its holder, just before it ends: nothing of a finished job is left. */
void godwit_lock_remove (const char *job);

/* By anybody: removes lock and socket of a job that nobody works on, if its last holder was killed.
 */
void godwit_lock_sweep (const char *job);

/* RUNTIME/jobs/JOB.sock */
char *godwit_control_make_path (const char *job);
/* The socket of root's worker of that job, if the caller may speak to it. (transfer full)
 * (nullable) */
char *godwit_control_find_of_root (const char *job);
/* The directory of locks and sockets. */
gboolean godwit_control_make_directory (GError **error);

G_END_DECLS
