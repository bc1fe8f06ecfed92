/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contracts/contracts.h"

#include <godwit/error.h>
#include <godwit/hypervisor.h>

G_DEFINE_INTERFACE (GodwitHypervisor, godwit_hypervisor, G_TYPE_OBJECT)

#define SLOT(member) #member, G_STRUCT_OFFSET(GodwitHypervisorInterface, member)

const GodwitContractSlot godwit_hypervisor_required[] = {
    {SLOT (connect)},
    {SLOT (get_facts)},
    {SLOT (list_guests)},
    {SLOT (describe_guest)},
    {SLOT (check_guest)},
    {SLOT (adapt_definition)},
    {SLOT (get_state)},
    {SLOT (define)},
    {SLOT (undefine)},
    {SLOT (start)},
    {SLOT (shut_down)},
    {SLOT (destroy)},
    {SLOT (suspend)},
    {SLOT (resume)},
    {SLOT (live_wait), G_STRUCT_OFFSET (GodwitHypervisorInterface, live_begin)},
    {SLOT (live_abort), G_STRUCT_OFFSET (GodwitHypervisorInterface, live_begin)},
    {SLOT (live_finish), G_STRUCT_OFFSET (GodwitHypervisorInterface, live_begin)},
    {NULL},
};

static gboolean
fallback_claims (GodwitHypervisor *self, const char *name, char **address)
{
  *address = NULL;
  return FALSE;
}

static gboolean
fallback_start_paused (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                       GError **error)
{
  godwit_contract_set_unsupported (self, "start_paused", error);
  return FALSE;
}

static char *
fallback_get_pid_file (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                       GError **error)
{
  godwit_contract_set_unsupported (self, "get_pid_file", error);
  return NULL;
}

static GObject *
fallback_live_begin (GodwitHypervisor *self, GodwitHypervisor *destination, GodwitGuest *guest,
                     const GodwitLiveParams *params, GCancellable *cancellable, GError **error)
{
  godwit_contract_set_unsupported (self, "live_begin", error);
  return NULL;
}

static gboolean
fallback_live_wait (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                    GodwitLiveStatus *status, GError **error)
{
  godwit_contract_set_unsupported (self, "live_wait", error);
  return FALSE;
}

static gboolean
fallback_live_set_downtime (GodwitHypervisor *self, GObject *live, guint downtime_ms,
                            GError **error)
{
  godwit_contract_set_unsupported (self, "live_set_downtime", error);
  return FALSE;
}

static gboolean
fallback_live_abort (GodwitHypervisor *self, GObject *live, GError **error)
{
  godwit_contract_set_unsupported (self, "live_abort", error);
  return FALSE;
}

static gboolean
fallback_live_finish (GodwitHypervisor *self, GObject *live, guint timeout_ms, GError **error)
{
  godwit_contract_set_unsupported (self, "live_finish", error);
  return FALSE;
}

static char *
fallback_get_export (GodwitHypervisor *self, GodwitGuest *guest, const char *target, GError **error)
{
  godwit_contract_set_unsupported (self, "get_export", error);
  return NULL;
}

static gboolean
fallback_get_written (GodwitHypervisor *self, const char *uuid, guint64 *bytes,
                      GCancellable *cancellable, GError **error)
{
  godwit_contract_set_unsupported (self, "get_written", error);
  return FALSE;
}

static gboolean
fallback_set_autostart (GodwitHypervisor *self, const char *uuid, gboolean on,
                        GCancellable *cancellable, GError **error)
{
  godwit_contract_set_unsupported (self, "set_autostart", error);
  return FALSE;
}

static gboolean
fallback_get_end (GodwitHypervisor *self, const char *uuid, GodwitGuestEnd *end,
                  GCancellable *cancellable, GError **error)
{
  *end = GODWIT_END_UNKNOWN;
  return TRUE;
}

