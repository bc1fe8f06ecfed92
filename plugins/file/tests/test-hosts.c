/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "two-hosts.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* An error says more than "should be TRUE". */
#define ASSERT_DONE(call)                                                                          \
  do {                                                                                             \
    gboolean done = (call);                                                                        \
    g_assert_no_error (error);                                                                     \
    g_assert_true (done);                                                                          \
  } while (FALSE)

static char *
text_of (char letter, gsize length)
{
  char *text = g_malloc (length + 1);
  memset (text, letter, length);
  text[length] = '\0';
  return text;
}

/* DATA/web/disk, raw, without a hole. */
static void
write_disk (Hosts *hosts)
{
  g_autofree char *text = text_of ('d', 65536);
  hosts_write (hosts->data, "web/disk", text);
}

static void
inspect (Hosts *hosts, GodwitReport *report)
{
  g_autoptr (GError) error = NULL;
  file_inspect (NULL, hosts->job, hosts->disk, report, NULL, &error);
  g_assert_no_error (error);
}

/* Inspects and checks the target; the table of needed bytes is thrown away. */
static GodwitReport *
check (Hosts *hosts)
{
  GodwitReport *report = godwit_report_new ();
  g_autoptr (GHashTable) needed = godwit_disks_new_needed ();
  g_autoptr (GError) error = NULL;

  inspect (hosts, report);
  file_check_target (NULL, hosts->job, hosts->disk, report, needed, NULL, &error);
  g_assert_no_error (error);
  return report;
}

static gboolean
is_empty (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name = g_dir_read_name (dir);
  if (name != NULL)
    g_test_message ("%s has %s", directory, name);
  return name == NULL;
}

static void
assert_no_facts (Hosts *hosts, const char *prefix)
{
  g_auto (GStrv) facts = godwit_job_list_facts (hosts->job, prefix);
  if (facts[0] != NULL)
    g_test_message ("fact %s", facts[0]);
  g_assert_null (facts[0]);
}

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
  assert_no_facts (hosts, "marker.");
}

static void
test_shared (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_SHARED, "raw"))
    return;
  write_disk (&hosts);
  check_sharing (&hosts, FALSE, GODWIT_SHARING_YES, "same file on a and b");
  check_sharing (&hosts, TRUE, GODWIT_SHARING_YES, "seen and renamed on b");
}

static void
test_apart (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  check_sharing (&hosts, FALSE, GODWIT_SHARING_NO, "absent on b");
  check_sharing (&hosts, TRUE, GODWIT_SHARING_NO, "not seen on b");
  g_assert_true (is_empty (hosts.other));

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
  write_disk (&hosts);
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
  write_disk (&hosts);
  g_autofree char *base = g_build_filename (hosts.data, "missing", NULL);
  g_ptr_array_add (hosts.disk->chain, godwit_image_new (base, "raw"));
  check_sharing (&hosts, TRUE, GODWIT_SHARING_UNKNOWN, "its backing file");
}

/* --- inspect ----------------------------------------------------------------------------- */

static void
make_chain (Hosts *hosts, gboolean with_format)
{
  g_autofree char *base = g_build_filename (hosts->data, "base.raw", NULL);
  g_autofree char *path = g_build_filename (hosts->data, "web", "disk", NULL);
  g_autofree char *text = text_of ('b', 1 << 20);
  const char *named[] = {"create", "-q", "-f", "qcow2", "-o", "cluster_size=131072",
                         "-b",     base, "-F", "raw",   path, NULL};
  const char *bare[] = {"create", "-q", "-f", "qcow2", path, "1M", NULL};

  hosts_write (hosts->data, "base.raw", text);
  hosts_qemu_img (with_format ? named : bare);
  if (!with_format) {
    /* Programs refuse to write such a header these days; older ones did. */
    g_autofree char *contents = NULL;
    gsize length = 0;
    g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
    memcpy (contents + 1024, base, strlen (base));
    contents[14] = 4; /* offset 1024 */
    contents[15] = 0;
    contents[19] = (char)strlen (base);
    g_assert_true (g_file_set_contents (path, contents, (gssize)length, NULL));
  }
}

