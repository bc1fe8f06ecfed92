/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk must hold, and images of disks at rest. */
#include "transfer/image.h"
#include "verify/check.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

#define KIB     1024u
#define CLUSTER (64 * KIB)
#define DISK    (3 * CLUSTER + 1000)

/* --- blocks --------------------------------------------------------------------------------- */

static void
write_blocks (GodwitBlocks *blocks, guint64 first, guint count, guint64 digest)
{
  godwit_blocks_begin (blocks, first * CLUSTER, count * CLUSTER);
  for (guint i = 0; i < count; i++)
    godwit_blocks_set (blocks, first + i, digest);
  godwit_blocks_end (blocks, first * CLUSTER, count * CLUSTER, TRUE);
}

static void
test_passes (void)
{
  g_autoptr (GodwitBlocks) blocks = godwit_blocks_new (8 * CLUSTER);
  GodwitBlocksFigures figures;
  GodwitRun run;
  guint64 from = 0;

  write_blocks (blocks, 2, 3, 77);
  g_assert_true (godwit_blocks_next (blocks, &from, 1, FALSE, &run));
  g_assert_cmpuint (run.index, ==, 2);
  g_assert_cmpuint (run.count, ==, 3);
  g_assert_false (godwit_blocks_next (blocks, &from, 1, FALSE, &run) && run.count > 0);
  from = 0;
  g_assert_true (godwit_blocks_next (blocks, &from, 1, FALSE, &run));
  g_assert_cmpint (godwit_blocks_judge (blocks, &run, 0, 77, 1), ==, GODWIT_JUDGED_SAME);
  g_assert_cmpint (godwit_blocks_judge (blocks, &run, 1, 78, 1), ==, GODWIT_JUDGED_DIFFERENT);
  /* Written between the look and the judgement: neither right nor wrong. */
  write_blocks (blocks, 4, 1, 99);
  g_assert_cmpint (godwit_blocks_judge (blocks, &run, 2, 77, 1), ==, GODWIT_JUDGED_MOVED);
  godwit_blocks_get_figures (blocks, &figures);
  g_assert_cmpuint (figures.verified, ==, CLUSTER);
  g_assert_cmpuint (figures.waiting, ==, 2 * CLUSTER);

  /* What was right in one pass is asked for in the next, and not among what is left. */
  from = 0;
  g_assert_true (godwit_blocks_next (blocks, &from, 2, FALSE, &run));
  g_assert_cmpuint (run.index, ==, 2);
  from = 0;
  g_assert_true (godwit_blocks_next (blocks, &from, 0, FALSE, &run));
  g_assert_cmpuint (run.index, ==, 3);
  g_assert_cmpint (godwit_blocks_judge (blocks, &run, 1, 99, 2), ==, GODWIT_JUDGED_SAME);
}

/* A block that was right once and is wrong now is not right any more. */
static void
test_right_then_wrong (void)
{
  g_autoptr (GodwitBlocks) blocks = godwit_blocks_new (CLUSTER);
  GodwitBlocksFigures figures;
  GodwitRun run;
  guint64 from = 0;

  write_blocks (blocks, 0, 1, 5);
  g_assert_true (godwit_blocks_next (blocks, &from, 1, FALSE, &run));
  g_assert_cmpint (godwit_blocks_judge (blocks, &run, 0, 5, 1), ==, GODWIT_JUDGED_SAME);
  g_assert_cmpint (godwit_blocks_judge (blocks, &run, 0, 6, 2), ==, GODWIT_JUDGED_DIFFERENT);
  godwit_blocks_get_figures (blocks, &figures);
  g_assert_cmpuint (figures.verified, ==, 0);
  g_assert_cmpuint (figures.waiting, ==, CLUSTER);
}

