/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/token.h"

#include "agent/policy.h"
#include "base/durable.h"
#include "base/paths.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TOKEN_XATTR "user.godwit.token"

gboolean
godwit_token_check (const char *token, GError **error)
{
  gsize length = strlen (token);
  if (length <= GODWIT_TOKEN_MAX &&
      length == strspn (token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "'%s' is not a job token", token);
  return FALSE;
}

/* Attributes are reached through /proc because an O_PATH descriptor has no other way. */
static void
proc_path (int fd, char path[64])
{
  g_snprintf (path, 64, "/proc/self/fd/%d", fd);
}

/* Names the object for ever: file system and file handle, which has the inode's generation. */
static char *
describe_identity (int fd)
{
  struct statfs fs;
  if (fstatfs (fd, &fs) != 0)
    return NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "%x.%x:", fs.f_fsid.__val[0], fs.f_fsid.__val[1]);

  union {
    struct file_handle handle;
    char space[sizeof (struct file_handle) + MAX_HANDLE_SZ];
  } it = {.handle.handle_bytes = MAX_HANDLE_SZ};
  int mount_id;
  if (name_to_handle_at (fd, "", &it.handle, &mount_id, AT_EMPTY_PATH) == 0) {
    g_string_append_printf (text, "h%d:", it.handle.handle_type);
    for (guint i = 0; i < it.handle.handle_bytes; i++)
      g_string_append_printf (text, "%02x", it.handle.f_handle[i]);
    return g_string_free (g_steal_pointer (&text), FALSE);
  }
  struct statx status;
  if (statx (fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0 ||
      (status.stx_mask & STATX_BTIME) == 0)
    return NULL;
  g_string_append_printf (text, "i%llu:%lld.%u", (unsigned long long)status.stx_ino,
                          (long long)status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
record_path (const char *identity)
{
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, identity, -1);
  return g_build_filename (godwit_paths_get_state_dir (), "owned", name, NULL);
}

/* The token of the record, "" if there is none. */
static void
read_record (int fd, char token[GODWIT_TOKEN_MAX + 1])
{
  token[0] = '\0';
  g_autofree char *identity = describe_identity (fd);
  if (identity == NULL)
    return;
  g_autofree char *path = record_path (identity);
  g_autofree char *contents = NULL;
  if (!g_file_get_contents (path, &contents, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (contents, "\n", 3);
  if (g_strv_length (lines) == 3 && g_str_equal (lines[0], identity))
    g_strlcpy (token, lines[1], GODWIT_TOKEN_MAX + 1);
}

static gboolean
write_record (int fd, const char *token, const char *of, GError **error)
{
  g_autofree char *identity = describe_identity (fd);
  if (identity == NULL) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL,
                      "the file system of %s has neither extended attributes nor file handles nor "
                      "birth times, so godwit could not tell its own files from others there",
                      of);
    return FALSE;
  }
  g_autofree char *path = record_path (identity);
  godwit_remove_unfinished (path);
  if (*token == '\0') {
    if (unlink (path) == 0 || errno == ENOENT)
      return TRUE;
    godwit_set_errno (error, errno, "remove", path);
    return FALSE;
  }
  g_autofree char *directory = g_path_get_dirname (path);
  if (!godwit_paths_make_dir (godwit_paths_get_state_dir (), 0755, error) ||
      !godwit_paths_make_dir (directory, 0700, error))
    return FALSE;
  g_autofree char *contents = g_strdup_printf ("%s\n%s\n%s\n", identity, token, of);
  g_autoptr (GError) local = NULL;
  if (g_file_set_contents_full (path, contents, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &local))
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "%s", local->message);
  return FALSE;
}

gboolean
godwit_token_get (int fd, char token[GODWIT_TOKEN_MAX + 1], GError **error)
{
  char path[64];
  proc_path (fd, path);
  gssize n = getxattr (path, TOKEN_XATTR, token, GODWIT_TOKEN_MAX);
  token[MAX (n, 0)] = '\0';
  if (n >= 0)
    return TRUE;
  switch (errno) {
  case ENODATA:
    return TRUE;
  case EOPNOTSUPP:
  case ENOSYS:
    read_record (fd, token);
    return TRUE;
  case EPERM:
  case EACCES:
  case ERANGE:
    /* Devices and symbolic links have no user attributes, what we cannot read we did not make,
     * and a longer value is not ours. */
    return TRUE;
  default:
    godwit_set_errno (error, errno, "read the token of", path);
    return FALSE;
  }
}

gboolean
godwit_token_set (int fd, const char *token, const char *path, GError **error)
{
  char proc[64];
  proc_path (fd, proc);
  int result = *token != '\0' ? setxattr (proc, TOKEN_XATTR, token, strlen (token), 0)
                              : removexattr (proc, TOKEN_XATTR);
  if (result == 0 || (*token == '\0' && errno == ENODATA))
    return TRUE;
  if (errno == EOPNOTSUPP || errno == ENOSYS)
    return write_record (fd, token, path, error);
  godwit_set_errno (error, errno, "put the job's token on", path);
  return FALSE;
}

void
godwit_token_forget (int fd)
{
  char proc[64];
  char value[1];
  proc_path (fd, proc);
  if (getxattr (proc, TOKEN_XATTR, value, 0) < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
    write_record (fd, "", proc, NULL);
}
