/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor.h"

#include "live.h"

#define DEFAULT_URI       "qemu:///system"
#define DEFAULT_KEEPALIVE 5

enum { PROP_URI = 1, PROP_SOCKET, PROP_KEEPALIVE };

static void
fill_vtable (GodwitHypervisorInterface *iface)
{
  iface->claims = lv_hypervisor_claims;
  iface->connect = lv_hypervisor_connect;
  iface->get_facts = lv_get_facts;
  iface->list_guests = lv_list_guests;
  iface->describe_guest = lv_describe_guest;
  iface->check_guest = lv_check_guest;
  iface->adapt_definition = lv_adapt_definition;
  iface->get_state = lv_get_state;
  iface->define = lv_define;
  iface->undefine = lv_undefine;
  iface->start = lv_start;
  iface->start_paused = lv_start_paused;
  iface->shut_down = lv_shut_down;
  iface->destroy = lv_destroy;
  iface->suspend = lv_suspend;
  iface->resume = lv_resume;
  iface->get_pid_file = lv_get_pid_file;
  iface->live_begin = lv_live_begin;
  iface->live_wait = lv_live_wait;
  iface->live_set_downtime = lv_live_set_downtime;
  iface->live_abort = lv_live_abort;
  iface->live_finish = lv_live_finish;
  iface->get_written = lv_get_written;
  iface->set_autostart = lv_set_autostart;
  iface->get_end = lv_get_end;
  iface->get_export = lv_live_get_export;
}

GODWIT_DEFINE_TYPE (GodwitLibvirtHypervisor, godwit_libvirt_hypervisor, GODWIT_TYPE_HYPERVISOR,
                    fill_vtable)

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (object);

  switch (id) {
  case PROP_URI:
    g_value_set_string (value, self->uri);
    break;
  case PROP_SOCKET:
    g_value_set_string (value, self->socket);
    break;
  case PROP_KEEPALIVE:
    g_value_set_uint (value, self->keepalive);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
replace (char **field, const char *value)
{
  g_free (*field);
  *field = value != NULL && *value != '\0' ? g_strdup (value) : NULL;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (object);

  switch (id) {
  case PROP_URI:
    replace (&self->uri, g_value_get_string (value));
    break;
  case PROP_SOCKET:
    replace (&self->socket, g_value_get_string (value));
    break;
  case PROP_KEEPALIVE:
    self->keepalive = g_value_get_uint (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
finalize (GObject *object)
{
  GodwitLibvirtHypervisor *self = GODWIT_LIBVIRT_HYPERVISOR (object);

  g_clear_pointer (&self->connection, virConnectClose);
  g_free (self->uri);
  g_free (self->socket);
  g_free (self->open_uri);
  g_free (self->host_name);
  g_weak_ref_clear (&self->host);
  g_rec_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (godwit_libvirt_hypervisor_parent_class)->finalize (object);
}

static void
godwit_libvirt_hypervisor_init (GodwitLibvirtHypervisor *self)
{
  g_weak_ref_init (&self->host, NULL);
  g_rec_mutex_init (&self->mutex);
  self->uri = g_strdup (DEFAULT_URI);
  self->keepalive = DEFAULT_KEEPALIVE;
}

static void
godwit_libvirt_hypervisor_class_init (GodwitLibvirtHypervisorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags common = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GODWIT_PARAM_CONFIG;

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->finalize = finalize;
  g_object_class_install_property (
      object_class, PROP_URI,
      g_param_spec_string ("uri", "URI", "libvirt URI as that host itself would use it",
                           DEFAULT_URI, common | GODWIT_PARAM_HOST));
  g_object_class_install_property (
      object_class, PROP_SOCKET,
      g_param_spec_string ("socket", "Socket",
                           "libvirt's socket on that host; unset: /run/libvirt/libvirt-sock, else "
                           "/run/libvirt/virtqemud-sock",
                           NULL, common));
  g_object_class_install_property (
      object_class, PROP_KEEPALIVE,
      g_param_spec_uint ("keepalive-interval", "Keepalive interval",
                         "seconds between two signs of life that libvirt's daemon is asked for; "
                         "after five missed ones the connection is given up; 0: never",
                         0, 60, DEFAULT_KEEPALIVE, common));
}

gboolean
lv_hypervisor_provide (GodwitModule *module, GError **error)
{
  return godwit_libvirt_hypervisor_provide (module, "libvirt", error);
}

void
lv_hypervisor_register (GTypeModule *module)
{
  godwit_libvirt_hypervisor_register_type (module);
}

const char *
lv_hypervisor_name (GodwitLibvirtHypervisor *self)
{
  return self->host_name != NULL ? self->host_name : "this machine";
}
