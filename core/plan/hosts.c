/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include "godwit-config.h"
#include "host/host-private.h"

#include <godwit/error.h>

#define CLOCK_SKEW_LIMIT_US (5 * G_USEC_PER_SEC)

/* One host on its way to being opened, in a thread of its own. */
typedef struct {
  GodwitMachines *machines;
  const char *name;
  GCancellable *cancellable;
  GodwitHost *host;
  GodwitHypervisor *hypervisor;
  GError *error;
} Opening;

static gpointer
open_one (gpointer data)
{
  Opening *opening = data;

  godwit_machines_open (opening->machines, opening->name, &opening->host, &opening->hypervisor,
                        opening->cancellable, &opening->error);
  return NULL;
}

static void
opening_clear (Opening *opening)
{
  g_clear_object (&opening->host);
  g_clear_object (&opening->hypervisor);
  g_clear_error (&opening->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Opening, opening_clear)

static void
report_opening (const Opening *opening, const char *id, GodwitReport *report)
{
  const char *name = opening->name != NULL ? opening->name : g_get_host_name ();

  if (opening->error != NULL) {
    /* Bad names and bad configuration end with another exit code than a host that is down. */
    gboolean unknown = g_error_matches (opening->error, GODWIT_ERROR, GODWIT_ERROR_CONFIG);
    godwit_report_add_error (report, unknown ? "host-known" : id, name, opening->error);
  } else {
    godwit_report_add (report, GODWIT_SEVERITY_OK, id, name, NULL,
                       "%s is reachable, its hypervisor answers", name);
  }
}

/* A name may mean another machine to whoever goes on with the job. */
static gboolean
is_same_machine (GodwitJob *job, GodwitHost *host, const char *fact, GError **error)
{
  const char *id = host != NULL ? godwit_host_get_machine_id (host) : NULL;
  if (id == NULL || *id == '\0')
    return TRUE;
  g_autoptr (GVariant) known = godwit_job_get_fact (job, fact);
  if (known == NULL)
    return godwit_job_set_fact (job, fact, g_variant_new_string (id), error);
  if (g_str_equal (g_variant_get_string (known, NULL), id))
    return TRUE;
  g_autofree char *remedy =
      g_strdup_printf ("godwit recover %s --take-over-from HOST --source HOST --destination HOST, "
                       "with the names that the two have here",
                       godwit_job_get_id (job));
  godwit_set_error (error, GODWIT_ERROR_REFUSED, remedy,
                    "%s is another machine than the one that job %s was begun with",
                    godwit_host_get_name (host), godwit_job_get_id (job));
  return FALSE;
}

gboolean
godwit_plan_check_identity (GodwitJob *job, GError **error)
{
  return is_same_machine (job, godwit_job_get_source (job), "host.source", error) &&
         is_same_machine (job, godwit_job_get_destination (job), "host.destination", error);
}

gboolean
godwit_plan_is_fenced (GodwitJob *job)
{
  GodwitMachines *machines = g_object_get_data (G_OBJECT (job), "godwit-machines");
  return machines != NULL && godwit_machines_is_fenced (machines);
}

void
godwit_plan_open_hosts (GodwitJob *job, GodwitRegistry *registry, GodwitReport *report,
                        GCancellable *cancellable)
{
  GodwitJobRecord *record = godwit_job_get_record (job);
  /* The journal must tell another worker which machine "this one" was. */
  if (record->source == NULL)
    record->source = g_strdup (g_get_host_name ());
  g_autoptr (GodwitMachines) machines =
      godwit_machines_new (godwit_job_get_config (job), registry, NULL);
  if (godwit_job_may_touch (job))
    godwit_machines_set_job (machines, record->id, record->epoch);
  g_auto (Opening)
      source = {.machines = machines, .name = record->source, .cancellable = cancellable};
  g_auto (Opening)
      destination = {.machines = machines, .name = record->destination, .cancellable = cancellable};

  /* Connecting is nearly all of what a plan costs, so the two hosts are opened side by side. */
  GThread *thread = g_thread_new ("open-destination", open_one, &destination);
  open_one (&source);
  g_thread_join (thread);

  report_opening (&source, "source-reachable", report);
  report_opening (&destination, "destination-reachable", report);
  godwit_job_set_hosts (job, source.host, source.hypervisor, destination.host,
                        destination.hypervisor);
  /* The session directory must outlive the hosts, whose channels have sockets in it. */
  g_object_set_data_full (G_OBJECT (job), "godwit-machines", g_steal_pointer (&machines),
                          g_object_unref);
}

static void
check_agent (GodwitHost *host, GodwitReport *report)
{
  const char *name = godwit_host_get_name (host);
  const char *banner = godwit_host_get_banner (host);
  const char *version = godwit_host_get_agent_version (host);

  if (banner != NULL && *banner != '\0') {
    g_autofree char *quoted = g_strndup (banner, 120);
    g_strdelimit (quoted, "\r\n\t", ' ');
    g_autofree char *valid = g_utf8_make_valid (g_strstrip (quoted), -1);
    godwit_report_add (
        report, GODWIT_SEVERITY_WARNING, "agent-banner", name,
        "make the shell's start-up files on that host print only to a terminal",
        "the shell on %s prints before our agent speaks: \"%s\"; it was skipped, but "
        "it can break the channel",
        name, valid);
  }
  if (g_strcmp0 (version, GODWIT_VERSION) == 0)
    godwit_report_add (report, GODWIT_SEVERITY_OK, "agent-version", name, NULL,
                       "agent %s on %s, protocol %u", version, name,
                       godwit_host_get_agent_protocol (host));
  else
    godwit_report_add (report, GODWIT_SEVERITY_INFO, "agent-version", name, NULL,
                       "agent %s on %s speaks protocol %u; this is godwit %s", version, name,
                       godwit_host_get_agent_protocol (host), GODWIT_VERSION);
}

static void
check_clocks (GodwitHost *source, GodwitHost *destination, GodwitReport *report)
{
  gint64 skew =
      godwit_host_get_clock_offset_us (destination) - godwit_host_get_clock_offset_us (source);
  double seconds = (double)ABS (skew) / G_USEC_PER_SEC;
  const char *a = godwit_host_get_name (source), *b = godwit_host_get_name (destination);

  if (ABS (skew) > CLOCK_SKEW_LIMIT_US)
    godwit_report_add (report, GODWIT_SEVERITY_WARNING, "clock-skew", b,
                       "set both clocks, for example with chrony",
                       "the clock of %s is %.1f s %s that of %s: the guest's clock jumps when it "
                       "moves, and times in logs do not fit",
                       b, seconds, skew > 0 ? "ahead of" : "behind", a);
  else
    godwit_report_add (report, GODWIT_SEVERITY_OK, "clock-skew", b, NULL,
                       "the clocks of %s and %s differ by %.1f s", a, b, seconds);
}

static void
check_same_host (GodwitJob *job, GodwitReport *report, GCancellable *cancellable)
{
  GodwitHost *source = godwit_job_get_source (job), *destination = godwit_job_get_destination (job);
  const char *a = godwit_host_get_name (source), *b = godwit_host_get_name (destination);
  const char *id_a = godwit_host_get_machine_id (source);
  const char *id_b = godwit_host_get_machine_id (destination);
  const char *what = NULL, *id = NULL;
  g_autoptr (GodwitHostFacts) facts_a = NULL;
  g_autoptr (GodwitHostFacts) facts_b = NULL;

  if (id_a != NULL && *id_a != '\0' && g_strcmp0 (id_a, id_b) == 0) {
    what = "machine id";
    id = id_a;
  } else if (godwit_job_get_source_hypervisor (job) != NULL &&
             godwit_job_get_destination_hypervisor (job) != NULL) {
    facts_a =
        godwit_hypervisor_get_facts (godwit_job_get_source_hypervisor (job), cancellable, NULL);
    facts_b = godwit_hypervisor_get_facts (godwit_job_get_destination_hypervisor (job), cancellable,
                                           NULL);
    if (facts_a != NULL && facts_b != NULL && facts_a->uuid != NULL && *facts_a->uuid != '\0' &&
        g_strcmp0 (facts_a->uuid, facts_b->uuid) == 0) {
      what = "hypervisor's host UUID";
      id = facts_a->uuid;
    }
  }
  if (what == NULL)
    return;
  if (godwit_host_is_local (source) && g_strcmp0 (a, b) != 0)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "same-host", b, "godwit hosts",
                       "%s is this very machine by another name (%s %s): a guest cannot move to "
                       "where it is",
                       b, what, id);
  else
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "same-host", b, "godwit hosts",
                       "%s and %s are one machine (%s %s): a guest cannot move to where it is", a,
                       b, what, id);
}

void
godwit_plan_check_hosts (GodwitJob *job, GodwitReport *report, GCancellable *cancellable)
{
  GodwitHost *source = godwit_job_get_source (job), *destination = godwit_job_get_destination (job);

  if (source != NULL)
    check_agent (source, report);
  if (destination != NULL)
    check_agent (destination, report);
  if (source == NULL || destination == NULL)
    return;
  check_clocks (source, destination, report);
  check_same_host (job, report, cancellable);
}
