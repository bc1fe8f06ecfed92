/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/host.h>
#include <godwit/transport.h>

G_BEGIN_DECLS

typedef struct {
  const char *name;           /* the operator's */
  GodwitTransport *transport; /* NULL for the controller's own machine */
  const char *const *agent;   /* command on the host: {"godwit","agent","--stdio",NULL} */
  const char *session;        /* directory private to the job on the controller */
  GHashTable *config;         /* key -> value of the host's group; may be NULL */
} GodwitHostOptions;

/* Starts the agent (locally or through the transport), reads its hello, checks the protocol.
 * Errors: host unreachable, key refused, unknown host key (the transport explains them), agent
 * missing, too old, too new; each with the remedy. */
GodwitHost *godwit_host_open (const GodwitHostOptions *options, GCancellable *cancellable,
                              GError **error);

/* From the agent's hello: version, protocol, hostname, what was printed before the hello
 * (NULL if nothing), user id, wall clock difference in microseconds. */
const char *godwit_host_get_agent_version (GodwitHost *self);
guint godwit_host_get_agent_protocol (GodwitHost *self);
const char *godwit_host_get_hostname (GodwitHost *self);
const char *godwit_host_get_banner (GodwitHost *self);
guint32 godwit_host_get_agent_uid (GodwitHost *self);
gint64 godwit_host_get_clock_offset_us (GodwitHost *self);

/* Where the host keeps what must survive a reboot. The agent may always touch its `jobs`. */
const char *godwit_host_get_state_dir (GodwitHost *self);
const char *godwit_host_get_boot_id (GodwitHost *self);

/* Fencing: the host keeps the job's epoch (fsynced), ends every session of a lower one before it
 * answers, and turns a lower one away with DENIED. */
gboolean godwit_host_claim_job (GodwitHost *self, const char *job_id, guint64 epoch,
                                GCancellable *cancellable, GError **error);

/* The host's own copy of a job's last record, durable when this returns. DENIED: a higher epoch
 * has the job. */
gboolean godwit_host_keep_record (GodwitHost *self, const char *job_id, guint64 epoch,
                                  GBytes *record, GCancellable *cancellable, GError **error);
/* The ids of the jobs whose records the host has. */
GStrv godwit_host_list_records (GodwitHost *self, GCancellable *cancellable, GError **error);
GBytes *godwit_host_read_record (GodwitHost *self, const char *job_id, GCancellable *cancellable,
                                 GError **error);

GodwitTransport *godwit_host_get_transport (GodwitHost *self);
void godwit_host_close (GodwitHost *self);

/* A call went unanswered: whether the host is there is asked at once, and one more question without
 * an answer means that it is silent. */
void godwit_host_suspect (GodwitHost *self);
/* Whether it is there is asked at once, though nothing went unanswered. */
void godwit_host_ask (GodwitHost *self);

G_END_DECLS
