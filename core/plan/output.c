/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include <godwit/error.h>

#include <json-glib/json-glib.h>

/* Mistakes in what was typed or configured, as against a world that does not fit. */
static gboolean
is_usage (const GodwitFinding *finding)
{
  return g_str_equal (finding->id, "host-known") || g_str_equal (finding->id, "strategy-known");
}

/* The blockers that stand in the way of what was asked: those against everything, else the
 * first one of each strategy. */
static GPtrArray *
collect_blockers (const GodwitPlan *plan)
{
  GPtrArray *findings = godwit_report_get_findings (plan->report);
  GPtrArray *blockers = g_ptr_array_new ();

  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    if (finding->severity == GODWIT_SEVERITY_BLOCKER && finding->scope == NULL)
      g_ptr_array_add (blockers, finding);
  }
  if (blockers->len > 0)
    return blockers;
  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    gboolean said = FALSE;
    if (finding->severity != GODWIT_SEVERITY_BLOCKER)
      continue;
    for (guint j = 0; j < blockers->len; j++)
      said = said || g_strcmp0 (((GodwitFinding *)g_ptr_array_index (blockers, j))->message,
                                finding->message) == 0;
    if (!said)
      g_ptr_array_add (blockers, finding);
  }
  return blockers;
}

/* A strategy that only wants a yes: nothing else stands against it. */
static gboolean
is_only_blocker (GPtrArray *findings, const GodwitFinding *finding)
{
  for (guint i = 0; i < findings->len; i++) {
    const GodwitFinding *other = g_ptr_array_index (findings, i);
    if (other != finding && other->severity == GODWIT_SEVERITY_BLOCKER &&
        g_strcmp0 (other->scope, finding->scope) == 0)
      return FALSE;
  }
  return TRUE;
}

/* A strategy that fits, or only wants a yes, is the best thing to name; else the first remedy. */
static const char *
best_remedy (const GodwitPlan *plan, GPtrArray *blockers)
{
  GPtrArray *findings = godwit_report_get_findings (plan->report);

  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    if (g_str_equal (finding->id, "strategy-that-fits"))
      return finding->remedy;
  }
  if (!godwit_report_is_blocked (plan->report, NULL))
    for (guint i = 0; i < findings->len; i++) {
      GodwitFinding *finding = g_ptr_array_index (findings, i);
      if (g_str_equal (finding->id, "needs-downtime") &&
          finding->severity == GODWIT_SEVERITY_BLOCKER && is_only_blocker (findings, finding))
        return finding->remedy;
    }
  for (guint i = 0; i < blockers->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (blockers, i);
    if (finding->remedy != NULL)
      return finding->remedy;
  }
  return NULL;
}

GError *
godwit_plan_to_error (const GodwitPlan *plan)
{
  g_autoptr (GPtrArray) blockers = collect_blockers (plan);
  g_autoptr (GString) text = g_string_new (NULL);
  GodwitErrorCode code = GODWIT_ERROR_REFUSED;
  GError *error = NULL;

  for (guint i = 0; i < blockers->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (blockers, i);
    if (is_usage (finding))
      code = GODWIT_ERROR_CONFIG;
    g_string_append_printf (text, "%s%s%s%s [%s]", i > 0 ? "\n" : "",
                            finding->scope != NULL ? finding->scope : "",
                            finding->scope != NULL ? ": " : "", finding->message, finding->id);
  }
  if (text->len == 0)
    g_string_append (text, "no strategy is left to try: [strategy] order is empty");
  godwit_set_error (&error, code, best_remedy (plan, blockers), "%s", text->str);
  return error;
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_findings (JsonBuilder *builder, GodwitReport *report)
{
  GPtrArray *findings = godwit_report_get_findings (report);

  json_builder_set_member_name (builder, "findings");
  json_builder_begin_array (builder);
  for (guint i = 0; i < findings->len; i++) {
    GodwitFinding *finding = g_ptr_array_index (findings, i);
    json_builder_begin_object (builder);
    add_string (builder, "id", finding->id);
    add_string (builder, "severity", godwit_severity_to_string (finding->severity));
    add_string (builder, "strategy", finding->scope);
    add_string (builder, "subject", finding->subject);
    add_string (builder, "message", finding->message);
    add_string (builder, "remedy", finding->remedy);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_disks (JsonBuilder *builder, GPtrArray *disks)
{
  json_builder_set_member_name (builder, "disks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < disks->len; i++) {
    GodwitDisk *disk = g_ptr_array_index (disks, i);
    GodwitImage *top = godwit_disk_get_top (disk);
    g_autoptr (GPtrArray) one = g_ptr_array_new ();
    g_ptr_array_add (one, disk);
    json_builder_begin_object (builder);
    add_string (builder, "target", disk->target);
    add_string (builder, "source", top != NULL ? top->path : NULL);
    add_string (builder, "destination", top != NULL ? top->destination : NULL);
    add_string (builder, "storage", disk->storage);
    add_string (builder, "sharing", godwit_sharing_to_string (disk->sharing));
    add_string (builder, "proof", disk->proof);
    add_string (builder, "treatment", godwit_treatment_to_string (disk->treatment));
    json_builder_set_member_name (builder, "bytes");
    json_builder_add_int_value (builder, (gint64)godwit_plan_count_bytes (one));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_candidates (JsonBuilder *builder, const GodwitPlan *plan)
{
  json_builder_set_member_name (builder, "strategies");
  json_builder_begin_array (builder);
  for (guint i = 0; plan->candidates != NULL && i < plan->candidates->len; i++) {
    GodwitCandidate *candidate = g_ptr_array_index (plan->candidates, i);
    json_builder_begin_object (builder);
    add_string (builder, "name", candidate->name);
    json_builder_set_member_name (builder, "allowed");
    json_builder_add_boolean_value (builder, candidate->allowed);
    add_string (builder, "reason", candidate->reason);
    json_builder_set_member_name (builder, "bytes");
    json_builder_add_int_value (builder, (gint64)candidate->bytes);
    add_disks (builder, candidate->disks);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_steps (JsonBuilder *builder, const GodwitPlan *plan)
{
  json_builder_set_member_name (builder, "steps");
  json_builder_begin_array (builder);
  for (guint i = 0; plan->steps != NULL && i < plan->steps->len; i++) {
    GodwitStep *step = g_ptr_array_index (plan->steps, i);
    json_builder_begin_object (builder);
    add_string (builder, "name", step->name);
    add_string (builder, "summary", step->summary);
    add_string (builder, "phase", godwit_phase_to_string (step->phase));
    json_builder_set_member_name (builder, "commit");
    json_builder_add_boolean_value (builder, (step->flags & GODWIT_STEP_COMMIT) != 0);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

char *
godwit_plan_to_json (const GodwitPlan *plan, GodwitJob *job)
{
  GodwitJobRecord *record = godwit_job_get_record (job);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "guest", record->guest);
  add_string (builder, "uuid", record->uuid);
  add_string (builder, "source", record->source);
  add_string (builder, "destination", record->destination);
  add_string (builder, "chosen", plan->chosen);
  add_string (builder, "why", plan->chosen != NULL ? record->why : NULL);
  add_candidates (builder, plan);
  add_findings (builder, plan->report);
  add_steps (builder, plan);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}
