/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hypervisor.h"

G_BEGIN_DECLS

/* One live migration. Its threads hold references: it lives until libvirt's call has returned,
 * whoever lets go of it before. */
#define GODWIT_TYPE_LIBVIRT_LIVE (godwit_libvirt_live_get_type ())
G_DECLARE_FINAL_TYPE (GodwitLibvirtLive, godwit_libvirt_live, GODWIT, LIBVIRT_LIVE, GObject)

void lv_live_register (GTypeModule *module);

GObject *lv_live_begin (GodwitHypervisor *hypervisor, GodwitHypervisor *destination,
                        GodwitGuest *guest, const GodwitLiveParams *params,
                        GCancellable *cancellable, GError **error);
gboolean lv_live_wait (GodwitHypervisor *hypervisor, GObject *object, guint timeout_ms,
                       GodwitLiveStatus *status, GError **error);
gboolean lv_live_set_downtime (GodwitHypervisor *hypervisor, GObject *object, guint downtime_ms,
                               GError **error);
gboolean lv_live_abort (GodwitHypervisor *hypervisor, GObject *object, GError **error);
gboolean lv_live_finish (GodwitHypervisor *hypervisor, GObject *object, guint timeout_ms,
                         GError **error);
/* live-export.c */
char *lv_live_find_export (const char *definition, const char *target, GError **error);
char *lv_live_get_export (GodwitHypervisor *hypervisor, GodwitGuest *guest, const char *target,
                          GError **error);

G_END_DECLS
