/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* One slot of a vtable that a plugin must fill: always, or if it fills the one at @with. The
 * default of an optional slot sets GODWIT_ERROR_NOT_SUPPORTED or does nothing; a required slot
 * has no default, so that the registry can see that it is missing. */
typedef struct {
  const char *name;
  gsize offset;
  gsize with; /* offset of the slot that makes this one necessary; 0 for always */
} GodwitContractSlot;

typedef struct {
  const char *name; /* "transport" */
  const char *title;
  GType (*get_type) (void);
  const GodwitContractSlot *required; /* ended by a NULL name */
} GodwitContract;

extern const GodwitContractSlot godwit_strategy_required[];
extern const GodwitContractSlot godwit_transport_required[];
extern const GodwitContractSlot godwit_storage_required[];
extern const GodwitContractSlot godwit_hypervisor_required[];
extern const GodwitContractSlot godwit_image_source_required[];

/* Every contract there is; ended by a NULL name. */
const GodwitContract *godwit_contracts_get (void);
const GodwitContract *godwit_contracts_find (GType type);

/* Name of the first required slot that @implementation left empty, or NULL. */
const char *godwit_contract_find_missing_slot (const GodwitContract *contract,
                                               GType implementation);

/* What a method's result is worth: a plugin that fails without an error would leave the operator
 * with nothing, so one is made; an error beside success is dropped. */
gboolean godwit_contract_result (gpointer self, const char *method, gboolean ok, GError **error);

/* The default of an optional method. */
void godwit_contract_set_unsupported (gpointer self, const char *method, GError **error);

G_END_DECLS
