/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "definition.h"
#include "describe.h"
#include "fixture.h"

#include <godwit/error.h>
#include <string.h>

#define DISK(target, driver, source)                                                               \
  "<disk type='file' device='disk'>" driver "<source " source "/><target dev='" target             \
  "' bus='virtio'/></disk>"
#define QCOW2 "<driver name='qemu' type='qcow2' cache='none'/>"

typedef struct {
  GodwitGuest *guest;
  GPtrArray *notes;
  LvPlace place;
} Fixture;

/* A running guest, of which both definitions have these devices. */
static void
set_up (Fixture *fixture, const char *before, const char *devices)
{
  g_autofree char *definition = fixture_domain (before, devices);
  g_autoptr (GError) error = NULL;

  fixture->guest = lv_guest_from_xml (definition, definition, NULL, NULL, &error);
  g_assert_no_error (error);
  fixture->guest->persistent = TRUE;
  fixture->notes = g_ptr_array_new_with_free_func (g_free);
  fixture->place.notes = fixture->notes;
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_pointer (&fixture->guest, godwit_guest_free);
  g_clear_pointer (&fixture->notes, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static char *
adapt (Fixture *fixture, gboolean live)
{
  g_autoptr (GError) error = NULL;
  char *definition = lv_definition_adapt (fixture->guest, live, &fixture->place, &error);

  g_assert_no_error (error);
  return definition;
}

static GodwitDisk *
get_disk (Fixture *fixture, const char *target)
{
  GodwitDisk *disk = godwit_guest_find_disk (fixture->guest, target);

  g_assert_nonnull (disk);
  return disk;
}

static void
move (Fixture *fixture, const char *target, const char *destination)
{
  godwit_disk_get_top (get_disk (fixture, target))->destination = g_strdup (destination);
}

static void
test_sources (void)
{
  g_auto (Fixture) fixture = {0};

  set_up (&fixture, "",
          DISK ("vda", QCOW2, "file='/a/web.qcow2'") DISK (
              "vdb", "",
              "file='/shared/b'") "<disk type='block'><source dev='/dev/vg/a'/><target "
                                  "dev='vdc'/></disk>"
                                  "<disk type='file' device='cdrom'><target dev='hda'/></disk>");
  move (&fixture, "vda", "/b/we&b.qcow2");
  move (&fixture, "vdc", "/dev/vg/b");
  for (int live = 0; live <= 1; live++) {
    g_autofree char *adapted = adapt (&fixture, live);
    assert_has (adapted, "<source file=\"/b/we&amp;b.qcow2\"/>");
    assert_has (adapted, "<source file=\"/shared/b\"/>");
    assert_has (adapted, "<source dev=\"/dev/vg/b\"/>");
    assert_has (adapted, "<uuid>596EF097-77d3-4161-a71c-dad2230e18c9</uuid>");
  }
  g_assert_cmpuint (fixture.notes->len, ==, 0);
}

static void
test_volume_becomes_its_path (void)
{
  g_auto (Fixture) fixture = {0};

  set_up (&fixture, "",
          "<disk type='volume'><source pool='p' volume='v' mode='host'/><target dev='vda'/></disk>"
          "<disk type='volume'><source pool='p' volume='w'/><target dev='vdb'/></disk>");
  move (&fixture, "vda", "/dev/disk/by-id/x");
  move (&fixture, "vdb", "/pool/w");
  g_autofree char *adapted = adapt (&fixture, FALSE);
  assert_has (adapted, "<disk type=\"block\"><source dev=\"/dev/disk/by-id/x\"/>");
  assert_has (adapted, "<disk type=\"file\"><source file=\"/pool/w\"/>");
}

static void
test_network_disk_stays (void)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  set_up (&fixture, "",
          "<disk type='network'><source protocol='rbd' name='p/i'><host name='m'/></source>"
          "<target dev='vda'/></disk>");
  g_autofree char *adapted = adapt (&fixture, TRUE);
  assert_has (adapted, "protocol=\"rbd\"");
  move (&fixture, "vda", "rbd://m/other");
  g_assert_null (lv_definition_adapt (fixture.guest, TRUE, &fixture.place, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
}

static void
test_holes_are_kept_by_the_mirror_only (void)
{
  g_auto (Fixture) fixture = {0};

  set_up (&fixture, "",
          DISK ("vda", QCOW2, "file='/a'") DISK ("vdb", "", "file='/b'")
              DISK ("vdc", QCOW2, "file='/c'") DISK ("vdd", QCOW2, "file='/d'")
                  DISK ("vde", "<driver name='qemu' type='raw' discard='ignore'/>", "file='/e'"));
  get_disk (&fixture, "vda")->treatment = GODWIT_TREATMENT_MIRROR;
  get_disk (&fixture, "vdb")->treatment = GODWIT_TREATMENT_MIRROR;
  get_disk (&fixture, "vdc")->treatment = GODWIT_TREATMENT_MIRROR;
  get_disk (&fixture, "vdc")->preallocated = TRUE;
  get_disk (&fixture, "vdd")->treatment = GODWIT_TREATMENT_ATTACH;
  get_disk (&fixture, "vde")->treatment = GODWIT_TREATMENT_MIRROR;

  g_autofree char *persistent = adapt (&fixture, FALSE);
  assert_lacks (persistent, "detect_zeroes");
  assert_has (persistent, "discard=\"ignore\"");
  g_assert_cmpuint (fixture.notes->len, ==, 0);

  g_autofree char *live = adapt (&fixture, TRUE);
  assert_has (live, "type=\"qcow2\" cache=\"none\" discard=\"unmap\" detect_zeroes=\"unmap\"/>"
                    "<source file=\"/a\"/>");
  assert_has (live, "<driver name=\"qemu\" type=\"raw\" discard=\"unmap\" "
                    "detect_zeroes=\"unmap\"/>");
  assert_has (live, "cache=\"none\"/><source file=\"/c\"/>");
  assert_has (live, "cache=\"none\"/><source file=\"/d\"/>");
  assert_lacks (live, "discard=\"ignore\"");
  g_assert_cmpuint (fixture.notes->len, ==, 3);
}

static void
test_backing_chain (void)
{
  g_auto (Fixture) fixture = {0};

  set_up (&fixture, "",
          "<disk type='file'><driver name='qemu' type='qcow2'/><source file='/a/top'/>"
          "<backingStore type='file'><format type='qcow2'/><source file='/a/mid'/>"
          "<backingStore type='file'><format type='raw'/><source file='/a/base'/><backingStore/>"
          "</backingStore></backingStore><target dev='vda'/></disk>");
  GodwitDisk *disk = get_disk (&fixture, "vda");
  g_ptr_array_add (disk->chain, godwit_image_new ("/a/mid", "qcow2"));
  g_ptr_array_add (disk->chain, godwit_image_new ("/a/base", "raw"));
  for (guint i = 0; i < 3; i++) {
    GodwitImage *image = g_ptr_array_index (disk->chain, i);
    image->destination = g_strdup_printf ("/b/%u", i);
  }
  g_autofree char *kept = adapt (&fixture, TRUE);
  assert_has (kept, "<source file=\"/b/0\"/>");
  assert_has (kept, "<source file=\"/b/1\"/>");
  assert_has (kept, "<source file=\"/b/2\"/><backingStore/>");

  disk->flatten = TRUE;
  g_autofree char *flat = adapt (&fixture, FALSE);
  assert_has (flat, "<source file=\"/b/0\"/>");
  assert_lacks (flat, "backingStore");
}

static void
test_consoles (void)
{
  static const struct {
    const char *was;
    const char *place; /* address of the destination */
    const char *is;
  } cases[] = {
      {"192.0.2.10", "192.0.2.20", "192.0.2.20"}, {"192.0.2.10", NULL, "127.0.0.1"},
      {"0.0.0.0", "192.0.2.20", "0.0.0.0"},       {"::", NULL, "::"},
      {"127.0.0.1", "192.0.2.20", "127.0.0.1"},   {"::1", "192.0.2.20", "::1"},
      {"localhost", "192.0.2.20", "localhost"},   {"2001:db8::1", "b.example", "b.example"},
      {"192.0.2.20", "192.0.2.20", "192.0.2.20"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Fixture) fixture = {0};
    g_autofree char *xml = g_strdup_printf (
        "<graphics type='vnc' port='5900' autoport='yes' listen='%s' passwd='secret'>"
        "<listen type='address' address='%s'/><listen type='network' network='n'/></graphics>",
        cases[i].was, cases[i].was);
    g_autofree char *listen = g_strdup_printf ("listen=\"%s\"", cases[i].is);
    g_autofree char *address = g_strdup_printf ("type=\"address\" address=\"%s\"", cases[i].is);
    set_up (&fixture, "", xml);
    fixture.place.address = cases[i].place;
    g_autofree char *live = adapt (&fixture, TRUE);
    g_assert_cmpuint (fixture.notes->len, ==, 0);
    g_autofree char *persistent = adapt (&fixture, FALSE);
    assert_has (live, listen);
    assert_has (persistent, listen);
    assert_has (persistent, address);
    assert_has (persistent, "passwd=\"secret\"");
    assert_has (persistent, "type=\"network\" network=\"n\"");
    g_assert_cmpuint (fixture.notes->len, ==, g_str_equal (cases[i].was, cases[i].is) ? 0 : 1);
    for (guint n = 0; n < fixture.notes->len; n++)
      assert_lacks ((char *)g_ptr_array_index (fixture.notes, n), "secret");
  }
}

static void
test_run_time_state_goes (void)
{
  g_auto (Fixture) fixture = {0};

  set_up (&fixture,
          "<title>A title</title><metadata><x:y xmlns:x='urn:x'>kept</x:y></metadata>"
          "<seclabel type='dynamic' model='apparmor' relabel='yes'>"
          "<label>libvirt-596ef097</label><imagelabel>libvirt-596ef097</imagelabel></seclabel>"
          "<seclabel type='static' model='dac' relabel='no'><label>root:root</label></seclabel>",
          "<serial type='file'><source path='/var/log/web.log'/></serial>");
  g_autofree char *adapted = adapt (&fixture, TRUE);
  assert_lacks (adapted, "libvirt-596ef097");
  assert_has (adapted, "model=\"apparmor\"");
  assert_has (adapted, "<label>root:root</label>");
  assert_has (adapted, "<title>A title</title>");
  assert_has (adapted, "kept</x:y>");
  assert_has (adapted, "/var/log/web.log");
}

static void
test_emulator (void)
{
  g_auto (Fixture) fixture = {0};

  set_up (&fixture, "", "");
  g_autofree char *same = adapt (&fixture, FALSE);
  assert_has (same, "<emulator>/usr/bin/qemu-system-x86_64</emulator>");
  fixture.place.emulator = "/usr/libexec/qemu-kvm";
  g_autofree char *other = adapt (&fixture, FALSE);
  assert_has (other, "<emulator>/usr/libexec/qemu-kvm</emulator>");
  g_assert_cmpuint (fixture.notes->len, ==, 1);
}

/* The persistent definition may name a CD that was ejected or changed since the start. */
static void
test_other_medium (void)
{
  g_auto (Fixture) fixture = {0};
  g_autofree char *persistent =
      fixture_domain ("", DISK ("vda", QCOW2,
                                "file='/a'") "<disk type='file' device='cdrom'><source "
                                             "file='/iso/old.iso'/><target dev='hda'/></disk>"
                                             "<disk type='file' device='cdrom'><source "
                                             "file='/iso/gone.iso'/><target dev='hdb'/>"
                                             "</disk>");

  set_up (&fixture, "",
          DISK ("vda", QCOW2,
                "file='/a'") "<disk type='file' device='cdrom'><source "
                             "file='/iso/new.iso'/><target dev='hda'/></disk>"
                             "<disk type='file' device='cdrom'><target dev='hdb'/></disk>");
  g_free (fixture.guest->definition);
  fixture.guest->definition = g_strdup (persistent);
  move (&fixture, "hda", "/moved/new.iso");
  g_autofree char *adapted = adapt (&fixture, FALSE);
  assert_has (adapted, "<source file=\"/iso/old.iso\" startupPolicy=\"optional\"/>");
  assert_has (adapted, "<source file=\"/iso/gone.iso\" startupPolicy=\"optional\"/>");
  g_assert_cmpuint (fixture.notes->len, ==, 2);
  g_auto (GStrv) strays = lv_definition_list_strays (fixture.guest, NULL);
  g_assert_cmpuint (g_strv_length (strays), ==, 0);
}

static void
test_strays (void)
{
  g_auto (Fixture) fixture = {0};
  g_autofree char *persistent =
      fixture_domain ("", DISK ("vda", QCOW2, "file='/a'") DISK ("vdb", QCOW2, "file='/b'")
                              DISK ("vdc", QCOW2, "file='/c'"));

  set_up (&fixture, "",
          DISK ("vda", QCOW2, "file='/a'") DISK ("vdb", QCOW2, "file='/b.snapshot'")
              DISK ("vdx", QCOW2, "file='/x'"));
  g_free (fixture.guest->definition);
  fixture.guest->definition = g_strdup (persistent);
  g_auto (GStrv) strays = lv_definition_list_strays (fixture.guest, NULL);
  g_autofree char *list = g_strjoinv (" ", strays);
  g_assert_cmpstr (list, ==, "vdb vdc");
}

static void
test_nothing_to_adapt (void)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  set_up (&fixture, "", "");
  g_clear_pointer (&fixture.guest->live_definition, g_free);
  g_assert_null (lv_definition_adapt (fixture.guest, TRUE, &fixture.place, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt/adapt/sources", test_sources);
  g_test_add_func ("/libvirt/adapt/volume-becomes-its-path", test_volume_becomes_its_path);
  g_test_add_func ("/libvirt/adapt/network-disk-stays", test_network_disk_stays);
  g_test_add_func ("/libvirt/adapt/holes-are-kept-by-the-mirror-only",
                   test_holes_are_kept_by_the_mirror_only);
  g_test_add_func ("/libvirt/adapt/backing-chain", test_backing_chain);
  g_test_add_func ("/libvirt/adapt/consoles", test_consoles);
  g_test_add_func ("/libvirt/adapt/run-time-state-goes", test_run_time_state_goes);
  g_test_add_func ("/libvirt/adapt/emulator", test_emulator);
  g_test_add_func ("/libvirt/adapt/other-medium", test_other_medium);
  g_test_add_func ("/libvirt/adapt/strays", test_strays);
  g_test_add_func ("/libvirt/adapt/nothing-to-adapt", test_nothing_to_adapt);
  return g_test_run ();
}
