/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main job: a real guest moves between two real hosts, seen from outside. */
#include "support/labtest.h"

#include <string.h>

#define IMAGES "/var/lib/libvirt/images"

/* Bytes on disk, after what the guest wrote has been flushed to the file system. */
static gint64
allocated (const char *host, const char *path)
{
  g_autofree char *blocks = lab_sh (host, "sync %s; stat -c %%b %s", path, path);

  return g_ascii_strtoll (blocks, NULL, 10) * 512;
}

static void
assert_one_home (const char *name, const char *gone, const char *home)
{
  g_autofree char *info = lab_sh (home, "virsh dominfo %s", name);

  lab_assert_state (gone, name, "absent");
  lab_assert_contains (info, "Persistent:     yes");
}

/* What must hold after every live move: it runs there, writes there, and starts again there. */
static void
assert_moved_live (const char *name, const char *from, const char *to, const char *image)
{
  assert_one_home (name, from, to);
  lab_assert_state (to, name, "running");
  lab_assert_writes (to, name);
  g_free (lab ("guest", "stop", to, name, NULL));
  lab_assert_nothing_lost (to, name, image);
  lab_guest_boot (to, name);
  lab_assert_writes (to, name);
  g_free (lab ("guest", "stop", to, name, NULL));
  lab_assert_nothing_lost (to, name, image);
  lab_assert_clean ();
}

static void
confirm (const char *controller, const char *name)
{
  lab_run_free (lab_godwit (controller, 0, "confirm %s", name));
  lab_assert_clean ();
}

static void
assert_no_trace (const char *host, const char *name)
{
  g_autofree char *files = lab_sh (host, "find " IMAGES " -path '*%s*'", name);

  g_assert_cmpstr (files, ==, "");
}

static void
live_block (const char *name, const char *options, const char *file)
{
  g_autofree char *image = lab_guest_define ("a", name, options);
  g_autofree char *there = NULL;
  gint64 before = 0, after = 0;

  g_assert_true (g_str_has_suffix (image, file));
  lab_guest_boot ("a", name);
  g_free (lab_sh ("a", "virsh -q autostart %s; virsh -q desc %s --config --title 'my title'", name,
                  name));
  lab_run_free (lab_godwit ("a", 0, "migrate %s --to b --strategy live-block", name));
  there = lab_sh ("b", "virsh dominfo %s; virsh dumpxml --inactive %s", name, name);
  lab_assert_contains (there, "Autostart:      enable");
  lab_assert_contains (there, "<title>my title</title>");
  g_assert_null (strstr (there, "detect_zeroes"));
  g_assert_null (strstr (there, "discard="));
  assert_moved_live (name, "a", "b", image);
  /* The source's copy is still there, as it was at the freeze, and parked. */
  g_free (lab_sh ("a", "test ! -e %s", image));
  before = allocated ("a", g_strdup_printf (IMAGES "/%s_migrate/%s", name, file));
  after = allocated ("b", image);
  g_test_message ("allocated: %" G_GINT64_FORMAT " before, %" G_GINT64_FORMAT " after", before,
                  after);
  /* The guest was booted once more at the destination, which writes a few records. */
  g_assert_cmpint (after, <=, before * 102 / 100 + (1 << 20));
  confirm ("a", name);
  assert_no_trace ("a", name);
  lab_guest_forget (name);
}

static void
test_live_block_qcow2 (void)
{
  live_block ("lbq", "--format qcow2 --size 512 --fill 60", "disk.qcow2");
}

static void
test_live_block_raw (void)
{
  live_block ("lbr", "--format raw --size 512 --fill 40", "disk.raw");
}

static void
test_live_block_preallocated (void)
{
  g_autofree char *image = lab_guest_define ("a", "lbp", "--format raw --size 128 --prealloc");

  lab_guest_boot ("a", "lbp");
  lab_run_free (lab_godwit ("a", 0, "migrate lbp --to b --strategy live-block"));
  g_assert_cmpint (allocated ("b", image), >=, 128 << 20);
  assert_moved_live ("lbp", "a", "b", image);
  g_assert_cmpint (allocated ("b", image), >=, 128 << 20);
  lab_guest_forget ("lbp");
}

/* The base travels once; when it is there already and identical, only the overlay does. */
static void
test_live_block_overlay (void)
{
  g_autofree char *image =
      lab_guest_define ("a", "lbo", "--base " IMAGES "/base-lbo/base.raw --size 256 --fill 30");
  g_autofree char *chain = NULL;

  g_free (lab_sh ("b", "mkdir -p " IMAGES "/base-lbo"));
  lab_guest_boot ("a", "lbo");
  lab_run_free (lab_godwit ("a", 0, "migrate lbo --to b --strategy live-block"));
  chain = lab_sh ("b", "qemu-img info -U --backing-chain %s", image);
  lab_assert_contains (chain, "backing file: " IMAGES "/base-lbo/base.raw");
  g_free (lab_sh ("a", "test -e " IMAGES "/base-lbo/base.raw"));
  assert_moved_live ("lbo", "a", "b", image);
  lab_guest_forget ("lbo");
  g_free (lab_sh ("a", "rm -r " IMAGES "/base-lbo"));
  g_free (lab_sh ("b", "rm -r " IMAGES "/base-lbo"));
}

