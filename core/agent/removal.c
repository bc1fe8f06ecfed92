/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-private.h"
#include "agent/files.h"

/* Unlinking large files may take longer than a call may. */

typedef struct {
  GodwitPolicy *policy;
  char *path;
  char *token;
} Removal;

static void
removal_free (gpointer data)
{
  Removal *removal = data;
  g_free (removal->path);
  g_free (removal->token);
  g_free (removal);
}

static GVariant *
run_removal (GodwitTask *task, gpointer data, GError **error)
{
  Removal *removal = data;
  if (!godwit_files_remove_parked (removal->policy, removal->path, removal->token,
                                   godwit_task_get_cancellable (task), error))
    return NULL;
  return g_variant_new ("a{sv}", NULL);
}

guint
godwit_agent_start_remove_parked (GodwitAgent *self, const char *path, const char *token,
                                  GError **error)
{
  static const GodwitTaskClass klass = {.run = run_removal, .free_data = removal_free};
  Removal *removal = g_new0 (Removal, 1);
  removal->policy = self->policy;
  removal->path = g_strdup (path);
  removal->token = g_strdup (token);
  return godwit_tasks_start (self->tasks, &klass, removal, NULL);
}
