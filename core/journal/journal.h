/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/event.h"

#include <godwit/step.h>

G_BEGIN_DECLS

typedef enum {
  GODWIT_JOB_PLANNED,
  GODWIT_JOB_PREPARING,
  GODWIT_JOB_COPYING,
  GODWIT_JOB_FROZEN,
  GODWIT_JOB_VERIFIED,
  GODWIT_JOB_COMMITTED,
  GODWIT_JOB_RESUMING,
  GODWIT_JOB_RETIRING,
  GODWIT_JOB_DONE,
  GODWIT_JOB_FAILED,    /* rolled back, or refused */
  GODWIT_JOB_CANCELLED, /* aborted by the operator and rolled back */
  GODWIT_JOB_REVERTED,  /* a later revert job brought the guest back */
  GODWIT_JOB_IN_DOUBT,
} GodwitJobState;

const char *godwit_job_state_to_string (GodwitJobState state);
gboolean godwit_job_state_from_string (const char *text, GodwitJobState *state);
/* "in doubt" is not terminal: such a job waits for `godwit recover`. */
gboolean godwit_job_state_is_terminal (GodwitJobState state);

typedef struct {
  char *id;
  char *token;
  char *kind;   /* "migrate" or "revert" */
  char *of_job; /* the job that a revert reverts, or whose guest this one carries back */
  char *guest;  /* as the operator named it, later its name */
  char *uuid;   /* NULL until it is known */
  char *source;
  char *destination;
  char *strategy; /* as asked for, later the chosen one */
  char *why;      /* why that strategy */
  GodwitJobState state;
  gboolean committed;
  gboolean awaiting_confirm; /* the source's copy is parked */
  gboolean confirmed;
  gint64 created_us;
  gint64 ended_us;  /* 0 while it runs */
  char *started_by; /* "root (uid 0) on host-a" */
  char *aborted_by;
  char *error;    /* message, with remedy */
  int error_code; /* GodwitErrorCode, -1 for none */
  char *failed_step;
  guint debts;          /* clean-up that is owed */
  guint64 bytes;        /* carried */
  guint64 epoch;        /* grows with every take-over */
  int worker_pid;       /* 0 if none */
  guint64 worker_start; /* when that process began, in ticks since the boot; 0 if unknown */
  char *worker_boot_id; /* of the machine where worker_pid means something */
  char *control_path;
  GVariant *options;     /* a{ss} */
  GVariant *guest_facts; /* godwit_guest_to_variant(); NULL before planning */
} GodwitJobRecord;

/* With a kind, a state, no error and the epoch 0; the caller fills the rest. */
GodwitJobRecord *godwit_job_record_new (void);
void godwit_job_record_free (GodwitJobRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitJobRecord, godwit_job_record_free)

/* Everything but the guest's facts, with stable names, floating a{sv}. */
GVariant *godwit_job_record_to_variant (const GodwitJobRecord *record);

/* The documented exit code of a job that nobody works on any more: 0 done, 1 failed and rolled
 * back, 2 refused for its configuration, 3 refused by checks, 4 needs `recover`, 5 moved but
 * clean-up is owed or the guest is down, 130 cancelled and rolled back; -1 while it runs. */
int godwit_job_record_get_exit_code (const GodwitJobRecord *record);

/* Whether a copy is parked at the source that `confirm` would remove. */
gboolean godwit_job_record_can_confirm (const GodwitJobRecord *record);

/* Whether the process that the record names still exists on this machine: process id, time of
 * its start and boot are compared. A stopped one is alive. */
gboolean godwit_job_record_is_worker_alive (const GodwitJobRecord *record);
/* In @record alone, not in the journal: a process of this machine that lives. */
void godwit_job_record_set_worker (GodwitJobRecord *record, int pid);
/* Kills that process, if it lives and is not the caller, with its group, and waits until it is
 * dead. */
gboolean godwit_job_record_kill_worker (const GodwitJobRecord *record, GError **error);

typedef enum {
  GODWIT_STEP_WAITING,
  GODWIT_STEP_BEGUN, /* intent written */
  GODWIT_STEP_DONE,  /* result written */
  GODWIT_STEP_FAILED,
  GODWIT_STEP_UNDOING,
  GODWIT_STEP_UNDONE,
  GODWIT_STEP_OWED, /* failed after the commit, or its undo failed: a debt */
} GodwitStepState;

const char *godwit_step_state_to_string (GodwitStepState state);

/* SQLite, WAL, synchronous=FULL. Every method that writes is durable when it returns. Thread
 * safe. Only the worker of a job writes to it, fenced by the epoch: a write with an epoch lower
 * than the journal's fails with GODWIT_ERROR_DENIED. */
#define GODWIT_TYPE_JOURNAL (godwit_journal_get_type ())
G_DECLARE_FINAL_TYPE (GodwitJournal, godwit_journal, GODWIT, JOURNAL, GObject)

