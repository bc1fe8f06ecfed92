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
gboolean godwit_job_state_is_terminal (GodwitJobState state);

typedef struct {
  char *id;
  char *token;
  char *kind;   /* "migrate" or "revert" */
  char *of_job; /* the job that a revert reverts */
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
  char *worker_boot_id; /* of the machine where worker_pid means something */
  char *control_path;
  GVariant *options;     /* a{ss} */
  GVariant *guest_facts; /* godwit_guest_to_variant(); NULL before planning */
} GodwitJobRecord;

void godwit_job_record_free (GodwitJobRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitJobRecord, godwit_job_record_free)

/* The documented exit code of a job in a terminal state: 0, 1, 3, 4, 5, 130; -1 otherwise. */
int godwit_job_record_get_exit_code (const GodwitJobRecord *record);

typedef enum {
  GODWIT_STEP_WAITING,
  GODWIT_STEP_BEGUN, /* intent written */
  GODWIT_STEP_DONE,  /* result written */
  GODWIT_STEP_FAILED,
  GODWIT_STEP_UNDOING,
  GODWIT_STEP_UNDONE,
  GODWIT_STEP_OWED, /* failed after the commit, or its undo failed: a debt */
} GodwitStepState;

/* SQLite, WAL, synchronous=FULL. Every method that writes is durable when it returns. Thread
 * safe. Only the worker of a job writes to it, fenced by the epoch: a write with an epoch lower
 * than the journal's fails with GODWIT_ERROR_DENIED. */
#define GODWIT_TYPE_JOURNAL (godwit_journal_get_type ())
G_DECLARE_FINAL_TYPE (GodwitJournal, godwit_journal, GODWIT, JOURNAL, GObject)

/* @path: NULL for journal.db in the state directory */
GodwitJournal *godwit_journal_open (const char *path, GError **error);

/* Fills id, token, created_us. Fails with BUSY, naming the other job, if a job that is not
 * terminal already moves a guest of that name (or UUID) from that source. */
gboolean godwit_journal_create_job (GodwitJournal *self, GodwitJobRecord *record, GError **error);
GodwitJobRecord *godwit_journal_get_job (GodwitJournal *self, const char *id, GError **error);
/* Newest first. (element-type GodwitJobRecord) */
GPtrArray *godwit_journal_list_jobs (GodwitJournal *self, GError **error);
/* Writes every changeable member of @record. */
gboolean godwit_journal_update_job (GodwitJournal *self, const GodwitJobRecord *record,
                                    GError **error);
/* Raises the epoch and makes the caller the worker. The record is the fresh one. */
GodwitJobRecord *godwit_journal_claim_job (GodwitJournal *self, const char *id, int pid,
                                           GError **error);

gboolean godwit_journal_set_plan (GodwitJournal *self, GodwitJobRecord *record, GPtrArray *steps,
                                  GError **error);
/* (element-type GodwitStep) */
GPtrArray *godwit_journal_get_plan (GodwitJournal *self, const char *id, GError **error);
gboolean godwit_journal_set_step (GodwitJournal *self, const GodwitJobRecord *record, guint step,
                                  GodwitStepState state, const char *message, GError **error);
GodwitStepState godwit_journal_get_step (GodwitJournal *self, const char *id, guint step,
                                         GError **error);

gboolean godwit_journal_set_fact (GodwitJournal *self, const GodwitJobRecord *record,
                                  const char *name, GVariant *value, GError **error);
GVariant *godwit_journal_get_fact (GodwitJournal *self, const char *id, const char *name);
GStrv godwit_journal_list_facts (GodwitJournal *self, const char *id, const char *prefix);

/* Events are written with synchronous=NORMAL economy: durable with the next durable write. */
gboolean godwit_journal_add_event (GodwitJournal *self, const GodwitJobRecord *record,
                                   GodwitEvent *event, GError **error);
/* (element-type GodwitEvent) */
GPtrArray *godwit_journal_get_events (GodwitJournal *self, const char *id, guint64 after,
                                      GError **error);

G_END_DECLS
