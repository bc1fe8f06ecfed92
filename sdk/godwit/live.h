/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>
#include <godwit/strategy.h>

G_BEGIN_DECLS

/*
 * The live driver: everything that live strategies share once they have planned. Each function
 * is one step of a plan; see plugins/live-shared for how they fit together.
 */

/**
 * godwit_live_check:
 *
 * What stands against moving the guest while it runs, whichever way: it does not run, or a
 * writable disk with treatment ATTACH has a cache mode that is not safe. Called after the
 * treatments are set. Findings: `guest-active`, `disk-cache`. Since: 0.1
 */
void godwit_live_check (GodwitJob *job, GodwitReport *report);

/**
 * godwit_live_open_tunnels:
 * @with_disks: also make the socket for mirrored disks
 *
 * Makes the job's directories and tunnels, kept in the job as `tunnel-memory` and
 * `tunnel-disks`. Since: 0.1
 */
gboolean godwit_live_open_tunnels (GodwitJob *job, gboolean with_disks, GCancellable *cancellable,
                                   GError **error);

/**
 * godwit_live_close_tunnels:
 *
 * Ends the tunnels and removes the job's directories on both hosts. Since: 0.1
 */
gboolean godwit_live_close_tunnels (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_live_copy:
 * @mirror: (array zero-terminated=1): targets of disks to mirror
 *
 * Starts the migration with the destination left paused, watches and steers it, and returns
 * when the guest stands frozen: paused and complete at the destination, its process at the
 * source gone. On failure or cancel the guest runs on at the source when this returns, or the
 * error is %GODWIT_ERROR_IN_DOUBT. Since: 0.1
 */
gboolean godwit_live_copy (GodwitJob *job, const char *const *mirror, GCancellable *cancellable,
                           GError **error);

/**
 * godwit_live_undo_copy:
 *
 * Aborts a migration that runs, waits until the guest runs at the source as before, and sees
 * that nothing of it is left at the destination. Since: 0.1
 */
gboolean godwit_live_undo_copy (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_live_prove_frozen:
 *
 * The proof before the commit: the guest is paused and complete at the destination, and its
 * process at the source is gone or the source's hypervisor says that it has migrated away.
 * Changes nothing but the access to the destination's disks. Since: 0.1
 */
gboolean godwit_live_prove_frozen (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_live_resume:
 *
 * After the commit: runs the guest at the destination, unless it was paused when the job began.
 * Since: 0.1
 */
gboolean godwit_live_resume (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_live_settle:
 *
 * Waits for the migration call to return, repairs access to the disks again, closes the
 * tunnels. Since: 0.1
 */
gboolean godwit_live_settle (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_guest_check_unchanged:
 *
 * Asks the source again, right before disks are mirrored or copied: fails with
 * %GODWIT_ERROR_BUSY if a writable disk came, went, or has another image on top than when the
 * migration was planned. godwit_live_copy() does so itself. Since: 0.1
 */
gboolean godwit_guest_check_unchanged (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_guest_plan_steps:
 * @entries: a strategy's table
 *
 * The steps of @entries that this guest needs: "hold-autostart" only if it has autostart.
 *
 * Returns: (transfer full) (element-type GodwitStep): Since: 0.1
 */
GPtrArray *godwit_guest_plan_steps (GodwitJob *job, const GodwitStepEntry *entries);

/**
 * godwit_guest_hold_autostart:
 *
 * Switches autostart off at the source, before the commit: a source that boots between the commit
 * and the moment at which it forgets the guest must not start it. Idempotent. Since: 0.1
 */
gboolean godwit_guest_hold_autostart (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_guest_release_autostart:
 *
 * The undo of godwit_guest_hold_autostart(). Starts the guest if the source has booted meanwhile
 * and would have started it. Idempotent. Since: 0.1
 */
gboolean godwit_guest_release_autostart (GodwitJob *job, GCancellable *cancellable, GError **error);

/**
 * godwit_guest_define_destination:
 *
 * Regenerates the persistent definition for the destination and defines it there, autostart
 * included; a guest without a persistent definition stays so. Since: 0.1
 */
gboolean godwit_guest_define_destination (GodwitJob *job, GCancellable *cancellable,
                                          GError **error);

/**
 * godwit_guest_undefine_source:
 *
 * Asks the destination first (the guest is there), then forgets the definition at the source;
 * it stays in the journal. Since: 0.1
 */
gboolean godwit_guest_undefine_source (GodwitJob *job, GCancellable *cancellable, GError **error);

G_END_DECLS
