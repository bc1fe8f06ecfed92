/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)

static GodwitDisk *
add_disk (GodwitGuest *guest, const char *target, const char *path, GodwitTreatment treatment)
{
  GodwitDisk *disk = godwit_disk_new (target);
  disk->treatment = treatment;
  g_ptr_array_add (disk->chain, godwit_image_new (path, "qcow2"));
  g_ptr_array_add (guest->disks, disk);
  return disk;
}

static GodwitGuest *
new_guest (const char *directory)
{
  GodwitGuest *guest = godwit_guest_new ("g1", "00000000-0000-4000-8000-000000000001");
  guest->instance_directory = g_strdup (directory);
  return guest;
}

static void
add_layer (GodwitDisk *disk, const char *path, guint64 size, guint64 allocated)
{
  GodwitImage *image = godwit_image_new (path, "qcow2");
  image->virtual_size = size;
  image->allocated = allocated;
  g_ptr_array_add (disk->chain, image);
}

static void
test_below (void)
{
  g_assert_true (path_is_below ("/a/b/c", "/a/b"));
  g_assert_true (path_is_below ("/a/b/c", "/a/b//"));
  g_assert_false (path_is_below ("/a/bc", "/a/b"));
  g_assert_false (path_is_below ("/a/b", "/a/b"));
  g_assert_false (path_is_below ("/a/b/", "/a/b"));
  g_assert_false (path_is_below ("/a", "/"));
  g_assert_false (path_is_below ("/a", NULL));
}

static void
test_park_directory (void)
{
  g_autoptr (GodwitGuest) guest = new_guest ("/images/g1/");
  GodwitDisk *disk = add_disk (guest, "vda", "/images/g1/disk", GODWIT_TREATMENT_MIRROR);
  GodwitDisk *config = add_disk (guest, "sda", "/images/g1/config.iso", GODWIT_TREATMENT_COPY);
  g_autofree char *path = disk_get_parkable (guest, disk);
  g_assert_cmpstr (path, ==, "/images/g1");
  config->read_only = TRUE;
  g_autofree char *with = disk_get_parkable (guest, config);
  g_assert_cmpstr (with, ==, "/images/g1");
}

/* What other guests may use stays where it is. */
static void
test_park_nothing (void)
{
  g_autoptr (GodwitGuest) guest = new_guest ("/images/g1");
  GodwitDisk *iso = add_disk (guest, "sda", "/library/debian.iso", GODWIT_TREATMENT_COPY);
  GodwitDisk *cluster = add_disk (guest, "vdb", "/cluster/disk", GODWIT_TREATMENT_COPY);
  GodwitDisk *shared = add_disk (guest, "vdc", "/shared/disk", GODWIT_TREATMENT_ATTACH);
  iso->read_only = TRUE;
  cluster->shareable = TRUE;
  g_assert_null (disk_get_parkable (guest, iso));
  g_assert_null (disk_get_parkable (guest, cluster));
  g_assert_null (disk_get_parkable (guest, shared));
}

static void
test_park_file (void)
{
  g_autoptr (GodwitGuest) guest = new_guest (NULL);
  GodwitDisk *disk = add_disk (guest, "vda", "/images/g1.qcow2", GODWIT_TREATMENT_COPY);
  g_autofree char *path = disk_get_parkable (guest, disk);
  g_assert_cmpstr (path, ==, "/images/g1.qcow2");
}

/* Renaming the directory would take an attached disk from under the guest. */
static void
test_park_beside_attached (void)
{
  g_autoptr (GodwitGuest) guest = new_guest ("/images/g1");
  GodwitDisk *disk = add_disk (guest, "vda", "/images/g1/disk", GODWIT_TREATMENT_MIRROR);
  add_disk (guest, "vdb", "/images/g1/mounted/disk", GODWIT_TREATMENT_ATTACH);
  g_autofree char *path = disk_get_parkable (guest, disk);
  g_assert_cmpstr (path, ==, "/images/g1/disk");
}

static void
test_park_decide (void)
{
  GodwitFileInfo absent = {.type = GODWIT_FILE_ABSENT};
  GodwitFileInfo foreign = {.type = GODWIT_FILE_REGULAR};
  GodwitFileInfo ours = {.type = GODWIT_FILE_REGULAR, .token = "t1"};

  g_assert_cmpint (park_decide (&foreign, &absent, "t1"), ==, PARK_RENAME);
  /* The token was put on, then the worker died. */
  g_assert_cmpint (park_decide (&ours, &absent, "t1"), ==, PARK_RENAME);
  g_assert_cmpint (park_decide (&absent, &ours, "t1"), ==, PARK_DONE);
  g_assert_cmpint (park_decide (&absent, &ours, "t2"), ==, PARK_MISSING);
  g_assert_cmpint (park_decide (&absent, &foreign, "t1"), ==, PARK_MISSING);
  g_assert_cmpint (park_decide (&absent, &absent, "t1"), ==, PARK_MISSING);
  g_assert_cmpint (park_decide (&foreign, &foreign, "t1"), ==, PARK_CONFLICT);
  g_assert_cmpint (park_decide (&foreign, &ours, "t1"), ==, PARK_CONFLICT);
}

static void
test_needed (void)
{
  g_autoptr (GodwitDisk) disk = godwit_disk_new ("vda");
  disk->treatment = GODWIT_TREATMENT_MIRROR;
  add_layer (disk, "/images/g1/disk", 1024 * MIB, 100 * MIB);
  add_layer (disk, "/images/base", 1024 * MIB, 150 * MIB);

  g_assert_cmpuint (disk_count_targets (disk), ==, 2);
  g_assert_cmpuint (disk_needed_bytes (disk, 0), ==, 100 * MIB);
  g_assert_cmpuint (disk_needed_bytes (disk, 1), ==, 150 * MIB);

  disk->flatten = TRUE;
  g_assert_cmpuint (disk_count_targets (disk), ==, 1);
  g_assert_cmpuint (disk_needed_bytes (disk, 0), ==, 250 * MIB);

  /* Layers that cover each other do not make more than the guest can see. */
  disk_get_layer (disk, 0)->allocated = 1000 * MIB;
  g_assert_cmpuint (disk_needed_bytes (disk, 0), ==, 1024 * MIB + MIB + MIB);

  disk->flatten = FALSE;
  disk->preallocated = TRUE;
  g_assert_cmpuint (disk_needed_bytes (disk, 0), ==, 1024 * MIB);
  g_assert_cmpuint (disk_needed_bytes (disk, 1), ==, 150 * MIB);
}

static void
test_flatten_of_one_layer (void)
{
  g_autoptr (GodwitDisk) disk = godwit_disk_new ("vda");
  add_layer (disk, "/images/g1/disk", 1024 * MIB, 100 * MIB);
  disk->flatten = TRUE;
  g_assert_false (disk_is_flattened (disk));
  g_assert_cmpuint (disk_count_targets (disk), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layout/below", test_below);
  g_test_add_func ("/layout/park/directory", test_park_directory);
  g_test_add_func ("/layout/park/nothing", test_park_nothing);
  g_test_add_func ("/layout/park/file", test_park_file);
  g_test_add_func ("/layout/park/beside-attached", test_park_beside_attached);
  g_test_add_func ("/layout/park/decide", test_park_decide);
  g_test_add_func ("/layout/needed", test_needed);
  g_test_add_func ("/layout/flatten-of-one-layer", test_flatten_of_one_layer);
  return g_test_run ();
}