static void
godwit_hypervisor_default_init (GodwitHypervisorInterface *iface)
{
  iface->claims = fallback_claims;
  iface->start_paused = fallback_start_paused;
  iface->get_pid_file = fallback_get_pid_file;
  iface->live_begin = fallback_live_begin;
  iface->live_wait = fallback_live_wait;
  iface->live_set_downtime = fallback_live_set_downtime;
  iface->live_abort = fallback_live_abort;
  iface->live_finish = fallback_live_finish;
  iface->get_written = fallback_get_written;
  iface->set_autostart = fallback_set_autostart;
  iface->get_end = fallback_get_end;
  iface->get_export = fallback_get_export;
}

gboolean
godwit_hypervisor_claims (GodwitHypervisor *self, const char *name, char **address)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  *address = NULL;
  return GODWIT_HYPERVISOR_GET_IFACE (self)->claims (self, name, address);
}

gboolean
godwit_hypervisor_connect (GodwitHypervisor *self, GodwitHost *host, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->connect (self, host, cancellable, error);
  godwit_contract_result (self, "connect", result, error);
  return result;
}

GodwitHostFacts *
godwit_hypervisor_get_facts (GodwitHypervisor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  GodwitHostFacts *result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->get_facts (self, cancellable, error);
  godwit_contract_result (self, "get_facts", result != NULL, error);
  return result;
}

GStrv
godwit_hypervisor_list_guests (GodwitHypervisor *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  GStrv result = GODWIT_HYPERVISOR_GET_IFACE (self)->list_guests (self, cancellable, error);
  godwit_contract_result (self, "list_guests", result != NULL, error);
  return result;
}

GodwitGuest *
godwit_hypervisor_describe_guest (GodwitHypervisor *self, const char *name,
                                  GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  GodwitGuest *result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->describe_guest (self, name, cancellable, error);
  godwit_contract_result (self, "describe_guest", result != NULL, error);
  return result;
}

gboolean
godwit_hypervisor_check_guest (GodwitHypervisor *self, GodwitJob *job, GodwitGuest *guest,
                               GodwitReport *report, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->check_guest (self, job, guest, report,
                                                                     cancellable, error);
  godwit_contract_result (self, "check_guest", result, error);
  return result;
}

char *
godwit_hypervisor_adapt_definition (GodwitHypervisor *self, GodwitJob *job, GodwitGuest *guest,
                                    gboolean live, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  char *result = GODWIT_HYPERVISOR_GET_IFACE (self)->adapt_definition (self, job, guest, live,
                                                                       cancellable, error);
  godwit_contract_result (self, "adapt_definition", result != NULL, error);
  return result;
}

gboolean
godwit_hypervisor_get_state (GodwitHypervisor *self, const char *uuid, GodwitGuestState *state,
                             gboolean *persistent, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->get_state (self, uuid, state, persistent,
                                                                   cancellable, error);
  godwit_contract_result (self, "get_state", result, error);
  return result;
}

gboolean
godwit_hypervisor_define (GodwitHypervisor *self, const char *definition, gboolean autostart,
                          GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->define (self, definition, autostart, cancellable, error);
  godwit_contract_result (self, "define", result, error);
  return result;
}

gboolean
godwit_hypervisor_undefine (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                            GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->undefine (self, uuid, cancellable, error);
  godwit_contract_result (self, "undefine", result, error);
  return result;
}

gboolean
godwit_hypervisor_start (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->start (self, uuid, cancellable, error);
  godwit_contract_result (self, "start", result, error);
  return result;
}

gboolean
godwit_hypervisor_start_paused (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                                GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->start_paused (self, uuid, cancellable, error);
  godwit_contract_result (self, "start_paused", result, error);
  return result;
}

gboolean
godwit_hypervisor_shut_down (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                             GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->shut_down (self, uuid, cancellable, error);
  godwit_contract_result (self, "shut_down", result, error);
  return result;
}

