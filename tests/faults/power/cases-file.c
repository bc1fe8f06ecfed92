/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actor.h"

#include "agent/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* What an agent does to files: the calls as the agent makes them. */

#define TOKEN "job-1"
#define SIZE  (1024 * 1024)

static GodwitPolicy *
policy (void)
{
  static GodwitPolicy *it;
  const char *directories[] = {data_directory (), NULL};
  const char *programs[] = {NULL};
  if (it == NULL)
    it = godwit_policy_new (directories, programs);
  return it;
}

static gboolean
has_token (const char *path, const char *token)
{
  char value[64] = "";
  ssize_t length = getxattr (path, "user.godwit.token", value, sizeof value - 1);
  value[MAX (length, 0)] = '\0';
  return g_str_equal (value, token);
}

static gboolean
is_given (const char *path, guint mode)
{
  struct stat status;
  return stat (path, &status) == 0 && status.st_uid == 12 && status.st_gid == 34 &&
         (status.st_mode & 07777) == mode;
}

static gboolean
has_size (const char *path, guint64 size, guint64 allocated)
{
  struct stat status;
  return stat (path, &status) == 0 && (guint64)status.st_size == size &&
         (guint64)status.st_blocks * 512 >= allocated;
}

static void
prepare_file (void)
{
  make_file (data_path ("a"), "text");
}

/* --- making -------------------------------------------------------------------------------- */

static void
create (gboolean preallocate)
{
  g_autoptr (GError) error = NULL;
  godwit_files_create (policy (), data_path ("disk"), SIZE, preallocate, 0640, 12, 34, TOKEN,
                       &error);
  g_assert_no_error (error);
}

static void
act_create (void)
{
  create (FALSE);
}

static gboolean
is_created (void)
{
  const char *path = data_path ("disk");
  return has_size (path, SIZE, 0) && is_given (path, 0640) && has_token (path, TOKEN);
}

static void
act_create_whole (void)
{
  create (TRUE);
}

static gboolean
is_created_whole (void)
{
  return is_created () && has_size (data_path ("disk"), SIZE, SIZE);
}

static void
act_make_directory (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_make_directory (policy (), data_path ("d"), 0750, 12, 34, TOKEN, &error);
  g_assert_no_error (error);
}

static gboolean
is_directory_made (void)
{
  return is_given (data_path ("d"), 0750) && has_token (data_path ("d"), TOKEN);
}

static void
write_small (gboolean exclusive)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("new", 3);
  godwit_files_write (policy (), data_path ("a"), bytes, 0600, exclusive, &error);
  g_assert_no_error (error);
}

static void
act_write_new (void)
{
  write_small (TRUE);
}

static void
act_write_over (void)
{
  write_small (FALSE);
}

static gboolean
is_written (void)
{
  return has_text (data_path ("a"), "new");
}

/* --- renaming and removing ----------------------------------------------------------------- */

static void
prepare_rename (void)
{
  g_assert_cmpint (mkdir (data_path ("from"), 0755), ==, 0);
  g_assert_cmpint (mkdir (data_path ("to"), 0755), ==, 0);
  make_file (data_path ("from/a"), "text");
}

static void
act_rename (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_rename (policy (), data_path ("from/a"), data_path ("to/b"), &error);
  g_assert_no_error (error);
}

static gboolean
is_renamed (void)
{
  return has_text (data_path ("to/b"), "text") && !is_there (data_path ("from/a"));
}

static void
prepare_owned (void)
{
  make_file (data_path ("a"), "text");
  g_assert_cmpint (setxattr (data_path ("a"), "user.godwit.token", TOKEN, strlen (TOKEN), 0), ==,
                   0);
}

static void
act_remove (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_remove_owned (policy (), data_path ("a"), TOKEN, &error);
  g_assert_no_error (error);
}

static gboolean
is_removed (void)
{
  return !is_there (data_path ("a"));
}

static void
prepare_parked (void)
{
  const char *path = data_path ("g_migrate");
  g_assert_cmpint (mkdir (path, 0755), ==, 0);
  make_file (data_path ("g_migrate/disk"), "text");
  g_assert_cmpint (setxattr (path, "user.godwit.token", TOKEN, strlen (TOKEN), 0), ==, 0);
}

static void
act_remove_parked (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_remove_parked (policy (), data_path ("g_migrate"), TOKEN, NULL, &error);
  g_assert_no_error (error);
}

static gboolean
is_parked_removed (void)
{
  return !is_there (data_path ("g_migrate"));
}

/* --- attributes ---------------------------------------------------------------------------- */

static void
act_set_token (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_set_token (policy (), data_path ("a"), TOKEN, &error);
  g_assert_no_error (error);
}

static gboolean
has_our_token (void)
{
  return has_token (data_path ("a"), TOKEN);
}

static void
act_clear_token (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_set_token (policy (), data_path ("a"), "", &error);
  g_assert_no_error (error);
}

static gboolean
has_no_token (void)
{
  return has_token (data_path ("a"), "");
}

static void
act_set_owner (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_set_owner (policy (), data_path ("a"), 12, 34, 0640, &error);
  g_assert_no_error (error);
}

static gboolean
is_owned (void)
{
  return is_given (data_path ("a"), 0640);
}

static void
prepare_hole (void)
{
  make_file (data_path ("a"), "text");
  g_assert_cmpint (truncate (data_path ("a"), SIZE), ==, 0);
}

static void
act_allocate (void)
{
  g_autoptr (GError) error = NULL;
  godwit_files_allocate (policy (), data_path ("a"), &error);
  g_assert_no_error (error);
}

static gboolean
is_allocated (void)
{
  return has_size (data_path ("a"), SIZE, SIZE);
}

const PowerCase file_cases[] = {
    {"create", NULL, act_create, is_created},
    {"create-whole", NULL, act_create_whole, is_created_whole},
    {"make-directory", NULL, act_make_directory, is_directory_made},
    {"write-new", NULL, act_write_new, is_written},
    {"write-over", prepare_file, act_write_over, is_written},
    {"rename", prepare_rename, act_rename, is_renamed},
    {"remove", prepare_owned, act_remove, is_removed},
    {"remove-parked", prepare_parked, act_remove_parked, is_parked_removed},
    {"set-token", prepare_file, act_set_token, has_our_token},
    {"clear-token", prepare_owned, act_clear_token, has_no_token},
    {"set-owner", prepare_file, act_set_owner, is_owned},
    {"allocate", prepare_hole, act_allocate, is_allocated},
    {NULL},
};
