/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include <godwit/error.h>

#include <string.h>

#define LOOK_DEADLINE_S 60
#define MAX_LOOKS       10
/* How long a host that does not answer is given to come back. */
#define PATIENCE_S 20

/* What a person has said of a host counts only while the host does not speak for itself. */
static GodwitGuestState
believe (GodwitEngine *self, gboolean home, char **why)
{
  const char *fact =
      godwit_engine_is_source (self, home) ? GODWIT_FACT_SOURCE_OFF : GODWIT_FACT_DESTINATION_OFF;
  g_autoptr (GVariant) said = godwit_job_get_fact (self->job, fact);
  if (said == NULL || !g_variant_is_of_type (said, G_VARIANT_TYPE_STRING))
    return GODWIT_GUEST_UNKNOWN;
  g_free (*why);
  *why = g_strdup_printf ("off, says %s", g_variant_get_string (said, NULL));
  return GODWIT_GUEST_ABSENT;
}

/* It is on again, so what was said holds no longer, and must not be believed at the next outage. */
static void
disprove (GodwitEngine *self, gboolean home)
{
  const char *fact =
      godwit_engine_is_source (self, home) ? GODWIT_FACT_SOURCE_OFF : GODWIT_FACT_DESTINATION_OFF;
  g_autoptr (GVariant) said = godwit_job_get_fact (self->job, fact);
  if (said == NULL)
    return;
  godwit_job_log (self->job, GODWIT_SEVERITY_WARNING, godwit_engine_get_host_name (self, home),
                  "this host was said to be off, and it is not");
  godwit_job_set_fact (self->job, fact, NULL, NULL);
}

static GodwitGuestState
ask_host (GodwitEngine *self, gboolean home, char **why)
{
  g_clear_pointer (why, g_free);
  GodwitHypervisor *hypervisor = godwit_engine_get_hypervisor (self, home);
  const char *uuid = self->record->uuid;
  if (hypervisor == NULL || uuid == NULL) {
    *why = g_strdup (uuid == NULL ? "the guest is not known yet" : "the host was not reached");
    return GODWIT_GUEST_UNKNOWN;
  }
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  g_autoptr (GError) error = NULL;
  g_autofree char *what =
      g_strdup_printf ("asking %s for the guest", godwit_engine_get_host_name (self, home));
  GCancellable *cancellable = godwit_watchdog_begin (self->watchdog, what, LOOK_DEADLINE_S, NULL);
  gboolean ok = godwit_hypervisor_get_state (hypervisor, uuid, &state, NULL, cancellable, &error);
  godwit_watchdog_end (self->watchdog);
  if (ok && state != GODWIT_GUEST_UNKNOWN)
    return state;
  *why = error != NULL ? godwit_error_dup_message (error) : g_strdup ("it gave no answer");
  return GODWIT_GUEST_UNKNOWN;
}

static GodwitGuestState
ask (GodwitEngine *self, gboolean home, char **why)
{
  GodwitGuestState state = ask_host (self, home, why);
  /* A host that can be reached is not off, even if its hypervisor does not answer. */
  GodwitHost *host = godwit_engine_is_source (self, home) ? godwit_job_get_source (self->job)
                                                          : godwit_job_get_destination (self->job);
  if (state == GODWIT_GUEST_UNKNOWN && host == NULL &&
      godwit_engine_get_hypervisor (self, home) == NULL)
    return believe (self, home, why);
  disprove (self, home);
  return state;
}

gboolean
godwit_engine_is_off (GodwitEngine *self, gboolean home)
{
  return home ? self->view.home == GODWIT_GUEST_ABSENT && self->view.home_why != NULL
              : self->view.target == GODWIT_GUEST_ABSENT && self->view.target_why != NULL;
}

gboolean
godwit_engine_hears_hosts (GodwitEngine *self)
{
  GodwitHost *source = godwit_job_get_source (self->job);
  GodwitHost *destination = godwit_job_get_destination (self->job);
  return (source == NULL || godwit_host_check_heard (source, NULL)) &&
         (destination == NULL || godwit_host_check_heard (destination, NULL));
}

static gboolean
is_answered (const GodwitView *view)
{
  return view->home != GODWIT_GUEST_UNKNOWN && view->target != GODWIT_GUEST_UNKNOWN;
}

/* Nothing that is still under way can make another picture of this one: no memory has moved yet, or
 * all of it has and the old home is empty. Then the guest does not have to wait for a second look.
 */
