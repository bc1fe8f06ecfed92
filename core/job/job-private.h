/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "journal/journal.h"

#include <godwit/hypervisor.h>
#include <godwit/job.h>
#include <godwit/storage.h>

G_BEGIN_DECLS

/* @journal: NULL while only planning: facts then live in memory.
 * @record: (transfer full)
 * @config: may be NULL: then only the record's own options count */
GodwitJob *godwit_job_new (GodwitJournal *journal, GodwitJobRecord *record, GodwitConfig *config);
GodwitJournal *godwit_job_get_journal (GodwitJob *self); /* (transfer none) (nullable) */
/* Reads the facts and the guest from the journal, for a job that another worker began. */
gboolean godwit_job_load (GodwitJob *self, GError **error);
GodwitJobRecord *godwit_job_get_record (GodwitJob *self); /* (transfer none); the worker's own */
GodwitConfig *godwit_job_get_config (GodwitJob *self);
void godwit_job_set_may_touch (GodwitJob *self, gboolean may_touch);
void godwit_job_set_hosts (GodwitJob *self, GodwitHost *source, GodwitHypervisor *source_hypervisor,
                           GodwitHost *destination, GodwitHypervisor *destination_hypervisor);
/* Takes the guest; writes it into the record when there is a journal. */
gboolean godwit_job_set_guest (GodwitJob *self, GodwitGuest *guest, GError **error);
void godwit_job_add_storage (GodwitJob *self, const char *name, GodwitStorage *storage);
/* Saves record (state, error, ...) and emits a STATE event if the state changed. */
gboolean godwit_job_set_state (GodwitJob *self, GodwitJobState state, GError **error);
/* Saves the step's state together with the record, the guest and the bytes carried, in one
 * transaction, and emits a STATE event if the record's state is another than at the last write. */
gboolean godwit_job_set_step (GodwitJob *self, guint position, GodwitStepState state,
                              const char *message, GError **error);
/* Brings guest and bytes carried into the record, for whoever writes it without the two above. */
void godwit_job_refresh_record (GodwitJob *self);
/* Called for every event, in the thread that emits it. */
void godwit_job_set_listener (GodwitJob *self, GodwitEventFunc listener, gpointer user_data);
void godwit_job_emit (GodwitJob *self, GodwitEvent *event); /* (transfer full) */
guint64 godwit_job_get_bytes (GodwitJob *self);
/* Drops everything that godwit_job_keep() kept, in reverse order. */
void godwit_job_drop_kept (GodwitJob *self);

/* --- copies of the record at both hosts -------------------------------------------------- */

/* Brings both hosts' copies up to date; they are durable when this returns. */
void godwit_job_send_copies (GodwitJob *self);
/* While held, nothing is sent. Facts that are set while it is not are sent at once. */
void godwit_job_hold_copies (GodwitJob *self, gboolean hold);
/* Whether a host could not take a copy, and so is sent none any more. */
gboolean godwit_job_has_stale_copies (GodwitJob *self);
/* The hosts have been reached anew: they are sent copies again. */
void godwit_job_renew_copies (GodwitJob *self);

/* --- abort: any thread asks, the engine's thread commits --------------------------------- */

/* @cancellable is cancelled by an abort. */
void godwit_job_set_cancellable (GodwitJob *self, GCancellable *cancellable);
/* Fails with REFUSED once the job has committed. @who: "alice (uid 1000)" */
gboolean godwit_job_abort (GodwitJob *self, const char *who, GError **error);
char *godwit_job_dup_aborted_by (GodwitJob *self); /* NULL if nobody did */
/* Writes the commit, together with the step's result, unless an abort came first: then FALSE
 * with CANCELLED, and nothing is written. No abort is accepted afterwards. With @despite_abort
 * an abort that came first is too late. */
gboolean godwit_job_commit (GodwitJob *self, guint step, gboolean despite_abort, GError **error);

G_END_DECLS
