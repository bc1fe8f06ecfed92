/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/decision.h"
#include "engine/engine.h"
#include "engine/watchdog.h"

#include <godwit/error.h>

G_BEGIN_DECLS

typedef struct {
  GodwitGuestState home;
  GodwitGuestState target;
  GodwitPast past; /* of a guest that has no process at home any more */
  char *home_why;  /* why it could not be asked; NULL if it was */
  char *target_why;
} GodwitView;

typedef struct {
  GodwitJob *job;
  GodwitJobRecord *record;
  GodwitJournal *journal;
  const GodwitEngineBackend *backend;
  GCancellable *cancellable; /* the operator's; NULL when it is too late to abort */
  GodwitWatchdog *watchdog;
  GodwitStrategy *strategy;
  GPtrArray *steps;
  GodwitStepState *states;
  guint commit;
  GodwitView view;
  gboolean is_tidy;      /* nothing is left of a plan that died */
  gboolean is_impatient; /* a host was waited for, and in vain */
  GError *cause;         /* why the job is not simply going on */
  GError *lost;          /* the journal could not be written: touch nothing more */
  gint64 began_us;
} GodwitEngine;

/* --- engine.c ---------------------------------------------------------------------------- */

GodwitEngine *godwit_engine_new (GodwitJob *job, const GodwitEngineBackend *backend);
void godwit_engine_free (GodwitEngine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitEngine, godwit_engine_free)
/* Every function below that returns gboolean without a GError returns FALSE only when the journal
 * is lost; `lost` then says why. */
gboolean godwit_engine_lose (GodwitEngine *self, GError *error); /* (transfer full); FALSE */
gboolean godwit_engine_return (GodwitEngine *self, gboolean kept, GError **error);
/* A new plan: no step has begun. */
gboolean godwit_engine_set_steps (GodwitEngine *self, GPtrArray *steps, GError **error);
/* The plan in the journal, and how far it has come. */
gboolean godwit_engine_load_steps (GodwitEngine *self, GError **error);
const GodwitStep *godwit_engine_step (GodwitEngine *self, guint i);
void godwit_engine_pause (GodwitEngine *self, guint units);
/* FALSE while a host is known to be silent: what is owed is tried once then, for the other host,
 * and not again and again. */
gboolean godwit_engine_hears_hosts (GodwitEngine *self);
gboolean godwit_engine_write_step (GodwitEngine *self, guint i, GodwitStepState state,
                                   const char *message);
void godwit_engine_note_step (GodwitEngine *self, guint i, const char *outcome,
                              GodwitSeverity severity, const char *message);
/* Writes down why the job does not simply go on. (transfer full) */
gboolean godwit_engine_set_cause (GodwitEngine *self, const char *step, GError *error);
void godwit_engine_load_cause (GodwitEngine *self);
/* Before step @i is run: both hosts know of it. */
void godwit_engine_send_copies (GodwitEngine *self, guint i);
GodwitPosition godwit_engine_get_position (GodwitEngine *self);
/* Home owns the guest until the commit, target afterwards: of a revert home is the destination. */
gboolean godwit_engine_is_source (GodwitEngine *self, gboolean home);
GodwitHypervisor *godwit_engine_get_hypervisor (GodwitEngine *self, gboolean home);
const char *godwit_engine_get_host_name (GodwitEngine *self, gboolean home);

/* --- forward.c --------------------------------------------------------------------------- */

/* Runs the steps from the first that is not done up to the commit; *failed tells how it went. */
gboolean godwit_engine_run_up_to_commit (GodwitEngine *self, gboolean *failed);
gboolean godwit_engine_prove_and_commit (GodwitEngine *self, gboolean despite_abort,
                                         gboolean *failed);
/* After the commit. Ends the job, one way or the other. */
gboolean godwit_engine_go_on (GodwitEngine *self);
gboolean godwit_engine_retry_owed (GodwitEngine *self);
gboolean godwit_engine_confirm_now (GodwitEngine *self);

/* --- look.c ------------------------------------------------------------------------------ */

/* Asks both hosts for the guest, until the answers are steady or cannot change any more. */
void godwit_engine_look (GodwitEngine *self);
/* Whether that host did not answer at the last look, and a person says that it is off. */
gboolean godwit_engine_is_off (GodwitEngine *self, gboolean home);
/* "guest web runs on a and is not on b" */
char *godwit_engine_describe (GodwitEngine *self);

/* --- rollback.c -------------------------------------------------------------------------- */

/* Undoes in reverse. *unsafe: an undo failed and the guest is not at home any more; decide anew. */
gboolean godwit_engine_roll_back (GodwitEngine *self, gboolean *unsafe);
gboolean godwit_engine_retry_undo (GodwitEngine *self, gboolean *unsafe);
gboolean godwit_engine_is_home_safe (GodwitEngine *self);

/* --- resolve.c --------------------------------------------------------------------------- */

/* Looks, decides, acts, and ends the job. */
gboolean godwit_engine_resolve (GodwitEngine *self);

/* --- down.c ------------------------------------------------------------------------------ */

/* Whether the guest was noted to have ended at the target and is still down there. */
gboolean godwit_engine_has_ended_there (GodwitEngine *self);
/* Makes that, and what is owed, the record's error. */
void godwit_engine_describe_left (GodwitEngine *self, gboolean ended);
/* (nullable) (transfer full): what to do about a guest that ran and is down at home now. */
char *godwit_engine_describe_down_at_home (GodwitEngine *self, GString *text);

/* --- finish.c ---------------------------------------------------------------------------- */

guint godwit_engine_count_owed (GodwitEngine *self);
/* (nullable) (transfer full): the steps that are owed. */
char *godwit_engine_list_owed (GodwitEngine *self);
void godwit_engine_set_error (GodwitEngine *self, GodwitErrorCode code, const char *remedy,
                              const char *text);
gboolean godwit_engine_finish_done (GodwitEngine *self);
gboolean godwit_engine_finish_rolled_back (GodwitEngine *self);
/* It moved, but something that must follow does not work. */
gboolean godwit_engine_finish_stuck (GodwitEngine *self, const char *reason);
gboolean godwit_engine_finish_in_doubt (GodwitEngine *self, const GodwitDecision *decision);
/* Writes the record for the last time: the job has no worker any more. */
gboolean godwit_engine_release (GodwitEngine *self, GodwitJobState state);
/* The same, and emits the RESULT event. */
gboolean godwit_engine_close (GodwitEngine *self, GodwitJobState state);

G_END_DECLS
