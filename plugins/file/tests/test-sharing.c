/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sharing.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000000)
#define T0     (G_GINT64_CONSTANT (1795470000) * SECOND + 123456789)

static GodwitFileInfo
file (guint64 inode, gint64 time, const char *fs)
{
  GodwitFileInfo info = {.type = GODWIT_FILE_REGULAR,
                         .size = 4096,
                         .inode = inode,
                         .mtime_ns = time,
                         .ctime_ns = time};
  g_strlcpy (info.fs_type, fs, sizeof info.fs_type);
  return info;
}

static GodwitFileInfo
directory (guint64 inode, gint64 time, const char *fs)
{
  GodwitFileInfo info = file (inode, time, fs);
  info.type = GODWIT_FILE_DIRECTORY;
  return info;
}

static Observation
observation (GodwitFileInfo before, GodwitFileInfo destination, GodwitFileInfo after)
{
  Observation it = {.source_name = "a",
                    .destination_name = "b",
                    .before = before,
                    .destination = destination,
                    .after = after};
  return it;
}

static Observation
observation_absent (GodwitFileInfo directory_source, GodwitFileInfo directory_destination)
{
  GodwitFileInfo here = file (7, T0, "ext4");
  GodwitFileInfo absent = {.type = GODWIT_FILE_ABSENT};
  Observation it = observation (here, absent, here);
  it.directory = g_strdup ("/srv/g1");
  it.directory_before = directory_source;
  it.directory_after = directory_source;
  it.directory_destination = directory_destination;
  return it;
}

static void
assert_verdict (Observation *it, GodwitSharing expected, const char *words)
{
  g_autofree char *proof = NULL;
  GodwitSharing verdict = observation_decide (it, &proof);

  if (verdict != expected || strstr (proof, words) == NULL)
    g_test_message ("verdict %d, proof: %s", verdict, proof);
  g_assert_cmpint (verdict, ==, expected);
  g_assert_nonnull (strstr (proof, words));
  observation_clear (it);
}

static void
test_same (void)
{
  GodwitFileInfo it = file (7, T0, "nfs");
  Observation seen = observation (it, it, it);
  assert_verdict (&seen, GODWIT_SHARING_YES, "inode 7, changed 2026-");
}

/* The guest writes all the while: the destination's look lies between the source's two. */
static void
test_same_while_writing (void)
{
  Observation seen = observation (file (7, T0, "nfs"), file (7, T0 + SECOND, "nfs"),
                                  file (7, T0 + 2 * SECOND, "nfs"));
  seen.destination.size = 5000;
  seen.after.size = 8192;
  assert_verdict (&seen, GODWIT_SHARING_YES, "same file on a and b");
}

static void
test_same_but_size (void)
{
  GodwitFileInfo it = file (7, T0, "nfs");
  Observation seen = observation (it, it, it);
  seen.destination.size = 1;
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "1 bytes");
}

/* A copy can be given every attribute but the change time. */
static void
test_copy_with_times (void)
{
  GodwitFileInfo it = file (7, T0, "ext4");
  GodwitFileInfo copy = file (8, T0, "ext4");
  copy.ctime_ns += 5 * SECOND;
  Observation seen = observation (it, copy, it);
  assert_verdict (&seen, GODWIT_SHARING_NO, "another file");
}

/* Twin machines hand out the same numbers. */
static void
test_twin_inode (void)
{
  Observation seen =
      observation (file (7, T0, "ext4"), file (7, T0 + SECOND, "xfs"), file (7, T0, "ext4"));
  assert_verdict (&seen, GODWIT_SHARING_NO, "another file");
}

static void
test_stale_cache (void)
{
  Observation seen =
      observation (file (7, T0, "nfs"), file (7, T0 - 3 * SECOND, "nfs"), file (7, T0, "nfs"));
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "not surely");
  seen =
      observation (file (7, T0, "nfs"), file (7, T0 - 3600 * SECOND, "nfs"), file (7, T0, "nfs"));
  assert_verdict (&seen, GODWIT_SHARING_NO, "another file");
}

/* Some clients make up inode numbers of their own. */
static void
test_made_up_inode (void)
{
  Observation seen =
      observation (file (7, T0, "fuse"), file (99, T0, "fuse"), file (7, T0, "fuse"));
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "not surely");
}

