/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contracts/contracts.h"

#include <godwit/error.h>
#include <godwit/hypervisor.h>
#include <godwit/image-source.h>
#include <godwit/storage.h>
#include <godwit/strategy.h>
#include <godwit/transport.h>

const GodwitContract *
godwit_contracts_get (void)
{
  static const GodwitContract contracts[] = {
      {"strategy", "strategy", godwit_strategy_get_type, godwit_strategy_required},
      {"transport", "transport", godwit_transport_get_type, godwit_transport_required},
      {"hypervisor", "hypervisor", godwit_hypervisor_get_type, godwit_hypervisor_required},
      {"storage", "kind of storage", godwit_storage_get_type, godwit_storage_required},
      {"image-source", "image source", godwit_image_source_get_type, godwit_image_source_required},
      {NULL},
  };
  return contracts;
}

const GodwitContract *
godwit_contracts_find (GType type)
{
  for (const GodwitContract *contract = godwit_contracts_get (); contract->name != NULL; contract++)
    if (contract->get_type () == type)
      return contract;
  return NULL;
}

static gpointer
get_slot (gconstpointer vtable, gsize offset)
{
  return G_STRUCT_MEMBER (gpointer, (gpointer)vtable, offset);
}

const char *
godwit_contract_find_missing_slot (const GodwitContract *contract, GType implementation)
{
  GType type = contract->get_type ();
  g_autoptr (GTypeClass) klass = g_type_class_ref (implementation);
  gpointer defaults = g_type_default_interface_ref (type);
  gconstpointer vtable = g_type_interface_peek (klass, type);

  const char *missing = NULL;
  for (const GodwitContractSlot *slot = contract->required; slot->name != NULL; slot++) {
    gboolean needed =
        slot->with == 0 || get_slot (vtable, slot->with) != get_slot (defaults, slot->with);
    if (missing == NULL && needed &&
        get_slot (vtable, slot->offset) == get_slot (defaults, slot->offset))
      missing = slot->name;
  }
  g_type_default_interface_unref (defaults);
  return missing;
}

gboolean
godwit_contract_result (gpointer self, const char *method, gboolean ok, GError **error)
{
  if (error == NULL || (*error == NULL) == !!ok)
    return ok;
  if (ok) {
    g_warning ("%s.%s() succeeded and yet set an error: %s", G_OBJECT_TYPE_NAME (self), method,
               (*error)->message);
    g_clear_error (error);
    return ok;
  }
  godwit_set_error (error, GODWIT_ERROR_INTERNAL,
                    "report it to the maker of the plugin (godwit plugins)",
                    "%s.%s() failed and did not say why", G_OBJECT_TYPE_NAME (self), method);
  return ok;
}

void
godwit_contract_set_unsupported (gpointer self, const char *method, GError **error)
{
  godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL, "%s has no %s()",
                    G_OBJECT_TYPE_NAME (self), method);
}
