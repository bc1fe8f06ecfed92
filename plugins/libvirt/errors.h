/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <godwit/error.h>
#include <libvirt/libvirt.h>

G_BEGIN_DECLS

/* Keeps libvirt from printing errors on standard error; errors travel as GError only. */
void lv_silence_errors (void);

/* The code of the calling thread's last libvirt error; VIR_ERR_OK if there is none. */
int lv_last_error_code (void);

/* Text of the calling thread's last libvirt error, one line. (transfer full) */
char *lv_last_error_text (void);

/* Turns the calling thread's last libvirt error into a GError: "@format on HOST: libvirt's
 * text", a code chosen by what the operator can do, and a remedy. Must be called before the next
 * libvirt call of this thread. */
void lv_set_error (GError **error, const char *host, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Sets a CANCELLED error and returns TRUE if @cancellable is cancelled. */
gboolean lv_is_cancelled (GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virDomain, virDomainFree)

G_END_DECLS
