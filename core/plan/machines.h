/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "registry/registry.h"

#include <godwit/hypervisor.h>
#include <godwit/transport.h>

G_BEGIN_DECLS

/* Turns what an operator calls a host (a name of the configuration, an address of a transport,
 * a URI of a hypervisor, "localhost") into connected objects. Thread safe: two hosts may be
 * opened at the same time. */
#define GODWIT_TYPE_MACHINES (godwit_machines_get_type ())
G_DECLARE_FINAL_TYPE (GodwitMachines, godwit_machines, GODWIT, MACHINES, GObject)

/* @session: directory private to the job on the controller; NULL for a new one beneath the
 * runtime directory, which goes away with the object. The object must outlive the hosts that it
 * opened. */
GodwitMachines *godwit_machines_new (GodwitConfig *config, GodwitRegistry *registry,
                                     const char *session);

/* Every host that is opened from now on ends what lower epochs of that job still do there, and is
 * not opened (DENIED) where a higher one was. */
void godwit_machines_set_job (GodwitMachines *self, const char *job, guint64 epoch);
/* Whether a host was not opened for that reason. */
gboolean godwit_machines_is_fenced (GodwitMachines *self);

/* @name: NULL for this machine. Opens the agent and connects the hypervisor. Unknown names
 * list the known ones and the nearest spelling. If the hypervisor cannot be connected, @host is
 * set all the same and the error is returned. (transfer full) both */
gboolean godwit_machines_open (GodwitMachines *self, const char *name, GodwitHost **host,
                               GodwitHypervisor **hypervisor, GCancellable *cancellable,
                               GError **error);

/* Only the transport, for `hosts pair`. NULL transport: this machine. (transfer full) */
gboolean godwit_machines_get_transport (GodwitMachines *self, const char *name,
                                        GodwitTransport **transport, GError **error);

/* The agent's command on that host, split into words. */
GStrv godwit_machines_get_agent_command (GodwitMachines *self, const char *name, GError **error);

/* What transports of killed processes left on this machine goes away. */
void godwit_machines_sweep_sessions (void);

/* Whether @name is the machine that the caller runs on, by its name alone. */
gboolean godwit_machines_is_this (GodwitMachines *self, const char *name);

G_END_DECLS