static gboolean
is_final (GodwitEngine *self)
{
  const GodwitView *view = &self->view;
  GodwitPosition position = godwit_engine_get_position (self);
  if (position < GODWIT_POSITION_MOVING)
    return TRUE;
  return position == GODWIT_POSITION_COMMITTED && godwit_guest_state_is_down (view->home) &&
         (view->target == GODWIT_GUEST_RUNNING || view->target == GODWIT_GUEST_PAUSED);
}

static void
look (GodwitEngine *self)
{
  GodwitView *view = &self->view;
  view->home = ask (self, TRUE, &view->home_why);
  view->target = ask (self, FALSE, &view->target_why);
  gint64 patient_until = g_get_monotonic_time () + PATIENCE_S * G_USEC_PER_SEC;
  for (guint i = 0; i < MAX_LOOKS; i++) {
    gboolean answered = is_answered (view);
    gboolean reachable = godwit_engine_get_hypervisor (self, TRUE) != NULL &&
                         godwit_engine_get_hypervisor (self, FALSE) != NULL;
    if (!answered && (!reachable || self->is_impatient || g_get_monotonic_time () > patient_until))
      break;
    if (answered && is_final (self))
      break;
    godwit_engine_pause (self, 1);
    GodwitGuestState home = ask (self, TRUE, &view->home_why);
    GodwitGuestState target = ask (self, FALSE, &view->target_why);
    gboolean steady = home == view->home && target == view->target;
    view->home = home;
    view->target = target;
    if (steady && answered)
      break;
  }
  self->is_impatient = !is_answered (view);
  /* While one host kept us waiting, what the other one had said grew old. */
  if (self->is_impatient && view->home != GODWIT_GUEST_UNKNOWN)
    view->home = ask (self, TRUE, &view->home_why);
  if (self->is_impatient && view->target != GODWIT_GUEST_UNKNOWN)
    view->target = ask (self, FALSE, &view->target_why);
}

static void
ask_past (GodwitEngine *self)
{
  GodwitView *view = &self->view;
  view->past = godwit_guest_state_is_down (view->home) &&
                       godwit_engine_get_position (self) == GODWIT_POSITION_MOVING
                   ? godwit_guest_get_past (self->job)
                   : GODWIT_PAST_UNKNOWN;
}

/* Two answers are no picture while a migration still runs or is being aborted: they are asked
 * again until they have stood still. A host that does not answer gets some time to come back, but
 * not the same time again for each step that is undone. */
void
godwit_engine_look (GodwitEngine *self)
{
  look (self);
  ask_past (self);
}

static char *
describe_one (GodwitGuestState state, const char *host, const char *why)
{
  switch (state) {
  case GODWIT_GUEST_ABSENT:
    return g_strdup_printf ("is not on %s%s%s%s", host, why != NULL ? " (" : "",
                            why != NULL ? why : "", why != NULL ? ")" : "");
  case GODWIT_GUEST_SHUT_OFF:
    return g_strdup_printf ("is shut off on %s", host);
  case GODWIT_GUEST_RUNNING:
    return g_strdup_printf ("runs on %s", host);
  case GODWIT_GUEST_PAUSED:
    return g_strdup_printf ("is paused on %s", host);
  case GODWIT_GUEST_PAUSED_MIGRATION:
    return g_strdup_printf ("is paused by a migration on %s", host);
  case GODWIT_GUEST_SHUTTING_DOWN:
    return g_strdup_printf ("is shutting down on %s", host);
  case GODWIT_GUEST_CRASHED:
    return g_strdup_printf ("has crashed on %s", host);
  case GODWIT_GUEST_UNKNOWN:
    break;
  }
  return g_strdup_printf ("may be on %s, which could not be asked (%s)", host,
                          why != NULL ? why : "no answer");
}

char *
godwit_engine_describe (GodwitEngine *self)
{
  const GodwitView *view = &self->view;
  g_autofree char *home =
      describe_one (view->home, godwit_engine_get_host_name (self, TRUE), view->home_why);
  g_autofree char *target =
      describe_one (view->target, godwit_engine_get_host_name (self, FALSE), view->target_why);
  /* Where it runs is what an operator looks for first. */
  gboolean target_first =
      view->target == GODWIT_GUEST_RUNNING && view->home != GODWIT_GUEST_RUNNING;
  return g_strdup_printf ("guest %s %s and %s", self->record->guest, target_first ? target : home,
                          target_first ? home : target);
}
