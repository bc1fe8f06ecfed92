/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/host.h>

G_BEGIN_DECLS

/**
 * GodwitVerifyDisk:
 * @name: what messages call it, `vda`
 * @export: its name at the NBD server that it is mirrored to
 * @image: path of its image at the destination
 * @format: `raw` or `qcow2`
 * @fresh: what was never written to it reads as zeroes: it has no backing file
 *
 * A disk that is mirrored through a tapped tunnel. Since: 0.1
 */
typedef struct {
  const char *name;
  const char *export;
  const char *image;
  const char *format;
  gboolean fresh;
} GodwitVerifyDisk;

/**
 * GodwitVerifyFigures:
 * @verified: bytes found at the disk as they were written, and not written since
 * @waiting: bytes written and not looked at since
 * @unknown: bytes of which nobody can say what they must be
 * @passes: how often the whole disks have been read
 *
 * Of one disk or of all. Since: 0.1
 */
typedef struct {
  guint64 verified;
  guint64 waiting;
  guint64 unknown;
  guint passes;
} GodwitVerifyFigures;

/**
 * GodwitVerify:
 *
 * Reads, at the destination, what a mirror has written there through a tunnel and compares it with
 * what passed through the tunnel: a write by anybody else is found. It works on its own, from the
 * first connection to a tunnel that comes after the disks, until it is closed. Since: 0.1
 */
#define GODWIT_TYPE_VERIFY (godwit_verify_get_type ())
G_DECLARE_FINAL_TYPE (GodwitVerify, godwit_verify, GODWIT, VERIFY, GObject)

/**
 * godwit_verify_new:
 * @tunnel: made with @tap
 * @disks: (array length=n_disks): what goes through it; copied
 *
 * Returns: (transfer full) (nullable): the verification, which has begun. Since: 0.1
 */
GodwitVerify *godwit_verify_new (GodwitTunnel *tunnel, const GodwitVerifyDisk *disks, gsize n_disks,
                                 GCancellable *cancellable, GError **error);

/**
 * godwit_verify_check:
 *
 * How it stands; a round trip.
 *
 * Returns: %TRUE while nothing wrong was found. %FALSE with %GODWIT_ERROR_CORRUPT: a disk holds
 *   something else than was written to it; with any other error: it cannot be told, for example
 *   because the stream is not understood. Since: 0.1
 */
gboolean godwit_verify_check (GodwitVerify *self, GCancellable *cancellable, GError **error);

/**
 * godwit_verify_rest:
 *
 * When nothing writes any more and the NBD server has ended: reads from the images at rest what
 * was written since it was last looked at. Returns like godwit_verify_check(). Since: 0.1
 */
gboolean godwit_verify_rest (GodwitVerify *self, GCancellable *cancellable, GError **error);

/**
 * godwit_verify_get_figures:
 * @disk: (nullable): the name of one disk; %NULL for the sum
 *
 * As the last check saw them. Since: 0.1
 */
void godwit_verify_get_figures (GodwitVerify *self, const char *disk, GodwitVerifyFigures *figures);

/**
 * godwit_verify_close:
 *
 * Nothing is read any more when this returns, if the host can be asked. Since: 0.1
 */
void godwit_verify_close (GodwitVerify *self);

G_END_DECLS
