/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/agent.h"
#include "agent/policy.h"
#include "agent/task.h"

G_BEGIN_DECLS

typedef struct _GodwitOffers GodwitOffers;
typedef struct _GodwitTaps GodwitTaps;

/* A control agent: what one controller's session has at this host. */
typedef struct {
  GodwitPolicy *policy;
  GodwitTasks *tasks;
  GodwitOffers *offers;
  GodwitTaps *taps;
  GThreadPool *threads;
  gboolean any_channel; /* the caller could run any command here himself */
  gint64 heard_us;      /* when the controller last called; atomic */
} GodwitAgent;

/* For godwit_agent_main() and for tests, which bring a policy of their own. @policy: (transfer
 * full) */
int godwit_agent_serve (GodwitPolicy *policy, gboolean any_channel);

/* --- D-Bus --------------------------------------------------------------------------------- */
gboolean godwit_agent_export (GodwitAgent *self, GDBusConnection *connection, GError **error);

/* --- session.c ----------------------------------------------------------------------------- */
GVariant *godwit_agent_get_info (GodwitAgent *self);
char *godwit_agent_make_job_directory (const char *job, guint32 uid, guint32 gid, guint32 mode,
                                       GError **error);
gboolean godwit_agent_remove_job_directory (const char *job, GError **error);

/* --- epoch.c ------------------------------------------------------------------------------- */
/* @worker: a process that ends with this session; 0 for none */
gboolean godwit_agent_claim_job (const char *job, guint64 epoch, int worker, GError **error);
/* Whether no higher epoch of the job has been here; with DENIED. */
gboolean godwit_agent_check_epoch (const char *job, guint64 epoch, GError **error);
/* A file in the state directory of this host, whose directory is made. */
char *godwit_agent_make_job_path (const char *kind, const char *job, GError **error);
/* Claims of processes that were killed go away. */
void godwit_agent_sweep_claims (void);
/* At the end of the process. */
void godwit_agent_forget_sessions (void);

/* --- records.c ----------------------------------------------------------------------------- */
gboolean godwit_agent_keep_record (const char *job, guint64 epoch, GVariant *record,
                                   GError **error);

/* --- processes.c: each returns the task's number, 0 with an error --------------------------- */
guint godwit_agent_start_run (GodwitAgent *self, const char *const *argv, guint deadline,
                              GError **error);
guint godwit_agent_start_service (GodwitAgent *self, const char *const *argv,
                                  const char *ready_path, GError **error);
guint godwit_agent_watch (GodwitAgent *self, const char *pid_file, GError **error);
guint godwit_agent_start_remove_parked (GodwitAgent *self, const char *path, const char *token,
                                        GError **error);

G_END_DECLS
