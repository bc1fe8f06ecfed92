/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>
#include <godwit/transfer.h>

G_BEGIN_DECLS

/*
 * What every strategy does with disks, once. Each function walks the guest's disks, asks the
 * storage plugin of each, and is idempotent; the undo functions also undo what only half ran.
 */

/**
 * godwit_disks_check_targets:
 *
 * For each disk whose treatment is MIRROR or COPY: destination paths, foreign files, base
 * images; and the free space of the destination for all of them together. Findings:
 * `target-exists`, `destination-space`, `base-image`. Since: 0.1
 */
gboolean godwit_disks_check_targets (GodwitJob *job, GodwitReport *report,
                                     GCancellable *cancellable, GError **error);

/**
 * godwit_disks_prepare:
 *
 * At the destination: connects what is attached, creates what is mirrored or copied. Read-only
 * disks with treatment COPY are copied here, and hashed. Since: 0.1
 */
gboolean godwit_disks_prepare (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_undo_prepare:
 *
 * Removes what godwit_disks_prepare() made, and only that. Since: 0.1
 */
gboolean godwit_disks_undo_prepare (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_copy:
 *
 * Copies every writable disk with treatment COPY with the transfer engine, with progress, and
 * leaves the fact `disk.TARGET.digest`. Since: 0.1
 */
gboolean godwit_disks_copy (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_verify:
 *
 * Reads back every disk that godwit_disks_copy() copied, at the destination, and compares the
 * digest with the source's. Fails with %GODWIT_ERROR_CORRUPT. Since: 0.1
 */
gboolean godwit_disks_verify (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_finish_targets:
 * @committed: the job has committed: the objects are the guest's now and lose the job's token
 *
 * Since: 0.1
 */
gboolean godwit_disks_finish_targets (GodwitJob *job, gboolean committed, GCancellable *cancellable,
                                      GError **error);

/**
 * godwit_disks_reclaim_targets:
 *
 * For a revert: the opposite of godwit_disks_finish_targets(), so that
 * godwit_disks_undo_prepare() removes what the reverted job had made. Since: 0.1
 */
gboolean godwit_disks_reclaim_targets (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_repair_access:
 *
 * Makes every attached and mirrored disk usable by the hypervisor at @host. Since: 0.1
 */
gboolean godwit_disks_repair_access (GodwitJob *job, GodwitHost *host, GCancellable *cancellable,
                                     GError **error);

/**
 * godwit_disks_park_source:
 *
 * Puts the source's copies aside; disconnects at the source what was attached. Since: 0.1
 */
gboolean godwit_disks_park_source (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_unpark_source:
 *
 * The opposite, exactly. Since: 0.1
 */
gboolean godwit_disks_unpark_source (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_release_parked:
 *
 * Removes what was parked, after asking the destination: the guest is there and its disks are.
 * Since: 0.1
 */
gboolean godwit_disks_release_parked (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_has_parked:
 *
 * A storage plugin notes what it parks as facts whose names begin with `parked.` and forgets
 * them when it is unparked or released.
 *
 * Returns: %TRUE if a confirm has something to remove. Since: 0.1
 */
gboolean godwit_disks_has_parked (GodwitJob *job);

/**
 * godwit_disks_remove_markers:
 *
 * Removes what a sharing check wrote, if the worker died before it could: the facts `marker.*`
 * (`as`, paths) name the files, and only those with the job's token are removed.
 * godwit_disks_undo_prepare() does it too. Since: 0.1
 */
gboolean godwit_disks_remove_markers (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_disks_check_sources:
 *
 * Before the commit of a strategy that copied disks of a guest that was off: fails with
 * %GODWIT_ERROR_BUSY if an image at the source was written to after it was copied. Since: 0.1
 */
gboolean godwit_disks_check_sources (GodwitJob *job, GCancellable *cancellable, GError **error);

/* --- for storage plugins ---------------------------------------------------------------- */

/**
 * godwit_disks_transfer:
 * @what: name for the progress, `disk vda`
 * @digest: (out) (optional) (transfer full): SHA-256 of @source, computed while it is sent
 *
 * godwit_transfer_run() with the job's progress and account of bytes. Since: 0.1
 */
gboolean godwit_disks_transfer (GodwitJob *job, const char *what, const GodwitEnd *source,
                                const GodwitEnd *target, char **digest, GCancellable *cancellable,
                                GError **error);

/**
 * godwit_disks_new_needed:
 *
 * Returns: (transfer full): an empty table for godwit_storage_check_target(). Since: 0.1
 */
GHashTable *godwit_disks_new_needed (void);

/**
 * godwit_disks_add_needed:
 * @filesystem: id that godwit_host_free_space() gave
 * @bytes: that will be allocated there
 *
 * Adds to what a check of targets has found to be needed. Since: 0.1
 */
void godwit_disks_add_needed (GHashTable *needed, guint64 filesystem, guint64 bytes);

G_END_DECLS
