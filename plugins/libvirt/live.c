/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-private.h"

#include <libvirt/virterror.h>

G_DEFINE_DYNAMIC_TYPE_EXTENDED (GodwitLibvirtLive, godwit_libvirt_live, G_TYPE_OBJECT, 0, )

static void
finalize (GObject *object)
{
  GodwitLibvirtLive *self = GODWIT_LIBVIRT_LIVE (object);

  for (guint side = 0; side < LV_SIDES; side++)
    g_clear_object (&self->hypervisors[side]);
  g_free (self->name);
  g_free (self->uuid);
  g_free (self->memory_uri);
  g_free (self->disk_uri);
  g_strfreev (self->mirror);
  g_free (self->definition);
  g_clear_error (&self->error);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (godwit_libvirt_live_parent_class)->finalize (object);
}

static void
godwit_libvirt_live_class_init (GodwitLibvirtLiveClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = finalize;
}

static void
godwit_libvirt_live_class_finalize (GodwitLibvirtLiveClass *klass)
{
}

static void
godwit_libvirt_live_init (GodwitLibvirtLive *self)
{
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  self->status.source_state = GODWIT_GUEST_UNKNOWN;
  self->status.destination_state = GODWIT_GUEST_UNKNOWN;
}

void
lv_live_register (GTypeModule *module)
{
  godwit_libvirt_live_register_type (module);
}

/* --- the call ------------------------------------------------------------------------------- */

/* Connections of the call's own, so that nothing that it does can hold up those who watch; and
 * if this process dies the destination's daemon sees this one end and gives up its half. */
typedef struct {
  GodwitLibvirtLive *live;
  virConnectPtr connections[LV_SIDES];
  virDomainPtr domain;
  unsigned long long old_downtime;
} Call;

