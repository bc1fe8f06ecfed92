/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/error.h>
#include <godwit/hypervisor.h>
#include <godwit/live.h>

static gboolean
need (gpointer hypervisor, const char *where, GError **error)
{
  if (hypervisor != NULL)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "godwit hosts",
                    "the %s host cannot be reached", where);
  return FALSE;
}

gboolean
godwit_guest_define_destination (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *hypervisor = godwit_job_get_destination_hypervisor (job);

  if (!guest->persistent)
    return TRUE;
  if (!need (hypervisor, "destination", error))
    return FALSE;
  g_autofree char *definition =
      godwit_hypervisor_adapt_definition (hypervisor, job, guest, FALSE, cancellable, error);
  return definition != NULL &&
         godwit_hypervisor_define (hypervisor, definition, guest->autostart, cancellable, error);
}

/* A guest that merely vanished from the source has not arrived: the destination must say so. */
static gboolean
check_arrived (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *hypervisor = godwit_job_get_destination_hypervisor (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean persistent = FALSE;

  if (!need (hypervisor, "destination", error) ||
      !godwit_hypervisor_get_state (hypervisor, guest->uuid, &state, &persistent, cancellable,
                                    error))
    return FALSE;
  if (persistent && state != GODWIT_GUEST_ABSENT)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_BUSY, "godwit recover",
                    "the definition of %s at the source is kept: at %s the guest is %s%s",
                    guest->name, godwit_host_get_name (godwit_job_get_destination (job)),
                    godwit_guest_state_to_string (state), persistent ? "" : " and not defined");
  return FALSE;
}

gboolean
godwit_guest_undefine_source (GodwitJob *job, GCancellable *cancellable, GError **error)
{
  GodwitGuest *guest = godwit_job_get_guest (job);
  GodwitHypervisor *hypervisor = godwit_job_get_source_hypervisor (job);
  GodwitGuestState state = GODWIT_GUEST_UNKNOWN;
  gboolean persistent = FALSE;

  if (!guest->persistent)
    return TRUE;
  if (!need (hypervisor, "source", error) || !check_arrived (job, cancellable, error))
    return FALSE;
  if (!godwit_hypervisor_get_state (hypervisor, guest->uuid, &state, &persistent, cancellable,
                                    error))
    return FALSE;
  if (state == GODWIT_GUEST_RUNNING || state == GODWIT_GUEST_PAUSED) {
    godwit_set_error (error, GODWIT_ERROR_IN_DOUBT, "look at both hosts before anything else",
                      "%s is %s at the source though it has moved: somebody started it there",
                      guest->name, godwit_guest_state_to_string (state));
    return FALSE;
  }
  return godwit_hypervisor_undefine (hypervisor, guest->uuid, cancellable, error);
}