/* A write that was asked for and not answered may be there or not. */
static void
test_flying (void)
{
  g_autoptr (GodwitBlocks) blocks = godwit_blocks_new (CLUSTER);
  GodwitRun run;
  guint64 from = 0;

  godwit_blocks_begin (blocks, 0, CLUSTER);
  godwit_blocks_set (blocks, 0, 5);
  g_assert_false (godwit_blocks_next (blocks, &from, 0, TRUE, &run));
  godwit_blocks_end (blocks, 0, CLUSTER, TRUE);
  from = 0;
  g_assert_true (godwit_blocks_next (blocks, &from, 0, TRUE, &run));
}

static void
test_too_big (void)
{
  g_assert_null (godwit_blocks_new (GODWIT_TAP_SIZE_MAX + 1));
}

/* --- a qcow2 image, made by hand -----------------------------------------------------------------
 */

static void
put32 (guint8 *image, gsize at, guint32 value)
{
  value = GUINT32_TO_BE (value);
  memcpy (image + at, &value, sizeof value);
}

static void
put64 (guint8 *image, gsize at, guint64 value)
{
  value = GUINT64_TO_BE (value);
  memcpy (image + at, &value, sizeof value);
}

typedef struct {
  char *directory;
  char *path;
  GodwitPolicy *policy;
  guint8 image[5 * CLUSTER]; /* header, first table, second table, two clusters of data */
} World;

static void
world_set_up (World *world, gconstpointer data)
{
  guint8 *image = world->image;

  world->directory = g_dir_make_tmp ("godwit-XXXXXX", NULL);
  world->path = g_build_filename (world->directory, "disk.qcow2", NULL);
  const char *directories[] = {world->directory, NULL};
  const char *none[] = {NULL};
  world->policy = godwit_policy_new (directories, none);
  put32 (image, 0, 0x514649fb);
  put32 (image, 4, 3);
  put32 (image, 20, 16);
  put64 (image, 24, DISK);
  put32 (image, 36, 1);
  put64 (image, 40, CLUSTER);
  put32 (image, 96, 4);
  put32 (image, 100, 104);
  put64 (image, CLUSTER, 2 * CLUSTER | G_GUINT64_CONSTANT (1) << 63);
  /* Guest clusters: data, zeroes by flag over data, never written, data that ends early. */
  put64 (image, 2 * CLUSTER, 3 * CLUSTER | G_GUINT64_CONSTANT (1) << 63);
  put64 (image, 2 * CLUSTER + 8, 3 * CLUSTER | 1);
  put64 (image, 2 * CLUSTER + 24, 4 * CLUSTER);
  memset (image + 3 * CLUSTER, 'a', CLUSTER);
  memset (image + 4 * CLUSTER, 'b', 1000);
}

static void
world_tear_down (World *world, gconstpointer data)
{
  g_unlink (world->path);
  g_rmdir (world->directory);
  g_free (world->path);
  g_free (world->directory);
  godwit_policy_free (world->policy);
}

static GodwitImage *
try_open (World *world, gsize length, GError **error)
{
  GodwitImageOptions options = {.path = world->path};

  g_assert_true (
      g_file_set_contents (world->path, (const char *)world->image, (gssize)length, NULL));
  return godwit_image_open_qcow2 (world->policy, &options, NULL, error);
}

static GodwitImage *
open_whole (World *world)
{
  g_autoptr (GError) error = NULL;
  GodwitImage *image = try_open (world, 4 * CLUSTER + 1000, &error);

  g_assert_no_error (error);
  return image;
}

