/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-bench.h"

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

/* --- sharing ----------------------------------------------------------------------------- */

static void
check_sharing (Hosts *hosts, gboolean may_touch, GodwitSharing expected, const char *words)
{
  g_autofree char *instance = g_build_filename (hosts->data, "web", NULL);
  g_autoptr (GError) error = NULL;

  godwit_job_set_may_touch (hosts->job, may_touch);
  ASSERT_DONE (file_check_sharing (NULL, hosts->job, hosts->disk, NULL, &error));
  if (hosts->disk->sharing != expected || strstr (hosts->disk->proof, words) == NULL)
    g_test_message ("%s: %s", godwit_sharing_to_string (hosts->disk->sharing), hosts->disk->proof);
  g_assert_cmpint (hosts->disk->sharing, ==, expected);
  g_assert_nonnull (strstr (hosts->disk->proof, words));
  /* Only the disk is left in the directory. */
  g_autoptr (GDir) dir = g_dir_open (instance, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "disk");
  g_assert_null (g_dir_read_name (dir));
  hosts_assert_no_facts (hosts, "marker.");
}

static void
test_shared (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_SHARED, "raw"))
    return;
  hosts_write_disk (&hosts);
  check_sharing (&hosts, FALSE, GODWIT_SHARING_YES, "same file on a and b");
  check_sharing (&hosts, TRUE, GODWIT_SHARING_YES, "seen and renamed on b");
}

static void
test_apart (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  check_sharing (&hosts, FALSE, GODWIT_SHARING_NO, "absent on b");
  check_sharing (&hosts, TRUE, GODWIT_SHARING_NO, "not seen on b");
  g_assert_true (hosts_is_empty (hosts.other));

  /* A file of that name there is another file. */
  hosts_write (hosts.other, "web/disk", "foreign");
  check_sharing (&hosts, TRUE, GODWIT_SHARING_NO, "another file");
  g_autofree char *kept = hosts_read (hosts.other, "web/disk");
  g_assert_cmpstr (kept, ==, "foreign");
}

static void
test_shared_read_only (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_SHARED_READ_ONLY, "raw"))
    return;
  hosts_write_disk (&hosts);
  check_sharing (&hosts, TRUE, GODWIT_SHARING_UNKNOWN, "could not be changed from there");
  /* A medium that nobody writes to needs no marker. */
  hosts.disk->read_only = TRUE;
  check_sharing (&hosts, TRUE, GODWIT_SHARING_YES, "same file on a and b");
}

/* A backing file that the destination does not have makes the overlay useless there. */
static void
test_shared_without_base (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_SHARED, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autofree char *base = g_build_filename (hosts.data, "missing", NULL);
  g_ptr_array_add (hosts.disk->chain, godwit_image_new (base, "raw"));
  check_sharing (&hosts, TRUE, GODWIT_SHARING_UNKNOWN, "its backing file");
}

/* --- inspect ----------------------------------------------------------------------------- */

static void
test_inspect_odd (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  hosts_assert_blocked (&hosts, "image-missing");
  /* The definition says qcow2; nothing is guessed from the contents. */
  hosts_write_disk (&hosts);
  hosts_assert_blocked (&hosts, "image-format");
  g_autofree char *path = g_build_filename (hosts.data, "web", "disk", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (symlink ("/etc/passwd", path), ==, 0);
  hosts_assert_blocked (&hosts, "image-symlink");
}

static void
test_inspect_preallocated (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GodwitReport) report = godwit_report_new ();
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  hosts_inspect (&hosts, report);
  g_assert_true (hosts.disk->preallocated);
  g_assert_cmpint (truncate (godwit_disk_get_top (hosts.disk)->path, 1 << 20), ==, 0);
  hosts_inspect (&hosts, report);
  g_assert_false (hosts.disk->preallocated);
  g_assert_cmpuint (godwit_disk_get_top (hosts.disk)->virtual_size, ==, 1 << 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hosts-look/sharing/shared", test_shared);
  g_test_add_func ("/hosts-look/sharing/apart", test_apart);
  g_test_add_func ("/hosts-look/sharing/read-only", test_shared_read_only);
  g_test_add_func ("/hosts-look/sharing/without-base", test_shared_without_base);
  g_test_add_func ("/hosts-look/inspect/odd", test_inspect_odd);
  g_test_add_func ("/hosts-look/inspect/preallocated", test_inspect_preallocated);
  return g_test_run ();
}
