/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/client.h"
#include "control/leftovers.h"
#include "control/log.h"
#include "control/work.h"
#include "plan/machines.h"
#include "plan/planner.h"

#include <godwit/disks.h>
#include <godwit/error.h>

typedef struct {
  const GodwitErrand *errand;
  const GodwitBuiltin *builtins;
  GodwitConfig *config; /* NULL if it could not be read: config_error says why */
  GError *config_error;
  GodwitRegistry *registry;
} Worker;

static void
worker_clear (Worker *self)
{
  g_clear_object (&self->registry);
  g_clear_object (&self->config);
  g_clear_error (&self->config_error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Worker, worker_clear)

/* --- what the engine asks for ------------------------------------------------------------ */

/* Late, so that a mistake in the configuration becomes the job's own error. */
static gboolean
set_up (Worker *self, GError **error)
{
  if (self->config == NULL) {
    g_propagate_error (error, g_error_copy (self->config_error));
    return FALSE;
  }
  if (self->registry != NULL)
    return TRUE;
  self->registry = godwit_registry_new (self->errand->plugin_dir, self->builtins, error);
  if (self->registry == NULL)
    return FALSE;
  g_auto (GStrv) disabled = godwit_config_get_list (self->config, "plugins", "disable");
  if (disabled != NULL)
    godwit_registry_disable (self->registry, (const char *const *)disabled);
  return godwit_config_check_plugins (self->config, self->registry, error);
}

static void
log_findings (GodwitJob *job, GodwitReport *report)
{
  GPtrArray *findings = godwit_report_get_findings (report);
  for (guint i = 0; i < findings->len; i++) {
    const GodwitFinding *finding = g_ptr_array_index (findings, i);
    if (finding->severity >= GODWIT_SEVERITY_WARNING)
      godwit_job_log (job, finding->severity, finding->subject, "%s", finding->message);
  }
}

static GodwitStrategy *
reopen_into (Worker *self, GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
             GError **error)
{
  if (!set_up (self, error))
    return NULL;
  GodwitStrategy *strategy = godwit_plan_reopen (job, self->registry, report, cancellable, error);
  log_findings (job, report);
  if (strategy != NULL)
    godwit_registry_latch (self->registry);
  return strategy;
}

static GodwitStrategy *
reopen (GodwitJob *job, gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();
  return reopen_into (data, job, report, cancellable, error);
}

static void
reach (GodwitJob *job, gpointer data, GCancellable *cancellable)
{
  Worker *self = data;
  g_autoptr (GodwitReport) report = godwit_report_new ();
  g_autoptr (GError) error = NULL;
  if (set_up (self, &error))
    godwit_plan_open_hosts (job, self->registry, report, cancellable);
  else
    godwit_job_log (job, GODWIT_SEVERITY_WARNING, NULL, "%s", error->message);
  log_findings (job, report);
}

static gboolean
is_refused (GodwitReport *report, GError **error)
{
  const GodwitFinding *blocker = godwit_report_first_blocker (report, NULL);
  if (blocker == NULL)
    return FALSE;
  g_clear_error (error);
  godwit_set_error (error, GODWIT_ERROR_REFUSED, blocker->remedy, "%s", blocker->message);
  return TRUE;
}

static gboolean
plan_revert (Worker *self, GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps,
             GCancellable *cancellable, GError **error)
{
  g_autoptr (GodwitReport) hosts = godwit_report_new ();
  *strategy = reopen_into (self, job, hosts, cancellable, error);
  if (*strategy == NULL || is_refused (hosts, error))
    return FALSE;
  g_autoptr (GodwitReport) report = godwit_report_new ();
  *steps = godwit_strategy_plan_revert (*strategy, job, report, cancellable, error);
  log_findings (job, report);
  if (!is_refused (report, error))
    return *steps != NULL;
  g_clear_pointer (steps, g_ptr_array_unref);
  return FALSE;
}

static gboolean
make_plan (Worker *self, GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps,
           GCancellable *cancellable, GError **error)
{
  g_autoptr (GodwitPlan) plan = godwit_plan_make (job, self->registry, cancellable, error);
  if (plan == NULL)
    return FALSE;
  if (plan->chosen == NULL || plan->steps == NULL) {
    g_propagate_error (error, godwit_plan_to_error (plan));
    return FALSE;
  }
  *strategy = g_object_ref (plan->strategy);
  *steps = g_ptr_array_ref (plan->steps);
  godwit_registry_latch (self->registry);
  return TRUE;
}

static gboolean
plan (GodwitJob *job, GodwitStrategy **strategy, GPtrArray **steps, gpointer data,
      GCancellable *cancellable, GError **error)
{
  Worker *self = data;
  if (!set_up (self, error))
    return FALSE;
  return g_strcmp0 (godwit_job_get_record (job)->kind, "revert") == 0
             ? plan_revert (self, job, strategy, steps, cancellable, error)
             : make_plan (self, job, strategy, steps, cancellable, error);
}

int
godwit_worker_main (int argc, char **argv, const GodwitBuiltin *builtins)
{
  g_auto (GodwitErrand) errand;
  g_autoptr (GError) error = NULL;
  if (!godwit_errand_parse (&errand, "work", argc, argv, &error)) {
    g_printerr ("godwit: %s\n", error->message);
    return 2;
  }
  godwit_log_use_system ();
  /* A job that is recovered opens no host if it had touched nothing. Its worker, which was killed
   * together with its agent, may have. */
  godwit_leftovers_sweep (NULL);
  g_auto (Worker) self = {.errand = &errand, .builtins = builtins};
  self.config = godwit_config_load (errand.config_path, &self.config_error);
  const GodwitEngineBackend backend = {.plan = plan,
                                       .reopen = reopen,
                                       .reach = reach,
                                       .has_parked = godwit_disks_has_parked,
                                       .data = &self};
  return godwit_work (&errand, self.config, &backend);
}
