/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/records.h"

#include "agent/agent-private.h"
#include "base/durable.h"
#include "base/paths.h"

#include <godwit/error.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Copies of the records of jobs that this host takes part in. Whoever has lost the controller goes
 * on from here. They hold definitions of guests, and so are for root alone. */

#define RECORD_MAX (8 * 1024 * 1024)
/* A job that nobody has touched for so long needs no copy any more. */
#define KEEP_S (90 * 24 * 3600)
/* No write lasts so long: its writer was killed, and nobody wrote that record again. */
#define WRITE_S 3600

static char *
records_dir (void)
{
  return g_build_filename (godwit_paths_get_state_dir (), "records", NULL);
}

static void
forget_old (void)
{
  g_autofree char *path = records_dir ();
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    struct stat st;
    gint64 keep_s = strchr (name, '.') != NULL ? WRITE_S : KEEP_S;
    if (lstat (file, &st) == 0 && S_ISREG (st.st_mode) && now - st.st_mtime > keep_s)
      unlink (file);
  }
}

gboolean
godwit_agent_keep_record (const char *job, guint64 epoch, GVariant *record, GError **error)
{
  g_autofree char *path = godwit_agent_make_job_path ("records", job, error);
  if (path == NULL || !godwit_agent_check_epoch (job, epoch, error))
    return FALSE;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    forget_old ();
  godwit_remove_unfinished (path);
  g_autoptr (GError) local = NULL;
  if (g_file_set_contents_full (path, g_variant_get_data (record),
                                (gssize)g_variant_get_size (record),
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &local))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, "free space, or repair its permissions",
                    "cannot keep a copy of the job's record: %s", local->message);
  return FALSE;
}

GStrv
godwit_records_list (void)
{
  g_autofree char *path = records_dir ();
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  const char *name;
  /* A name with a dot is one of a write that a power cut ended. */
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (strchr (name, '.') == NULL)
      g_strv_builder_add (names, name);
  return g_strv_builder_end (names);
}

GBytes *
godwit_records_read (const char *job, GError **error)
{
  g_autofree char *path = godwit_agent_make_job_path ("records", job, error);
  struct stat st;
  if (path == NULL)
    return NULL;
  if (lstat (path, &st) != 0 || !S_ISREG (st.st_mode) || st.st_size > RECORD_MAX) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND,
                      "`godwit recover` there lists the jobs that it has records of",
                      "there is no record of a job '%s' on this host", job);
    return NULL;
  }
  char *contents;
  gsize length;
  g_autoptr (GError) local = NULL;
  if (g_file_get_contents (path, &contents, &length, &local))
    return g_bytes_new_take (contents, length);
  godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "%s", local->message);
  return NULL;
}
