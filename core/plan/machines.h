/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "registry/registry.h"

#include <godwit/hypervisor.h>
#include <godwit/transport.h>

G_BEGIN_DECLS

/* Turns what an operator calls a host (a name of the configuration, an address of a transport,
 * a URI of a hypervisor, "localhost") into connected objects. */
#define GODWIT_TYPE_MACHINES (godwit_machines_get_type ())
G_DECLARE_FINAL_TYPE (GodwitMachines, godwit_machines, GODWIT, MACHINES, GObject)

GodwitMachines *godwit_machines_new (GodwitConfig *config, GodwitRegistry *registry,
                                     const char *session);

/* @name: NULL for this machine. Opens the agent and connects the hypervisor. Unknown names
 * list the known ones and the nearest spelling. */
gboolean godwit_machines_open (GodwitMachines *self, const char *name, GodwitHost **host,
                               GodwitHypervisor **hypervisor, GCancellable *cancellable,
                               GError **error);

/* Only the transport, for `hosts pair`. NULL transport: this machine. */
gboolean godwit_machines_get_transport (GodwitMachines *self, const char *name,
                                        GodwitTransport **transport, GError **error);

/* The agent's command on that host, split into words. */
GStrv godwit_machines_get_agent_command (GodwitMachines *self, const char *name, GError **error);

G_END_DECLS
