/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include "events.h"

#include <string.h>

/* Long enough for a far link and a busy daemon; a stopped daemon accepts and never answers. */
#define OPEN_TIMEOUT_S 20
/* For so long after that a daemon is taken for hung without being waited for again: whoever has ten
 * questions to it must not wait ten times. */
#define HUNG_S 5
/* Signs of life that may be missed before a connection is given up. */
#define KEEPALIVE_COUNT 5

#define MONOLITHIC_SOCKET "/run/libvirt/libvirt-sock"
#define MODULAR_SOCKET    "/run/libvirt/virtqemud-sock"

/* --- URIs --------------------------------------------------------------------------------- */

static char *
make_address (GUri *uri, const char *transport)
{
  const char *host = g_uri_get_host (uri);
  const char *user = g_uri_get_userinfo (uri);
  int port = g_uri_get_port (uri);
  g_autoptr (GString) address = g_string_new (NULL);

  if (host == NULL || *host == '\0')
    return NULL;
  /* The port of another transport of libvirt's says nothing about ours. */
  if (g_strcmp0 (transport, "ssh") != 0)
    port = -1;
  if (port > 0)
    g_string_append (address, "ssh://");
  if (user != NULL)
    g_string_append_printf (address, "%s@", user);
  g_string_append_printf (address, strchr (host, ':') != NULL && port > 0 ? "[%s]" : "%s", host);
  if (port > 0)
    g_string_append_printf (address, ":%d", port);
  return g_string_free (g_steal_pointer (&address), FALSE);
}

gboolean
lv_uri_split (const char *text, char **driver, char **transport, char **address, char **path,
              char **socket)
{
  g_autoptr (GUri) uri = strstr (text, "://") != NULL
                             ? g_uri_parse (text, G_URI_FLAGS_NON_DNS | G_URI_FLAGS_ENCODED, NULL)
                             : NULL;

  if (uri == NULL)
    return FALSE;
  g_auto (GStrv) scheme = g_strsplit (g_uri_get_scheme (uri), "+", 2);
  *driver = g_strdup (scheme[0]);
  *transport = g_strdup (scheme[1]);
  *address = make_address (uri, *transport);
  *path = g_strdup (g_uri_get_path (uri));
  *socket = NULL;
  if (g_uri_get_query (uri) != NULL) {
    g_autoptr (GHashTable) query =
        g_uri_parse_params (g_uri_get_query (uri), -1, "&;", G_URI_PARAMS_NONE, NULL);
    *socket = query != NULL ? g_strdup (g_hash_table_lookup (query, "socket")) : NULL;
  }
  return TRUE;
}

gboolean
lv_hypervisor_claims (GodwitHypervisor *hypervisor, const char *name, char **address)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autofree char *driver = NULL;
  g_autofree char *transport = NULL;
  g_autofree char *found = NULL;
  g_autofree char *path = NULL;
  g_autofree char *socket = NULL;

  if (!lv_uri_split (name, &driver, &transport, &found, &path, &socket))
    return FALSE;
  if (!g_str_equal (driver, "qemu") && !g_str_equal (driver, "test"))
    return FALSE;
  g_object_set (self, "uri", name, NULL);
  *address = g_steal_pointer (&found);
  return TRUE;
}

/* Where a host that cannot be looked at is tried all the same. */
static gboolean
is_absent (GodwitHost *host, const char *path, GCancellable *cancellable)
{
  GodwitFileInfo info = {0};

  return godwit_host_stat (host, path, &info, cancellable, NULL) && info.type == GODWIT_FILE_ABSENT;
}

/* The daemon is one process or one per driver; which, only the host itself can tell. */
static const char *
find_socket (GodwitLibvirtHypervisor *self, GodwitHost *host, const char *asked,
             GCancellable *cancellable, GError **error)
{
  const char *first = asked != NULL ? asked : MONOLITHIC_SOCKET;

  if (!is_absent (host, first, cancellable))
    return first;
  if (asked == NULL && !is_absent (host, MODULAR_SOCKET, cancellable))
    return MODULAR_SOCKET;
  g_autofree char *remedy = g_strdup_printf (
      "see on %s whether the daemon is installed and runs: systemctl status libvirtd.socket "
      "virtqemud.socket",
      self->host_name);
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, remedy, "%s has no socket of libvirt (%s%s)",
                    self->host_name, first, asked == NULL ? ", " MODULAR_SOCKET : "");
  return NULL;
}

