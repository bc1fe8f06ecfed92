/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include "live.h"

typedef struct {
  GTypeModule parent;
} FixtureModule;

typedef struct {
  GTypeModuleClass parent;
} FixtureModuleClass;

static GType fixture_module_get_type (void);
G_DEFINE_TYPE (FixtureModule, fixture_module, G_TYPE_TYPE_MODULE)

static gboolean
load (GTypeModule *module)
{
  lv_live_register (module);
  lv_hypervisor_register (module);
  return TRUE;
}

static void
unload (GTypeModule *module)
{
}

static void
fixture_module_class_init (FixtureModuleClass *klass)
{
  G_TYPE_MODULE_CLASS (klass)->load = load;
  G_TYPE_MODULE_CLASS (klass)->unload = unload;
}

static void
fixture_module_init (FixtureModule *module)
{
}

void
fixture_register (void)
{
  static GTypeModule *module;

  if (module != NULL)
    return;
  module = g_object_new (fixture_module_get_type (), NULL);
  g_assert_true (g_type_module_use (module));
}

GodwitHypervisor *
fixture_hypervisor (const char *uri)
{
  g_autoptr (GError) error = NULL;

  fixture_register ();
  GodwitHypervisor *hypervisor = g_object_new (GODWIT_TYPE_LIBVIRT_HYPERVISOR, NULL);
  if (uri == NULL)
    return hypervisor;
  g_object_set (hypervisor, "uri", uri, NULL);
  g_assert_true (godwit_hypervisor_connect (hypervisor, NULL, NULL, &error));
  g_assert_no_error (error);
  return hypervisor;
}

char *
fixture_domain (const char *before, const char *devices)
{
  return g_strdup_printf (
      "<domain type='kvm'><name>web</name><uuid>596EF097-77d3-4161-a71c-dad2230e18c9</uuid>"
      "<memory unit='KiB'>131072</memory><vcpu placement='static'>2</vcpu>"
      "<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>%s"
      "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>%s</devices></domain>",
      before, devices);
}
