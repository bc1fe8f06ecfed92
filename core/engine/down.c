/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine-private.h"

#include "guest/past.h"

#include <godwit/error.h>

#define ASK_DEADLINE_S 60

/* What a job says in the end of a guest that ran when it began and is down now. */

gboolean
godwit_engine_has_ended_there (GodwitEngine *self)
{
  GCancellable *cancellable =
      godwit_watchdog_begin (self->watchdog, "asking whether the guest is down", ASK_DEADLINE_S,
                             NULL);
  gboolean ended = godwit_guest_has_ended_there (self->job, cancellable);
  godwit_watchdog_end (self->watchdog);
  /* Whoever started it may end it again, which is no business of this job's. */
  if (!ended)
    godwit_guest_forget_ended_there (self->job, NULL);
  return ended;
}

void
godwit_engine_describe_left (GodwitEngine *self, gboolean ended)
{
  g_autofree char *owed = godwit_engine_list_owed (self);
  const char *name = godwit_engine_get_host_name (self, FALSE);
  g_autoptr (GString) text = g_string_new ("the guest has moved, but ");
  g_autoptr (GString) remedy = g_string_new (NULL);
  if (owed == NULL && !ended)
    return;
  if (ended) {
    g_string_append_printf (text,
                            "it has ended on %s since, and what was in its memory is lost; its "
                            "disks there are the newest",
                            name);
    g_string_append_printf (remedy, "start %s on %s", self->record->guest, name);
  }
  if (owed != NULL) {
    g_string_append_printf (text, "%sclean-up is owed: %s", ended ? "; " : "", owed);
    g_string_append_printf (remedy, "%sgodwit recover %s", ended ? ", then: " : "",
                            self->record->id);
  }
  godwit_engine_set_error (self, GODWIT_ERROR_TRANSIENT, remedy->str, text->str);
}

static GodwitGuestEnd
ask_end (GodwitEngine *self)
{
  GodwitHypervisor *home = godwit_engine_get_hypervisor (self, TRUE);
  GodwitGuestEnd end = GODWIT_END_UNKNOWN;
  if (home == NULL)
    return GODWIT_END_UNKNOWN;
  GCancellable *cancellable =
      godwit_watchdog_begin (self->watchdog, "asking how the guest ended", ASK_DEADLINE_S, NULL);
  if (!godwit_hypervisor_get_end (home, self->record->uuid, &end, cancellable, NULL))
    end = GODWIT_END_UNKNOWN;
  godwit_watchdog_end (self->watchdog);
  return end;
}

char *
godwit_engine_describe_down_at_home (GodwitEngine *self, GString *text)
{
  const GodwitView *view = &self->view;
  const GodwitGuest *guest = godwit_job_get_guest (self->job);
  if (guest == NULL || guest->state != GODWIT_GUEST_RUNNING ||
      (view->home != GODWIT_GUEST_SHUT_OFF && view->home != GODWIT_GUEST_CRASHED) ||
      !godwit_guest_state_is_down (view->target))
    return NULL;
  GodwitGuestEnd end = ask_end (self);
  if (end == GODWIT_END_MIGRATED)
    g_string_append (text, ", and what was in its memory is lost");
  /* Somebody wanted it to end. */
  if (end == GODWIT_END_SHUT_DOWN || end == GODWIT_END_DESTROYED)
    return NULL;
  return g_strdup_printf ("start %s on %s", self->record->guest,
                          godwit_engine_get_host_name (self, TRUE));
}
