/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contracts/contracts.h"

#include <godwit/error.h>
#include <godwit/storage.h>

G_DEFINE_INTERFACE (GodwitStorage, godwit_storage, G_TYPE_OBJECT)

#define SLOT(member) #member, G_STRUCT_OFFSET(GodwitStorageInterface, member)

const GodwitContractSlot godwit_storage_required[] = {
    {SLOT (claims)},       {SLOT (inspect)},     {SLOT (check_sharing)},
    {SLOT (check_target)}, {SLOT (create)},      {SLOT (remove_created)},
    {SLOT (open_source)},  {SLOT (open_target)}, {NULL},
};

static gboolean
fallback_finish_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, gboolean committed,
                        GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
fallback_connect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                  GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
fallback_disconnect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                     GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
fallback_repair_access (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                        GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
fallback_park (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
               GError **error)
{
  return TRUE;
}

static gboolean
fallback_unpark (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
                 GError **error)
{
  return TRUE;
}

static gboolean
fallback_release (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *home,
                  GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
fallback_reclaim (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GCancellable *cancellable,
                  GError **error)
{
  return TRUE;
}

static void
godwit_storage_default_init (GodwitStorageInterface *iface)
{
  iface->finish_target = fallback_finish_target;
  iface->connect = fallback_connect;
  iface->disconnect = fallback_disconnect;
  iface->repair_access = fallback_repair_access;
  iface->park = fallback_park;
  iface->unpark = fallback_unpark;
  iface->release = fallback_release;
  iface->reclaim = fallback_reclaim;
}

gboolean
godwit_storage_claims (GodwitStorage *self, const GodwitDisk *disk)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  return GODWIT_STORAGE_GET_IFACE (self)->claims (self, disk);
}

gboolean
godwit_storage_inspect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->inspect (self, job, disk, report, cancellable, error);
  godwit_contract_result (self, "inspect", result, error);
  return result;
}

gboolean
godwit_storage_check_sharing (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                              GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->check_sharing (self, job, disk, cancellable, error);
  godwit_contract_result (self, "check_sharing", result, error);
  return result;
}

gboolean
godwit_storage_check_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                             GodwitReport *report, GHashTable *needed, GCancellable *cancellable,
                             GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result = GODWIT_STORAGE_GET_IFACE (self)->check_target (self, job, disk, report, needed,
                                                                   cancellable, error);
  godwit_contract_result (self, "check_target", result, error);
  return result;
}

gboolean
godwit_storage_create (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result = GODWIT_STORAGE_GET_IFACE (self)->create (self, job, disk, cancellable, error);
  godwit_contract_result (self, "create", result, error);
  return result;
}

gboolean
godwit_storage_remove_created (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                               GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->remove_created (self, job, disk, cancellable, error);
  godwit_contract_result (self, "remove_created", result, error);
  return result;
}

GObject *
godwit_storage_open_source (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                            GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), NULL);
  GObject *result =
      GODWIT_STORAGE_GET_IFACE (self)->open_source (self, job, disk, end, cancellable, error);
  godwit_contract_result (self, "open_source", result != NULL, error);
  return result;
}

GObject *
godwit_storage_open_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitEnd *end,
                            GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), NULL);
  GObject *result =
      GODWIT_STORAGE_GET_IFACE (self)->open_target (self, job, disk, end, cancellable, error);
  godwit_contract_result (self, "open_target", result != NULL, error);
  return result;
}

gboolean
godwit_storage_finish_target (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                              gboolean committed, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result = GODWIT_STORAGE_GET_IFACE (self)->finish_target (self, job, disk, committed,
                                                                    cancellable, error);
  godwit_contract_result (self, "finish_target", result, error);
  return result;
}

gboolean
godwit_storage_connect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->connect (self, job, disk, host, cancellable, error);
  godwit_contract_result (self, "connect", result, error);
  return result;
}

gboolean
godwit_storage_disconnect (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *host,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->disconnect (self, job, disk, host, cancellable, error);
  godwit_contract_result (self, "disconnect", result, error);
  return result;
}

gboolean
godwit_storage_repair_access (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                              GodwitHost *host, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->repair_access (self, job, disk, host, cancellable, error);
  godwit_contract_result (self, "repair_access", result, error);
  return result;
}

gboolean
godwit_storage_park (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                     GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result = GODWIT_STORAGE_GET_IFACE (self)->park (self, job, disk, cancellable, error);
  godwit_contract_result (self, "park", result, error);
  return result;
}

gboolean
godwit_storage_unpark (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result = GODWIT_STORAGE_GET_IFACE (self)->unpark (self, job, disk, cancellable, error);
  godwit_contract_result (self, "unpark", result, error);
  return result;
}

gboolean
godwit_storage_release (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk, GodwitHost *home,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result =
      GODWIT_STORAGE_GET_IFACE (self)->release (self, job, disk, home, cancellable, error);
  godwit_contract_result (self, "release", result, error);
  return result;
}

gboolean
godwit_storage_reclaim (GodwitStorage *self, GodwitJob *job, GodwitDisk *disk,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_STORAGE (self), FALSE);
  gboolean result = GODWIT_STORAGE_GET_IFACE (self)->reclaim (self, job, disk, cancellable, error);
  godwit_contract_result (self, "reclaim", result, error);
  return result;
}