static void
test_inspect_chain (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GodwitReport) report = godwit_report_new ();
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  inspect (&hosts, report);
  inspect (&hosts, report);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_cmpuint (hosts.disk->chain->len, ==, 2);
  const GodwitImage *base = disk_get_layer (hosts.disk, 1);
  g_autofree char *path = g_build_filename (hosts.data, "base.raw", NULL);
  g_assert_cmpstr (base->path, ==, path);
  g_assert_cmpstr (base->format, ==, "raw");
  g_assert_cmpuint (base->virtual_size, ==, 1 << 20);
  g_assert_cmpuint (godwit_disk_get_top (hosts.disk)->virtual_size, ==, 1 << 20);
  g_assert_false (hosts.disk->preallocated);
}

static void
assert_blocked (Hosts *hosts, const char *id)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();
  inspect (hosts, report);
  const GodwitFinding *finding = hosts_find (report, id);
  g_assert_nonnull (finding);
  g_assert_cmpint (finding->severity, ==, GODWIT_SEVERITY_BLOCKER);
}

static void
test_inspect_unset_format (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, FALSE);
  assert_blocked (&hosts, "backing-format-unset");
}

static void
test_inspect_odd (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  assert_blocked (&hosts, "image-missing");
  /* The definition says qcow2; nothing is guessed from the contents. */
  write_disk (&hosts);
  assert_blocked (&hosts, "image-format");
  g_autofree char *path = g_build_filename (hosts.data, "web", "disk", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (symlink ("/etc/passwd", path), ==, 0);
  assert_blocked (&hosts, "image-symlink");
}

static void
test_inspect_preallocated (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GodwitReport) report = godwit_report_new ();
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  inspect (&hosts, report);
  g_assert_true (hosts.disk->preallocated);
  g_assert_cmpint (truncate (godwit_disk_get_top (hosts.disk)->path, 1 << 20), ==, 0);
  inspect (&hosts, report);
  g_assert_false (hosts.disk->preallocated);
  g_assert_cmpuint (godwit_disk_get_top (hosts.disk)->virtual_size, ==, 1 << 20);
}

/* --- targets ----------------------------------------------------------------------------- */

/* What is at the destination is never overwritten, and never removed. */
static void
test_target_exists (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  hosts_write (hosts.other, "web/disk", "foreign");
  g_autoptr (GodwitReport) report = check (&hosts);
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
  write_disk (&hosts);
  g_autoptr (GodwitReport) report = check (&hosts);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_cmpint (hosts_find (report, "destination-directory")->severity, ==,
                   GODWIT_SEVERITY_INFO);

  /* Only the guest's own directory is made. */
  g_clear_pointer (&hosts.guest->instance_directory, g_free);
  g_autoptr (GodwitReport) again = check (&hosts);
  g_assert_cmpint (hosts_find (again, "destination-directory")->severity, ==,
                   GODWIT_SEVERITY_BLOCKER);
}

static void
test_park_name_taken (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  hosts_write (hosts.data, "web_migrate/disk", "an earlier migration's");
  g_autoptr (GodwitReport) report = check (&hosts);
  g_assert_nonnull (hosts_find (report, "park-exists"));
}

static gboolean
has_token (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char value[64];
  return getxattr (path, "user.godwit.token", value, sizeof value) > 0;
}

static void
test_create_and_remove (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  struct stat status;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  g_autoptr (GodwitReport) report = check (&hosts);
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
  g_assert_true (is_empty (hosts.other));
  assert_no_facts (&hosts, "disk.");
  assert_no_facts (&hosts, "created.");
  g_assert_true (hosts_have (hosts.data, "web/disk"));
}

