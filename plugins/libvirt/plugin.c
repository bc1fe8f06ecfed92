/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"
#include "live.h"

static gboolean
register_types (GodwitModule *module, GError **error)
{
  lv_live_register (G_TYPE_MODULE (module));
  return lv_hypervisor_provide (module, error);
}

GODWIT_PLUGIN_DEFINE (libvirt, "libvirt", "0.1.0", "hypervisor: libvirt with QEMU",
                      "LGPL-2.1-or-later", "godwit", register_types)