static void
test_qcow2 (World *world, gconstpointer data)
{
  g_autoptr (GodwitImage) image = open_whole (world);
  g_autofree guint8 *expected = g_malloc0 (DISK);
  g_autofree guint8 *seen = g_malloc (DISK);
  g_autoptr (GError) error = NULL;

  memset (expected, 'a', CLUSTER);
  memset (expected + 3 * CLUSTER, 'b', 1000);
  g_assert_cmpuint (godwit_image_get_size (image), ==, DISK);
  g_assert_true (godwit_image_read (image, seen, 0, DISK, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (seen, DISK, expected, DISK);
  g_assert_true (godwit_image_read (image, seen, CLUSTER - 10, 2 * CLUSTER + 30, &error));
  g_assert_cmpmem (seen, 2 * CLUSTER + 30, expected + CLUSTER - 10, 2 * CLUSTER + 30);
}

static void
test_qcow2_refused (World *world, gconstpointer data)
{
  static const struct {
    gsize at;
    guint32 value;
  } damages[] = {{0, 1},           {4, 4},          {20, 40},       {20, 8},
                 {32, 1},          {36, 0x7ffffff}, {40, 0x7fffff}, {76, 4 /* data file */},
                 {76, 16 /* L2 */}};

  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autoptr (GError) error = NULL;
    guint8 kept[4];
    memcpy (kept, world->image + damages[i].at, sizeof kept);
    put32 (world->image, damages[i].at, damages[i].value);
    g_assert_null (try_open (world, 5 * CLUSTER, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
    memcpy (world->image + damages[i].at, kept, sizeof kept);
  }
  g_autoptr (GError) error = NULL;
  g_assert_null (try_open (world, 90, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
}

/* Read errors name no bytes: a compressed cluster, a table outside, what only the base has. */
static void
test_qcow2_unreadable (World *world, gconstpointer data)
{
  guint8 buffer[512];

  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;
    guint64 offset = i == 1 ? 0 : 2 * CLUSTER;
    put64 (world->image, 2 * CLUSTER + 16, i == 0 ? G_GUINT64_CONSTANT (1) << 62 : 0);
    put64 (world->image, CLUSTER, i == 1 ? 1000 * CLUSTER : 2 * CLUSTER);
    put64 (world->image, 8, i == 2 ? 104 : 0);
    g_autoptr (GodwitImage) image = try_open (world, 5 * CLUSTER, &error);
    g_assert_no_error (error);
    g_assert_false (godwit_image_read (image, buffer, offset, sizeof buffer, &error));
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  }
}

static void
test_sweep (World *world, gconstpointer data)
{
  g_autoptr (GodwitImage) image = open_whole (world);
  g_autoptr (GodwitBlocks) blocks = godwit_blocks_new (DISK);
  g_autofree guint8 *contents = g_malloc (CLUSTER);
  g_autoptr (GError) error = NULL;
  GodwitMismatch mismatch = {0};
  GodwitBlocksFigures figures;

  memset (contents, 'a', CLUSTER);
  write_blocks (blocks, 0, 1, godwit_digest (contents, CLUSTER));
  godwit_blocks_begin (blocks, CLUSTER, CLUSTER);
  godwit_blocks_set_zero (blocks, CLUSTER, CLUSTER);
  godwit_blocks_end (blocks, CLUSTER, CLUSTER, TRUE);
  g_assert_true (godwit_check_sweep (blocks, image, 0, 1, FALSE, &mismatch, NULL, &error));
  g_assert_cmpuint (mismatch.count, ==, 0);
  godwit_blocks_get_figures (blocks, &figures);
  g_assert_cmpuint (figures.verified, ==, 2 * CLUSTER);
  /* The last block was never written, and holds something. */
  g_assert_true (godwit_check_sweep (blocks, image, 2, 2, TRUE, &mismatch, NULL, &error));
  g_assert_cmpuint (mismatch.count, ==, 1);
  g_assert_cmpuint (mismatch.first, ==, 3 * CLUSTER);
  g_assert_cmpuint (mismatch.last, ==, DISK);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/verify/blocks/passes", test_passes);
  g_test_add_func ("/verify/blocks/right-then-wrong", test_right_then_wrong);
  g_test_add_func ("/verify/blocks/flying", test_flying);
  g_test_add_func ("/verify/blocks/too-big", test_too_big);
#define ADD(path, func)                                                                            \
  g_test_add ("/verify/" path, World, NULL, world_set_up, func, world_tear_down)
  ADD ("qcow2", test_qcow2);
  ADD ("qcow2/refused", test_qcow2_refused);
  ADD ("qcow2/unreadable", test_qcow2_unreadable);
  ADD ("sweep", test_sweep);
  return g_test_run ();
}
