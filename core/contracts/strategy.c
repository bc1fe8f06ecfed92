/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contracts/contracts.h"

#include <godwit/disks.h>
#include <godwit/error.h>
#include <godwit/strategy.h>

G_DEFINE_INTERFACE (GodwitStrategy, godwit_strategy, G_TYPE_OBJECT)

#define SLOT(member) #member, G_STRUCT_OFFSET(GodwitStrategyInterface, member)

const GodwitContractSlot godwit_strategy_required[] = {
    {SLOT (stops_guest)}, {SLOT (check)}, {SLOT (plan)}, {SLOT (run_step)}, {NULL},
};

static gboolean
fallback_undo_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                    GCancellable *cancellable, GError **error)
{
  godwit_contract_set_unsupported (self, "undo_step", error);
  return FALSE;
}

/* Weak only for as long as core/guest is not always part of the library (its meson.build). */
#pragma weak godwit_disks_release_parked

static gboolean
fallback_confirm (GodwitStrategy *self, GodwitJob *job, GCancellable *cancellable, GError **error)
{
  if (godwit_disks_release_parked != NULL)
    return godwit_disks_release_parked (job, cancellable, error);
  godwit_contract_set_unsupported (self, "confirm", error);
  return FALSE;
}

static GPtrArray *
fallback_plan_revert (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                      GCancellable *cancellable, GError **error)
{
  godwit_contract_set_unsupported (self, "plan_revert", error);
  return NULL;
}

static void
godwit_strategy_default_init (GodwitStrategyInterface *iface)
{
  iface->undo_step = fallback_undo_step;
  iface->confirm = fallback_confirm;
  iface->plan_revert = fallback_plan_revert;
}

gboolean
godwit_strategy_stops_guest (GodwitStrategy *self)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), FALSE);
  return GODWIT_STRATEGY_GET_IFACE (self)->stops_guest (self);
}

gboolean
godwit_strategy_check (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), FALSE);
  gboolean result = GODWIT_STRATEGY_GET_IFACE (self)->check (self, job, report, cancellable, error);
  godwit_contract_result (self, "check", result, error);
  return result;
}

GPtrArray *
godwit_strategy_plan (GodwitStrategy *self, GodwitJob *job, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), NULL);
  GPtrArray *result = GODWIT_STRATEGY_GET_IFACE (self)->plan (self, job, error);
  godwit_contract_result (self, "plan", result != NULL, error);
  return result;
}

gboolean
godwit_strategy_run_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                          GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), FALSE);
  gboolean result =
      GODWIT_STRATEGY_GET_IFACE (self)->run_step (self, job, step, cancellable, error);
  godwit_contract_result (self, "run_step", result, error);
  return result;
}

gboolean
godwit_strategy_undo_step (GodwitStrategy *self, GodwitJob *job, const GodwitStep *step,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), FALSE);
  gboolean result =
      GODWIT_STRATEGY_GET_IFACE (self)->undo_step (self, job, step, cancellable, error);
  godwit_contract_result (self, "undo_step", result, error);
  return result;
}

gboolean
godwit_strategy_confirm (GodwitStrategy *self, GodwitJob *job, GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), FALSE);
  gboolean result = GODWIT_STRATEGY_GET_IFACE (self)->confirm (self, job, cancellable, error);
  godwit_contract_result (self, "confirm", result, error);
  return result;
}

GPtrArray *
godwit_strategy_plan_revert (GodwitStrategy *self, GodwitJob *job, GodwitReport *report,
                             GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STRATEGY (self), NULL);
  GPtrArray *result =
      GODWIT_STRATEGY_GET_IFACE (self)->plan_revert (self, job, report, cancellable, error);
  godwit_contract_result (self, "plan_revert", result != NULL, error);
  return result;
}
