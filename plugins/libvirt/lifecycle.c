/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include <libvirt/virterror.h>
#include <string.h>

/* A guest that an operation is meant for, with the connection that keeps it. */
typedef struct {
  GodwitLibvirtHypervisor *self;
  LvSession *session;
  virDomainPtr domain;
  GodwitGuestState state;
  const char
      *name; /* libvirt forgets its last error when it is asked for it, so that comes first */
} Target;

static void
target_clear (Target *target)
{
  g_clear_pointer (&target->domain, virDomainFree);
  g_clear_pointer (&target->session, lv_session_leave);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Target, target_clear)

static gboolean
target_connect (Target *target, GodwitHypervisor *hypervisor, GCancellable *cancellable,
                GError **error)
{
  target->self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  target->session = lv_hypervisor_enter (target->self, cancellable, error);
  return target->session != NULL;
}

/* Reads the state; the domain stays NULL if the host does not know the guest. */
static gboolean
target_ask (Target *target, const char *uuid, GError **error)
{
  int state = 0;
  int reason = 0;

  g_clear_pointer (&target->domain, virDomainFree);
  target->domain = virDomainLookupByUUIDString (target->session->connection, uuid);
  target->name = target->domain != NULL ? virDomainGetName (target->domain) : NULL;
  if (target->domain != NULL && virDomainGetState (target->domain, &state, &reason, 0) == 0) {
    target->state = lv_state_from_libvirt (state, reason);
    return TRUE;
  }
  if (lv_last_error_code () == VIR_ERR_NO_DOMAIN) {
    g_clear_pointer (&target->domain, virDomainFree);
    target->state = GODWIT_GUEST_ABSENT;
    return TRUE;
  }
  lv_set_error (error, target->self->host_name, "cannot ask for the state of guest %s", uuid);
  return FALSE;
}

static gboolean
target_find (Target *target, GodwitHypervisor *hypervisor, const char *uuid,
             GCancellable *cancellable, GError **error)
{
  if (!target_connect (target, hypervisor, cancellable, error) || !target_ask (target, uuid, error))
    return FALSE;
  if (target->domain != NULL)
    return TRUE;
  g_autofree char *remedy =
      g_strdup_printf ("see on %s what there is: virsh list --all", target->self->host_name);
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, remedy, "there is no guest %s on %s", uuid,
                    target->self->host_name);
  return FALSE;
}

static gboolean
is_stopped (GodwitGuestState state)
{
  return state == GODWIT_GUEST_ABSENT || state == GODWIT_GUEST_SHUT_OFF;
}

/* A crashed guest may still have its process, if it is kept for inspection. */
static gboolean
has_process (const Target *target)
{
  return target->domain != NULL && virDomainIsActive (target->domain) != 0;
}

static gboolean
refuse_state (const Target *target, const char *what, GError **error)
{
  godwit_set_error (error, GODWIT_ERROR_BUSY, NULL, "cannot %s guest %s on %s: it is %s there",
                    what, target->name, target->self->host_name,
                    godwit_guest_state_to_string (target->state));
  return FALSE;
}

/* --- definitions -------------------------------------------------------------------------- */

static gboolean
set_autostart (const Target *target, gboolean on, GError **error)
{
  if (virDomainSetAutostart (target->domain, on ? 1 : 0) == 0)
    return TRUE;
  /* A driver without autostart has nothing to switch off. */
  if (!on && lv_last_error_code () == VIR_ERR_NO_SUPPORT)
    return TRUE;
  lv_set_error (error, target->self->host_name, "cannot set autostart of guest %s", target->name);
  return FALSE;
}

gboolean
lv_define (GodwitHypervisor *hypervisor, const char *definition, gboolean autostart,
           GCancellable *cancellable, GError **error)
{
  g_auto (Target) target = {0};

  if (!target_connect (&target, hypervisor, cancellable, error))
    return FALSE;
  target.domain = virDomainDefineXMLFlags (target.session->connection, definition, 0);
  if (target.domain == NULL) {
    lv_set_error (error, target.self->host_name, "cannot define the guest");
    return FALSE;
  }
  target.name = virDomainGetName (target.domain);
  return set_autostart (&target, autostart, error);
}

gboolean
lv_set_autostart (GodwitHypervisor *hypervisor, const char *uuid, gboolean on,
                  GCancellable *cancellable, GError **error)
{
  g_auto (Target) target = {0};

  if (!target_connect (&target, hypervisor, cancellable, error) ||
      !target_ask (&target, uuid, error))
    return FALSE;
  if (!on && (target.domain == NULL || virDomainIsPersistent (target.domain) == 0))
    return TRUE;
  if (target.domain == NULL)
    return target_find (&target, hypervisor, uuid, cancellable, error);
  return set_autostart (&target, on, error);
}

/* Never without the flags that keep files where the daemon knows them. One that refuses them as
 * unknown refuses, without them, a guest that has such files; so nothing is ever deleted. */
static int
undefine_keeping_files (virDomainPtr domain)
{
  const unsigned flags[] = {VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_TPM,
                            VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, 0};
  int result = -1;

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    result = virDomainUndefineFlags (domain, flags[i]);
    if (result == 0 || lv_last_error_code () != VIR_ERR_INVALID_ARG)
      break;
    g_autofree char *definition = virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE);
    if (definition == NULL || strstr (definition, "<tpm ") != NULL)
      break;
  }
  return result;
}

gboolean
lv_undefine (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
             GError **error)
{
  g_auto (Target) target = {0};

  if (!target_connect (&target, hypervisor, cancellable, error) ||
      !target_ask (&target, uuid, error))
    return FALSE;
  if (target.domain == NULL || virDomainIsPersistent (target.domain) == 0)
    return TRUE;
  if (undefine_keeping_files (target.domain) == 0 || lv_last_error_code () == VIR_ERR_NO_DOMAIN)
    return TRUE;
  lv_set_error (error, target.self->host_name, "cannot forget the definition of guest %s",
                target.name);
  return FALSE;
}