static void
test_create_preallocated (void)
{
  g_auto (Hosts) hosts = {0};
  struct stat status;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  g_autoptr (GodwitReport) report = check (&hosts);
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
  write_disk (&hosts);
  g_autoptr (GodwitReport) report = check (&hosts);
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
  write_disk (&hosts);
  g_autoptr (GodwitReport) report = check (&hosts);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  for (int twice = 0; twice < 2; twice++)
    ASSERT_DONE (file_finish_target (NULL, hosts.job, hosts.disk, TRUE, NULL, &error));
  g_assert_false (has_token (hosts.other, "web/disk"));
  g_assert_false (has_token (hosts.other, "web"));
  /* Given away it is safe from an undo that comes too late. */
  g_assert_false (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_true (hosts_have (hosts.other, "web/disk"));

  ASSERT_DONE (file_reclaim (NULL, hosts.job, hosts.disk, NULL, &error));
  ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (is_empty (hosts.other));
}

/* Another file of that name is not what the job made, whatever inode it got. */
static void
test_reclaim_foreign (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  g_autoptr (GodwitReport) report = check (&hosts);
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

/* --- park -------------------------------------------------------------------------------- */

static void
move_and_park (Hosts *hosts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitReport) report = NULL;

  write_disk (hosts);
  report = check (hosts);
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
  g_assert_false (has_token (hosts.data, "web"));
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
  write_disk (&hosts);
  g_autofree char *other = g_build_filename (hosts.data, "web", "db.qcow2", NULL);
  g_assert_true (g_file_set_contents (other, "another guest", -1, NULL));
  g_autoptr (GodwitReport) report = check (&hosts);
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
  g_assert_true (is_empty (hosts.data));
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
  write_disk (&hosts);
  g_assert_false (file_park (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_assert_true (hosts_have (hosts.data, "web/disk"));
  assert_no_facts (&hosts, "parked.");
}

static void
test_park_needs_the_copy (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "raw"))
    return;
  write_disk (&hosts);
  g_assert_false (file_park (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_assert_true (hosts_have (hosts.data, "web/disk"));
}

/* --- backing files ----------------------------------------------------------------------- */

static void
test_overlay_on_present_base (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autofree char *text = text_of ('b', 1 << 20);
  hosts_write (hosts.other, "base.raw", text);
  g_autoptr (GodwitReport) report = check (&hosts);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_true (disk_get_layer (hosts.disk, 1)->present);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));

  g_auto (Qcow2Header) header = {0};
  g_assert_true (read_qcow2_header (hosts.b, godwit_disk_get_top (hosts.disk)->destination, &header,
                                    NULL, NULL));
  g_autofree char *base = g_build_filename (hosts.data, "base.raw", NULL);
  g_assert_cmpstr (header.backing, ==, base);
  g_assert_cmpstr (header.backing_format, ==, "raw");
  g_assert_cmpuint (header.cluster_bits, ==, 17);
  g_assert_cmpuint (header.virtual_size, ==, 1 << 20);
  ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (hosts_have (hosts.other, "base.raw"));
}

static void
test_base_differs (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autofree char *text = text_of ('x', 1 << 20);
  hosts_write (hosts.other, "base.raw", text);
  g_autoptr (GodwitReport) live = check (&hosts);
  g_assert_nonnull (hosts_find (live, "base-differs"));

  hosts.disk->treatment = GODWIT_TREATMENT_COPY;
  g_autoptr (GodwitReport) cold = check (&hosts);
  g_assert_false (godwit_report_is_blocked (cold, NULL));
  g_assert_true (hosts.disk->flatten);
}

/* A base that another job is still making may be gone again when that is undone. */
static void
test_base_of_another_job (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autofree char *text = text_of ('b', 1 << 20);
  hosts_write (hosts.other, "base.raw", text);
  g_autofree char *path = g_build_filename (hosts.data, "base.raw", NULL);
  ASSERT_DONE (godwit_host_set_token (hosts.b, path, "of-another-job", NULL, &error));
  g_autoptr (GodwitReport) report = check (&hosts);
  g_assert_nonnull (hosts_find (report, "target-busy"));
}

static void
test_base_absent (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autoptr (GodwitReport) live = check (&hosts);
  g_assert_false (godwit_report_is_blocked (live, NULL));
  g_assert_false (disk_get_layer (hosts.disk, 1)->present);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  g_autofree char *base = hosts_read (hosts.other, "base.raw");
  g_autofree char *text = text_of ('b', 1 << 20);
  g_assert_cmpstr (base, ==, text);
  ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (is_empty (hosts.other));
}

/* --- cold copies ------------------------------------------------------------------------- */

static void
test_cold_flattened (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  hosts.disk->treatment = GODWIT_TREATMENT_COPY;
  g_autoptr (GodwitReport) report = check (&hosts);
  g_assert_true (hosts.disk->flatten);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));

  GodwitEnd from = {0}, to = {0};
  g_autofree char *digest = NULL;
  g_autoptr (GObject) source = file_open_source (NULL, hosts.job, hosts.disk, &from, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GObject) target = file_open_target (NULL, hosts.job, hosts.disk, &to, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (from.nbd && to.nbd);
  ASSERT_DONE (godwit_disks_transfer (hosts.job, "disk vda", &from, &to, &digest, NULL, &error));
  g_clear_object (&source);
  g_clear_object (&target);

  g_autofree char *copy = g_build_filename (hosts.other, "web", "disk", NULL);
  g_autofree char *original = g_build_filename (hosts.data, "web", "disk", NULL);
  const char *compare[] = {"compare", "-q", "-f", "qcow2", "-F", "qcow2", original, copy, NULL};
  hosts_qemu_img (compare);
  g_auto (Qcow2Header) header = {0};
  g_assert_true (read_qcow2_header (hosts.b, original, &header, NULL, NULL));
  g_assert_null (header.backing);
}

