/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-bench.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <unistd.h>

/* --- park -------------------------------------------------------------------------------- */

static void
move_and_park (Hosts *hosts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitReport) report = NULL;

  hosts_write_disk (hosts);
  report = hosts_check_target (hosts);
  ASSERT_DONE (file_create (NULL, hosts->job, hosts->disk, NULL, &error));
  for (int twice = 0; twice < 2; twice++) {
    ASSERT_DONE (file_park (NULL, hosts->job, hosts->disk, NULL, &error));
  }
  g_assert_false (hosts_have (hosts->data, "web"));
  g_assert_true (hosts_have (hosts->data, "web_migrate/disk"));
  g_assert_true (godwit_disks_has_parked (hosts->job));
}

static void
test_park_and_unpark (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  move_and_park (&hosts);
  for (int twice = 0; twice < 2; twice++) {
    ASSERT_DONE (file_unpark (NULL, hosts.job, hosts.disk, NULL, &error));
  }
  g_assert_true (hosts_have (hosts.data, "web/disk"));
  g_assert_false (hosts_have (hosts.data, "web_migrate"));
  g_assert_false (hosts_has_token (hosts.data, "web"));
  g_assert_false (godwit_disks_has_parked (hosts.job));
}

/* What else is in the directory is not this guest's to be put aside, and not to be removed. */
static void
test_park_beside_others (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autofree char *other = g_build_filename (hosts.data, "web", "db.qcow2", NULL);
  g_assert_true (g_file_set_contents (other, "another guest", -1, NULL));
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  ASSERT_DONE (file_park (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (hosts_have (hosts.data, "web/db.qcow2"));
  g_assert_true (hosts_have (hosts.data, "web/disk_migrate"));
  g_assert_false (hosts_have (hosts.data, "web/disk"));
  ASSERT_DONE (file_unpark (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (hosts_have (hosts.data, "web/disk"));
  ASSERT_DONE (file_park (NULL, hosts.job, hosts.disk, NULL, &error));
  ASSERT_DONE (file_release (NULL, hosts.job, hosts.disk, godwit_job_get_destination (hosts.job),
                             NULL, &error));
  g_assert_false (hosts_have (hosts.data, "web/disk_migrate"));
  g_assert_true (hosts_have (hosts.data, "web/db.qcow2"));
}

static void
test_release (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  move_and_park (&hosts);
  for (int twice = 0; twice < 2; twice++) {
    ASSERT_DONE (file_release (NULL, hosts.job, hosts.disk, godwit_job_get_destination (hosts.job),
                               NULL, &error));
  }
  g_assert_true (hosts_is_empty (hosts.data));
  g_assert_true (hosts_have (hosts.other, "web/disk"));
  g_assert_false (godwit_disks_has_parked (hosts.job));
}

/* After the guest went back the parked copy is the older one, and it is proven to be another. */
static void
test_release_at_home (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  move_and_park (&hosts);
  GodwitHost *home = godwit_job_get_source (hosts.job);
  g_assert_false (file_release (NULL, hosts.job, hosts.disk, home, NULL, &error));
  g_clear_error (&error);
  g_assert_true (hosts_have (hosts.data, "web_migrate/disk"));
  g_autofree char *directory = g_build_filename (hosts.data, "web", NULL);
  g_autofree char *path = g_build_filename (directory, "disk", NULL);
  g_autofree char *parked = g_build_filename (hosts.data, "web_migrate", "disk", NULL);
  g_assert_cmpint (g_mkdir (directory, 0755), ==, 0);
  g_assert_cmpint (link (parked, path), ==, 0);
  g_assert_false (file_release (NULL, hosts.job, hosts.disk, home, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_autoptr (GFile) from = g_file_new_for_path (parked);
  g_autoptr (GFile) to = g_file_new_for_path (path);
  g_assert_true (g_file_copy (from, to, G_FILE_COPY_NONE, NULL, NULL, NULL, NULL));
  ASSERT_DONE (file_release (NULL, hosts.job, hosts.disk, home, NULL, &error));
  g_assert_false (hosts_have (hosts.data, "web_migrate/disk"));
  g_assert_true (hosts_have (hosts.data, "web/disk"));
}

/* The only copy left is never removed. */
static void
test_release_needs_the_copy (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  move_and_park (&hosts);
  g_autofree char *path = g_build_filename (hosts.other, "web", "disk", NULL);
  g_assert_cmpint (truncate (path, 100), ==, 0);
  g_assert_false (file_release (NULL, hosts.job, hosts.disk, godwit_job_get_destination (hosts.job),
                                NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_false (file_release (NULL, hosts.job, hosts.disk, godwit_job_get_destination (hosts.job),
                                NULL, &error));
  g_assert_true (hosts_have (hosts.data, "web_migrate/disk"));
  g_assert_true (godwit_disks_has_parked (hosts.job));
}

/* "Not shared" was wrong: the source's file is the one that the guest uses there. */
static void
test_park_refuses_shared (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_SHARED, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_assert_false (file_park (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_assert_true (hosts_have (hosts.data, "web/disk"));
  hosts_assert_no_facts (&hosts, "parked.");
}

static void
test_park_needs_the_copy (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_assert_false (file_park (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_assert_true (hosts_have (hosts.data, "web/disk"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hosts-park/park/unpark", test_park_and_unpark);
  g_test_add_func ("/hosts-park/park/beside-others", test_park_beside_others);
  g_test_add_func ("/hosts-park/park/release", test_release);
  g_test_add_func ("/hosts-park/park/release-at-home", test_release_at_home);
  g_test_add_func ("/hosts-park/park/release-needs-copy", test_release_needs_the_copy);
  g_test_add_func ("/hosts-park/park/shared", test_park_refuses_shared);
  g_test_add_func ("/hosts-park/park/needs-copy", test_park_needs_the_copy);
  return g_test_run ();
}
