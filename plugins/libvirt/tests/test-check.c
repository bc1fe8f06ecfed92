/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "fixture.h"

#include <string.h>

/* What libvirt 9.0 with QEMU 7.2 says, shortened. */
static const char *const capabilities =
    "<domainCapabilities><path>/usr/bin/qemu-system-x86_64</path><domain>kvm</domain>"
    "<cpu><mode name='host-passthrough' supported='yes'/>"
    "<mode name='host-model' supported='yes'><model fallback='forbid'>Skylake-Client</model>"
    "<vendor>Intel</vendor><feature policy='require' name='ss'/>"
    "<feature policy='disable' name='hle'/></mode>"
    "<mode name='custom' supported='yes'><model usable='yes'>qemu64</model></mode></cpu>"
    "<devices><disk supported='yes'><enum name='diskDevice'><value>disk</value>"
    "<value>cdrom</value></enum><enum name='bus'><value>virtio</value><value>scsi</value></enum>"
    "</disk><graphics supported='yes'><enum name='type'><value>vnc</value></enum></graphics>"
    "<video supported='yes'><enum name='modelType'><value>vga</value><value>virtio</value></enum>"
    "</video></devices></domainCapabilities>";

static char *
list_unsupported (const char *devices)
{
  g_autofree char *definition = fixture_domain ("", devices);
  g_autoptr (xmlDoc) domain = lv_xml_parse (definition, "domain", NULL);
  g_autoptr (xmlDoc) offered = lv_xml_parse (capabilities, "domainCapabilities", NULL);
  g_auto (GStrv) list =
      lv_list_unsupported (xmlDocGetRootElement (domain), xmlDocGetRootElement (offered));

  return g_strjoinv (", ", list);
}

static void
test_devices (void)
{
  static const struct {
    const char *devices;
    const char *missing;
  } cases[] = {
      {"<disk device='disk'><target dev='vda' bus='virtio'/></disk>", ""},
      {"<disk device='disk'><target dev='sda' bus='sata'/></disk>"
       "<disk device='cdrom'><target dev='sdb' bus='sata'/></disk>",
       "disk bus sata"},
      {"<disk device='floppy'><target dev='fda' bus='fdc'/></disk>",
       "disk bus fdc, disk device floppy"},
      {"<graphics type='spice'/><video><model type='qxl'/></video>",
       "video model qxl, graphics type spice"},
      /* These capabilities do not talk about random number generators at all. */
      {"<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *missing = list_unsupported (cases[i].devices);
    g_assert_cmpstr (missing, ==, cases[i].missing);
  }
}

static void
test_host_cpu (void)
{
  g_autoptr (xmlDoc) document = lv_xml_parse (capabilities, "domainCapabilities", NULL);
  g_autofree char *cpu = lv_cpu_from_capabilities (xmlDocGetRootElement (document));

  g_assert_cmpstr (cpu, ==,
                   "<cpu mode=\"custom\" match=\"exact\">"
                   "<model fallback=\"forbid\">Skylake-Client</model><vendor>Intel</vendor>"
                   "<feature policy=\"require\" name=\"ss\"/>"
                   "<feature policy=\"disable\" name=\"hle\"/></cpu>");
}

static void
test_host_cpu_unknown (void)
{
  g_autoptr (xmlDoc) document =
      lv_xml_parse ("<domainCapabilities><cpu><mode name='host-model' supported='no'/></cpu>"
                    "</domainCapabilities>",
                    "domainCapabilities", NULL);

  g_assert_null (lv_cpu_from_capabilities (xmlDocGetRootElement (document)));
}

static gboolean
is_of_host (const char *cpu, gboolean live)
{
  g_autofree char *definition = fixture_domain (cpu, "");
  g_autoptr (xmlDoc) document = lv_xml_parse (definition, "domain", NULL);
  GodwitGuest guest = {.live_definition = live ? definition : NULL};
  LvCheck check = {.guest = &guest, .domain = xmlDocGetRootElement (document)};

  return lv_cpu_is_of_host (&check);
}

static void
test_whose_cpu (void)
{
  g_assert_true (is_of_host ("<cpu mode='host-passthrough'/>", TRUE));
  g_assert_true (is_of_host ("<cpu mode='maximum'/>", TRUE));
  /* A guest that is started anew takes what it finds. */
  g_assert_false (is_of_host ("<cpu mode='host-passthrough'/>", FALSE));
  g_assert_false (is_of_host ("<cpu mode='custom'><model>qemu64</model></cpu>", TRUE));
  g_assert_false (is_of_host ("", TRUE));
}

static void
test_facts (void)
{
  static const struct {
    const char *models;
    const char *security;
    guint32 uid;
    guint32 gid;
  } cases[] = {
      {"<secmodel><model>none</model></secmodel><secmodel><model>dac</model>"
       "<baselabel type='kvm'>+64055:+108</baselabel><baselabel type='qemu'>+1:+2</baselabel>"
       "</secmodel>",
       "none", 64055, 108},
      {"<secmodel><model>apparmor</model></secmodel><secmodel><model>dac</model>"
       "<baselabel type='kvm'>+0:+0</baselabel></secmodel>",
       "apparmor", 0, 0},
      {"<secmodel><model>selinux</model><baselabel type='kvm'>system_u:system_r:svirt_t:s0"
       "</baselabel></secmodel>",
       "selinux", G_MAXUINT32, G_MAXUINT32},
      {"<secmodel><model>dac</model><baselabel type='kvm'>qemu:kvm</baselabel></secmodel>", "none",
       G_MAXUINT32, G_MAXUINT32},
      {"", "none", G_MAXUINT32, G_MAXUINT32},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *xml =
        g_strdup_printf ("<capabilities><host><uuid>8fd75801</uuid>%s</host></capabilities>",
                         cases[i].models);
    g_autoptr (GodwitHostFacts) facts = g_new0 (GodwitHostFacts, 1);
    g_autoptr (GError) error = NULL;
    g_assert_true (lv_facts_parse (facts, xml, &error));
    g_assert_cmpstr (facts->uuid, ==, "8fd75801");
    g_assert_cmpstr (facts->security, ==, cases[i].security);
    g_assert_cmpuint (facts->guest_uid, ==, cases[i].uid);
    g_assert_cmpuint (facts->guest_gid, ==, cases[i].gid);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt/check/devices", test_devices);
  g_test_add_func ("/libvirt/check/host-cpu", test_host_cpu);
  g_test_add_func ("/libvirt/check/host-cpu-unknown", test_host_cpu_unknown);
  g_test_add_func ("/libvirt/check/whose-cpu", test_whose_cpu);
  g_test_add_func ("/libvirt/check/facts", test_facts);
  return g_test_run ();
}
