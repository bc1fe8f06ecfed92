/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "journal/journal.h"

#include <godwit/hypervisor.h>
#include <godwit/job.h>
#include <godwit/storage.h>

G_BEGIN_DECLS

/* @journal: NULL while only planning: facts then live in memory.
 * @record: (transfer full) */
GodwitJob *godwit_job_new (GodwitJournal *journal, GodwitJobRecord *record, GodwitConfig *config);
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
/* Called for every event, in the thread that emits it. */
void godwit_job_set_listener (GodwitJob *self, GodwitEventFunc listener, gpointer user_data);
void godwit_job_emit (GodwitJob *self, GodwitEvent *event); /* (transfer full) */
guint64 godwit_job_get_bytes (GodwitJob *self);
/* Drops everything that godwit_job_keep() kept, in reverse order. */
void godwit_job_drop_kept (GodwitJob *self);

G_END_DECLS
