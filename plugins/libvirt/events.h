/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Runs libvirt's event loop in a thread, once per process. Without it no connection notices
 * that its peer is gone, and no event arrives. Must come before the first connection. */
void lv_events_start (void);

G_END_DECLS
