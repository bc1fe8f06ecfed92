/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/files.h"
#include "host/host-internal.h"

#include <godwit/error.h>

#define ALLOCATE_MS 120000

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

gboolean
godwit_host_stat (GodwitHost *self, const char *path, GodwitFileInfo *info,
                  GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL && info != NULL, FALSE);
  g_autoptr (GVariant) reply = godwit_host_call (self, "Stat", g_variant_new ("(s)", path),
                                                 "(" GODWIT_STAT_TYPE ")", 0, cancellable, error);
  if (reply == NULL)
    return FALSE;
  guint32 type;
  const char *token, *fs_type;
  g_variant_get (reply, "((uttuuuttxx&s&sx))", &type, &info->size, &info->allocated, &info->mode,
                 &info->uid, &info->gid, &info->device, &info->inode, &info->mtime_ns,
                 &info->ctime_ns, &token, &fs_type, &info->birth_ns);
  info->type = type <= GODWIT_FILE_OTHER ? (GodwitFileType)type : GODWIT_FILE_OTHER;
  g_strlcpy (info->token, token, sizeof info->token);
  g_strlcpy (info->fs_type, fs_type, sizeof info->fs_type);
  return TRUE;
}

GStrv
godwit_host_list (GodwitHost *self, const char *path, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, NULL);
  g_autoptr (GVariant) reply =
      godwit_host_call (self, "List", g_variant_new ("(s)", path), "(as)", 0, cancellable, error);
  GStrv names = NULL;
  if (reply != NULL)
    g_variant_get (reply, "(^as)", &names);
  return names;
}

gboolean
godwit_host_make_directory (GodwitHost *self, const char *path, guint32 mode, guint32 uid,
                            guint32 gid, const char *token, GCancellable *cancellable,
                            GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, FALSE);
  return godwit_host_call_nothing (self, "MakeDirectory",
                                   g_variant_new ("(suuus)", path, mode, uid, gid,
                                                  or_empty (token)),
                                   cancellable, error);
}

gboolean
godwit_host_create_file (GodwitHost *self, const char *path, guint64 size, gboolean preallocate,
                         guint32 mode, guint32 uid, guint32 gid, const char *token,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, FALSE);
  /* Not given up half-way: a file that appeared after its maker stopped waiting would be nobody's.
   * Allocating takes its time. */
  g_autoptr (GVariant) reply =
      godwit_host_call (self, "CreateFile",
                        g_variant_new ("(stbuuus)", path, size, preallocate, mode, uid, gid,
                                       or_empty (token)),
                        "()", preallocate ? ALLOCATE_MS : 0, NULL, error);
  return reply != NULL;
}

gboolean
godwit_host_write_file (GodwitHost *self, const char *path, GBytes *contents, guint32 mode,
                        gboolean exclusive, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL && contents != NULL, FALSE);
  if (g_bytes_get_size (contents) > GODWIT_SMALL_FILE_MAX) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL,
                      "%s: %s is too big to be written by a call", self->name, path);
    return FALSE;
  }
  GVariant *bytes = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, contents, TRUE);
  return godwit_host_call_nothing (self, "WriteFile",
                                   g_variant_new ("(s@ayub)", path, bytes, mode, exclusive),
                                   cancellable, error);
}

GBytes *
godwit_host_read_file (GodwitHost *self, const char *path, guint64 offset, gsize length,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, NULL);
  guint32 wanted = (guint32)MIN (length, GODWIT_SMALL_FILE_MAX);
  g_autoptr (GVariant) reply =
      godwit_host_call (self, "ReadFile", g_variant_new ("(stu)", path, offset, wanted), "(ay)", 0,
                        cancellable, error);
  if (reply == NULL)
    return NULL;
  g_autoptr (GVariant) bytes = g_variant_get_child_value (reply, 0);
  return g_variant_get_data_as_bytes (bytes);
}

gboolean
godwit_host_rename (GodwitHost *self, const char *from, const char *to, GCancellable *cancellable,
                    GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && from != NULL && to != NULL, FALSE);
  return godwit_host_call_nothing (self, "Rename", g_variant_new ("(ss)", from, to), cancellable,
                                   error);
}

gboolean
godwit_host_remove_owned (GodwitHost *self, const char *path, const char *token,
                          GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL && token != NULL, FALSE);
  return godwit_host_call_nothing (self, "RemoveOwned", g_variant_new ("(ss)", path, token),
                                   cancellable, error);
}

gboolean
godwit_host_remove_parked (GodwitHost *self, const char *path, const char *token,
                           GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL && token != NULL, FALSE);
  guint id = godwit_host_start (self, "StartRemoveParked", g_variant_new ("(ss)", path, token),
                                cancellable, error);
  g_autoptr (GVariant) result = id != 0 ? godwit_host_finish (self, id, cancellable, error) : NULL;
  return result != NULL;
}

gboolean
godwit_host_set_token (GodwitHost *self, const char *path, const char *token,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, FALSE);
  return godwit_host_call_nothing (self, "SetToken", g_variant_new ("(ss)", path, or_empty (token)),
                                   cancellable, error);
}

gboolean
godwit_host_allocate (GodwitHost *self, const char *path, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, FALSE);
  return godwit_host_call_nothing (self, "Allocate", g_variant_new ("(s)", path), cancellable,
                                   error);
}

gboolean
godwit_host_set_owner (GodwitHost *self, const char *path, guint32 uid, guint32 gid, guint32 mode,
                       GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, FALSE);
  return godwit_host_call_nothing (self, "SetOwner", g_variant_new ("(suuu)", path, uid, gid, mode),
                                   cancellable, error);
}

gboolean
godwit_host_free_space (GodwitHost *self, const char *path, guint64 *free, guint64 *filesystem,
                        GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && path != NULL, FALSE);
  g_autoptr (GVariant) reply = godwit_host_call (self, "FreeSpace", g_variant_new ("(s)", path),
                                                 "(tt)", 0, cancellable, error);
  if (reply == NULL)
    return FALSE;
  guint64 bytes, id;
  g_variant_get (reply, "(tt)", &bytes, &id);
  if (free != NULL)
    *free = bytes;
  if (filesystem != NULL)
    *filesystem = id;
  return TRUE;
}

char *
godwit_host_make_job_directory (GodwitHost *self, const char *job_id, guint32 uid, guint32 gid,
                                guint32 mode, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && job_id != NULL, NULL);
  g_autoptr (GVariant) reply =
      godwit_host_call (self, "MakeJobDirectory", g_variant_new ("(suuu)", job_id, uid, gid, mode),
                        "(s)", 0, cancellable, error);
  char *path = NULL;
  if (reply != NULL)
    g_variant_get (reply, "(s)", &path);
  return path;
}

gboolean
godwit_host_remove_job_directory (GodwitHost *self, const char *job_id, GCancellable *cancellable,
                                  GError **error)
{
  g_return_val_if_fail (GODWIT_IS_HOST (self) && job_id != NULL, FALSE);
  return godwit_host_call_nothing (self, "RemoveJobDirectory", g_variant_new ("(s)", job_id),
                                   cancellable, error);
}