static char *
make_socket_uri (const char *driver, const char *path, const char *socket)
{
  g_autofree char *escaped = g_uri_escape_string (socket, "/", FALSE);

  return g_strdup_printf ("%s+unix://%s?socket=%s", driver, path, escaped);
}

static char *
choose_uri (GodwitLibvirtHypervisor *self, GodwitHost *host, GCancellable *cancellable,
            GError **error)
{
  g_autofree char *driver = NULL;
  g_autofree char *transport = NULL;
  g_autofree char *address = NULL;
  g_autofree char *path = NULL;
  g_autofree char *asked = NULL;

  if (self->uri == NULL ||
      !lv_uri_split (self->uri, &driver, &transport, &address, &path, &asked)) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "write it as qemu:///system",
                      "host %s: uri=%s is not a URI of libvirt", self->host_name,
                      self->uri != NULL ? self->uri : "");
    return NULL;
  }
  const char *socket = self->socket != NULL ? self->socket : asked;
  if (g_str_equal (driver, "test"))
    return g_strdup (self->uri);
  if (host == NULL || godwit_host_is_local (host)) {
    if (socket != NULL)
      return make_socket_uri (driver, path, socket);
    return address == NULL ? g_strdup (self->uri) : g_strdup_printf ("%s://%s", driver, path);
  }
  if (socket == NULL && !g_str_equal (path, "/system")) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG,
                      "set socket= in its group [host NAME/hypervisor libvirt]",
                      "host %s: %s needs the path of libvirt's socket there", self->host_name,
                      self->uri);
    return NULL;
  }
  const char *remote = find_socket (self, host, socket, cancellable, error);
  g_autofree char *forwarded =
      remote != NULL ? godwit_host_forward_socket (host, remote, cancellable, error) : NULL;
  return forwarded != NULL ? make_socket_uri (driver, path, forwarded) : NULL;
}

/* --- opening ------------------------------------------------------------------------------ */

/* virConnectOpen() has no timeout, so it runs in a thread that may be left to itself. */
typedef struct {
  gatomicrefcount references;
  GMutex mutex;
  GCond done_cond;
  char *uri;
  char *shown; /* as people wrote it */
  char *host;
  guint keepalive;
  gboolean done;
  virConnectPtr connection;
  GError *error;
} Opening;

static void
opening_unref (Opening *opening)
{
  if (!g_atomic_ref_count_dec (&opening->references))
    return;
  g_clear_pointer (&opening->connection, virConnectClose);
  g_clear_error (&opening->error);
  g_free (opening->uri);
  g_free (opening->shown);
  g_free (opening->host);
  g_mutex_clear (&opening->mutex);
  g_cond_clear (&opening->done_cond);
  g_free (opening);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Opening, opening_unref)

static gpointer
run_open (gpointer data)
{
  g_autoptr (Opening) opening = data;
  g_autoptr (GError) error = NULL;
  virConnectPtr connection = virConnectOpen (opening->uri);

  if (connection == NULL)
    lv_set_error (&error, opening->host, "cannot connect to libvirt (%s)", opening->shown);
  else if (opening->keepalive > 0)
    /* Drivers without a daemon (test) have nothing to keep alive; that is no error. */
    virConnectSetKeepAlive (connection, (int)opening->keepalive, KEEPALIVE_COUNT);
  g_mutex_lock (&opening->mutex);
  opening->connection = connection;
  opening->error = g_steal_pointer (&error);
  opening->done = TRUE;
  g_cond_broadcast (&opening->done_cond);
  g_mutex_unlock (&opening->mutex);
  return NULL;
}

static void
set_hung (GodwitLibvirtHypervisor *self, GError **error)
{
  g_autofree char *remedy =
      g_strdup_printf ("see on %s whether the daemon hangs: virsh list", self->host_name);
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, remedy,
                    "libvirt on %s did not answer within %d s (%s)", self->host_name,
                    OPEN_TIMEOUT_S, self->uri);
}

