/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/godwit.h>

G_BEGIN_DECLS

/* check.c */
gboolean cold_check (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                     GCancellable *cancellable, GError **error);

/* power.c: stopping and starting, at either host. @what: prefix of the facts, "cold" or "revert" */
gboolean cold_stop (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host,
                    const char *what, GCancellable *cancellable, GError **error);
gboolean cold_undo_stop (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host,
                         const char *what, GCancellable *cancellable, GError **error);
/* Whether it ran when cold_stop() came to it. */
gboolean cold_was_running (GodwitJob *job, const char *what);
/* Fails unless the hypervisor says that the guest has no process there. */
gboolean cold_prove_stopped (GodwitJob *job, GodwitHypervisor *hypervisor, GodwitHost *host,
                             GCancellable *cancellable, GError **error);
guint cold_get_shutdown_timeout_ms (GodwitJob *job);

/* firmware.c: the guest's firmware variables, a file beside its disks */
gboolean cold_firmware_check (GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
                              GError **error);
gboolean cold_firmware_copy (GodwitJob *job, GCancellable *cancellable, GError **error);
gboolean cold_firmware_undo (GodwitJob *job, GCancellable *cancellable, GError **error);
gboolean cold_firmware_finish (GodwitJob *job, GCancellable *cancellable, GError **error);
gboolean cold_firmware_reclaim (GodwitJob *job, GCancellable *cancellable, GError **error);
gboolean cold_firmware_park (GodwitJob *job, GCancellable *cancellable, GError **error);
gboolean cold_firmware_unpark (GodwitJob *job, GCancellable *cancellable, GError **error);
gboolean cold_firmware_release (GodwitJob *job, GCancellable *cancellable, GError **error);

/* revert.c */
GPtrArray *cold_plan_revert (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                             GCancellable *cancellable, GError **error);
extern const GodwitStepEntry cold_revert_steps[];

G_END_DECLS
