/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Descriptors whose waits have a deadline and can be cancelled. */

/* Close on exec, and never block in read or write. */
void godwit_fd_prepare (int fd);
gboolean godwit_fd_is_socket (int fd);
gboolean godwit_fd_is_pipe (int fd);

/* Waits until @events (POLLIN, POLLOUT) or trouble on @fd. @deadline_us: monotonic, -1 for none.
 * A passed deadline is G_IO_ERROR_TIMED_OUT. */
gboolean godwit_fd_wait (int fd, short events, gint64 deadline_us, GCancellable *cancellable,
                         GError **error);
/* Bytes read, 0 at the end, -1 with an error. */
gssize godwit_fd_read (int fd, void *buffer, gsize length, gint64 deadline_us,
                       GCancellable *cancellable, GError **error);
/* An early end is G_IO_ERROR_PARTIAL_INPUT. */
gboolean godwit_fd_read_all (int fd, void *buffer, gsize length, gint64 deadline_us,
                             GCancellable *cancellable, GError **error);
gboolean godwit_fd_write_all (int fd, const void *buffer, gsize length, gint64 deadline_us,
                              GCancellable *cancellable, GError **error);
/* A line without its end, read byte by byte because what follows belongs to somebody else. */
char *godwit_fd_read_line (int fd, gsize max_length, gint64 deadline_us, GCancellable *cancellable,
                           GError **error);

gint64 godwit_deadline_in_ms (gint64 ms);

G_END_DECLS
