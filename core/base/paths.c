/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/paths.h"

#include "base/durable.h"

#include "godwit-config.h"

#include <godwit/error.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* secure_getenv() answers NULL in a process with more privileges than its caller. */
static char *
choose (const char *variable, const char *system, const char *user_base, const char *user_rest)
{
  const char *value = secure_getenv (variable);
  if (value != NULL && g_path_is_absolute (value))
    return g_strdup (value);
  if (geteuid () == 0)
    return g_strdup (system);
  return g_build_filename (user_base, "godwit", user_rest, NULL);
}

const char *
godwit_paths_get_state_dir (void)
{
  static char *path;
  if (g_once_init_enter (&path))
    g_once_init_leave (&path, choose ("GODWIT_STATE_DIR", "/var/lib/godwit",
                                      g_get_user_state_dir (), NULL));
  return path;
}

const char *
godwit_paths_get_runtime_dir (void)
{
  static char *path;
  if (g_once_init_enter (&path))
    g_once_init_leave (&path, choose ("GODWIT_RUNTIME_DIR", "/run/godwit",
                                      g_get_user_runtime_dir (), NULL));
  return path;
}

static char *
choose_config_file (void)
{
  const char *system = GODWIT_SYSCONF_DIR "/godwit/godwit.conf";
  char *path = choose ("GODWIT_CONFIG", system, g_get_user_config_dir (), "godwit.conf");
  /* Somebody without a file of their own uses the machine's, if they may read it. */
  if (geteuid () != 0 && access (path, F_OK) != 0 && access (system, R_OK) == 0) {
    g_free (path);
    return g_strdup (system);
  }
  return path;
}

const char *
godwit_paths_get_config_file (void)
{
  static char *path;
  if (g_once_init_enter (&path))
    g_once_init_leave (&path, choose_config_file ());
  return path;
}

const char *
godwit_paths_get_plugin_dir (void)
{
  return GODWIT_PLUGIN_DIR;
}

const char *
godwit_paths_get_self (void)
{
  return "/proc/self/exe";
}

static gboolean
fail (GError **error, const char *path, const char *what)
{
  int saved = errno;
  godwit_set_error (error,
                    saved == EACCES || saved == EPERM ? GODWIT_ERROR_DENIED
                                                      : GODWIT_ERROR_UNAVAILABLE,
                    "check the permissions and the free space of its parent directory",
                    "cannot %s the directory %s: %s", what, path, g_strerror (saved));
  return FALSE;
}

/* What is in a directory is as durable as the directory's own name. */
static gboolean
make_parents (const char *path, int mode, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_autofree char *parent = g_path_get_dirname (path);
  if (!make_parents (parent, mode, error))
    return FALSE;
  if (mkdir (path, (mode_t)mode) != 0 && errno != EEXIST)
    return fail (error, path, "create");
  return godwit_sync_parent (path, error);
}

gboolean
godwit_paths_make_dir (const char *path, int mode, GError **error)
{
  g_return_val_if_fail (path != NULL, FALSE);

  g_autofree char *parent = g_path_get_dirname (path);
  gboolean root = geteuid () == 0;
  if (!make_parents (parent, root ? 0755 : 0700, error))
    return FALSE;
  if (mkdir (path, (mode_t)mode) == 0) {
    /* The umask may have taken bits away. */
    if (chmod (path, (mode_t)mode) != 0)
      return fail (error, path, "set the mode of");
    struct group *group = root ? getgrnam ("godwit") : NULL;
    if (group != NULL && chown (path, 0, group->gr_gid) != 0)
      return fail (error, path, "set the group of");
    return godwit_sync_parent (path, error);
  }
  if (errno != EEXIST)
    return fail (error, path, "create");

  struct stat st;
  if (lstat (path, &st) != 0)
    return fail (error, path, "look at");
  if (!S_ISDIR (st.st_mode) || st.st_uid != geteuid ()) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, "move it away, or choose another directory",
                      "%s is not a directory that user %u owns", path, (guint)geteuid ());
    return FALSE;
  }
  /* The group may be younger than the directory. */
  struct group *group = root && st.st_gid == 0 ? getgrnam ("godwit") : NULL;
  if (group != NULL && chown (path, 0, group->gr_gid) != 0)
    return fail (error, path, "set the group of");
  return TRUE;
}

char *
godwit_paths_describe_caller (void)
{
  struct passwd *user = getpwuid (geteuid ());
  const char *sudo = g_getenv ("SUDO_USER");
  g_autofree char *through = sudo != NULL ? g_strdup_printf (", %s through sudo", sudo) : NULL;
  return g_strdup_printf ("%s (uid %u%s) on %s", user != NULL ? user->pw_name : "somebody",
                          (guint)geteuid (), through != NULL ? through : "", g_get_host_name ());
}