static void
test_replaced_meanwhile (void)
{
  Observation seen = observation (file (7, T0, "nfs"), file (7, T0 + SECOND, "nfs"),
                                  file (8, T0 + 2 * SECOND, "nfs"));
  g_autofree char *why = NULL;
  g_assert_cmpint (observation_identify (&seen, &why), !=, IDENTITY_SAME);
}

static void
test_absent (void)
{
  Observation seen =
      observation_absent (directory (3, T0, "ext4"), directory (4, T0 - 9 * SECOND, "ext4"));
  assert_verdict (&seen, GODWIT_SHARING_NO, "another directory");
  seen = observation_absent (directory (3, T0, "nfs"), directory (3, T0, "nfs"));
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "seems to be the same directory");
  seen = observation_absent (directory (3, T0, "nfs"), directory (3, T0 - SECOND, "nfs"));
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "absent on b");
}

static void
test_absent_without_directory (void)
{
  GodwitFileInfo nothing = {.type = GODWIT_FILE_ABSENT};
  Observation seen = observation_absent (directory (3, T0, "ext4"), nothing);
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "no directory above it");
}

static void
test_odd_types (void)
{
  GodwitFileInfo it = file (7, T0, "ext4");
  GodwitFileInfo link = it;
  link.type = GODWIT_FILE_SYMLINK;
  Observation seen = observation (it, link, it);
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "not a regular file on b");
  seen = observation (link, it, link);
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "no regular file on a");
}

static void
test_trouble (void)
{
  GodwitFileInfo it = file (7, T0, "ext4");
  Observation seen = observation (it, it, it);
  seen.trouble = g_strdup ("/srv/g1 may not be read on b");
  /* Even a marker that came back proves nothing of an image that cannot be looked at. */
  seen.marker = MARKER_PROVEN;
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "may not be read on b");
}

static void
test_marker_proven (void)
{
  GodwitFileInfo it = file (7, T0, "nfs");
  Observation seen = observation (it, it, it);
  seen.marker = MARKER_PROVEN;
  assert_verdict (&seen, GODWIT_SHARING_YES, "marker written on a, seen and renamed on b");

  /* Another file is mounted over the name. */
  seen = observation (it, file (9, T0 - 500 * SECOND, "nfs"), it);
  seen.marker = MARKER_PROVEN;
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "the image is not surely");
}

static void
test_marker_not_seen (void)
{
  GodwitFileInfo it = file (7, T0, "ext4");
  Observation seen =
      observation_absent (directory (3, T0, "ext4"), directory (4, T0 - 9 * SECOND, "ext4"));
  seen.marker = MARKER_NOT_SEEN;
  assert_verdict (&seen, GODWIT_SHARING_NO, "is not seen on b");

  /* Hosts cloned from one disk show the same numbers and times: the marker tells. */
  seen = observation (it, it, it);
  seen.marker = MARKER_NOT_SEEN;
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "and yet");
}

static void
test_marker_half (void)
{
  GodwitFileInfo it = file (7, T0, "nfs");
  Observation seen = observation (it, it, it);
  seen.marker = MARKER_SEEN;
  seen.marker_trouble = g_strdup ("read-only file system");
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "read-only file system");

  seen = observation (it, it, it);
  seen.marker = MARKER_REFUSED;
  seen.marker_trouble = g_strdup ("permission denied");
  assert_verdict (&seen, GODWIT_SHARING_UNKNOWN, "permission denied");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sharing/same", test_same);
  g_test_add_func ("/sharing/same-while-writing", test_same_while_writing);
  g_test_add_func ("/sharing/same-but-size", test_same_but_size);
  g_test_add_func ("/sharing/copy-with-times", test_copy_with_times);
  g_test_add_func ("/sharing/twin-inode", test_twin_inode);
  g_test_add_func ("/sharing/stale-cache", test_stale_cache);
  g_test_add_func ("/sharing/made-up-inode", test_made_up_inode);
  g_test_add_func ("/sharing/replaced-meanwhile", test_replaced_meanwhile);
  g_test_add_func ("/sharing/absent", test_absent);
  g_test_add_func ("/sharing/absent-without-directory", test_absent_without_directory);
  g_test_add_func ("/sharing/odd-types", test_odd_types);
  g_test_add_func ("/sharing/trouble", test_trouble);
  g_test_add_func ("/sharing/marker-proven", test_marker_proven);
  g_test_add_func ("/sharing/marker-not-seen", test_marker_not_seen);
  g_test_add_func ("/sharing/marker-half", test_marker_half);
  return g_test_run ();
}