gboolean
godwit_hypervisor_destroy (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->destroy (self, uuid, cancellable, error);
  godwit_contract_result (self, "destroy", result, error);
  return result;
}

gboolean
godwit_hypervisor_suspend (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->suspend (self, uuid, cancellable, error);
  godwit_contract_result (self, "suspend", result, error);
  return result;
}

gboolean
godwit_hypervisor_resume (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                          GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->resume (self, uuid, cancellable, error);
  godwit_contract_result (self, "resume", result, error);
  return result;
}

char *
godwit_hypervisor_get_pid_file (GodwitHypervisor *self, const char *uuid, GCancellable *cancellable,
                                GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  char *result = GODWIT_HYPERVISOR_GET_IFACE (self)->get_pid_file (self, uuid, cancellable, error);
  godwit_contract_result (self, "get_pid_file", result != NULL, error);
  return result;
}

GObject *
godwit_hypervisor_live_begin (GodwitHypervisor *self, GodwitHypervisor *destination,
                              GodwitGuest *guest, const GodwitLiveParams *params,
                              GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  GObject *result = GODWIT_HYPERVISOR_GET_IFACE (self)->live_begin (self, destination, guest,
                                                                    params, cancellable, error);
  godwit_contract_result (self, "live_begin", result != NULL, error);
  return result;
}

gboolean
godwit_hypervisor_live_wait (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                             GodwitLiveStatus *status, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->live_wait (self, live, timeout_ms, status, error);
  godwit_contract_result (self, "live_wait", result, error);
  return result;
}

gboolean
godwit_hypervisor_live_set_downtime (GodwitHypervisor *self, GObject *live, guint downtime_ms,
                                     GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->live_set_downtime (self, live, downtime_ms, error);
  godwit_contract_result (self, "live_set_downtime", result, error);
  return result;
}

gboolean
godwit_hypervisor_live_abort (GodwitHypervisor *self, GObject *live, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->live_abort (self, live, error);
  godwit_contract_result (self, "live_abort", result, error);
  return result;
}

gboolean
godwit_hypervisor_live_finish (GodwitHypervisor *self, GObject *live, guint timeout_ms,
                               GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result = GODWIT_HYPERVISOR_GET_IFACE (self)->live_finish (self, live, timeout_ms, error);
  godwit_contract_result (self, "live_finish", result, error);
  return result;
}

gboolean
godwit_hypervisor_get_written (GodwitHypervisor *self, const char *uuid, guint64 *bytes,
                               GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->get_written (self, uuid, bytes, cancellable, error);
  godwit_contract_result (self, "get_written", result, error);
  return result;
}

gboolean
godwit_hypervisor_set_autostart (GodwitHypervisor *self, const char *uuid, gboolean on,
                                 GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->set_autostart (self, uuid, on, cancellable, error);
  godwit_contract_result (self, "set_autostart", result, error);
  return result;
}

gboolean
godwit_hypervisor_get_end (GodwitHypervisor *self, const char *uuid, GodwitGuestEnd *end,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), FALSE);
  *end = GODWIT_END_UNKNOWN;
  gboolean result =
      GODWIT_HYPERVISOR_GET_IFACE (self)->get_end (self, uuid, end, cancellable, error);
  godwit_contract_result (self, "get_end", result, error);
  return result;
}

char *
godwit_hypervisor_get_export (GodwitHypervisor *self, GodwitGuest *guest, const char *target,
                              GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HYPERVISOR (self), NULL);
  char *result = GODWIT_HYPERVISOR_GET_IFACE (self)->get_export (self, guest, target, error);
  godwit_contract_result (self, "get_export", result != NULL, error);
  return result;
}

void
godwit_host_facts_free (GodwitHostFacts *facts)
{
  if (facts == NULL)
    return;
  g_free (facts->uuid);
  g_free (facts->hostname);
  g_free (facts->version);
  g_free (facts->security);
  g_free (facts);
}