/* --- running ------------------------------------------------------------------------------ */

static gboolean
start (GodwitHypervisor *hypervisor, const char *uuid, unsigned flags, GCancellable *cancellable,
       GError **error)
{
  g_auto (Target) target = {0};
  gboolean paused = (flags & VIR_DOMAIN_START_PAUSED) != 0;

  if (!target_find (&target, hypervisor, uuid, cancellable, error))
    return FALSE;
  /* A step that is repeated after a crash finds its work done. */
  if (target.state == (paused ? GODWIT_GUEST_PAUSED : GODWIT_GUEST_RUNNING))
    return TRUE;
  if (has_process (&target))
    return refuse_state (&target, "start", error);
  if (virDomainCreateWithFlags (target.domain, flags) == 0)
    return TRUE;
  lv_set_error (error, target.self->host_name, "cannot start guest %s", target.name);
  return FALSE;
}

gboolean
lv_start (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable, GError **error)
{
  return start (hypervisor, uuid, 0, cancellable, error);
}

gboolean
lv_start_paused (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                 GError **error)
{
  return start (hypervisor, uuid, VIR_DOMAIN_START_PAUSED, cancellable, error);
}

gboolean
lv_shut_down (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
              GError **error)
{
  g_auto (Target) target = {0};

  if (!target_connect (&target, hypervisor, cancellable, error) ||
      !target_ask (&target, uuid, error))
    return FALSE;
  if (!has_process (&target))
    return TRUE;
  if (virDomainShutdownFlags (target.domain, 0) == 0)
    return TRUE;
  g_autoptr (GError) refusal = NULL;
  lv_set_error (&refusal, target.self->host_name, "cannot ask guest %s to shut down", target.name);
  /* It may have ended while it was asked. */
  if (target_ask (&target, uuid, NULL) && is_stopped (target.state))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

gboolean
lv_destroy (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
            GError **error)
{
  g_auto (Target) target = {0};

  if (!target_connect (&target, hypervisor, cancellable, error) ||
      !target_ask (&target, uuid, error))
    return FALSE;
  if (!has_process (&target))
    return TRUE;
  /* Gracefully the process may still flush its disks; libvirt waits about 10 s for it. */
  if (virDomainDestroyFlags (target.domain, VIR_DOMAIN_DESTROY_GRACEFUL) == 0 ||
      virDomainDestroyFlags (target.domain, 0) == 0)
    return TRUE;
  g_autoptr (GError) refusal = NULL;
  lv_set_error (&refusal, target.self->host_name, "cannot end the process of guest %s",
                target.name);
  if (target_ask (&target, uuid, NULL) && !has_process (&target))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

gboolean
lv_suspend (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
            GError **error)
{
  g_auto (Target) target = {0};

  if (!target_find (&target, hypervisor, uuid, cancellable, error))
    return FALSE;
  if (target.state == GODWIT_GUEST_PAUSED)
    return TRUE;
  if (!has_process (&target))
    return refuse_state (&target, "pause", error);
  if (virDomainSuspend (target.domain) == 0)
    return TRUE;
  lv_set_error (error, target.self->host_name, "cannot pause guest %s", target.name);
  return FALSE;
}

/* This is downtime: the guest is asked nothing before it is told to run. */
gboolean
lv_resume (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
           GError **error)
{
  g_auto (Target) target = {0};
  g_autoptr (GError) refusal = NULL;

  if (!target_connect (&target, hypervisor, cancellable, error))
    return FALSE;
  target.domain = virDomainLookupByUUIDString (target.session->connection, uuid);
  target.name = target.domain != NULL ? virDomainGetName (target.domain) : uuid;
  if (target.domain != NULL && virDomainResume (target.domain) == 0)
    return TRUE;
  lv_set_error (&refusal, target.self->host_name, "cannot resume guest %s", target.name);
  if (target.domain != NULL && target_ask (&target, uuid, NULL) &&
      target.state == GODWIT_GUEST_RUNNING)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

/* --- what only this hypervisor knows ------------------------------------------------------ */

char *
lv_get_pid_file (GodwitHypervisor *hypervisor, const char *uuid, GCancellable *cancellable,
                 GError **error)
{
  g_auto (Target) target = {0};

  if (!target_find (&target, hypervisor, uuid, cancellable, error))
    return NULL;
  const char *uri = target.self->uri;
  if (g_strcmp0 (virConnectGetType (target.session->connection), "QEMU") != 0 || uri == NULL ||
      strstr (uri, "/system") == NULL) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                      "only the system instance of libvirt's QEMU driver tells where the process "
                      "id of guest %s is (%s)",
                      target.name, uri != NULL ? uri : "");
    return NULL;
  }
  return g_strdup_printf ("/run/libvirt/qemu/%s.pid", target.name);
}

gboolean
lv_get_written (GodwitHypervisor *hypervisor, const char *uuid, guint64 *bytes,
                GCancellable *cancellable, GError **error)
{
  g_auto (Target) target = {0};
  virDomainBlockStatsStruct stats = {0};

  *bytes = 0;
  if (!target_find (&target, hypervisor, uuid, cancellable, error))
    return FALSE;
  /* The empty name stands for all disks together. */
  if (virDomainBlockStats (target.domain, "", &stats, sizeof stats) < 0) {
    lv_set_error (error, target.self->host_name, "cannot ask what guest %s has written",
                  target.name);
    return FALSE;
  }
  *bytes = (guint64)MAX (stats.wr_bytes, 0);
  return TRUE;
}
