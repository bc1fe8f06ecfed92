/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "describe.h"
#include "fixture.h"

#include <godwit/error.h>
#include <string.h>

static GodwitGuest *
describe (const char *before, const char *devices)
{
  g_autofree char *definition = fixture_domain (before, devices);
  g_autoptr (GError) error = NULL;
  GodwitGuest *guest = lv_guest_from_xml (definition, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return guest;
}

static const GodwitDisk *
get_disk (const GodwitGuest *guest, guint index)
{
  g_assert_cmpuint (guest->disks->len, >, index);
  return g_ptr_array_index (guest->disks, index);
}

static const GodwitImage *
get_top (const GodwitGuest *guest, guint index)
{
  return godwit_disk_get_top (get_disk (guest, index));
}

static void
test_identity (void)
{
  g_autoptr (GodwitGuest) guest = describe ("", "");

  g_assert_cmpstr (guest->name, ==, "web");
  g_assert_cmpstr (guest->uuid, ==, "596ef097-77d3-4161-a71c-dad2230e18c9");
  g_assert_cmpuint (guest->memory, ==, 128 * 1024 * 1024);
  g_assert_cmpuint (guest->vcpus, ==, 2);
  g_assert_cmpuint (guest->disks->len, ==, 0);
  g_assert_null (guest->nvram);
  g_assert_null (guest->live_definition);
}

static void
test_disks (void)
{
  g_autoptr (GodwitGuest) guest = describe (
      "",
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
      "<source file='/srv/web.qcow2'/><target dev='vda' bus='virtio'/></disk>"
      "<disk type='block' device='disk'><driver name='qemu' type='raw'/>"
      "<source dev='/dev/vg/data'/><target dev='sdb' bus='scsi'/><shareable/></disk>"
      "<disk type='file' device='cdrom'><source file='/iso/a.iso'/><target dev='hda' bus='ide'/>"
      "</disk>"
      "<disk type='file' device='cdrom'><target dev='hdb' bus='ide'/><readonly/></disk>"
      "<disk type='file'><source file='/srv/ro.raw'/><target dev='vdb'/><readonly/></disk>"
      "<disk type='file' device='floppy'><source file='/f.img'/><target dev='fda'/></disk>");

  const GodwitDisk *disk = get_disk (guest, 0);
  g_assert_cmpstr (disk->target, ==, "vda");
  g_assert_cmpstr (disk->device, ==, "disk");
  g_assert_cmpstr (disk->type, ==, "file");
  g_assert_cmpstr (disk->bus, ==, "virtio");
  g_assert_cmpstr (disk->cache, ==, "none");
  g_assert_false (disk->read_only);
  g_assert_false (disk->shareable);
  g_assert_cmpstr (get_top (guest, 0)->path, ==, "/srv/web.qcow2");
  g_assert_cmpstr (get_top (guest, 0)->format, ==, "qcow2");

  g_assert_cmpstr (get_top (guest, 1)->path, ==, "/dev/vg/data");
  g_assert_true (get_disk (guest, 1)->shareable);
  /* A CD is read-only whether it says so or not, a floppy is not. */
  g_assert_true (get_disk (guest, 2)->read_only);
  g_assert_cmpstr (get_top (guest, 2)->format, ==, "raw");
  g_assert_null (get_top (guest, 3));
  g_assert_true (get_disk (guest, 4)->read_only);
  g_assert_cmpstr (get_disk (guest, 4)->device, ==, "disk");
  g_assert_null (get_disk (guest, 4)->cache);
  g_assert_false (get_disk (guest, 5)->read_only);
}

static void
test_network_disks (void)
{
  static const struct {
    const char *source;
    const char *uri;
  } cases[] = {
      {"<source protocol='rbd' name='pool/image'><host name='mon' port='6789'/></source>",
       "rbd://mon:6789/pool/image"},
      {"<source protocol='nbd' name='exp'><host transport='unix' socket='/run/n.sock'/></source>",
       "nbd+unix:///exp?socket=/run/n.sock"},
      {"<source protocol='iscsi' name='iqn.2013-07:t/1'><host name='fe80::1' port='3260'/>"
       "</source>",
       "iscsi://[fe80::1]:3260/iqn.2013-07:t/1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *xml =
        g_strdup_printf ("<disk type='network'>%s<target dev='vda'/></disk>", cases[i].source);
    g_autoptr (GodwitGuest) guest = describe ("", xml);
    g_assert_cmpstr (get_top (guest, 0)->path, ==, cases[i].uri);
    g_assert_cmpstr (get_disk (guest, 0)->type, ==, "network");
  }
}

static char *
resolve (gpointer data, const char *pool, const char *volume, GError **error)
{
  if (g_str_equal (pool, "default"))
    return g_strdup_printf ("/pool/%s", volume);
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "no pool %s", pool);
  return NULL;
}

static void
test_volumes (void)
{
  g_autofree char *good = fixture_domain (
      "",
      "<disk type='volume'><source pool='default' volume='web.img'/><target dev='vda'/></disk>");
  g_autofree char *bad = fixture_domain (
      "", "<disk type='volume'><source pool='gone' volume='web.img'/><target dev='vda'/></disk>");
  g_autoptr (GError) error = NULL;

  g_autoptr (GodwitGuest) guest = lv_guest_from_xml (good, NULL, resolve, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (get_top (guest, 0)->path, ==, "/pool/web.img");
  g_assert_cmpstr (get_disk (guest, 0)->type, ==, "volume");
  g_assert_null (lv_guest_from_xml (bad, NULL, resolve, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "disk vda: "));
}

static void
test_running_guest_counts (void)
{
  g_autofree char *persistent =
      fixture_domain ("", "<disk type='file'><source file='/old'/><target dev='vda'/></disk>");
  g_autofree char *live =
      fixture_domain ("<seclabel type='none'/>",
                      "<disk type='file'><source file='/new'/><target dev='vda'/></disk>"
                      "<disk type='file'><source file='/hotplugged'/><target dev='vdb'/></disk>");
  g_autoptr (GodwitGuest) guest = lv_guest_from_xml (persistent, live, NULL, NULL, NULL);

  g_assert_cmpuint (guest->disks->len, ==, 2);
  g_assert_cmpstr (get_top (guest, 0)->path, ==, "/new");
  g_assert_false (get_disk (guest, 0)->live_only);
  g_assert_true (get_disk (guest, 1)->live_only);
  g_assert_cmpstr (guest->definition, ==, persistent);
  g_assert_cmpstr (guest->live_definition, ==, live);
}

static void
test_firmware_variables (void)
{
  g_autofree char *xml = fixture_domain ("", "");
  g_auto (GStrv) parts = g_strsplit (xml, "hvm</type>", 2);
  g_autofree char *with = g_strdup_printf (
      "%shvm</type><nvram template='/t'>/var/lib/libvirt/qemu/nvram/web_VARS.fd</nvram>%s",
      parts[0], parts[1]);
  g_autoptr (GodwitGuest) guest = lv_guest_from_xml (with, NULL, NULL, NULL, NULL);

  g_assert_cmpstr (guest->nvram, ==, "/var/lib/libvirt/qemu/nvram/web_VARS.fd");
}

/* What is of the host and cannot move, one device a case; NULL: it can. */
static void
test_passthrough (void)
{
  static const struct {
    const char *device;
    const char *name;
  } cases[] = {
      {"<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "
       "bus='0x3b' slot='0x02' function='0x1'/></source></hostdev>",
       "PCI device 0000:3b:02.1"},
      {"<hostdev mode='subsystem' type='usb'><source><vendor id='0x0781'/><product id='0x5567'/>"
       "</source></hostdev>",
       "USB device 0x0781:0x5567"},
      {"<hostdev mode='subsystem' type='usb'><source><address bus='1' device='4'/></source>"
       "</hostdev>",
       "USB device 4 on bus 1"},
      {"<hostdev mode='subsystem' type='mdev'><source><address uuid='c2177883'/></source>"
       "</hostdev>",
       "mediated device c2177883"},
      {"<interface type='hostdev'><mac address='52:54:00:00:00:01'/></interface>",
       "network interface 52:54:00:00:00:01 (hostdev)"},
      {"<interface type='vhostuser'><mac address='52:54:00:00:00:02'/></interface>",
       "network interface 52:54:00:00:00:02 (vhostuser)"},
      {"<interface type='bridge'><mac address='52:54:00:00:00:03'/></interface>", NULL},
      {"<filesystem type='mount'><driver type='virtiofs'/><source dir='/home'/>"
       "<target dir='h'/></filesystem>",
       "directory /home shared as h"},
      {"<shmem name='ivshmem'/>", "shared memory ivshmem"},
      {"<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
       "emulated TPM (its state is kept on the host)"},
      {"<tpm model='tpm-tis'><backend type='passthrough'/></tpm>", "TPM of the host (passthrough)"},
      {"<memory model='nvdimm'><source><path>/mnt/nv</path></source></memory>",
       "persistent memory /mnt/nv"},
      {"<memory model='dimm'/>", NULL},
      {"<serial type='dev'><source path='/dev/ttyS0'/></serial>", "serial device /dev/ttyS0"},
      {"<serial type='pty'/>", NULL},
      {"<input type='tablet' bus='usb'/>", NULL},
      {"<input type='evdev'><source dev='/dev/input/event3'/></input>",
       "input device /dev/input/event3"},
      {"<disk type='nvme'><source type='pci'/><target dev='vdz'/></disk>", "disk vdz (nvme)"},
      {"<disk type='block' device='lun'><source dev='/dev/sg1'/><target dev='sdz'/></disk>",
       "disk sdz (SCSI commands passed through)"},
      {"<disk type='file'><source file='/t'/><target dev='vdt'/><transient/></disk>",
       "disk vdt (transient)"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GodwitGuest) guest = describe ("", cases[i].device);
    g_assert_cmpuint (g_strv_length (guest->passthrough), ==, cases[i].name != NULL ? 1 : 0);
    if (cases[i].name != NULL)
      g_assert_cmpstr (guest->passthrough[0], ==, cases[i].name);
  }
}

static void
test_options_that_libvirt_hands_on (void)
{
  g_autoptr (GodwitGuest) with =
      describe ("<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
                "<q:arg value='-newarg'/></q:commandline><launchSecurity type='sev'/>",
                "");
  g_autoptr (GodwitGuest) without =
      describe ("<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>", "");

  g_assert_cmpuint (g_strv_length (with->passthrough), ==, 2);
  g_assert_cmpuint (g_strv_length (without->passthrough), ==, 0);
}

static void
test_bad_definitions (void)
{
  static const struct {
    const char *xml;
    int code;
  } cases[] = {
      {"<domain><name>a/b</name><uuid>596ef097-77d3-4161-a71c-dad2230e18c9</uuid></domain>",
       GODWIT_ERROR_NOT_SUPPORTED},
      {"<domain><name>a&#10;b</name><uuid>596ef097-77d3-4161-a71c-dad2230e18c9</uuid></domain>",
       GODWIT_ERROR_NOT_SUPPORTED},
      {"<domain><uuid>596ef097-77d3-4161-a71c-dad2230e18c9</uuid></domain>",
       GODWIT_ERROR_NOT_SUPPORTED},
      {"<domain><name>a</name><uuid>../../etc</uuid></domain>", GODWIT_ERROR_CORRUPT},
      {"<domain><name>a</name></domain>", GODWIT_ERROR_CORRUPT},
      {"<domain><name>a</name><uuid>596ef097-77d3-4161-a71c-dad2230e18c9</uuid>"
       "<devices><disk type='file'/></devices></domain>",
       GODWIT_ERROR_CORRUPT},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (lv_guest_from_xml (cases[i].xml, NULL, NULL, NULL, &error));
    g_assert_error (error, GODWIT_ERROR, cases[i].code);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt/describe/identity", test_identity);
  g_test_add_func ("/libvirt/describe/disks", test_disks);
  g_test_add_func ("/libvirt/describe/network-disks", test_network_disks);
  g_test_add_func ("/libvirt/describe/volumes", test_volumes);
  g_test_add_func ("/libvirt/describe/running-guest-counts", test_running_guest_counts);
  g_test_add_func ("/libvirt/describe/firmware-variables", test_firmware_variables);
  g_test_add_func ("/libvirt/describe/passthrough", test_passthrough);
  g_test_add_func ("/libvirt/describe/options-that-libvirt-hands-on",
                   test_options_that_libvirt_hands_on);
  g_test_add_func ("/libvirt/describe/bad-definitions", test_bad_definitions);
  return g_test_run ();
}
