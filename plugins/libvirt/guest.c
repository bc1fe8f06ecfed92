/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include "describe.h"

#include <libvirt/virterror.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virStoragePool, virStoragePoolFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virStorageVol, virStorageVolFree)

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *)a, *(const char *const *)b);
}

GStrv
lv_list_guests (GodwitHypervisor *hypervisor, GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, cancellable, error);
  g_autofree virDomainPtr *domains = NULL;

  if (session == NULL)
    return NULL;
  int count = virConnectListAllDomains (session->connection, &domains, 0);
  if (count < 0) {
    lv_set_error (error, self->host_name, "cannot list the guests");
    return NULL;
  }
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (int i = 0; i < count; i++) {
    g_ptr_array_add (names, g_strdup (virDomainGetName (domains[i])));
    virDomainFree (domains[i]);
  }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv)g_ptr_array_steal (names, NULL);
}

static virDomainPtr
find_by_name_or_uuid (GodwitLibvirtHypervisor *self, virConnectPtr connection, const char *name,
                      GError **error)
{
  virDomainPtr domain = virDomainLookupByName (connection, name);

  if (domain == NULL && lv_last_error_code () == VIR_ERR_NO_DOMAIN && g_uuid_string_is_valid (name))
    domain = virDomainLookupByUUIDString (connection, name);
  if (domain == NULL && lv_last_error_code () == VIR_ERR_NO_DOMAIN) {
    g_autofree char *remedy =
        g_strdup_printf ("see on %s what there is: virsh list --all", self->host_name);
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, remedy, "there is no guest %s on %s", name,
                      self->host_name);
  } else if (domain == NULL) {
    lv_set_error (error, self->host_name, "cannot look for guest %s", name);
  }
  return domain;
}

typedef struct {
  GodwitLibvirtHypervisor *self;
  virConnectPtr connection;
} Resolver;

static char *
resolve_volume (gpointer data, const char *pool_name, const char *volume_name, GError **error)
{
  const Resolver *resolver = data;
  g_autoptr (virStoragePool) pool = virStoragePoolLookupByName (resolver->connection, pool_name);
  g_autoptr (virStorageVol) volume =
      pool != NULL ? virStorageVolLookupByName (pool, volume_name) : NULL;
  char *path = volume != NULL ? virStorageVolGetPath (volume) : NULL;

  if (path == NULL)
    lv_set_error (error, resolver->self->host_name, "cannot find volume %s in storage pool %s",
                  volume_name, pool_name);
  return path;
}

static const char *
name_operation (int operation)
{
  static const char *const names[] = {
      [VIR_DOMAIN_JOB_OPERATION_UNKNOWN] = "a job",
      [VIR_DOMAIN_JOB_OPERATION_START] = "it is being started",
      [VIR_DOMAIN_JOB_OPERATION_SAVE] = "it is being saved to a file",
      [VIR_DOMAIN_JOB_OPERATION_RESTORE] = "it is being restored from a file",
      [VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN] = "it is migrating here",
      [VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT] = "it is already migrating away",
      [VIR_DOMAIN_JOB_OPERATION_SNAPSHOT] = "a snapshot is being taken",
      [VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT] = "it is being reverted to a snapshot",
      [VIR_DOMAIN_JOB_OPERATION_DUMP] = "its memory is being dumped",
      [VIR_DOMAIN_JOB_OPERATION_BACKUP] = "a backup runs",
  };

  return operation >= 0 && operation < (int)G_N_ELEMENTS (names) && names[operation] != NULL
             ? names[operation]
             : names[0];
}

static char *
find_job (virDomainPtr domain)
{
  virTypedParameterPtr params = NULL;
  int type = VIR_DOMAIN_JOB_NONE;
  int count = 0;
  int operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;

  if (virDomainGetJobStats (domain, &type, &params, &count, 0) < 0)
    return NULL;
  virTypedParamsGetInt (params, count, VIR_DOMAIN_JOB_OPERATION, &operation);
  virTypedParamsFree (params, count);
  if (type != VIR_DOMAIN_JOB_BOUNDED && type != VIR_DOMAIN_JOB_UNBOUNDED)
    return NULL;
  return g_strdup (name_operation (operation));
}

