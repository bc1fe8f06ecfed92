/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "errors.h"

#include <libvirt/virterror.h>

static void
drop_error (void *data, virErrorPtr libvirt_error)
{
}

void
lv_silence_errors (void)
{
  virSetErrorFunc (NULL, drop_error);
}

int
lv_last_error_code (void)
{
  const virError *last = virGetLastError ();

  return last != NULL ? last->code : VIR_ERR_OK;
}

char *
lv_last_error_text (void)
{
  const virError *last = virGetLastError ();
  char *text =
      g_strdup (last != NULL && last->message != NULL ? last->message : "libvirt gave no reason");

  /* An error of a nested program may span lines; a report has one line per finding. */
  return g_strchomp (g_strdelimit (text, "\r\n\t", ' '));
}

/* The connection is lost or was never made, whatever code libvirt chose to say so with. */
static gboolean
is_connection_error (const virError *last)
{
  switch (last->code) {
  case VIR_ERR_NO_CONNECT:
  case VIR_ERR_INVALID_CONN:
  case VIR_ERR_RPC:
  case VIR_ERR_NO_SERVER:
  case VIR_ERR_NO_CLIENT:
  case VIR_ERR_GNUTLS_ERROR:
    return TRUE;
  case VIR_ERR_SYSTEM_ERROR:
  case VIR_ERR_INTERNAL_ERROR:
    return last->domain == VIR_FROM_RPC || last->domain == VIR_FROM_REMOTE;
  default:
    return FALSE;
  }
}

static GodwitErrorCode
get_code (const virError *last)
{
  if (is_connection_error (last))
    return GODWIT_ERROR_UNAVAILABLE;
  switch (last->code) {
  case VIR_ERR_NO_DOMAIN:
  case VIR_ERR_NO_NETWORK:
  case VIR_ERR_NO_INTERFACE:
  case VIR_ERR_NO_STORAGE_POOL:
  case VIR_ERR_NO_STORAGE_VOL:
  case VIR_ERR_NO_SECRET:
  case VIR_ERR_NO_NWFILTER:
    return GODWIT_ERROR_NOT_FOUND;
  case VIR_ERR_AUTH_FAILED:
  case VIR_ERR_AUTH_CANCELLED:
  case VIR_ERR_AUTH_UNAVAILABLE:
  case VIR_ERR_ACCESS_DENIED:
  case VIR_ERR_OPERATION_DENIED:
    return GODWIT_ERROR_DENIED;
  case VIR_ERR_OPERATION_TIMEOUT:
  case VIR_ERR_RESOURCE_BUSY:
    return GODWIT_ERROR_BUSY;
  case VIR_ERR_OPERATION_ABORTED:
    return GODWIT_ERROR_CANCELLED;
  case VIR_ERR_DOM_EXIST:
    return GODWIT_ERROR_EXISTS;
  case VIR_ERR_MIGRATE_UNSAFE:
    return GODWIT_ERROR_REFUSED;
  case VIR_ERR_NO_SUPPORT:
  case VIR_ERR_CONFIG_UNSUPPORTED:
  case VIR_ERR_ARGUMENT_UNSUPPORTED:
  case VIR_ERR_OPERATION_UNSUPPORTED:
  case VIR_ERR_CPU_INCOMPATIBLE:
    return GODWIT_ERROR_NOT_SUPPORTED;
  default:
    return GODWIT_ERROR_PEER;
  }
}

static char *
make_remedy (GodwitErrorCode code, const char *host)
{
  switch (code) {
  case GODWIT_ERROR_UNAVAILABLE:
    return g_strdup_printf ("see on %s whether the daemon runs: systemctl status libvirtd", host);
  case GODWIT_ERROR_NOT_FOUND:
    return g_strdup_printf ("see on %s what there is: virsh list --all", host);
  case GODWIT_ERROR_DENIED:
    return g_strdup_printf ("let the agent on %s run as a user that libvirt trusts (root, or one "
                            "in the group libvirt), or set agent-command=sudo -n godwit agent "
                            "--stdio",
                            host);
  case GODWIT_ERROR_BUSY:
    return g_strdup_printf ("see on %s what works on the guest: virsh domjobinfo GUEST", host);
  case GODWIT_ERROR_EXISTS:
    return g_strdup_printf ("see on %s what is there: virsh list --all", host);
  case GODWIT_ERROR_CANCELLED:
    return NULL;
  default:
    return g_strdup_printf ("see on %s: journalctl -u libvirtd, and /var/log/libvirt/qemu/", host);
  }
}

void
lv_set_error (GError **error, const char *host, const char *format, ...)
{
  const virError *last = virGetLastError ();
  GodwitErrorCode code = last != NULL ? get_code (last) : GODWIT_ERROR_PEER;
  g_autofree char *text = lv_last_error_text ();
  g_autofree char *remedy = make_remedy (code, host);
  va_list args;

  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  godwit_set_error (error, code, remedy, "%s on %s: %s", what, host, text);
}

gboolean
lv_is_cancelled (GCancellable *cancellable, GError **error)
{
  if (cancellable == NULL || !g_cancellable_is_cancelled (cancellable))
    return FALSE;
  godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "cancelled");
  return TRUE;
}