/* @path: NULL for journal.db in the state directory. Somebody who may only read it gets a
 * journal that can be read. */
GodwitJournal *godwit_journal_open (const char *path, GError **error);
const char *godwit_journal_get_path (GodwitJournal *self);

/* Fills id, token, created_us, and started_by if it is not set. Fails with BUSY, naming the
 * other job, if a job that is not terminal already moves a guest of that name from that source,
 * or one of that UUID from anywhere.
 * A revert takes over guest, UUID, token, guest facts and all facts of the job that it reverts:
 * what that job parked carries its token. It is refused if that job cannot be reverted now. */
gboolean godwit_journal_create_job (GodwitJournal *self, GodwitJobRecord *record, GError **error);
GodwitJobRecord *godwit_journal_get_job (GodwitJournal *self, const char *id, GError **error);
/* Newest first. (element-type GodwitJobRecord) */
GPtrArray *godwit_journal_list_jobs (GodwitJournal *self, GError **error);
/* Writes every changeable member of @record. Fails with BUSY as godwit_journal_create_job()
 * does once the UUID is known. An aborted_by that is NULL is left as it is. */
gboolean godwit_journal_update_job (GodwitJournal *self, const GodwitJobRecord *record,
                                    GError **error);
/* Raises the epoch and makes the caller the worker. The record is the fresh one. A former
 * worker that still lives is killed first, with its process group, and is dead when this
 * returns. */
GodwitJobRecord *godwit_journal_claim_job (GodwitJournal *self, const char *id, int pid,
                                           GError **error);

gboolean godwit_journal_set_plan (GodwitJournal *self, GodwitJobRecord *record, GPtrArray *steps,
                                  GError **error);
/* (element-type GodwitStep) */
GPtrArray *godwit_journal_get_plan (GodwitJournal *self, const char *id, GError **error);
/* Writes the step's record and every changeable member of @record in one transaction. */
gboolean godwit_journal_set_step (GodwitJournal *self, const GodwitJobRecord *record, guint step,
                                  GodwitStepState state, const char *message, GError **error);
GodwitStepState godwit_journal_get_step (GodwitJournal *self, const char *id, guint step,
                                         GError **error);

/* Writes down who asked for the abort, beside the worker's own writes. */
gboolean godwit_journal_set_aborted_by (GodwitJournal *self, const char *id, const char *who,
                                        GError **error);
/* From here on the job can no longer be reverted. Fails with BUSY if a revert of it runs. */
gboolean godwit_journal_begin_confirm (GodwitJournal *self, const GodwitJobRecord *record,
                                       GError **error);
/* Takes that back: nothing was removed. */
gboolean godwit_journal_cancel_confirm (GodwitJournal *self, const GodwitJobRecord *record,
                                        GError **error);
/* Fails with BUSY if another job that is not terminal moves the guest of @record. */
gboolean godwit_journal_check_guest_is_free (GodwitJournal *self, const GodwitJobRecord *record,
                                             GError **error);
/* @record: the revert that succeeded; the job that it reverted becomes REVERTED. Idempotent. */
gboolean godwit_journal_mark_reverted (GodwitJournal *self, const GodwitJobRecord *record,
                                       GError **error);
gboolean godwit_journal_has_begun_confirm (GodwitJournal *self, const char *id);

gboolean godwit_journal_set_fact (GodwitJournal *self, const GodwitJobRecord *record,
                                  const char *name, GVariant *value, GError **error);
GVariant *godwit_journal_get_fact (GodwitJournal *self, const char *id, const char *name);
/* Every fact in the order in which they were first set: a(sv), sunk. */
GVariant *godwit_journal_get_facts (GodwitJournal *self, const char *id, GError **error);
GStrv godwit_journal_list_facts (GodwitJournal *self, const char *id, const char *prefix);

/* Facts that are said from outside, by a person: who said that this host is off. */
#define GODWIT_FACT_SOURCE_OFF      "engine.off/source"
#define GODWIT_FACT_DESTINATION_OFF "engine.off/destination"

/* The job was begun by another controller, and what is known of it is a copy of some moment before
 * its commit. */
#define GODWIT_FACT_TAKEN_OVER "engine.taken-over"

/* Events are written with synchronous=NORMAL economy: durable with the next durable write. */
gboolean godwit_journal_add_event (GodwitJournal *self, const GodwitJobRecord *record,
                                   GodwitEvent *event, GError **error);
/* (element-type GodwitEvent) */
GPtrArray *godwit_journal_get_events (GodwitJournal *self, const char *id, guint64 after,
                                      GError **error);

/* For tests that stop a job at every record: called before (@after FALSE) and after each durable
 * write of this process, with its number from 1. Returning FALSE makes the write fail: before,
 * nothing was written; after, it was. */
typedef gboolean (*GodwitJournalHook) (guint64 number, gboolean after, gpointer user_data);
void godwit_journal_set_hook (GodwitJournal *self, GodwitJournalHook hook, gpointer user_data);

G_END_DECLS
