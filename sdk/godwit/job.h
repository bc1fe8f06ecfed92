/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/guest.h>
#include <godwit/host.h>
#include <godwit/report.h>

G_BEGIN_DECLS

typedef struct _GodwitHypervisor GodwitHypervisor; /* hypervisor.h */
typedef struct _GodwitStorage GodwitStorage;       /* storage.h */

/**
 * GodwitJob:
 *
 * One migration as a plugin sees it: the guest, the two hosts, the options, and the journal.
 * It is the same object while planning, running and recovering. Since: 0.1
 */
#define GODWIT_TYPE_JOB (godwit_job_get_type ())
G_DECLARE_FINAL_TYPE (GodwitJob, godwit_job, GODWIT, JOB, GObject)

/**
 * godwit_job_get_id:
 *
 * Returns: (transfer none): short id of the job, `[a-z0-9-]+`. Since: 0.1
 */
const char *godwit_job_get_id (GodwitJob *self);

/**
 * godwit_job_get_token:
 *
 * Returns: (transfer none): what the job puts on every object that it creates. Since: 0.1
 */
const char *godwit_job_get_token (GodwitJob *self);

GodwitHost *godwit_job_get_source (GodwitJob *self);
GodwitHost *godwit_job_get_destination (GodwitJob *self);
GodwitHypervisor *godwit_job_get_source_hypervisor (GodwitJob *self);
GodwitHypervisor *godwit_job_get_destination_hypervisor (GodwitJob *self);

/**
 * godwit_job_get_guest:
 *
 * Returns: (transfer none): the guest as it was when the job began. Since: 0.1
 */
GodwitGuest *godwit_job_get_guest (GodwitJob *self);

/**
 * godwit_job_get_storage:
 *
 * Returns: (transfer none) (nullable): the storage plugin that claims @disk. Since: 0.1
 */
GodwitStorage *godwit_job_get_storage (GodwitJob *self, const GodwitDisk *disk);

/**
 * godwit_job_may_touch:
 *
 * Returns: %FALSE while only planning: nothing may be created or changed, not even a marker.
 *   Since: 0.1
 */
gboolean godwit_job_may_touch (GodwitJob *self);

/**
 * godwit_job_get_option:
 * @name: `allow-downtime`, `auto-confirm`, `max-downtime`, ...
 *
 * An option of the command line, of the guest's or the general configuration, in this order.
 *
 * Returns: (nullable) (transfer none): its value as text; %NULL if not set. Since: 0.1
 */
const char *godwit_job_get_option (GodwitJob *self, const char *name);
gboolean godwit_job_get_option_boolean (GodwitJob *self, const char *name);
guint64 godwit_job_get_option_uint64 (GodwitJob *self, const char *name);

/**
 * godwit_job_log:
 * @severity: how bad it is
 * @host: (nullable): name of the host where it happened
 * @format: a sentence; printf style; no secrets
 *
 * Writes one line of the job's log and sends it to whoever watches. Since: 0.1
 */
void godwit_job_log (GodwitJob *self, GodwitSeverity severity, const char *host, const char *format,
                     ...) G_GNUC_PRINTF (4, 5);

/**
 * godwit_job_progress:
 * @what: `disk vda`, `memory`, ...
 * @done: bytes
 * @total: bytes; may grow
 *
 * Reports progress; the engine makes it monotonic. Since: 0.1
 */
void godwit_job_progress (GodwitJob *self, const char *what, guint64 done, guint64 total);

/**
 * godwit_job_set_fact:
 * @name: `[a-z0-9./-]+`, for example `disk.vda.target`
 * @value: (nullable): sunk if floating; %NULL forgets the fact
 *
 * Writes a fact into the journal. It is on disk when this returns. Facts are how a step tells
 * its undo, the recovery and the confirm what it did; write the intent before the deed.
 * Since: 0.1
 */
gboolean godwit_job_set_fact (GodwitJob *self, const char *name, GVariant *value, GError **error);

/**
 * godwit_job_get_fact:
 *
 * Returns: (transfer full) (nullable): the fact, or %NULL if it was never set. Since: 0.1
 */
GVariant *godwit_job_get_fact (GodwitJob *self, const char *name);

/**
 * godwit_job_list_facts:
 * @prefix: beginning of the names
 *
 * Returns: (transfer full) (array zero-terminated=1): names in the order they were first set.
 *   Since: 0.1
 */
GStrv godwit_job_list_facts (GodwitJob *self, const char *prefix);

/**
 * godwit_job_add_bytes:
 * @bytes: bytes that crossed to the other host
 *
 * Adds to the figure "bytes carried" of the final report. Since: 0.1
 */
void godwit_job_add_bytes (GodwitJob *self, guint64 bytes);

/**
 * godwit_job_keep:
 * @name: a name of the caller's choice
 * @object: (transfer full): an object that must live as long as this worker's job
 *
 * Keeps something volatile (a tunnel, a running migration) from one step for a later one. It
 * does not survive the worker. Keeping %NULL drops it. Since: 0.1
 */
void godwit_job_keep (GodwitJob *self, const char *name, GObject *object);

/**
 * godwit_job_kept:
 *
 * Returns: (transfer none) (nullable): the object, or %NULL in a worker that took over.
 *   Since: 0.1
 */
GObject *godwit_job_kept (GodwitJob *self, const char *name);

G_END_DECLS
