/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/agent-private.h"
#include "agent/files.h"
#include "base/paths.h"

#include "godwit-config.h"

#include <godwit/error.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static char *
read_line_of (const char *path)
{
  char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return g_strdup ("");
  return g_strstrip (text);
}

GVariant *
godwit_agent_get_info (GodwitAgent *self)
{
  struct utsname names;
  uname (&names);
  g_autofree char *machine = read_line_of ("/etc/machine-id");
  g_autofree char *boot = read_line_of ("/proc/sys/kernel/random/boot_id");
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "version", "s", GODWIT_VERSION);
  g_variant_dict_insert (&dict, "protocol", "u", GODWIT_AGENT_PROTOCOL);
  g_variant_dict_insert (&dict, "hostname", "s", names.nodename);
  g_variant_dict_insert (&dict, "machine-id", "s", machine);
  g_variant_dict_insert (&dict, "boot-id", "s", boot);
  g_variant_dict_insert (&dict, "uid", "u", (guint32)geteuid ());
  g_variant_dict_insert (&dict, "time-us", "x", g_get_real_time ());
  g_variant_dict_insert (&dict, "state-dir", "s", godwit_paths_get_state_dir ());
  g_variant_dict_insert (&dict, "runtime-dir", "s", godwit_paths_get_runtime_dir ());
  g_variant_dict_insert_value (&dict, "directories", godwit_policy_list_directories (self->policy));
  g_variant_dict_insert_value (&dict, "programs", godwit_policy_list_programs (self->policy));
  return g_variant_dict_end (&dict);
}

/* Names that the runtime directory needs for itself. */
static gboolean
check_job_name (const char *job, GError **error)
{
  static const char *const reserved[] = {"agents", "claims", "sessions", "jobs", "control", NULL};
  gsize length = strlen (job);
  if (length > 0 && length <= 64 && g_ascii_isalnum (job[0]) &&
      length == strspn (job, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") &&
      !g_strv_contains (reserved, job))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "'%s' is not the name of a job", job);
  return FALSE;
}

char *
godwit_agent_make_job_directory (const char *job, guint32 uid, guint32 gid, guint32 mode,
                                 GError **error)
{
  const char *runtime = godwit_paths_get_runtime_dir ();
  if (!check_job_name (job, error) || !godwit_paths_make_dir (runtime, 0755, error))
    return NULL;
  g_autofree char *path = g_build_filename (runtime, job, NULL);
  if (mkdir (path, 0700) != 0 && errno != EEXIST) {
    godwit_set_errno (error, errno, "make the directory", path);
    return NULL;
  }
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    godwit_set_errno (error, errno, "open", path);
    return NULL;
  }
  gboolean ok = godwit_files_give (fd, mode, uid, gid, path, error);
  close (fd);
  return ok ? g_steal_pointer (&path) : NULL;
}

/* Only sockets are expected in it, and only they are removed. */
static void
remove_sockets (int fd)
{
  DIR *directory = fdopendir (dup (fd));
  if (directory == NULL)
    return;
  struct dirent *entry;
  struct stat status;
  while ((entry = readdir (directory)) != NULL)
    if (fstatat (fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK (status.st_mode))
      unlinkat (fd, entry->d_name, 0);
  closedir (directory);
}

gboolean
godwit_agent_remove_job_directory (const char *job, GError **error)
{
  if (!check_job_name (job, error))
    return FALSE;
  g_autofree char *path = g_build_filename (godwit_paths_get_runtime_dir (), job, NULL);
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd >= 0) {
    remove_sockets (fd);
    close (fd);
  }
  if (rmdir (path) == 0 || errno == ENOENT)
    return TRUE;
  godwit_set_errno (error, errno, "remove", path);
  return FALSE;
}
