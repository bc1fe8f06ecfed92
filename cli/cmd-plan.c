/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"
#include "background.h"
#include "json.h"
#include "output.h"
#include "request.h"

#include "plan/planner.h"

#include <string.h>

static gboolean option_json;

static const GOptionEntry options[] = {
    CLI_REQUEST_OPTIONS,
    {"no-forecast", 0, 0, G_OPTION_ARG_NONE, &cli_request.no_forecast,
     "Do not measure how fast the guest changes its memory", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "The plan as one JSON object", NULL},
    {NULL},
};

typedef struct {
  GodwitJob *job;
  GodwitRegistry *registry;
  GodwitPlan *plan;
} Planning;

static gboolean
make_plan (gpointer data, GCancellable *cancellable, GError **error)
{
  Planning *self = data;

  self->plan = godwit_plan_make (self->job, self->registry, cancellable, error);
  return self->plan != NULL;
}

static const char *
get_host_name (GodwitHost *host, const char *asked)
{
  if (host != NULL)
    return godwit_host_get_name (host);
  return asked != NULL ? asked : "this machine";
}

static char *
count (guint n, const char *what)
{
  return g_strdup_printf ("%u %s%s", n, what, n == 1 ? "" : "s");
}

static void
print_guest (GodwitJob *job)
{
  const GodwitJobRecord *record = godwit_job_get_record (job);
  const GodwitGuest *guest = godwit_job_get_guest (job);
  const char *from = get_host_name (godwit_job_get_source (job), record->source);
  const char *to = get_host_name (godwit_job_get_destination (job), record->destination);

  if (guest != NULL) {
    g_autofree char *vcpus = count (guest->vcpus, "vCPU");
    g_autofree char *memory = cli_format_bytes (guest->memory);
    g_autofree char *disks = count (guest->disks->len, "disk");

    g_print ("%s (%s, %s, %s, %s): %s -> %s\n", guest->name,
             godwit_guest_state_to_string (guest->state), vcpus, memory, disks, from, to);
  } else {
    g_print ("%s: %s -> %s\n", record->guest, from, to);
  }
}

static void
print_candidates (const GodwitPlan *plan)
{
  static const char *const headings[] = {"strategy", "verdict", "carries", "why", NULL};
  g_autoptr (CliTable) table = cli_table_new (headings);

  for (guint i = 0; i < plan->candidates->len; i++) {
    const GodwitCandidate *candidate = plan->candidates->pdata[i];
    g_autofree char *bytes = candidate->allowed ? cli_format_bytes (candidate->bytes) : NULL;
    gboolean chosen = g_strcmp0 (candidate->name, plan->chosen) == 0;
    const char *cells[] = {candidate->name,
                           chosen               ? "chosen"
                           : candidate->allowed ? "possible"
                                                : "refused",
                           bytes, candidate->reason};

    cli_table_add (table, cells);
  }
  g_print ("\n");
  cli_table_print (table, stdout);
}

static void
add_disk (CliTable *table, const GodwitDisk *disk)
{
  const GodwitImage *top = godwit_disk_get_top (disk);
  g_autofree char *size = top != NULL ? cli_format_bytes (top->virtual_size) : NULL;
  g_autofree char *allocated = top != NULL ? cli_format_bytes (top->allocated) : NULL;
  const char *cells[] = {disk->target,
                         godwit_treatment_to_string (disk->treatment),
                         disk->storage,
                         size,
                         allocated,
                         godwit_sharing_to_string (disk->sharing),
                         top != NULL ? top->path : NULL};

  cli_table_add (table, cells);
  cli_table_add_note (table, "proof", disk->proof);
}

static void
print_disks (const GodwitPlan *plan)
{
  static const char *const headings[] = {"disk",      "treatment", "storage", "size",
                                         "allocated", "shared",    "image",   NULL};

  for (guint i = 0; i < plan->candidates->len; i++) {
    const GodwitCandidate *candidate = plan->candidates->pdata[i];
    g_autoptr (CliTable) table = NULL;

    if (g_strcmp0 (candidate->name, plan->chosen) != 0 || candidate->disks == NULL)
      continue;
    table = cli_table_new (headings);
    for (guint j = 0; j < candidate->disks->len; j++)
      add_disk (table, candidate->disks->pdata[j]);
    g_print ("\n");
    cli_table_print (table, stdout);
  }
}

/* Most messages name what they are about. */
static char *
describe_finding (const GodwitFinding *finding)
{
  if (finding->subject == NULL || strstr (finding->message, finding->subject) != NULL)
    return g_strdup (finding->message);
  return g_strdup_printf ("%s: %s", finding->subject, finding->message);
}

static void
print_findings (GPtrArray *findings)
{
  static const char *const headings[] = {"verdict", "check", "for", "what was seen", NULL};
  g_autoptr (CliTable) table = cli_table_new (headings);

  for (guint i = 0; i < findings->len; i++) {
    const GodwitFinding *finding = findings->pdata[i];
    g_autofree char *seen = describe_finding (finding);
    const char *cells[] = {godwit_severity_to_string (finding->severity), finding->id,
                           finding->scope != NULL ? finding->scope : "all", seen};

    cli_table_add (table, cells);
    cli_table_add_note (table, "next", finding->remedy);
  }
  g_print ("\n");
  cli_table_print (table, stdout);
}

static void
print_plan (const GodwitPlan *plan, GodwitJob *job)
{
  print_guest (job);
  fflush (stdout);
  if (plan->candidates != NULL && plan->candidates->len > 0)
    print_candidates (plan);
  if (plan->chosen != NULL)
    print_disks (plan);
  print_findings (godwit_report_get_findings (plan->report));
}

CliExit
cli_run_plan (CliContext *context, const char *guest, gboolean json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitJob) job = NULL;
  g_autoptr (GodwitPlan) plan = NULL;
  Planning planning = {0};
  GodwitJobRecord *record = cli_request_make_record (guest, &error);
  GodwitConfig *config;

  if (record == NULL)
    return cli_fail (error);
  if (!cli_context_get_checked (context, &config, &planning.registry, &error)) {
    godwit_job_record_free (record);
    return cli_fail (error);
  }
  planning.job = job = godwit_job_new (NULL, record, config);
  godwit_job_set_may_touch (job, FALSE);
  if (!cli_run_in_background (make_plan, NULL, &planning, NULL, &error))
    return cli_fail (error);

  plan = planning.plan;
  if (json) {
    g_autofree char *text = godwit_plan_to_json (plan, job);

    puts (text);
  } else {
    print_plan (plan, job);
  }
  fflush (stdout);
  if (plan->chosen != NULL)
    return CLI_DONE;
  error = godwit_plan_to_error (plan);
  return cli_fail (error);
}

static CliExit
run (CliContext *context, char **arguments)
{
  return cli_run_plan (context, arguments[0], option_json);
}

const CliCommand cli_command_plan = {
    .name = "plan",
    .arguments = "GUEST --to HOST",
    .summary = "Say what a move would do and what stands against it; touch nothing",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
