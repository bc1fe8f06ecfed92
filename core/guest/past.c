/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/past.h"

#include "journal/journal.h"

#include <godwit/hypervisor.h>

/* When the answer to the last call of a migration is lost, both sides may have the guest for a
 * while: complete and paused at the destination, running again at the source. If it then ends at
 * the source, what is left looks like a migration that got through, and to resume it would be to
 * run old memory on newer disks. */

#define FACT_RAN_ON "guest.ran-on"
#define FACT_ENDED  "guest.ended-there"

gboolean
godwit_guest_note_ran_on (GodwitJob *job, GError **error)
{
  return godwit_job_set_fact (job, FACT_RAN_ON, g_variant_new_boolean (TRUE), error);
}

GodwitPast
godwit_guest_get_past (GodwitJob *job)
{
  g_autoptr (GVariant) ran_on = godwit_job_get_fact (job, FACT_RAN_ON);
  GodwitHypervisor *source = godwit_job_get_source_hypervisor (job);
  const GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitGuestEnd end = GODWIT_END_UNKNOWN;
  if (ran_on != NULL)
    return GODWIT_PAST_RAN_ON;
  if (source != NULL && guest != NULL &&
      !godwit_hypervisor_get_end (source, guest->uuid, &end, NULL, NULL))
    end = GODWIT_END_UNKNOWN;
  /* A shutdown may be the guest's own, or its host's while it stood still. */
  if (end == GODWIT_END_SHUT_DOWN || end == GODWIT_END_DESTROYED)
    return GODWIT_PAST_ENDED;
  g_autoptr (GVariant) taken_over = godwit_job_get_fact (job, GODWIT_FACT_TAKEN_OVER);
  return taken_over != NULL && end != GODWIT_END_MIGRATED ? GODWIT_PAST_OLD_COPY
                                                          : GODWIT_PAST_UNKNOWN;
}

gboolean
godwit_guest_note_ended_there (GodwitJob *job, GError **error)
{
  return godwit_job_set_fact (job, FACT_ENDED, g_variant_new_boolean (TRUE), error);
}

gboolean
godwit_guest_forget_ended_there (GodwitJob *job, GError **error)
{
  return godwit_job_set_fact (job, FACT_ENDED, NULL, error);
}

gboolean
godwit_guest_was_noted_ended_there (GodwitJob *job)
{
  g_autoptr (GVariant) noted = godwit_job_get_fact (job, FACT_ENDED);
  return noted != NULL;
}

/* One that was defined there and is not known any more has been moved on, or was given up. */
static gboolean
is_down_still (const GodwitGuest *guest, GodwitGuestState state)
{
  return godwit_guest_state_is_down (state) && (state != GODWIT_GUEST_ABSENT || !guest->persistent);
}

gboolean
godwit_guest_has_ended_there (GodwitJob *job, GCancellable *cancellable)
{
  GodwitHypervisor *destination = godwit_job_get_destination_hypervisor (job);
  const GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;

  if (!godwit_guest_was_noted_ended_there (job))
    return FALSE;
  if (destination == NULL || guest == NULL ||
      !godwit_hypervisor_get_state (destination, guest->uuid, &state, NULL, cancellable, NULL))
    return TRUE;
  return is_down_still (guest, state);
}
