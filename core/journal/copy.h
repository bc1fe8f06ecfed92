/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "journal/journal.h"

G_BEGIN_DECLS

/*
 * Both hosts keep a copy of the job's last record, so that a lost controller does not strand a
 * guest. A copy is one value with everything that recovery needs: record, plan, states of the
 * steps, facts. It holds the guest's definition, and so its secrets.
 */

GBytes *godwit_journal_export_job (GodwitJournal *self, const char *id, GError **error);

/* What a copy says, without taking anything over. (transfer full) */
GodwitJobRecord *godwit_journal_read_copy (GBytes *bytes, GError **error);

/* Makes the job one of this journal, with an epoch far above that of the journal that it comes
 * from. REFUSED if the journal has it already and the copy is not newer.
 * @source, @destination: how the hosts are called here; NULL: as in the copy */
GodwitJobRecord *godwit_journal_import_job (GodwitJournal *self, GBytes *bytes, const char *source,
                                            const char *destination, GError **error);

G_END_DECLS
