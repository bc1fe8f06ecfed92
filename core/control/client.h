/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "journal/journal.h"
#include "registry/registry.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* What every front end uses: it starts jobs, watches and steers them. The work is done by the
 * job's own worker process under its supervisor, so a front end may come and go. */
#define GODWIT_TYPE_CLIENT (godwit_client_get_type ())
G_DECLARE_FINAL_TYPE (GodwitClient, godwit_client, GODWIT, CLIENT, GObject)

/* @config_path: NULL for the default; handed on to workers */
GodwitClient *godwit_client_new (const char *config_path, GError **error);
GodwitJournal *godwit_client_get_journal (GodwitClient *self);
/* @plugin_dir: handed on to workers as well; NULL for the installed one */
void godwit_client_set_plugin_dir (GodwitClient *self, const char *plugin_dir);

/* Creates the job and starts its supervisor. @record needs guest, destination and may have
 * source, strategy, options. Returns the new job's id. Whoever calls it may end: supervisor and
 * worker have a session of their own. */
char *godwit_client_migrate (GodwitClient *self, GodwitJobRecord *record, GError **error);
/* A new job that reverts a done one. @options: a{ss}, may be NULL */
char *godwit_client_revert (GodwitClient *self, const char *job, GVariant *options, GError **error);
/* A new job that carries the guest of a done one back, with what it wrote at the destination. */
char *godwit_client_carry_back (GodwitClient *self, const char *job, GError **error);
/* Start a worker for that purpose on an existing job, and return at once; watch it. A recover of
 * a job whose worker answers is refused (BUSY); one that does not answer is killed. */
gboolean godwit_client_confirm (GodwitClient *self, const char *job, GError **error);
gboolean godwit_client_recover (GodwitClient *self, const char *job, GError **error);

/* What the operator says of the job's source (else: of its destination): it is off, and runs no
 * guest. Written into the journal for the next recovery. BUSY if a worker is at the job; REFUSED
 * where it would not help. */
gboolean godwit_client_state_off (GodwitClient *self, const char *job, gboolean source,
                                  GError **error);

/* Jobs whose worker is dead and whose state is not terminal. (element-type GodwitJobRecord) */
GPtrArray *godwit_client_list_stranded (GodwitClient *self, GError **error);

/* Jobs that have ended and still owe clean-up. (element-type GodwitJobRecord) */
GPtrArray *godwit_client_list_owing (GodwitClient *self, GError **error);

/* Calls @listener, in the calling thread, for every event after serial @after, first from the
 * journal, then live, until no worker works on the job any more or @cancellable is cancelled; both
 * are TRUE. Progress is told only while the worker's socket can be reached. */
gboolean godwit_client_watch (GodwitClient *self, const char *job, guint64 after,
                              GodwitEventFunc listener, gpointer user_data,
                              GCancellable *cancellable, GError **error);

/* Asks the worker to abort. Past the commit it is refused: the error says so. */
gboolean godwit_client_abort (GodwitClient *self, const char *job, GError **error);
/* The same for a job of root's, whose journal only root reads, by a member of the group godwit who
 * knows its id. *@found: there is such a job, and the caller may speak to its worker. */
gboolean godwit_client_abort_of_root (const char *job, gboolean *found, GError **error);

/* mains of the hidden commands `godwit supervise JOB PURPOSE` and `godwit work JOB PURPOSE`,
 * where PURPOSE is run, recover or confirm. */
int godwit_supervisor_main (int argc, char **argv);
int godwit_worker_main (int argc, char **argv, const GodwitBuiltin *builtins);

G_END_DECLS
