/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* A child process with pipes to it, that is waited for through a pidfd: no signal handler and
 * no main loop is needed, and its id cannot be mistaken for another process's. */
typedef struct _GodwitChild GodwitChild;

typedef struct {
  const char *const *argv; /* argv[0] is searched in the environment's PATH unless it has a slash */
  const char *const *envp; /* NULL for ours */
  int death_signal;        /* what it gets when we die, 0 for nothing */
  gboolean own_session;    /* setsid, so that a kill reaches what it started as well */
  gboolean merge_stderr;   /* its standard error is ours */
  gboolean limits;         /* no core file, bounded memory and files */
  guint cpu_seconds;       /* with @limits; 0 for no bound */
} GodwitChildOptions;

GodwitChild *godwit_child_spawn (const GodwitChildOptions *options, GError **error);

/* Ends it (SIGKILL), reaps it and closes the pipes. */
void godwit_child_free (GodwitChild *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitChild, godwit_child_free)

int godwit_child_get_pid (GodwitChild *self);
int godwit_child_get_pidfd (GodwitChild *self);
int godwit_child_get_input (GodwitChild *self);  /* we write, it reads */
int godwit_child_get_output (GodwitChild *self); /* it writes, we read */
int godwit_child_get_errors (GodwitChild *self); /* -1 with merge_stderr */
void godwit_child_close_input (GodwitChild *self);
/* Input and output belong to the caller from here on. */
void godwit_child_steal_pipes (GodwitChild *self, int *input, int *output);

/* To the process, and to its session if it has its own. */
void godwit_child_signal (GodwitChild *self, int number);
/* TRUE once it has ended; @status: exit status, 128 + number for a signal. Waits @timeout_ms,
 * -1 for ever; a cancelled wait is FALSE. */
gboolean godwit_child_wait (GodwitChild *self, int timeout_ms, GCancellable *cancellable,
                            int *status);

/* Keeps the last @max bytes that come from a descriptor, in a thread of its own, so that a
 * chatty process never blocks. */
typedef struct _GodwitTail GodwitTail;
GodwitTail *godwit_tail_new (int fd, gsize max);
/* What has come so far. Waits up to @settle_ms for the end of the stream. */
char *godwit_tail_dup_text (GodwitTail *self, guint settle_ms);
/* The same as bytes. @lost: whether there was more than fits. */
GBytes *godwit_tail_dup_bytes (GodwitTail *self, guint settle_ms, gboolean *lost);
/* Returns at once even if some grandchild still holds the other end. */
void godwit_tail_free (GodwitTail *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitTail, godwit_tail_free)

G_END_DECLS
