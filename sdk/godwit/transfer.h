/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/host.h>

G_BEGIN_DECLS

/**
 * GodwitEnd:
 * @host: (transfer none): where it is
 * @path: path of a file or block device, or of a unix socket that speaks NBD
 * @nbd: %TRUE if @path is an NBD socket
 *
 * One end of a transfer. The target exists already, at its full size and empty. Since: 0.1
 */
typedef struct {
  GodwitHost *host;
  const char *path;
  gboolean nbd;
} GodwitEnd;

/**
 * GodwitTransferStats:
 * @total: bytes of data to move, holes left out; may grow until the source has been mapped
 * @done: bytes of @total that are through
 * @wire: bytes given to the channel
 * @size: apparent size of the object
 * @zeroes: bytes found to be zero and not sent
 * @relayed: %TRUE if the bytes pass through the controller
 */
typedef struct {
  guint64 total;
  guint64 done;
  guint64 wire;
  guint64 size;
  guint64 zeroes;
  gboolean relayed;
} GodwitTransferStats;

/**
 * GodwitTransferProgress:
 *
 * Called about twice a second, in the calling thread. Since: 0.1
 */
typedef void (*GodwitTransferProgress) (const GodwitTransferStats *stats, gpointer user_data);

/**
 * godwit_transfer_run:
 * @source: what to read
 * @target: what to write; holes and zero blocks of the source are not written
 * @progress: (nullable) (scope call): called while it runs
 * @stats: (out caller-allocates) (optional): the final figures
 *
 * Moves the contents of @source to @target. Every block carries a hash that the other end
 * checks before it writes; at the end the target is synced and the digest of all blocks is
 * compared. Fails with %GODWIT_ERROR_CORRUPT if they differ. Since: 0.1
 */
gboolean godwit_transfer_run (const GodwitEnd *source, const GodwitEnd *target,
                              GodwitTransferProgress progress, gpointer user_data,
                              GodwitTransferStats *stats, GCancellable *cancellable,
                              GError **error);

/**
 * godwit_transfer_digest:
 * @end: what to read
 *
 * The SHA-256 of the whole contents, holes read as zeroes, computed on the host where it is.
 *
 * Returns: (transfer full) (nullable): lower-case hex. Since: 0.1
 */
char *godwit_transfer_digest (const GodwitEnd *end, GodwitTransferProgress progress,
                              gpointer user_data, GCancellable *cancellable, GError **error);

G_END_DECLS