static virConnectPtr
open_another (GodwitLibvirtHypervisor *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (Opening) opening = g_new0 (Opening, 1);
  gint64 deadline = g_get_monotonic_time () + OPEN_TIMEOUT_S * G_USEC_PER_SEC;

  lv_events_start ();
  g_atomic_ref_count_init (&opening->references);
  g_mutex_init (&opening->mutex);
  g_cond_init (&opening->done_cond);
  opening->uri = g_strdup (self->open_uri);
  opening->shown = g_strdup (self->uri);
  opening->host = g_strdup (self->host_name);
  opening->keepalive = self->keepalive;
  g_atomic_ref_count_inc (&opening->references);
  g_thread_unref (g_thread_new ("libvirt-open", run_open, opening));

  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&opening->mutex);
  while (!opening->done && g_get_monotonic_time () < deadline) {
    if (lv_is_cancelled (cancellable, error))
      return NULL;
    g_cond_wait_until (&opening->done_cond, &opening->mutex,
                       MIN (deadline, g_get_monotonic_time () + 100 * G_TIME_SPAN_MILLISECOND));
  }
  if (!opening->done) {
    set_hung (self, error);
    return NULL;
  }
  if (opening->connection == NULL)
    g_propagate_error (error, g_steal_pointer (&opening->error));
  return g_steal_pointer (&opening->connection);
}

static gboolean
check_connected (GodwitLibvirtHypervisor *self, GError **error)
{
  if (self->open_uri != NULL)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "libvirt on %s: used before connect",
                    lv_hypervisor_name (self));
  return FALSE;
}

static gboolean
check_host (GodwitLibvirtHypervisor *self, GError **error)
{
  g_autoptr (GodwitHost) host = g_weak_ref_get (&self->host);
  return host == NULL || godwit_host_check_heard (host, error);
}

/* Called with the lock held. */
static gboolean
ensure_open (GodwitLibvirtHypervisor *self, GCancellable *cancellable, GError **error)
{
  if (self->connection != NULL && virConnectIsAlive (self->connection) == 1)
    return TRUE;
  g_clear_pointer (&self->connection, virConnectClose);
  if (self->hung_at > 0 && g_get_monotonic_time () - self->hung_at < HUNG_S * G_USEC_PER_SEC) {
    set_hung (self, error);
    return FALSE;
  }
  gint64 began = g_get_monotonic_time ();
  self->connection = open_another (self, cancellable, error);
  gint64 now = g_get_monotonic_time ();
  gboolean hung = self->connection == NULL && now - began >= OPEN_TIMEOUT_S * G_USEC_PER_SEC;
  self->hung_at = hung ? now : 0;
  return self->connection != NULL;
}

LvSession *
lv_hypervisor_enter (GodwitLibvirtHypervisor *self, GCancellable *cancellable, GError **error)
{
  if (!check_connected (self, error) || lv_is_cancelled (cancellable, error) ||
      !check_host (self, error))
    return NULL;
  g_rec_mutex_lock (&self->mutex);
  if (!ensure_open (self, cancellable, error)) {
    g_rec_mutex_unlock (&self->mutex);
    return NULL;
  }
  LvSession *session = g_new0 (LvSession, 1);
  session->self = g_object_ref (self);
  session->connection = self->connection;
  return session;
}

void
lv_session_leave (LvSession *session)
{
  g_rec_mutex_unlock (&session->self->mutex);
  g_object_unref (session->self);
  g_free (session);
}

virConnectPtr
lv_hypervisor_open (GodwitLibvirtHypervisor *self, GCancellable *cancellable, GError **error)
{
  if (!check_connected (self, error) || !check_host (self, error))
    return NULL;
  return open_another (self, cancellable, error);
}

gboolean
lv_hypervisor_connect (GodwitHypervisor *hypervisor, GodwitHost *host, GCancellable *cancellable,
                       GError **error)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (hypervisor);
  g_autoptr (GRecMutexLocker) locker = g_rec_mutex_locker_new (&self->mutex);

  if (self->open_uri == NULL) {
    if (self->host_name == NULL)
      self->host_name = g_strdup (host != NULL ? godwit_host_get_name (host) : "localhost");
    /* On this machine libvirt is reached without the agent, whose silence says nothing of it. */
    if (host != NULL && !godwit_host_is_local (host))
      g_weak_ref_set (&self->host, host);
    self->open_uri = choose_uri (self, host, cancellable, error);
    if (self->open_uri == NULL)
      return FALSE;
  }
  return ensure_open (self, cancellable, error);
}