static const char *
name_block_job (int type)
{
  switch (type) {
  case VIR_DOMAIN_BLOCK_JOB_TYPE_PULL:
    return "a block pull";
  case VIR_DOMAIN_BLOCK_JOB_TYPE_COPY:
    return "a block copy";
  case VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT:
  case VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT:
    return "a block commit";
  case VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP:
    return "a backup";
  default:
    return "a block job";
  }
}

static char *
find_block_job (virDomainPtr domain, const GodwitGuest *guest)
{
  for (guint i = 0; i < guest->disks->len; i++) {
    const GodwitDisk *disk = g_ptr_array_index (guest->disks, i);
    virDomainBlockJobInfo info = {0};
    if (disk->chain->len > 0 && virDomainGetBlockJobInfo (domain, disk->target, &info, 0) == 1)
      return g_strdup_printf ("%s runs on disk %s", name_block_job (info.type), disk->target);
  }
  return NULL;
}

static char *
find_work (virDomainPtr domain, const GodwitGuest *guest, int state)
{
  char *work = NULL;

  if (state == VIR_DOMAIN_PMSUSPENDED)
    return g_strdup_printf ("its own system has suspended it to RAM; wake it first: virsh "
                            "dompmwakeup %s",
                            guest->name);
  if (virDomainHasManagedSaveImage (domain, 0) == 1)
    return g_strdup_printf ("its memory was saved to a file of the host (virsh managedsave): "
                            "start it, or drop the file with virsh managedsave-remove %s",
                            guest->name);
  if (!godwit_guest_is_active (guest))
    return NULL;
  work = find_job (domain);
  return work != NULL ? work : find_block_job (domain, guest);
}

static guint
count_snapshots (virDomainPtr domain)
{
  int snapshots = virDomainSnapshotNum (domain, 0);
  int checkpoints = virDomainListAllCheckpoints (domain, NULL, 0);

  /* A checkpoint's bitmap lives in the image and its description on the host, like a
   * snapshot's: neither follows the guest. */
  return (guint)MAX (snapshots, 0) + (guint)MAX (checkpoints, 0);
}

static GodwitGuest *
describe (GodwitLibvirtHypervisor *self, virConnectPtr connection, virDomainPtr domain,
          GError **error)
{
  Resolver resolver = {.self = self, .connection = connection};
  int state = VIR_DOMAIN_NOSTATE;
  int reason = 0;
  int autostart = 0;

  if (virDomainGetState (domain, &state, &reason, 0) < 0) {
    lv_set_error (error, self->host_name, "cannot ask for the state");
    return NULL;
  }
  gboolean active = virDomainIsActive (domain) == 1;
  g_autofree char *definition =
      virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
  if (definition == NULL) {
    lv_set_error (error, self->host_name, "cannot read the definition");
    return NULL;
  }
  /* The migratable form leaves out what only this process has: ids, aliases, labels. */
  g_autofree char *live =
      active ? virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE)
             : NULL;
  if (active && live == NULL) {
    lv_set_error (error, self->host_name, "cannot read the definition of the running guest");
    return NULL;
  }
  g_autoptr (GodwitGuest) guest =
      lv_guest_from_xml (definition, live, resolve_volume, &resolver, error);
  if (guest == NULL)
    return NULL;
  guest->state = lv_state_from_libvirt (state, reason);
  guest->persistent = virDomainIsPersistent (domain) == 1;
  guest->autostart = virDomainGetAutostart (domain, &autostart) == 0 && autostart != 0;
  guest->snapshots = count_snapshots (domain);
  guest->busy = find_work (domain, guest, state);
  return g_steal_pointer (&guest);
}

GodwitGuest *
lv_describe_guest (GodwitHypervisor *hypervisor, const char *name, GCancellable *cancellable,
                   GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (LvSession) session = lv_hypervisor_enter (self, cancellable, error);

  if (session == NULL)
    return NULL;
  g_autoptr (virDomain) domain = find_by_name_or_uuid (self, session->connection, name, error);
  if (domain == NULL)
    return NULL;
  GodwitGuest *guest = describe (self, session->connection, domain, error);
  if (guest == NULL)
    g_prefix_error (error, "guest %s on %s: ", name, self->host_name);
  return guest;
}
