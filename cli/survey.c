/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "survey.h"

#include "background.h"

#include "host/host-private.h"

/* Connecting is mostly waiting for the other end. */
#define AT_ONCE 8

static void
found_free (CliFoundHost *self)
{
  g_clear_pointer (&self->facts, godwit_host_facts_free);
  g_clear_object (&self->hypervisor);
  g_clear_object (&self->host);
  g_clear_error (&self->error);
  g_free (self->directory);
  g_free (self->name);
  g_free (self);
}

void
cli_survey_free (CliSurvey *self)
{
  /* The hosts first: the machines hold what their connections run through. */
  g_ptr_array_unref (self->hosts);
  g_clear_object (&self->machines);
  g_free (self);
}

static void
look_at (gpointer item, gpointer data)
{
  CliFoundHost *self = item;
  CliSurvey *survey = data;
  guint64 filesystem;

  if (!godwit_machines_open (survey->machines, self->name, &self->host, &self->hypervisor,
                             survey->cancellable, &self->error))
    return;
  self->facts = godwit_hypervisor_get_facts (self->hypervisor, survey->cancellable, &self->error);
  self->directory = g_strdup (godwit_host_get_config (self->host, "instance-directory"));
  if (self->directory == NULL || *self->directory == '\0') {
    g_free (self->directory);
    self->directory = g_strdup (survey->directory);
  }
  if (self->directory != NULL)
    self->has_space = godwit_host_free_space (self->host, self->directory, &self->free_space,
                                              &filesystem, survey->cancellable, NULL);
}

static gboolean
look_at_all (gpointer data, GCancellable *cancellable, GError **error)
{
  CliSurvey *self = data;
  GThreadPool *pool = g_thread_pool_new (look_at, self, AT_ONCE, FALSE, NULL);

  self->cancellable = cancellable;
  for (guint i = 0; i < self->hosts->len; i++)
    g_thread_pool_push (pool, self->hosts->pdata[i], NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
is_same_machine (const CliFoundHost *a, const CliFoundHost *b)
{
  return a == b || (a->host != NULL && b->host != NULL &&
                    g_strcmp0 (godwit_host_get_machine_id (a->host),
                               godwit_host_get_machine_id (b->host)) == 0);
}

gboolean
cli_found_host_is_paired (const CliFoundHost *from, const CliFoundHost *to)
{
  return from->host != NULL && to->host != NULL && !is_same_machine (from, to) &&
         godwit_host_are_paired (from->host, to->host);
}

/* This machine was only added in case the configuration gives it no name. */
static void
drop_duplicate (GPtrArray *hosts)
{
  const CliFoundHost *last = hosts->pdata[hosts->len - 1];

  for (guint i = 0; last->name == NULL && i + 1 < hosts->len; i++)
    if (is_same_machine (hosts->pdata[i], last)) {
      g_ptr_array_remove_index (hosts, hosts->len - 1);
      return;
    }
}

const char *
cli_found_host_get_name (const CliFoundHost *self)
{
  if (self->name != NULL)
    return self->name;
  return self->host != NULL ? godwit_host_get_name (self->host) : "this machine";
}

static void
add_host (CliSurvey *survey, const char *name)
{
  CliFoundHost *found = g_new0 (CliFoundHost, 1);

  found->name = g_strdup (name);
  g_ptr_array_add (survey->hosts, found);
}

/* Every host of the configuration, and this machine if it has no name there. */
static void
add_known (CliSurvey *survey, GodwitConfig *config)
{
  g_auto (GStrv) names = godwit_config_list_hosts (config);
  gboolean has_this = FALSE;

  for (gsize i = 0; names[i] != NULL; i++) {
    has_this = has_this || godwit_machines_is_this (survey->machines, names[i]);
    add_host (survey, names[i]);
  }
  if (!has_this)
    add_host (survey, NULL);
}

CliSurvey *
cli_survey_run (CliContext *context, const char *only, GError **error)
{
  g_autoptr (CliSurvey) self = g_new0 (CliSurvey, 1);
  g_auto (GStrv) directories = NULL;
  GodwitConfig *config;
  GodwitRegistry *registry;

  self->hosts = g_ptr_array_new_with_free_func ((GDestroyNotify)found_free);
  if (!cli_context_get_checked (context, &config, &registry, error))
    return NULL;
  directories = godwit_config_get_list (config, "agent", "directories");
  self->directory = directories != NULL ? directories[0] : NULL;
  self->machines = godwit_machines_new (config, registry, NULL);
  if (only != NULL)
    add_host (self, only);
  else
    add_known (self, config);
  if (!cli_run_in_background (look_at_all, NULL, self, NULL, error))
    return NULL;
  drop_duplicate (self->hosts);
  self->directory = NULL;
  self->cancellable = NULL;
  return g_steal_pointer (&self);
}
