/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"
#include "journal/journal.h"

G_BEGIN_DECLS

typedef gboolean (*CliJobTest) (const GodwitJobRecord *job);

/* The job that @name means: its id, the name or UUID of a guest for that guest's newest job, or
 * the beginning of an id that no other has. Of a guest's jobs one that passes @wanted, which may
 * be NULL, is preferred. The error (CONFIG) names what was close. */
GodwitJobRecord *cli_find_job (CliContext *context, const char *name, CliJobTest wanted,
                               GError **error);

/* What the operator may do with the job now, as a command; NULL if nothing waits. */
char *cli_job_get_next (const GodwitJobRecord *job, gboolean stranded);
/* Who owns the guest as far as the journal knows, as a sentence. */
char *cli_job_describe_owner (const GodwitJobRecord *job);

/* Tells of jobs that wait for `godwit recover`, on standard error. Never fails: a command that
 * needs no journal must work where there is none. */
void cli_mention_stranded (CliContext *context);
gboolean cli_is_stranded (GodwitClient *client, const char *job);

G_END_DECLS
