/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include <godwit/error.h>

static void
emit_findings (GodwitJob *job, GodwitReport *report)
{
  GPtrArray *findings = godwit_report_get_findings (report);

  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    GodwitEvent *event = godwit_event_new (GODWIT_EVENT_FINDING, finding->id, finding->message);
    GVariantDict data;
    g_variant_dict_init (&data, NULL);
    if (finding->scope != NULL)
      g_variant_dict_insert (&data, "scope", "s", finding->scope);
    if (finding->subject != NULL)
      g_variant_dict_insert (&data, "subject", "s", finding->subject);
    if (finding->remedy != NULL)
      g_variant_dict_insert (&data, "remedy", "s", finding->remedy);
    event->data = g_variant_ref_sink (g_variant_dict_end (&data));
    event->severity = finding->severity;
    godwit_job_emit (job, event);
  }
}

/* NULL means auto. The record has what the command line asked for when the job was created. */
static const char *
asked_strategy (GodwitJob *job)
{
  const char *asked = godwit_job_get_option (job, "strategy");

  if (asked == NULL || *asked == '\0')
    asked = godwit_job_get_record (job)->strategy;
  return asked == NULL || *asked == '\0' || g_str_equal (asked, "auto") ? NULL : asked;
}

static gboolean
check_guest_at_destination (GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
                            GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (godwit_hypervisor_check_guest (godwit_job_get_destination_hypervisor (job), job,
                                     godwit_job_get_guest (job), report, cancellable, &local_error))
    return TRUE;
  if (godwit_error_is_cancelled (local_error)) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  godwit_report_add_error (report, "guest-at-destination",
                           godwit_host_get_name (godwit_job_get_destination (job)), local_error);
  return TRUE;
}

/* Everything after the hosts are open. Stops early only where there is nothing to look at. */
static gboolean
examine_guest (GodwitPlan *plan, GodwitJob *job, GodwitRegistry *registry,
               GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  gboolean complete = FALSE;

  if (!godwit_plan_describe_guest (job, plan->report, cancellable, &local_error)) {
    if (local_error == NULL)
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  g_autoptr (GPtrArray) storages = godwit_plan_load_storages (job, registry, plan->report);
  if (!godwit_plan_inspect_disks (job, storages, plan->report, &complete, cancellable, error))
    return FALSE;
  if (godwit_job_get_destination_hypervisor (job) == NULL)
    return TRUE;
  if (!check_guest_at_destination (job, plan->report, cancellable, error))
    return FALSE;
  if (!complete)
    return TRUE;
  const char *asked = asked_strategy (job);
  g_autoptr (GPtrArray) strategies = godwit_plan_load_strategies (job, registry, asked);
  return godwit_plan_choose (plan, job, strategies, asked, cancellable, error);
}

static void
note_choice (const GodwitPlan *plan, GodwitJob *job)
{
  GodwitJobRecord *record = godwit_job_get_record (job);

  for (guint i = 0; plan->candidates != NULL && i < plan->candidates->len; i++) {
    GodwitCandidate *candidate = g_ptr_array_index (plan->candidates, i);
    if (g_strcmp0 (candidate->name, plan->chosen) != 0)
      continue;
    g_free (record->strategy);
    record->strategy = g_strdup (candidate->name);
    g_free (record->why);
    record->why = g_strdup (candidate->reason);
    godwit_job_log (job, GODWIT_SEVERITY_INFO, NULL, "strategy %s: %s", candidate->name,
                    candidate->reason);
  }
}

GodwitPlan *
godwit_plan_make (GodwitJob *job, GodwitRegistry *registry, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (GodwitPlan) plan = g_new0 (GodwitPlan, 1);

  plan->report = godwit_report_new ();
  godwit_plan_open_hosts (job, registry, plan->report, cancellable);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  godwit_plan_check_hosts (job, plan->report, cancellable);
  if (!godwit_plan_check_identity (job, error))
    return NULL;
  if (!examine_guest (plan, job, registry, cancellable, error))
    return NULL;
  emit_findings (job, plan->report);
  note_choice (plan, job);
  return g_steal_pointer (&plan);
}
