/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contracts/contracts.h"

#include <godwit/error.h>
#include <godwit/transport.h>

G_DEFINE_INTERFACE (GodwitTransport, godwit_transport, G_TYPE_OBJECT)

#define SLOT(member) #member, G_STRUCT_OFFSET(GodwitTransportInterface, member)

const GodwitContractSlot godwit_transport_required[] = {
    {SLOT (get_flags)},
    {SLOT (get_command)},
    {NULL},
};

static gboolean
fallback_claims (GodwitTransport *self, const char *name)
{
  return FALSE;
}

static void
fallback_explain (GodwitTransport *self, int status, const char *printed, GError **error)
{
  g_autofree char *text = g_strstrip (g_strdup (printed != NULL ? printed : ""));
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL,
                    "the channel's command ended with status %d%s%s", status,
                    *text != '\0' ? " and printed: " : " and printed nothing", text);
}

static gboolean
fallback_pair (GodwitTransport *self, GodwitTransport *from, const char *const *remote,
               GCancellable *cancellable, GError **error)
{
  godwit_contract_set_unsupported (self, "pair", error);
  return FALSE;
}

static gboolean
fallback_is_paired (GodwitTransport *self, GodwitTransport *from, GCancellable *cancellable)
{
  return FALSE;
}

static void
godwit_transport_default_init (GodwitTransportInterface *iface)
{
  iface->claims = fallback_claims;
  iface->explain = fallback_explain;
  iface->pair = fallback_pair;
  iface->is_paired = fallback_is_paired;
}

GodwitTransportFlags
godwit_transport_get_flags (GodwitTransport *self)
{
  g_return_val_if_fail (GODWIT_IS_TRANSPORT (self), 0);
  return GODWIT_TRANSPORT_GET_IFACE (self)->get_flags (self);
}

gboolean
godwit_transport_claims (GodwitTransport *self, const char *name)
{
  g_return_val_if_fail (GODWIT_IS_TRANSPORT (self), FALSE);
  return GODWIT_TRANSPORT_GET_IFACE (self)->claims (self, name);
}

GStrv
godwit_transport_get_command (GodwitTransport *self, GodwitRoute route, const char *session,
                              const char *const *remote, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_TRANSPORT (self), NULL);
  GStrv result =
      GODWIT_TRANSPORT_GET_IFACE (self)->get_command (self, route, session, remote, error);
  godwit_contract_result (self, "get_command", result != NULL, error);
  return result;
}

void
godwit_transport_explain (GodwitTransport *self, int status, const char *printed, GError **error)
{
  g_return_if_fail (GODWIT_IS_TRANSPORT (self));
  GODWIT_TRANSPORT_GET_IFACE (self)->explain (self, status, printed, error);
  godwit_contract_result (self, "explain", FALSE, error);
}

gboolean
godwit_transport_pair (GodwitTransport *self, GodwitTransport *from, const char *const *remote,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_TRANSPORT (self), FALSE);
  gboolean result =
      GODWIT_TRANSPORT_GET_IFACE (self)->pair (self, from, remote, cancellable, error);
  godwit_contract_result (self, "pair", result, error);
  return result;
}

gboolean
godwit_transport_is_paired (GodwitTransport *self, GodwitTransport *from, GCancellable *cancellable)
{
  g_return_val_if_fail (GODWIT_IS_TRANSPORT (self), FALSE);
  return GODWIT_TRANSPORT_GET_IFACE (self)->is_paired (self, from, cancellable);
}
