/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include <libvirt/virterror.h>

static GodwitGuestState
paused_from_libvirt (int reason)
{
  switch (reason) {
  case VIR_DOMAIN_PAUSED_MIGRATION:
  case VIR_DOMAIN_PAUSED_STARTING_UP:
  case VIR_DOMAIN_PAUSED_POSTCOPY:
  case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
    return GODWIT_GUEST_PAUSED_MIGRATION;
  case VIR_DOMAIN_PAUSED_SHUTTING_DOWN:
    return GODWIT_GUEST_SHUTTING_DOWN;
  case VIR_DOMAIN_PAUSED_CRASHED:
    return GODWIT_GUEST_CRASHED;
  default:
    return GODWIT_GUEST_PAUSED;
  }
}

GodwitGuestState
lv_state_from_libvirt (int state, int reason)
{
  switch (state) {
  case VIR_DOMAIN_RUNNING:
  case VIR_DOMAIN_BLOCKED:
    return GODWIT_GUEST_RUNNING;
  case VIR_DOMAIN_PAUSED:
    return paused_from_libvirt (reason);
  case VIR_DOMAIN_SHUTDOWN:
    return GODWIT_GUEST_SHUTTING_DOWN;
  case VIR_DOMAIN_SHUTOFF:
    return reason == VIR_DOMAIN_SHUTOFF_CRASHED ? GODWIT_GUEST_CRASHED : GODWIT_GUEST_SHUT_OFF;
  case VIR_DOMAIN_CRASHED:
    return GODWIT_GUEST_CRASHED;
  case VIR_DOMAIN_PMSUSPENDED:
    /* Its process lives and its vCPUs stand; describe_guest says that it cannot move so. */
    return GODWIT_GUEST_PAUSED;
  default:
    return GODWIT_GUEST_UNKNOWN;
  }
}

/* Asks @domain, which the host may have forgotten since it was found. */
static gboolean
ask_state (virDomainPtr domain, GodwitGuestState *state)
{
  int number = 0;
  int reason = 0;

  *state = GODWIT_GUEST_UNKNOWN;
  if (domain != NULL && virDomainGetState (domain, &number, &reason, 0) == 0)
    *state = lv_state_from_libvirt (number, reason);
  else if (lv_last_error_code () == VIR_ERR_NO_DOMAIN)
    *state = GODWIT_GUEST_ABSENT;
  else
    return FALSE;
  return TRUE;
}

gboolean
lv_read_state (virConnectPtr connection, const char *uuid, GodwitGuestState *state)
{
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (connection, uuid);

  return ask_state (domain, state);
}

gboolean
lv_get_state (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestState *state,
              gboolean *persistent, GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, cancellable, error);
  int answer = 0;

  *state = GODWIT_GUEST_UNKNOWN;
  if (persistent != NULL)
    *persistent = FALSE;
  if (session == NULL)
    return FALSE;
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (session->connection, uuid);
  if (!ask_state (domain, state)) {
    lv_set_error (error, self->host_name, "cannot ask for the state of guest %s", uuid);
    return FALSE;
  }
  if (persistent == NULL || *state == GODWIT_GUEST_ABSENT)
    return TRUE;
  answer = virDomainIsPersistent (domain);
  if (answer >= 0) {
    *persistent = answer == 1;
    return TRUE;
  }
  /* A transient guest may end between the two questions. */
  if (lv_last_error_code () == VIR_ERR_NO_DOMAIN) {
    *state = GODWIT_GUEST_ABSENT;
    return TRUE;
  }
  lv_set_error (error, self->host_name, "cannot ask for the definition of guest %s", uuid);
  *state = GODWIT_GUEST_UNKNOWN;
  return FALSE;
}

static GodwitGuestEnd
end_from_libvirt (int reason)
{
  switch (reason) {
  case VIR_DOMAIN_SHUTOFF_MIGRATED:
    return GODWIT_END_MIGRATED;
  case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
    return GODWIT_END_SHUT_DOWN;
  case VIR_DOMAIN_SHUTOFF_DESTROYED:
    return GODWIT_END_DESTROYED;
  case VIR_DOMAIN_SHUTOFF_CRASHED:
  case VIR_DOMAIN_SHUTOFF_FAILED:
    return GODWIT_END_CRASHED;
  default:
    /* A daemon that was started anew does not know of before. */
    return GODWIT_END_UNKNOWN;
  }
}

gboolean
lv_get_end (GodwitHypervisor *hypervisor, const char *uuid, GodwitGuestEnd *end,
            GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, cancellable, error);
  int number = 0;
  int reason = 0;

  *end = GODWIT_END_UNKNOWN;
  if (session == NULL)
    return FALSE;
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (session->connection, uuid);
  if (domain != NULL && virDomainGetState (domain, &number, &reason, 0) == 0) {
    if (number == VIR_DOMAIN_SHUTOFF)
      *end = end_from_libvirt (reason);
    return TRUE;
  }
  if (lv_last_error_code () == VIR_ERR_NO_DOMAIN)
    return TRUE;
  lv_set_error (error, self->host_name, "cannot ask how guest %s ended", uuid);
  return FALSE;
}