static gboolean
have_qemu (void)
{
  g_autofree char *image = g_find_program_in_path ("qemu-img");
  g_autofree char *server = g_find_program_in_path ("qemu-nbd");
  return image != NULL && server != NULL;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hosts/sharing/shared", test_shared);
  g_test_add_func ("/hosts/sharing/apart", test_apart);
  g_test_add_func ("/hosts/sharing/read-only", test_shared_read_only);
  g_test_add_func ("/hosts/sharing/without-base", test_shared_without_base);
  g_test_add_func ("/hosts/inspect/odd", test_inspect_odd);
  g_test_add_func ("/hosts/inspect/preallocated", test_inspect_preallocated);
  g_test_add_func ("/hosts/target/exists", test_target_exists);
  g_test_add_func ("/hosts/target/directory", test_target_directory);
  g_test_add_func ("/hosts/target/park-name", test_park_name_taken);
  g_test_add_func ("/hosts/create/sparse", test_create_and_remove);
  g_test_add_func ("/hosts/create/preallocated", test_create_preallocated);
  g_test_add_func ("/hosts/create/foreign", test_remove_keeps_foreign);
  g_test_add_func ("/hosts/create/reclaim", test_give_and_reclaim);
  g_test_add_func ("/hosts/create/reclaim-foreign", test_reclaim_foreign);
  g_test_add_func ("/hosts/park/unpark", test_park_and_unpark);
  g_test_add_func ("/hosts/park/beside-others", test_park_beside_others);
  g_test_add_func ("/hosts/park/release", test_release);
  g_test_add_func ("/hosts/park/release-at-home", test_release_at_home);
  g_test_add_func ("/hosts/park/release-needs-copy", test_release_needs_the_copy);
  g_test_add_func ("/hosts/park/shared", test_park_refuses_shared);
  g_test_add_func ("/hosts/park/needs-copy", test_park_needs_the_copy);
  if (have_qemu ()) {
    g_test_add_func ("/hosts/inspect/chain", test_inspect_chain);
    g_test_add_func ("/hosts/inspect/unset-format", test_inspect_unset_format);
    g_test_add_func ("/hosts/base/present", test_overlay_on_present_base);
    g_test_add_func ("/hosts/base/differs", test_base_differs);
    g_test_add_func ("/hosts/base/of-another-job", test_base_of_another_job);
    g_test_add_func ("/hosts/base/absent", test_base_absent);
    g_test_add_func ("/hosts/cold/flattened", test_cold_flattened);
  }
  return g_test_run ();
}