static void
call_free (Call *call)
{
  g_clear_pointer (&call->domain, virDomainFree);
  for (guint side = 0; side < LV_SIDES; side++)
    g_clear_pointer (&call->connections[side], virConnectClose);
  g_clear_object (&call->live);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

typedef struct {
  virTypedParameterPtr list;
  int count;
  int room;
  gboolean failed;
} Params;

static void
params_clear (Params *params)
{
  virTypedParamsFree (params->list, params->count);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Params, params_clear)

static void
params_add (Params *params, const char *name, const char *value)
{
  if (virTypedParamsAddString (&params->list, &params->count, &params->room, name, value) < 0)
    params->failed = TRUE;
}

static gboolean
migrate (Call *call, GError **error)
{
  GodwitLibvirtLive *self = call->live;
  g_auto (Params) params = {0};

  /* Both are always given: without them libvirt takes the destination's host name. */
  params_add (&params, VIR_MIGRATE_PARAM_URI, self->memory_uri);
  params_add (&params, VIR_MIGRATE_PARAM_DEST_XML, self->definition);
  if (self->disk_uri != NULL)
    params_add (&params, VIR_MIGRATE_PARAM_DISKS_URI, self->disk_uri);
  /* An absent list would stand for every writable disk, attached ones included. */
  for (guint i = 0; self->mirror[i] != NULL; i++)
    params_add (&params, VIR_MIGRATE_PARAM_MIGRATE_DISKS, self->mirror[i]);
  virDomainPtr arrived = params.failed
                             ? NULL
                             : virDomainMigrate3 (call->domain, call->connections[LV_DESTINATION],
                                                  params.list, (unsigned)params.count, self->flags);
  if (arrived == NULL) {
    lv_set_error (error, lv_hypervisor_name (self->hypervisors[LV_SOURCE]),
                  "the live migration of guest %s to %s failed", self->name,
                  lv_hypervisor_name (self->hypervisors[LV_DESTINATION]));
    return FALSE;
  }
  virDomainFree (arrived);
  return TRUE;
}

static void
set_first_downtime (Call *call)
{
  if (call->live->first_downtime == 0)
    return;
  /* QEMU keeps the limit for the next migration, so it is set before there is one: a small
   * guest is through before anybody could set it then. */
  if (virDomainMigrateGetMaxDowntime (call->domain, &call->old_downtime, 0) < 0)
    call->old_downtime = 0;
  virDomainMigrateSetMaxDowntime (call->domain, call->live->first_downtime, 0);
}

/* The guest stays here and must not keep our limit for somebody else's migration. */
static void
restore_downtime (Call *call)
{
  if (call->old_downtime > 0)
    virDomainMigrateSetMaxDowntime (call->domain, call->old_downtime, 0);
}

static gboolean
is_abort_wanted (GodwitLibvirtLive *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->abort_wanted;
}

static gpointer
run_call (gpointer data)
{
  g_autoptr (Call) call = data;
  GodwitLibvirtLive *self = call->live;
  GodwitGuestState states[LV_SIDES];
  g_autoptr (GError) error = NULL;

  set_first_downtime (call);
  if (is_abort_wanted (self))
    godwit_set_error (&error, GODWIT_ERROR_CANCELLED, NULL, "aborted before it began");
  else
    migrate (call, &error);
  if (error != NULL)
    restore_downtime (call);
  for (guint side = 0; side < LV_SIDES; side++)
    lv_read_state (call->connections[side], self->uuid, &states[side]);

  g_mutex_lock (&self->mutex);
  self->status.source_state = states[LV_SOURCE];
  self->status.destination_state = states[LV_DESTINATION];
  self->status.returned = TRUE;
  self->status.failed = error != NULL;
  self->error = g_steal_pointer (&error);
  self->serial++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  return NULL;
}

/* --- the contract ----------------------------------------------------------------------------- */

static gboolean
check_params (GodwitHypervisor *destination, const GodwitGuest *guest,
              const GodwitLiveParams *params, GError **error)
{
  if (!GODWIT_IS_LIBVIRT_HYPERVISOR (destination)) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                      "libvirt migrates only to libvirt, and the destination has %s",
                      G_OBJECT_TYPE_NAME (destination));
    return FALSE;
  }
  for (guint i = 0; params->mirror != NULL && params->mirror[i] != NULL; i++) {
    const GodwitDisk *disk = godwit_guest_find_disk (guest, params->mirror[i]);
    if (disk != NULL && godwit_disk_get_top (disk) != NULL && !disk->read_only)
      continue;
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL,
                      "disk %s of guest %s is to be mirrored, but it is %s", params->mirror[i],
                      guest->name, disk == NULL ? "not there" : "read-only or empty");
    return FALSE;
  }
  if (params->memory_socket == NULL || params->definition == NULL ||
      (params->mirror != NULL && params->mirror[0] != NULL && params->disk_socket == NULL)) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL,
                      "a live migration of guest %s needs sockets and a definition", guest->name);
    return FALSE;
  }
  return TRUE;
}

static GodwitLibvirtLive *
make_live (GodwitLibvirtHypervisor *source, GodwitLibvirtHypervisor *destination,
           const GodwitGuest *guest, const GodwitLiveParams *params)
{
  static const char *const none[] = {NULL};
  GodwitLibvirtLive *self = g_object_new (GODWIT_TYPE_LIBVIRT_LIVE, NULL);
  const char *const *mirror = params->mirror != NULL ? params->mirror : none;

  self->hypervisors[LV_SOURCE] = g_object_ref (source);
  self->hypervisors[LV_DESTINATION] = g_object_ref (destination);
  self->name = g_strdup (guest->name);
  self->uuid = g_strdup (guest->uuid);
  self->memory_uri = g_strconcat ("unix://", params->memory_socket, NULL);
  if (mirror[0] != NULL)
    self->disk_uri = g_strconcat ("unix://", params->disk_socket, NULL);
  self->mirror = g_strdupv ((GStrv)mirror);
  self->definition = g_strdup (params->definition);
  self->flags = lv_live_choose_flags (guest, params);
  self->first_downtime = params->max_downtime_ms;
  return self;
}

