/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transport over OpenSSH: the object, its properties and the contract. */
#include "scp.h"

#include <string.h>

enum { PROP_DESTINATION = 1, PROP_PORT, PROP_IDENTITY_FILE, PROP_OPTIONS, PROP_CONNECT_TIMEOUT };

static GodwitTransportFlags
get_flags (GodwitTransport *self)
{
  return GODWIT_TRANSPORT_ENCRYPTED | GODWIT_TRANSPORT_AUTHENTICATED;
}

/* user@host and ssh:// are addresses whatever becomes of them. A bare name is one only if ssh
 * can make an address of it; else a mistyped host would end in a long wait for a name server. */
static gboolean
claims (GodwitTransport *transport, const char *name)
{
  GodwitScp *self = GODWIT_SCP (transport);

  if (!godwit_scp_is_valid_destination (name))
    return FALSE;
  g_free (self->destination);
  self->destination = g_strdup (name);
  if (strchr (name, '@') != NULL || g_str_has_prefix (name, "ssh://"))
    return TRUE;

  g_autoptr (GodwitScpTarget) target = godwit_scp_resolve (self, NULL);
  return target != NULL && godwit_scp_target_has_address (target);
}

static GStrv
get_command (GodwitTransport *transport, GodwitRoute route, const char *session,
             const char *const *remote, GError **error)
{
  GodwitScp *self = GODWIT_SCP (transport);

  if (session != NULL) {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
    g_free (self->session);
    self->session = g_strdup (session);
  }
  return godwit_scp_make_command (self, route, session, remote, error);
}

static void
explain (GodwitTransport *transport, int status, const char *printed, GError **error)
{
  GodwitScp *self = GODWIT_SCP (transport);

  godwit_scp_explain (self->destination != NULL ? self->destination : "the host", status, printed,
                      error);
}

static gboolean
pair (GodwitTransport *self, GodwitTransport *from, const char *const *remote,
      GCancellable *cancellable, GError **error)
{
  if (from != NULL && !GODWIT_IS_SCP (from)) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                      "only hosts that are both reached over ssh can be paired this way");
    return FALSE;
  }
  return godwit_scp_pair (GODWIT_SCP (self), (GodwitScp *)from, remote, cancellable, error);
}

static gboolean
is_paired (GodwitTransport *self, GodwitTransport *from, GCancellable *cancellable)
{
  return (from == NULL || GODWIT_IS_SCP (from)) &&
         godwit_scp_is_paired (GODWIT_SCP (self), (GodwitScp *)from, cancellable);
}

static void
transport_init (GodwitTransportInterface *iface)
{
  iface->get_flags = get_flags;
  iface->claims = claims;
  iface->get_command = get_command;
  iface->explain = explain;
  iface->pair = pair;
  iface->is_paired = is_paired;
}

GODWIT_DEFINE_TYPE (GodwitScp, godwit_scp, GODWIT_TYPE_TRANSPORT, transport_init)

static void
godwit_scp_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GodwitScp *self = GODWIT_SCP (object);

  switch (id) {
  case PROP_DESTINATION:
    /* Unset in the configuration must not undo what claims() found. */
    if (g_value_get_string (value) != NULL && *g_value_get_string (value) != '\0') {
      g_free (self->destination);
      self->destination = g_value_dup_string (value);
    }
    break;
  case PROP_PORT:
    self->port = g_value_get_uint (value);
    break;
  case PROP_IDENTITY_FILE:
    g_free (self->identity_file);
    self->identity_file = g_value_dup_string (value);
    break;
  case PROP_OPTIONS:
    g_strfreev (self->options);
    self->options = g_value_dup_boxed (value);
    break;
  case PROP_CONNECT_TIMEOUT:
    self->connect_timeout = g_value_get_uint (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
godwit_scp_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GodwitScp *self = GODWIT_SCP (object);

  switch (id) {
  case PROP_DESTINATION:
    g_value_set_string (value, self->destination);
    break;
  case PROP_PORT:
    g_value_set_uint (value, self->port);
    break;
  case PROP_IDENTITY_FILE:
    g_value_set_string (value, self->identity_file);
    break;
  case PROP_OPTIONS:
    g_value_set_boxed (value, self->options);
    break;
  case PROP_CONNECT_TIMEOUT:
    g_value_set_uint (value, self->connect_timeout);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
godwit_scp_finalize (GObject *object)
{
  GodwitScp *self = GODWIT_SCP (object);

  g_free (self->destination);
  g_free (self->identity_file);
  g_strfreev (self->options);
  g_free (self->session);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (godwit_scp_parent_class)->finalize (object);
}

static void
godwit_scp_init (GodwitScp *self)
{
  g_mutex_init (&self->lock);
  self->connect_timeout = 15;
}

static void
godwit_scp_class_init (GodwitScpClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GODWIT_PARAM_CONFIG;

  object_class->set_property = godwit_scp_set_property;
  object_class->get_property = godwit_scp_get_property;
  object_class->finalize = godwit_scp_finalize;
  g_object_class_install_property (
      object_class, PROP_DESTINATION,
      g_param_spec_string ("destination", "Destination",
                           "[USER@]HOST or ssh://[USER@]HOST[:PORT] as ssh(1) takes it, aliases "
                           "of your ~/.ssh/config included; unset: the host's own name",
                           NULL, flags | GODWIT_PARAM_HOST));
  g_object_class_install_property (
      object_class, PROP_PORT,
      g_param_spec_uint ("port", "Port", "Port of sshd; 0: what your ssh configuration says", 0,
                         65535, 0, flags | GODWIT_PARAM_HOST));
  g_object_class_install_property (
      object_class, PROP_IDENTITY_FILE,
      g_param_spec_string ("identity-file", "Identity file",
                           "Private key for this host; unset: what your ssh configuration says",
                           NULL, flags | GODWIT_PARAM_HOST));
  g_object_class_install_property (
      object_class, PROP_OPTIONS,
      g_param_spec_boxed (
          "options", "Options",
          "More ssh options as KEY=VALUE;KEY=VALUE, as after -o (see ssh_config(5))", G_TYPE_STRV,
          flags | GODWIT_PARAM_HOST));
  g_object_class_install_property (object_class, PROP_CONNECT_TIMEOUT,
                                   g_param_spec_uint ("connect-timeout", "Connect timeout",
                                                      "Seconds to wait for a connection", 1, 600,
                                                      15, flags | GODWIT_PARAM_HOST));
}

static gboolean
register_types (GodwitModule *module, GError **error)
{
  return godwit_scp_provide (module, "scp", error);
}

GODWIT_PLUGIN_DEFINE (scp, "scp", "0.1.0", "Channels over OpenSSH with your own ssh configuration",
                      "LGPL-2.1-or-later", "godwit", register_types)