/* Shared root, local data disk, local ISO: each its own treatment, in one go. */
static void
test_live_block_mixed (void)
{
  g_autofree char *image =
      lab_guest_define ("a", "lbm",
                        "--dir /srv/shared/lbm --iso " IMAGES "/lbm-iso/config.iso "
                        "--disk path=" IMAGES "/lbm-data/data.raw,size=64");
  g_autofree char *iso = NULL;
  g_autofree char *copy = NULL;

  lab_guest_boot ("a", "lbm");
  g_free (lab_sh ("b", "mkdir -p " IMAGES "/lbm-iso " IMAGES "/lbm-data"));
  lab_run_free (lab_godwit ("a", 0, "migrate lbm --to b"));
  iso = lab_sh ("a", "cat " IMAGES "/lbm-iso/config.iso* | sha256sum");
  copy = lab_sh ("b", "cat " IMAGES "/lbm-iso/config.iso | sha256sum");
  g_assert_cmpstr (iso, ==, copy);
  g_free (lab_sh ("b", "test -e " IMAGES "/lbm-data/data.raw"));
  assert_moved_live ("lbm", "a", "b", image);
  lab_guest_forget ("lbm");
}

static void
test_live_shared (void)
{
  g_autofree char *image = lab_guest_define ("a", "lsh", "--dir /srv/shared/lsh");
  g_autofree char *owner = NULL;
  g_autofree char *files = NULL;

  lab_guest_boot ("a", "lsh");
  lab_run_free (lab_godwit ("a", 0, "migrate lsh --to b"));
  owner = lab_sh ("b", "stat -c %%U %s", image);
  g_assert_cmpstr (owner, ==, "libvirt-qemu");
  /* The markers of the proof are gone and no file has moved. */
  files = lab_sh ("a", "ls -A /srv/shared/lsh");
  g_assert_cmpstr (files, ==, "disk.qcow2");
  assert_moved_live ("lsh", "a", "b", image);
  /* And back, with the command typed at the other host. */
  lab_guest_boot ("b", "lsh");
  lab_run_free (lab_godwit ("a", 0, "migrate lsh --from b --to localhost"));
  assert_moved_live ("lsh", "b", "a", image);
  lab_guest_forget ("lsh");
}

static void
test_paused (void)
{
  g_autofree char *image = lab_guest_define ("a", "psd", "--dir /srv/shared/psd");

  lab_guest_boot ("a", "psd");
  g_free (lab_sh ("a", "virsh -q suspend psd"));
  lab_run_free (lab_godwit ("a", 0, "migrate psd --to b"));
  lab_assert_state ("b", "psd", "paused");
  g_free (lab_sh ("b", "virsh -q resume psd"));
  assert_moved_live ("psd", "a", "b", image);
  lab_guest_forget ("psd");
}

/* The same with a disk of its own: the mirror of a guest that stands still. */
static void
test_paused_block (void)
{
  g_autofree char *image = lab_guest_define ("a", "psb", "--size 128 --fill 10");

  lab_guest_boot ("a", "psb");
  g_free (lab_sh ("a", "virsh -q suspend psb"));
  lab_run_free (lab_godwit ("a", 0, "migrate psb --to b --auto-confirm"));
  lab_assert_state ("b", "psb", "paused");
  g_free (lab_sh ("b", "virsh -q resume psb"));
  assert_moved_live ("psb", "a", "b", image);
  lab_guest_forget ("psb");
}

static void
test_cold_running (void)
{
  g_autofree char *image = lab_guest_define ("a", "cldr", "--size 512 --fill 50");

  lab_guest_boot ("a", "cldr");
  lab_run_free (lab_godwit ("a", 0, "migrate cldr --to b --strategy cold --allow-downtime"));
  assert_one_home ("cldr", "a", "b");
  lab_assert_writes ("b", "cldr");
  g_free (lab ("guest", "stop", "b", "cldr", NULL));
  lab_assert_nothing_lost ("b", "cldr", image);
  g_free (lab_sh ("a", "test -d " IMAGES "/cldr_migrate -a ! -e " IMAGES "/cldr"));
  confirm ("a", "cldr");
  assert_no_trace ("a", "cldr");
  lab_guest_forget ("cldr");
}