GObject *
lv_live_begin (GodwitHypervisor *hypervisor, GodwitHypervisor *destination, GodwitGuest *guest,
               const GodwitLiveParams *params, GCancellable *cancellable, GError **error)
{
  GodwitLibvirtHypervisor *source = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);

  if (!check_params (destination, guest, params, error))
    return NULL;
  g_autoptr (GodwitLibvirtLive) self =
      make_live (source, GODWIT_LIBVIRT_HYPERVISOR (destination), guest, params);
  g_autoptr (Call) call = g_new0 (Call, 1);
  call->live = g_object_ref (self);
  for (guint side = 0; side < LV_SIDES; side++) {
    call->connections[side] = lv_hypervisor_open (self->hypervisors[side], cancellable, error);
    if (call->connections[side] == NULL)
      return NULL;
  }
  call->domain = virDomainLookupByUUIDString (call->connections[LV_SOURCE], self->uuid);
  if (call->domain == NULL) {
    lv_set_error (error, lv_hypervisor_name (source), "cannot find guest %s", self->name);
    return NULL;
  }
  lv_live_watch (self);
  g_thread_unref (g_thread_new ("libvirt-migrate", run_call, g_steal_pointer (&call)));
  return G_OBJECT (g_steal_pointer (&self));
}

static GodwitLibvirtLive *
get_live (GObject *object, GError **error)
{
  if (object != NULL && GODWIT_IS_LIBVIRT_LIVE (object))
    return GODWIT_LIBVIRT_LIVE (object);
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "this is no live migration of libvirt");
  return NULL;
}

gboolean
lv_live_wait (GodwitHypervisor *hypervisor, GObject *object, guint timeout_ms,
              GodwitLiveStatus *status, GError **error)
{
  GodwitLibvirtLive *self = get_live (object, error);
  gint64 deadline = g_get_monotonic_time () + (gint64)timeout_ms * 1000;

  if (self == NULL)
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  while (self->serial == self->told && !self->status.returned &&
         g_cond_wait_until (&self->changed, &self->mutex, deadline))
    ;
  self->told = self->serial;
  *status = self->status;
  return TRUE;
}

gboolean
lv_live_set_downtime (GodwitHypervisor *hypervisor, GObject *object, guint downtime_ms,
                      GError **error)
{
  GodwitLibvirtLive *self = get_live (object, error);

  if (self == NULL)
    return FALSE;
  g_autoptr (LvSession) session = lv_hypervisor_enter (self->hypervisors[LV_SOURCE], NULL, error);
  if (session == NULL)
    return FALSE;
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (session->connection, self->uuid);
  if (domain != NULL && virDomainMigrateSetMaxDowntime (domain, downtime_ms, 0) == 0)
    return TRUE;
  lv_set_error (error, lv_hypervisor_name (self->hypervisors[LV_SOURCE]),
                "cannot set the downtime limit of guest %s", self->name);
  return FALSE;
}

gboolean
lv_live_abort (GodwitHypervisor *hypervisor, GObject *object, GError **error)
{
  GodwitLibvirtLive *self = get_live (object, error);

  if (self == NULL)
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  self->abort_wanted = TRUE;
  g_cond_broadcast (&self->changed);
  return TRUE;
}

gboolean
lv_live_finish (GodwitHypervisor *hypervisor, GObject *object, guint timeout_ms, GError **error)
{
  GodwitLibvirtLive *self = get_live (object, error);
  gint64 deadline = g_get_monotonic_time () + (gint64)timeout_ms * 1000;

  if (self == NULL)
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  while (!self->status.returned && g_cond_wait_until (&self->changed, &self->mutex, deadline))
    ;
  if (!self->status.returned) {
    g_autofree char *remedy =
        g_strdup_printf ("see on %s what it does: virsh domjobinfo %s",
                         lv_hypervisor_name (self->hypervisors[LV_SOURCE]), self->name);
    godwit_set_error (error, GODWIT_ERROR_BUSY, remedy,
                      "libvirt's migration of guest %s has not returned after %.1f s", self->name,
                      timeout_ms / 1000.0);
    return FALSE;
  }
  if (!self->status.failed)
    return TRUE;
  g_propagate_error (error, g_error_copy (self->error));
  return FALSE;
}
