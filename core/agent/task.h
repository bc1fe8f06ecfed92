/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Long work of the agent: it has a number, a thread of its own, and is polled. */
typedef struct _GodwitTask GodwitTask;
typedef struct _GodwitTasks GodwitTasks;

/* Does the work. Returns the result, a floating a{sv}, or NULL with an error. */
typedef GVariant *(*GodwitTaskFunc) (GodwitTask *task, gpointer data, GError **error);
/* What Poll() says while it runs; floating a{sv}. Called in other threads than the work's. */
typedef GVariant *(*GodwitTaskDescribe) (gpointer data);

typedef struct {
  GodwitTaskFunc run;
  GodwitTaskDescribe describe; /* may be NULL */
  GDestroyNotify free_data;    /* may be NULL */
} GodwitTaskClass;

GCancellable *godwit_task_get_cancellable (GodwitTask *self);
/* Wakes who polls: describe() has something new. */
void godwit_task_notify (GodwitTask *self);

GodwitTasks *godwit_tasks_new (void);
/* Cancels all of it and waits up to @wait_ms for its end. */
void godwit_tasks_stop (GodwitTasks *self, guint wait_ms);

/* @klass must be static. @data is owned by the task from here on. @cancellable: (nullable): if
 * somebody needs to have it before the task begins */
guint godwit_tasks_start (GodwitTasks *self, const GodwitTaskClass *klass, gpointer data,
                          GCancellable *cancellable);
/* Waits until it has ended, there is news, or @wait_ms have passed. @details: (transfer full) */
gboolean godwit_tasks_poll (GodwitTasks *self, guint id, guint wait_ms, const char **state,
                            GVariant **details, GError **error);
/* Returns when the work has ended, or after 4 s. Unknown ids are success. */
void godwit_tasks_cancel (GodwitTasks *self, guint id);

G_END_DECLS
