/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/policy.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct _GodwitPolicy {
  GPtrArray *directories;
  GPtrArray *programs;
};

static GPtrArray *
dup_list (const char *const *list)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; list != NULL && list[i] != NULL; i++)
    g_ptr_array_add (copy, g_strdup (list[i]));
  return copy;
}

GodwitPolicy *
godwit_policy_new (const char *const *directories, const char *const *programs)
{
  GodwitPolicy *self = g_new0 (GodwitPolicy, 1);
  self->directories = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; directories != NULL && directories[i] != NULL; i++)
    godwit_policy_add_directory (self, directories[i]);
  self->programs = dup_list (programs);
  return self;
}

void
godwit_policy_free (GodwitPolicy *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->directories);
  g_ptr_array_unref (self->programs);
  g_free (self);
}

void
godwit_policy_add_directory (GodwitPolicy *self, const char *path)
{
  char *clean = g_canonicalize_filename (path, "/");
  if (clean[0] != '\0' && clean[1] == '\0') {
    /* "/" would be no policy at all; who wants that has no need of an agent. */
    g_free (clean);
    return;
  }
  g_ptr_array_add (self->directories, clean);
}

static GVariant *
to_variant (GPtrArray *list)
{
  return g_variant_new_strv ((const char *const *)list->pdata, list->len);
}

GVariant *
godwit_policy_list_directories (GodwitPolicy *self)
{
  return to_variant (self->directories);
}

GVariant *
godwit_policy_list_programs (GodwitPolicy *self)
{
  return to_variant (self->programs);
}

char *
godwit_policy_find_program (GodwitPolicy *self, const char *name, GError **error)
{
  static const char *const places[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
  if (!g_ptr_array_find_with_equal_func (self->programs, name, g_str_equal, NULL) ||
      strchr (name, '/') != NULL) {
    godwit_set_error (error, GODWIT_ERROR_DENIED,
                      "add it to programs= in the group [agent] of that host's godwit.conf",
                      "the agent may not run '%s'", name);
    return NULL;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *path = g_build_filename (places[i], name, NULL);
    if (access (path, X_OK) == 0)
      return g_steal_pointer (&path);
  }
  godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, "install the package that has it",
                    "there is no program '%s'", name);
  return NULL;
}

void
godwit_set_errno (GError **error, int number, const char *verb, const char *path)
{
  GodwitErrorCode code = GODWIT_ERROR_PEER;
  const char *remedy = NULL;
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    code = GODWIT_ERROR_NOT_FOUND;
    break;
  case EEXIST:
  case ENOTEMPTY:
    code = GODWIT_ERROR_EXISTS;
    break;
  case EACCES:
  case EPERM:
  case EROFS:
    code = GODWIT_ERROR_DENIED;
    break;
  case EBUSY:
  case ETXTBSY:
    code = GODWIT_ERROR_BUSY;
    break;
  case ENOSPC:
  case EDQUOT:
    code = GODWIT_ERROR_UNAVAILABLE;
    remedy = "free space on that file system";
    break;
  case EOPNOTSUPP:
  case ENOSYS:
    code = GODWIT_ERROR_NOT_SUPPORTED;
    break;
  case EINTR:
  case EAGAIN:
    code = GODWIT_ERROR_TRANSIENT;
    break;
  default:
    break;
  }
  godwit_set_error (error, code, remedy, "cannot %s %s: %s", verb, path, g_strerror (number));
}

static gboolean
check_path (const char *path, GError **error)
{
  g_autofree char *clean = g_path_is_absolute (path) ? g_canonicalize_filename (path, "/") : NULL;
  if (g_strcmp0 (clean, path) == 0 && strlen (path) < PATH_MAX)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_DENIED, NULL,
                    "'%s' is not an absolute path without '.', '..' and double slashes", path);
  return FALSE;
}

/* The allowed directory that @path is in, the longest one; @relative: what follows it. */
static const char *
find_directory (GodwitPolicy *self, const char *path, const char **relative, GError **error)
{
  if (!check_path (path, error))
    return NULL;
  const char *best = NULL;
  gsize best_length = 0;
  for (guint i = 0; i < self->directories->len; i++) {
    const char *directory = self->directories->pdata[i];
    gsize length = strlen (directory);
    if (length > best_length && g_str_has_prefix (path, directory) &&
        (path[length] == '/' || path[length] == '\0')) {
      best = directory;
      best_length = length;
    }
  }
  if (best == NULL) {
    godwit_set_error (error, GODWIT_ERROR_DENIED,
                      "add its directory to directories= in the group [agent] of that host's "
                      "godwit.conf",
                      "the agent may not touch %s", path);
    return NULL;
  }
  *relative = path[best_length] == '/' ? path + best_length + 1 : ".";
  return best;
}

static int
open_beneath (const char *directory, const char *relative, int flags, const char *path,
              GError **error)
{
  int base = open (directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) {
    godwit_set_errno (error, errno, "open", directory);
    return -1;
  }
  struct open_how how = {.flags = flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY),
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  int fd = -1;
  /* EAGAIN: something on the way was renamed meanwhile, and the kernel could not be sure. */
  for (int tries = 0; tries < 20; tries++) {
    fd = syscall (SYS_openat2, base, relative, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN)
      break;
  }
  int number = errno;
  close (base);
  if (fd >= 0)
    return fd;
  if (number == EXDEV) {
    godwit_set_error (error, GODWIT_ERROR_DENIED,
                      "name the real path, and add its directory to directories= in the group "
                      "[agent] of that host's godwit.conf",
                      "%s leads out of the allowed directory %s through a symbolic link", path,
                      directory);
    return -1;
  }
  godwit_set_errno (error, number, "open", path);
  return -1;
}

int
godwit_policy_open (GodwitPolicy *self, const char *path, int flags, GError **error)
{
  const char *relative;
  const char *directory = find_directory (self, path, &relative, error);
  return directory != NULL ? open_beneath (directory, relative, flags, path, error) : -1;
}

int
godwit_policy_open_parent (GodwitPolicy *self, const char *path, char **name, GError **error)
{
  const char *relative;
  const char *directory = find_directory (self, path, &relative, error);
  if (directory == NULL)
    return -1;
  if (g_str_equal (relative, ".")) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, NULL,
                      "%s is itself an allowed directory; the agent only works inside it", path);
    return -1;
  }
  g_autofree char *parent = g_path_get_dirname (relative);
  int fd = open_beneath (directory, parent, O_RDONLY | O_DIRECTORY, path, error);
  if (fd >= 0)
    *name = g_path_get_basename (relative);
  return fd;
}
