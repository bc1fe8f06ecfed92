/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts-fixture.h"

#include <godwit/error.h>

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP G_MAXUINT32

static void
test_stat (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *path = fixture_make_file (fixture, "one", "12345");
  g_autofree char *link = fixture_path (fixture, "link");
  g_autofree char *absent = fixture_path (fixture, "no/such/file");
  g_assert_cmpint (symlink ("one", link), ==, 0);
  g_autoptr (GError) error = NULL;
  GodwitFileInfo info;
  struct stat status;
  g_assert_cmpint (stat (path, &status), ==, 0);

  g_assert_true (godwit_host_stat (host, path, &info, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (info.type, ==, GODWIT_FILE_REGULAR);
  g_assert_cmpuint (info.size, ==, 5);
  g_assert_cmpuint (info.inode, ==, status.st_ino);
  g_assert_cmpuint (info.device, ==, status.st_dev);
  g_assert_cmpuint (info.uid, ==, getuid ());
  g_assert_cmpint (info.mtime_ns, ==,
                   status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + status.st_mtim.tv_nsec);
  g_assert_cmpstr (info.token, ==, "");

  g_assert_true (godwit_host_stat (host, link, &info, NULL, &error));
  g_assert_cmpint (info.type, ==, GODWIT_FILE_SYMLINK);
  g_assert_true (godwit_host_stat (host, absent, &info, NULL, &error));
  g_assert_cmpint (info.type, ==, GODWIT_FILE_ABSENT);
}

static void
assert_denied (GodwitHost *host, const char *path)
{
  g_autoptr (GError) error = NULL;
  GodwitFileInfo info;
  g_assert_false (godwit_host_stat (host, path, &info, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_nonnull (strstr (error->message, "a: "));
}

static void
test_escape (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *dots = fixture_path (fixture, "../session");
  g_autofree char *out = fixture_path (fixture, "out");
  g_autofree char *in = fixture_path (fixture, "in");
  g_autofree char *inner = fixture_path (fixture, "dir");
  g_autofree char *through_out = fixture_path (fixture, "out/file");
  g_autofree char *through_in = fixture_path (fixture, "in/file");
  g_autofree char *file = fixture_path (fixture, "dir/file");
  g_assert_cmpint (symlink (fixture->session, out), ==, 0);
  g_assert_cmpint (symlink ("dir", in), ==, 0);
  g_assert_cmpint (g_mkdir (inner, 0755), ==, 0);

  assert_denied (host, "/etc/passwd");
  assert_denied (host, "relative");
  assert_denied (host, dots);
  assert_denied (host, through_out);
  g_autofree char *sibling = g_strconcat (fixture->root, "/data-other", NULL);
  assert_denied (host, sibling);

  g_autoptr (GError) error = NULL;
  g_assert_false (
      godwit_host_create_file (host, through_out, 1, FALSE, 0600, KEEP, KEEP, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  /* A link that stays inside is fine. */
  g_assert_true (
      godwit_host_create_file (host, through_in, 1, FALSE, 0600, KEEP, KEEP, "t", NULL, &error));
  g_assert_no_error (error);
  g_assert_true (fixture_is_there (file));
  /* The allowed directory itself is not ours to remove or to rename. */
  g_autofree char *top = g_build_filename (fixture->root, "data", NULL);
  g_assert_false (godwit_host_remove_owned (host, top, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
}

static void
test_create (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *path = fixture_path (fixture, "disk");
  g_autofree char *full = fixture_path (fixture, "full");
  g_autoptr (GError) error = NULL;
  GodwitFileInfo info;

  g_assert_true (godwit_host_create_file (host, path, 1 << 24, FALSE, 0640, KEEP, KEEP, "job-1",
                                          NULL, &error));
  g_assert_no_error (error);
  g_assert_true (godwit_host_stat (host, path, &info, NULL, &error));
  g_assert_cmpuint (info.size, ==, 1 << 24);
  g_assert_cmpuint (info.allocated, <, 1 << 16);
  g_assert_cmpuint (info.mode, ==, 0640);
  g_assert_cmpstr (info.token, ==, "job-1");
  /* Again by the same job: the same file. By another: refused. */
  g_assert_true (godwit_host_create_file (host, path, 1 << 24, FALSE, 0640, KEEP, KEEP, "job-1",
                                          NULL, &error));
  g_assert_false (godwit_host_create_file (host, path, 1 << 24, FALSE, 0640, KEEP, KEEP, "job-2",
                                           NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (
      godwit_host_create_file (host, path, 1 << 24, FALSE, 0640, KEEP, KEEP, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS);
  g_clear_error (&error);

  g_assert_true (
      godwit_host_create_file (host, full, 1 << 20, TRUE, 0600, KEEP, KEEP, "job-1", NULL, &error));
  g_assert_true (godwit_host_stat (host, full, &info, NULL, &error));
  g_assert_cmpuint (info.allocated, >=, 1 << 20);
}

static void
test_remove_owned (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *foreign = fixture_make_file (fixture, "foreign", "precious");
  g_autofree char *ours = fixture_path (fixture, "ours");
  g_autofree char *dir = fixture_path (fixture, "dir");
  g_autofree char *inside = fixture_path (fixture, "dir/inside");
  g_autofree char *link = fixture_path (fixture, "link");
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_host_remove_owned (host, foreign, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_true (
      godwit_host_create_file (host, ours, 1, FALSE, 0600, KEEP, KEEP, "t", NULL, &error));
  g_assert_false (godwit_host_remove_owned (host, ours, "other", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  /* A link to something of ours is not ours. */
  g_assert_cmpint (symlink ("ours", link), ==, 0);
  g_assert_false (godwit_host_remove_owned (host, link, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_true (fixture_is_there (ours));
  g_assert_true (godwit_host_remove_owned (host, ours, "t", NULL, &error));
  g_assert_no_error (error);
  g_assert_false (fixture_is_there (ours));
  g_assert_true (godwit_host_remove_owned (host, ours, "t", NULL, &error));

  g_assert_true (godwit_host_make_directory (host, dir, 0711, KEEP, KEEP, "t", NULL, &error));
  g_assert_true (godwit_host_make_directory (host, dir, 0711, KEEP, KEEP, "t", NULL, &error));
  g_assert_no_error (error);
  g_assert_true (
      godwit_host_create_file (host, inside, 1, FALSE, 0600, KEEP, KEEP, "t", NULL, &error));
  g_assert_false (godwit_host_remove_owned (host, dir, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_true (godwit_host_remove_owned (host, inside, "t", NULL, &error));
  g_assert_true (godwit_host_remove_owned (host, dir, "t", NULL, &error));
  g_assert_false (fixture_is_there (dir));
  g_assert_true (fixture_is_there (foreign));
}

static void
test_rename (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *one = fixture_make_file (fixture, "one", "1");
  g_autofree char *two = fixture_make_file (fixture, "two", "2");
  g_autofree char *three = fixture_path (fixture, "three");
  g_autofree char *absent = fixture_path (fixture, "absent");
  g_autoptr (GError) error = NULL;

  g_assert_false (godwit_host_rename (host, one, two, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (godwit_host_rename (host, absent, two, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (godwit_host_rename (host, one, three, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (fixture_is_there (one));
  g_assert_true (fixture_is_there (three));
}

static void
test_small_files (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *path = fixture_path (fixture, "note");
  g_autoptr (GBytes) first = g_bytes_new_static ("first\0part", 10);
  g_autoptr (GBytes) second = g_bytes_new_static ("second", 6);
  g_autoptr (GError) error = NULL;
  GodwitFileInfo info;

  g_assert_true (godwit_host_write_file (host, path, first, 0644, TRUE, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (godwit_host_write_file (host, path, second, 0644, TRUE, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS);
  g_clear_error (&error);
  g_autoptr (GBytes) read = godwit_host_read_file (host, path, 0, 100, NULL, &error);
  g_assert_true (g_bytes_equal (read, first));
  g_autoptr (GBytes) part = godwit_host_read_file (host, path, 6, 2, NULL, &error);
  g_assert_cmpmem (g_bytes_get_data (part, NULL), g_bytes_get_size (part), "pa", 2);

  /* A token stays with the name when the contents are replaced. */
  g_assert_true (godwit_host_set_token (host, path, "t", NULL, &error));
  g_assert_true (godwit_host_write_file (host, path, second, 0600, FALSE, NULL, &error));
  g_assert_true (godwit_host_stat (host, path, &info, NULL, &error));
  g_assert_cmpstr (info.token, ==, "t");
  g_assert_cmpuint (info.mode, ==, 0600);
  g_assert_false (godwit_host_set_token (host, path, "u", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_true (godwit_host_set_token (host, path, NULL, NULL, &error));
  g_assert_true (godwit_host_stat (host, path, &info, NULL, &error));
  g_assert_cmpstr (info.token, ==, "");

  g_auto (GStrv) names = NULL;
  g_autofree char *top = g_build_filename (fixture->root, "data", NULL);
  names = godwit_host_list (host, top, NULL, &error);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  g_assert_cmpstr (names[0], ==, "note");
}

static void
test_parked (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *dir = fixture_path (fixture, "vm_migrate");
  g_autofree char *other = fixture_path (fixture, "vm");
  g_autofree char *sub = fixture_path (fixture, "vm_migrate/sub");
  g_autofree char *outside = fixture_make_file (fixture, "outside", "stays");
  g_autofree char *link = fixture_path (fixture, "vm_migrate/sub/link");
  g_autofree char *inner = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (g_mkdir (dir, 0755), ==, 0);
  g_assert_cmpint (g_mkdir (sub, 0755), ==, 0);
  g_assert_cmpint (symlink (outside, link), ==, 0);
  inner = fixture_make_file (fixture, "vm_migrate/disk", "data");

  g_assert_false (godwit_host_remove_parked (host, dir, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_true (fixture_is_there (inner));
  g_assert_true (godwit_host_set_token (host, dir, "t", NULL, &error));
  g_assert_true (godwit_host_rename (host, dir, other, NULL, &error));
  g_assert_false (godwit_host_remove_parked (host, other, "t", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_true (godwit_host_rename (host, other, dir, NULL, &error));
  g_assert_true (godwit_host_remove_parked (host, dir, "t", NULL, &error));
  g_assert_no_error (error);
  g_assert_false (fixture_is_there (dir));
  g_assert_true (fixture_is_there (outside));
  g_assert_true (godwit_host_remove_parked (host, dir, "t", NULL, &error));
}

static void
test_space (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *top = g_build_filename (fixture->root, "data", NULL);
  g_autofree char *deep = fixture_path (fixture, "not/yet/there");
  g_autoptr (GError) error = NULL;
  guint64 free_top = 0, free_deep = 0, id_top = 0, id_deep = 1;
  g_assert_true (godwit_host_free_space (host, top, &free_top, &id_top, NULL, &error));
  g_assert_true (godwit_host_free_space (host, deep, &free_deep, &id_deep, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (free_top, >, 0);
  g_assert_cmpuint (id_top, ==, id_deep);
  g_assert_false (godwit_host_free_space (host, "/usr", &free_top, &id_top, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
}

static void
test_owner (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autofree char *path = fixture_make_file (fixture, "one", "1");
  g_autofree char *link = fixture_path (fixture, "link");
  g_autoptr (GError) error = NULL;
  GodwitFileInfo info;
  g_assert_cmpint (symlink ("one", link), ==, 0);
  g_assert_true (godwit_host_set_owner (host, path, getuid (), getgid (), 0604, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (godwit_host_stat (host, path, &info, NULL, &error));
  g_assert_cmpuint (info.mode, ==, 0604);
  g_assert_false (godwit_host_set_owner (host, link, getuid (), getgid (), 0600, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
}

static void
test_job_directory (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      godwit_host_make_job_directory (host, "job-1", getuid (), getgid (), 0711, NULL, &error);
  g_assert_no_error (error);
  struct stat status;
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0711);
  g_autofree char *foreign = g_build_filename (path, "file", NULL);
  g_file_set_contents (foreign, "x", 1, NULL);
  g_assert_false (godwit_host_remove_job_directory (host, "job-1", NULL, &error));
  g_clear_error (&error);
  g_assert_true (fixture_is_there (foreign));
  g_unlink (foreign);
  g_assert_true (godwit_host_remove_job_directory (host, "job-1", NULL, &error));
  g_assert_no_error (error);
  g_assert_false (fixture_is_there (path));
  g_assert_null (
      godwit_host_make_job_directory (host, "../x", getuid (), getgid (), 0711, NULL, &error));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/host/files/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("stat", test_stat);
  ADD ("escape", test_escape);
  ADD ("create", test_create);
  ADD ("remove-owned", test_remove_owned);
  ADD ("rename", test_rename);
  ADD ("small", test_small_files);
  ADD ("parked", test_parked);
  ADD ("space", test_space);
  ADD ("owner", test_owner);
  ADD ("job-directory", test_job_directory);
  return g_test_run ();
}
