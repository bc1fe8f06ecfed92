/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-bench.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>

/* --- targets ----------------------------------------------------------------------------- */

/* What is at the destination is never overwritten, and never removed. */
static void
test_target_exists (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  hosts_write (hosts.other, "web/disk", "foreign");
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  const GodwitFinding *finding = hosts_find (report, "target-exists");
  g_assert_nonnull (finding);
  g_assert_cmpint (finding->severity, ==, GODWIT_SEVERITY_BLOCKER);

  g_assert_false (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS);
  g_clear_error (&error);
  /* The intent was written down, so the undo meets a file that is not ours. */
  file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error);
  g_autofree char *kept = hosts_read (hosts.other, "web/disk");
  g_assert_cmpstr (kept, ==, "foreign");
}

static void
test_target_directory (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_cmpint (hosts_find (report, "destination-directory")->severity, ==,
                   GODWIT_SEVERITY_INFO);

  /* Only the guest's own directory is made. */
  g_clear_pointer (&hosts.guest->instance_directory, g_free);
  g_autoptr (GodwitReport) again = hosts_check_target (&hosts);
  g_assert_cmpint (hosts_find (again, "destination-directory")->severity, ==,
                   GODWIT_SEVERITY_BLOCKER);
}

static void
test_park_name_taken (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  hosts_write (hosts.data, "web_migrate/disk", "an earlier migration's");
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  g_assert_nonnull (hosts_find (report, "park-exists"));
}

static void
test_create_and_remove (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  struct stat status;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  hosts.disk->preallocated = FALSE;
  for (int twice = 0; twice < 2; twice++) {
    ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  }
  g_autofree char *path = g_build_filename (hosts.other, "web", "disk", NULL);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 65536);
  g_assert_cmpint (status.st_blocks, ==, 0);
  g_autofree char *directory = g_path_get_dirname (path);
  g_assert_cmpint (stat (directory, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0711);

  for (int twice = 0; twice < 2; twice++) {
    ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  }
  g_assert_true (hosts_is_empty (hosts.other));
  hosts_assert_no_facts (&hosts, "disk.");
  hosts_assert_no_facts (&hosts, "created.");
  g_assert_true (hosts_have (hosts.data, "web/disk"));
}

static void
test_create_preallocated (void)
{
  g_auto (Hosts) hosts = {0};
  struct stat status;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  g_assert_true (file_create (NULL, hosts.job, hosts.disk, NULL, NULL));
  g_autofree char *path = g_build_filename (hosts.other, "web", "disk", NULL);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_blocks, >=, 128);
}

/* What somebody else put into our directory is named and left alone. */
static void
test_remove_keeps_foreign (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  hosts_write (hosts.other, "web/notes", "mine");
  g_assert_false (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "notes"));
  g_assert_true (hosts_have (hosts.other, "web/notes"));
  g_assert_false (hosts_have (hosts.other, "web/disk"));
}

static void
test_give_and_reclaim (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  for (int twice = 0; twice < 2; twice++)
    ASSERT_DONE (file_finish_target (NULL, hosts.job, hosts.disk, TRUE, NULL, &error));
  g_assert_false (hosts_has_token (hosts.other, "web/disk"));
  g_assert_false (hosts_has_token (hosts.other, "web"));
  /* Given away it is safe from an undo that comes too late. */
  g_assert_false (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_true (hosts_have (hosts.other, "web/disk"));

  ASSERT_DONE (file_reclaim (NULL, hosts.job, hosts.disk, NULL, &error));
  ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (hosts_is_empty (hosts.other));
}

/* Another file of that name is not what the job made, whatever inode it got. */
static void
test_reclaim_foreign (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  hosts_write_disk (&hosts);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  ASSERT_DONE (file_finish_target (NULL, hosts.job, hosts.disk, TRUE, NULL, &error));
  g_autofree char *path = g_build_filename (hosts.other, "web", "disk", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  hosts_write (hosts.other, "web/disk", "foreign");
  g_assert_false (file_reclaim (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_autofree char *kept = hosts_read (hosts.other, "web/disk");
  g_assert_cmpstr (kept, ==, "foreign");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hosts-make/target/exists", test_target_exists);
  g_test_add_func ("/hosts-make/target/directory", test_target_directory);
  g_test_add_func ("/hosts-make/target/park-name", test_park_name_taken);
  g_test_add_func ("/hosts-make/create/sparse", test_create_and_remove);
  g_test_add_func ("/hosts-make/create/preallocated", test_create_preallocated);
  g_test_add_func ("/hosts-make/create/foreign", test_remove_keeps_foreign);
  g_test_add_func ("/hosts-make/create/reclaim", test_give_and_reclaim);
  g_test_add_func ("/hosts-make/create/reclaim-foreign", test_reclaim_foreign);
  return g_test_run ();
}
