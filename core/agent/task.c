/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/task.h"

#include "channel/fd.h"
#include "channel/wire.h"

#include <godwit/error.h>

struct _GodwitTask {
  gatomicrefcount refs;
  const GodwitTaskClass *klass;
  gpointer data;
  GCancellable *cancellable;
  GMutex lock;
  GCond changed;
  gboolean ended;
  gboolean news;
  GVariant *result;
  GError *error;
};

struct _GodwitTasks {
  GMutex lock;
  GHashTable *table;
  guint last;
};

static void
task_unref (GodwitTask *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->klass->free_data != NULL)
    self->klass->free_data (self->data);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->result, g_variant_unref);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitTask, task_unref)

static GodwitTask *
task_ref (GodwitTask *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

GCancellable *
godwit_task_get_cancellable (GodwitTask *self)
{
  return self->cancellable;
}

void
godwit_task_notify (GodwitTask *self)
{
  g_mutex_lock (&self->lock);
  self->news = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static gpointer
run_task (gpointer user_data)
{
  g_autoptr (GodwitTask) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = self->klass->run (self, self->data, &error);
  if (result != NULL)
    g_variant_ref_sink (result);
  else if (error == NULL)
    godwit_set_error (&error, GODWIT_ERROR_INTERNAL, NULL, "a task ended without a result");
  g_mutex_lock (&self->lock);
  self->result = g_steal_pointer (&result);
  self->error = g_steal_pointer (&error);
  self->ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* Returns whether it has ended. */
static gboolean
task_wait (GodwitTask *self, gint64 deadline, gboolean for_news)
{
  g_mutex_lock (&self->lock);
  while (!self->ended && !(for_news && self->news) &&
         g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  self->news = self->news && !for_news;
  gboolean ended = self->ended;
  g_mutex_unlock (&self->lock);
  return ended;
}

GodwitTasks *
godwit_tasks_new (void)
{
  GodwitTasks *self = g_new0 (GodwitTasks, 1);
  g_mutex_init (&self->lock);
  self->table = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)task_unref);
  return self;
}

void
godwit_tasks_stop (GodwitTasks *self, guint wait_ms)
{
  g_mutex_lock (&self->lock);
  g_autoptr (GList) tasks = g_hash_table_get_values (self->table);
  for (GList *link = tasks; link != NULL; link = link->next)
    task_ref (link->data);
  g_hash_table_remove_all (self->table);
  g_mutex_unlock (&self->lock);

  for (GList *link = tasks; link != NULL; link = link->next)
    g_cancellable_cancel (((GodwitTask *)link->data)->cancellable);
  gint64 deadline = godwit_deadline_in_ms (wait_ms);
  for (GList *link = tasks; link != NULL; link = link->next) {
    task_wait (link->data, deadline, FALSE);
    task_unref (link->data);
  }
}

guint
godwit_tasks_start (GodwitTasks *self, const GodwitTaskClass *klass, gpointer data,
                    GCancellable *cancellable)
{
  GodwitTask *task = g_new0 (GodwitTask, 1);
  g_atomic_ref_count_init (&task->refs);
  task->klass = klass;
  task->data = data;
  task->cancellable = cancellable != NULL ? g_object_ref (cancellable) : g_cancellable_new ();
  g_mutex_init (&task->lock);
  g_cond_init (&task->changed);

  g_mutex_lock (&self->lock);
  guint id = ++self->last;
  g_hash_table_insert (self->table, GUINT_TO_POINTER (id), task);
  g_thread_unref (g_thread_new ("godwit-task", run_task, task_ref (task)));
  g_mutex_unlock (&self->lock);
  return id;
}

static GodwitTask *
lookup (GodwitTasks *self, guint id)
{
  g_mutex_lock (&self->lock);
  GodwitTask *task = g_hash_table_lookup (self->table, GUINT_TO_POINTER (id));
  if (task != NULL)
    task_ref (task);
  g_mutex_unlock (&self->lock);
  return task;
}

gboolean
godwit_tasks_poll (GodwitTasks *self, guint id, guint wait_ms, const char **state,
                   GVariant **details, GError **error)
{
  g_autoptr (GodwitTask) task = lookup (self, id);
  if (task == NULL) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "the agent has no task %u", id);
    return FALSE;
  }
  gint64 deadline = godwit_deadline_in_ms (MIN (wait_ms, GODWIT_AGENT_POLL_MS));
  if (!task_wait (task, deadline, TRUE)) {
    *state = GODWIT_TASK_RUNNING;
    *details =
        g_variant_ref_sink (task->klass->describe != NULL ? task->klass->describe (task->data)
                                                          : g_variant_new ("a{sv}", NULL));
    return TRUE;
  }
  /* It has ended, so nobody writes to it any more. */
  if (task->error == NULL) {
    *state = GODWIT_TASK_DONE;
    *details = g_variant_ref (task->result);
    return TRUE;
  }
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "error", godwit_wire_error_to_variant (task->error));
  *state = GODWIT_TASK_FAILED;
  *details = g_variant_ref_sink (g_variant_dict_end (&dict));
  return TRUE;
}

void
godwit_tasks_cancel (GodwitTasks *self, guint id)
{
  g_autoptr (GodwitTask) task = lookup (self, id);
  if (task == NULL)
    return;
  g_cancellable_cancel (task->cancellable);
  task_wait (task, godwit_deadline_in_ms (GODWIT_AGENT_POLL_MS), FALSE);
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->table, GUINT_TO_POINTER (id));
  g_mutex_unlock (&self->lock);
}