static void
test_cold_stopped (void)
{
  g_autofree char *image = lab_guest_define ("a", "clds", "--format raw --size 256 --fill 20");
  gint64 before = allocated ("a", image);
  g_autofree char *digest = lab_sh ("a", "sha256sum < %s", image);
  g_autofree char *there = NULL;

  /* No --strategy and no --allow-downtime: a stopped guest has no downtime. */
  lab_run_free (lab_godwit ("a", 0, "migrate clds --to b --auto-confirm"));
  assert_one_home ("clds", "a", "b");
  lab_assert_state ("b", "clds", "shut off");
  there = lab_sh ("b", "sha256sum < %s", image);
  g_assert_cmpstr (digest, ==, there);
  g_assert_cmpint (allocated ("b", image), <=, before * 102 / 100);
  assert_no_trace ("a", "clds");
  lab_guest_boot ("b", "clds");
  lab_assert_writes ("b", "clds");
  lab_guest_forget ("clds");
}

/* A base that the destination has with other contents is no base: the copy is flattened. */
static void
test_cold_flattened (void)
{
  g_autofree char *image =
      lab_guest_define ("a", "cldf", "--base " IMAGES "/base-cldf/base.raw --size 256 --fill 30");
  g_autofree char *chain = NULL;

  g_free (lab_sh ("b",
                  "mkdir -p " IMAGES "/base-cldf; truncate -s 256M " IMAGES "/base-cldf/base.raw"));
  lab_guest_boot ("a", "cldf");
  lab_run_free (
      lab_godwit ("a", 0, "migrate cldf --to b --strategy cold --allow-downtime --auto-confirm"));
  chain = lab_sh ("b", "qemu-img info -U %s", image);
  g_assert_null (strstr (chain, "backing file"));
  lab_assert_writes ("b", "cldf");
  g_free (lab ("guest", "stop", "b", "cldf", NULL));
  lab_assert_nothing_lost ("b", "cldf", image);
  g_free (lab_sh ("a", "test -e " IMAGES "/base-cldf/base.raw"));
  lab_guest_forget ("cldf");
  g_free (lab_sh ("a", "rm -r " IMAGES "/base-cldf"));
  g_free (lab_sh ("b", "rm -r " IMAGES "/base-cldf"));
}

static void
test_cold_overlay_only (void)
{
  g_autofree char *image =
      lab_guest_define ("a", "cldo", "--base " IMAGES "/base-cldo/base.raw --size 256 --fill 60");
  g_autoptr (LabRun) show = NULL;
  g_autofree char *chain = NULL;

  g_free (lab_sh ("a", "tar -C " IMAGES " -S -c base-cldo | ssh b tar -C " IMAGES " -x -S"));
  lab_guest_boot ("a", "cldo");
  lab_run_free (
      lab_godwit ("a", 0, "migrate cldo --to b --strategy cold --allow-downtime --auto-confirm"));
  chain = lab_sh ("b", "qemu-img info -U %s", image);
  lab_assert_contains (chain, "backing file: " IMAGES "/base-cldo/base.raw");
  show = lab_godwit ("a", 0, "show cldo --json");
  g_assert_cmpint (lab_json_int (show->out, "bytes"), <, 40 << 20);
  lab_assert_writes ("b", "cldo");
  g_free (lab ("guest", "stop", "b", "cldo", NULL));
  lab_assert_nothing_lost ("b", "cldo", image);
  lab_guest_forget ("cldo");
  g_free (lab_sh ("a", "rm -r " IMAGES "/base-cldo"));
  g_free (lab_sh ("b", "rm -r " IMAGES "/base-cldo"));
}

static void
test_cold_shared (void)
{
  g_autofree char *image = lab_guest_define ("a", "cldx", "--dir /srv/shared/cldx --fill 20");
  g_autoptr (LabRun) show = NULL;

  lab_guest_boot ("a", "cldx");
  lab_run_free (lab_godwit ("a", 0, "migrate cldx --to b --strategy cold --allow-downtime"));
  assert_one_home ("cldx", "a", "b");
  show = lab_godwit ("a", 0, "show cldx --json");
  g_assert_cmpint (lab_json_int (show->out, "bytes"), <, 1 << 20);
  lab_assert_writes ("b", "cldx");
  g_free (lab ("guest", "stop", "b", "cldx", NULL));
  lab_assert_nothing_lost ("b", "cldx", image);
  lab_guest_forget ("cldx");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/move/live-shared", test_live_shared);
  g_test_add_func ("/move/live-block/qcow2", test_live_block_qcow2);
  g_test_add_func ("/move/live-block/raw", test_live_block_raw);
  g_test_add_func ("/move/live-block/preallocated", test_live_block_preallocated);
  g_test_add_func ("/move/live-block/overlay", test_live_block_overlay);
  g_test_add_func ("/move/live-block/mixed", test_live_block_mixed);
  g_test_add_func ("/move/paused/shared", test_paused);
  g_test_add_func ("/move/paused/block", test_paused_block);
  g_test_add_func ("/move/cold/running", test_cold_running);
  g_test_add_func ("/move/cold/stopped", test_cold_stopped);
  g_test_add_func ("/move/cold/flattened", test_cold_flattened);
  g_test_add_func ("/move/cold/overlay-only", test_cold_overlay_only);
  g_test_add_func ("/move/cold/shared", test_cold_shared);
  return lab_main ("move", "a,b", NULL);
}
