/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/planner-private.h"

#include "base/spelling.h"

#include <godwit/error.h>

/* More names than this do not help somebody who looks for one. */
#define NAMES_SHOWN 12

static void
report_missing (GodwitJob *job, const char *name, GodwitReport *report, GCancellable *cancellable)
{
  const char *host = godwit_host_get_name (godwit_job_get_source (job));
  g_auto (GStrv) names =
      godwit_hypervisor_list_guests (godwit_job_get_source_hypervisor (job), cancellable, NULL);
  const char *nearest =
      names != NULL ? godwit_spelling_nearest (name, (const char *const *)names) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "there is no guest %s on %s", name, host);
  if (nearest != NULL)
    g_string_append_printf (text, "; did you mean %s?", nearest);
  if (names != NULL && names[0] == NULL)
    g_string_append (text, "; it has no guests at all");
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    if (i == NAMES_SHOWN) {
      g_string_append_printf (text, " and %u more", g_strv_length (names) - i);
      break;
    }
    g_string_append_printf (text, "%s%s", i == 0 ? "; its guests: " : ", ", names[i]);
  }
  g_autofree char *remedy =
      g_strdup_printf ("check the name, or name the host that has the guest: --from HOST");
  godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-exists", name, remedy, "%s",
                     text->str);
}

static void
check_state (const GodwitGuest *guest, const char *host, GodwitReport *report)
{
  const char *state = godwit_guest_state_to_string (guest->state);

  switch (guest->state) {
  case GODWIT_GUEST_SHUT_OFF:
  case GODWIT_GUEST_RUNNING:
  case GODWIT_GUEST_PAUSED:
    godwit_report_add (report, GODWIT_SEVERITY_OK, "guest-state", guest->name, NULL,
                       "%s is %s on %s", guest->name, state, host);
    break;
  case GODWIT_GUEST_CRASHED:
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-state", guest->name,
                       "look at the guest, then start it or force it off, and try again",
                       "%s has crashed on %s: moving it would carry a broken guest away from its "
                       "evidence",
                       guest->name, host);
    break;
  case GODWIT_GUEST_SHUTTING_DOWN:
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-state", guest->name,
                       "wait until it is shut off, then try again", "%s is shutting down on %s",
                       guest->name, host);
    break;
  case GODWIT_GUEST_PAUSED_MIGRATION:
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-state", guest->name, "godwit jobs",
                       "%s stands on %s paused by a migration that somebody else began or left "
                       "behind",
                       guest->name, host);
    break;
  case GODWIT_GUEST_ABSENT:
  case GODWIT_GUEST_UNKNOWN:
  default:
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-state", guest->name,
                       "ask the hypervisor of that host why", "the state of %s on %s is %s",
                       guest->name, host, state);
  }
}

static void
check_obstacles (const GodwitGuest *guest, const char *host, GodwitReport *report)
{
  if (guest->busy != NULL)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-busy", guest->name,
                       "wait until that has ended, or end it, then try again",
                       "%s is busy on %s: %s", guest->name, host, guest->busy);
  if (guest->snapshots > 0)
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-snapshots", guest->name,
                       "delete the snapshots, or merge them into the disks",
                       "%s has %u snapshot%s: they cannot move with it", guest->name,
                       guest->snapshots, guest->snapshots == 1 ? "" : "s");
  if (guest->passthrough != NULL && guest->passthrough[0] != NULL) {
    g_autofree char *devices = g_strjoinv (", ", guest->passthrough);
    godwit_report_add (report, GODWIT_SEVERITY_BLOCKER, "guest-passthrough", guest->name,
                       "detach them from the guest", "%s uses devices of %s that cannot move: %s",
                       guest->name, host, devices);
  }
}

gboolean
godwit_plan_describe_guest (GodwitJob *job, GodwitReport *report, GCancellable *cancellable,
                            GError **error)
{
  GodwitJobRecord *record = godwit_job_get_record (job);
  GodwitHypervisor *hypervisor = godwit_job_get_source_hypervisor (job);
  g_autoptr (GError) local_error = NULL;

  if (hypervisor == NULL)
    return FALSE;
  /* A job that carries a guest back knows its UUID; others know what was typed. */
  const char *name = record->of_job != NULL ? record->uuid : record->guest;
  GodwitGuest *guest =
      godwit_hypervisor_describe_guest (hypervisor, name, cancellable, &local_error);
  if (guest == NULL) {
    if (g_error_matches (local_error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND))
      report_missing (job, record->guest, report, cancellable);
    else
      godwit_report_add_error (report, "guest-exists", record->guest, local_error);
    return FALSE;
  }
  const char *host = godwit_host_get_name (godwit_job_get_source (job));
  check_state (guest, host, report);
  check_obstacles (guest, host, report);
  return godwit_job_set_guest (job, guest, error);
}
