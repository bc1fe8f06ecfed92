/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-host.h"

#include "host/host-private.h"

#include <godwit/error.h>
#include <godwit/transfer.h>
#include <godwit/verify.h>

#include <string.h>

/* --- hosts ------------------------------------------------------------------------------- */

G_DEFINE_TYPE (GodwitHost, godwit_host, G_TYPE_OBJECT)

static void
godwit_host_finalize (GObject *object)
{
  GodwitHost *self = GODWIT_HOST (object);

  g_free (self->name);
  g_hash_table_unref (self->config);
  g_hash_table_unref (self->files);
  g_string_free (self->calls, TRUE);
  g_clear_object (&self->process);
  G_OBJECT_CLASS (godwit_host_parent_class)->finalize (object);
}

static void
godwit_host_class_init (GodwitHostClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = godwit_host_finalize;
}

static void
godwit_host_init (GodwitHost *self)
{
  self->config = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->calls = g_string_new (NULL);
}

GodwitHost *
fake_host_new (const char *name)
{
  GodwitHost *self = g_object_new (GODWIT_TYPE_HOST, NULL);

  self->name = g_strdup (name);
  return self;
}

GodwitFileInfo *
fake_host_add_file (GodwitHost *host, const char *path, guint64 inode, const char *token)
{
  GodwitFileInfo *info = g_new0 (GodwitFileInfo, 1);

  info->type = GODWIT_FILE_REGULAR;
  info->inode = inode;
  g_strlcpy (info->token, token != NULL ? token : "", sizeof info->token);
  g_hash_table_insert (host->files, g_strdup (path), info);
  return info;
}

static gboolean note (GodwitHost *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
note (GodwitHost *self, GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *call = g_strdup_vprintf (format, args);
  va_end (args);
  g_string_append_printf (self->calls, "%s%s", self->calls->len > 0 ? ", " : "", call);
  if (self->fail == NULL || strcmp (self->fail, call) != 0)
    return TRUE;
  g_set_error (error, GODWIT_ERROR, self->fail_code != 0 ? self->fail_code : GODWIT_ERROR_PEER,
               "%s: %s failed", self->name, call);
  return FALSE;
}

const char *
godwit_host_get_name (GodwitHost *self)
{
  return self->name;
}

void
godwit_host_ask (GodwitHost *self)
{
  self->suspected = TRUE;
}

/* Silence is noticed by who asks. */
gboolean
godwit_host_check_heard (GodwitHost *self, GError **error)
{
  if (!self->mute || !self->suspected)
    return TRUE;
  g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE, "%s has fallen silent", self->name);
  return FALSE;
}

gboolean
godwit_host_is_local (GodwitHost *self)
{
  return FALSE;
}

gboolean
godwit_host_ping (GodwitHost *self, GCancellable *cancellable, GError **error)
{
  if (!self->silent)
    return TRUE;
  g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_UNAVAILABLE, "%s did not answer", self->name);
  return FALSE;
}

const char *
godwit_host_get_boot_id (GodwitHost *self)
{
  return self->boot_id;
}

const char *
godwit_host_get_config (GodwitHost *self, const char *key)
{
  return g_hash_table_lookup (self->config, key);
}

gboolean
godwit_host_stat (GodwitHost *self, const char *path, GodwitFileInfo *info,
                  GCancellable *cancellable, GError **error)
{
  const GodwitFileInfo *there = g_hash_table_lookup (self->files, path);

  *info = there != NULL ? *there : (GodwitFileInfo){.type = GODWIT_FILE_ABSENT};
  return TRUE;
}

gboolean
godwit_host_create_file (GodwitHost *self, const char *path, guint64 size, gboolean preallocate,
                         guint32 mode, guint32 uid, guint32 gid, const char *token,
                         GCancellable *cancellable, GError **error)
{
  if (!note (self, error, "create %s", path))
    return FALSE;
  const GodwitFileInfo *there = g_hash_table_lookup (self->files, path);
  if (there != NULL && g_strcmp0 (there->token, token) != 0) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS, "%s is there", path);
    return FALSE;
  }
  fake_host_add_file (self, path, 100 + g_hash_table_size (self->files), token);
  return TRUE;
}

gboolean
godwit_host_set_token (GodwitHost *self, const char *path, const char *token,
                       GCancellable *cancellable, GError **error)
{
  GodwitFileInfo *there = g_hash_table_lookup (self->files, path);

  if (!note (self, error, "%s %s", token != NULL ? "tag" : "untag", path))
    return FALSE;
  if (there != NULL)
    g_strlcpy (there->token, token != NULL ? token : "", sizeof there->token);
  return TRUE;
}

gboolean
godwit_host_rename (GodwitHost *self, const char *from, const char *to, GCancellable *cancellable,
                    GError **error)
{
  gpointer key = NULL, value = NULL;

  if (!note (self, error, "rename %s %s", from, to))
    return FALSE;
  if (!g_hash_table_steal_extended (self->files, from, &key, &value)) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND, "%s is not there", from);
    return FALSE;
  }
  g_free (key);
  g_hash_table_insert (self->files, g_strdup (to), value);
  return TRUE;
}

gboolean
godwit_host_remove_owned (GodwitHost *self, const char *path, const char *token,
                          GCancellable *cancellable, GError **error)
{
  const GodwitFileInfo *there = g_hash_table_lookup (self->files, path);

  if (!note (self, error, "remove %s", path))
    return FALSE;
  if (there != NULL && g_strcmp0 (there->token, token) != 0) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED, "%s is not ours", path);
    return FALSE;
  }
  g_hash_table_remove (self->files, path);
  return TRUE;
}

gboolean
godwit_host_free_space (GodwitHost *self, const char *path, guint64 *free, guint64 *filesystem,
                        GCancellable *cancellable, GError **error)
{
  *free = G_MAXUINT64;
  *filesystem = 1;
  return TRUE;
}

char *
godwit_host_make_job_directory (GodwitHost *self, const char *job_id, guint32 uid, guint32 gid,
                                guint32 mode, GCancellable *cancellable, GError **error)
{
  const char *directory = g_hash_table_lookup (self->config, "runtime");

  if (!note (self, error, "mkdir %s %u:%u %o", job_id, uid, gid, mode))
    return NULL;
  return g_build_filename (directory != NULL ? directory : "/run/godwit", job_id, NULL);
}

gboolean
godwit_host_remove_job_directory (GodwitHost *self, const char *job_id, GCancellable *cancellable,
                                  GError **error)
{
  return note (self, error, "rmdir %s", job_id);
}

/* --- processes --------------------------------------------------------------------------- */

G_DEFINE_TYPE (GodwitProcess, godwit_process, G_TYPE_OBJECT)

static void
godwit_process_class_init (GodwitProcessClass *klass)
{
}

static void
godwit_process_init (GodwitProcess *self)
{
}

GodwitProcess *
godwit_host_watch_process (GodwitHost *self, const char *pid_file, GCancellable *cancellable,
                           GError **error)
{
  if (self->no_watch) {
    g_set_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED, "no permission for %s", pid_file);
    return NULL;
  }
  g_clear_object (&self->process);
  self->process = g_object_new (GODWIT_TYPE_PROCESS, NULL);
  return g_object_ref (self->process);
}

gboolean
godwit_process_wait (GodwitProcess *self, guint timeout_ms, gboolean *exited,
                     GCancellable *cancellable, GError **error)
{
  *exited = self->exited;
  return TRUE;
}

gboolean
godwit_process_stop (GodwitProcess *self, GError **error)
{
  return TRUE;
}

/* --- tunnels ----------------------------------------------------------------------------- */

G_DEFINE_TYPE (GodwitTunnel, godwit_tunnel, G_TYPE_OBJECT)

static void
godwit_tunnel_class_init (GodwitTunnelClass *klass)
{
}

static void
godwit_tunnel_init (GodwitTunnel *self)
{
  self->bytes = 1000;
}

GodwitTunnel *
godwit_tunnel_new (GodwitHost *from, const char *from_path, GodwitHost *to, const char *to_path,
                   GCancellable *cancellable, GError **error)
{
  if (!note (from, error, "tunnel %s", from_path))
    return NULL;
  GodwitTunnel *self = g_object_new (GODWIT_TYPE_TUNNEL, NULL);
  self->to = to;
  return self;
}

GodwitTunnel *
godwit_tunnel_new_with (GodwitHost *from, const char *from_path, GodwitHost *to,
                        const char *to_path, const GodwitTunnelOptions *options,
                        GCancellable *cancellable, GError **error)
{
  GodwitTunnel *self = godwit_tunnel_new (from, from_path, to, to_path, cancellable, error);
  if (self != NULL)
    self->tapped = options->tap;
  return self;
}

gboolean
godwit_tunnel_is_relayed (GodwitTunnel *self)
{
  return FALSE;
}

guint64
godwit_tunnel_get_bytes (GodwitTunnel *self)
{
  return self->bytes;
}

void
godwit_tunnel_close (GodwitTunnel *self)
{
  self->closed = TRUE;
}

/* --- verification ------------------------------------------------------------------------ */

struct _GodwitVerify {
  GObject parent_instance;
  GodwitHost *host;
};

G_DEFINE_TYPE (GodwitVerify, godwit_verify, G_TYPE_OBJECT)

static void
godwit_verify_class_init (GodwitVerifyClass *klass)
{
}

static void
godwit_verify_init (GodwitVerify *self)
{
}

GodwitVerify *
godwit_verify_new (GodwitTunnel *tunnel, const GodwitVerifyDisk *disks, gsize n_disks,
                   GCancellable *cancellable, GError **error)
{
  g_assert_true (tunnel->tapped);
  for (gsize i = 0; i < n_disks; i++)
    if (!note (tunnel->to, error, "verify %s as %s%s", disks[i].name, disks[i].export,
               disks[i].fresh ? "" : " on a base"))
      return NULL;
  GodwitVerify *self = g_object_new (GODWIT_TYPE_VERIFY, NULL);
  self->host = tunnel->to;
  return self;
}

/* Not noted: how often it is asked depends on the time. */
gboolean
godwit_verify_check (GodwitVerify *self, GCancellable *cancellable, GError **error)
{
  if (g_strcmp0 (self->host->fail, "check") != 0)
    return TRUE;
  g_set_error (error, GODWIT_ERROR, self->host->fail_code, "check failed");
  return FALSE;
}

gboolean
godwit_verify_rest (GodwitVerify *self, GCancellable *cancellable, GError **error)
{
  return note (self->host, error, "rest");
}

void
godwit_verify_get_figures (GodwitVerify *self, const char *disk, GodwitVerifyFigures *figures)
{
  *figures = (GodwitVerifyFigures){.verified = 1 << 20, .passes = 1};
}

void
godwit_verify_close (GodwitVerify *self)
{
}

/* --- transfers --------------------------------------------------------------------------- */

gboolean
godwit_transfer_run (const GodwitEnd *source, const GodwitEnd *target,
                     GodwitTransferProgress progress, gpointer user_data,
                     GodwitTransferStats *stats, GCancellable *cancellable, GError **error)
{
  if (stats != NULL)
    *stats = (GodwitTransferStats){0};
  return note (target->host, error, "receive %s", target->path);
}

/* The contents of a fake file are its inode number. */
char *
godwit_transfer_digest (const GodwitEnd *end, GodwitTransferProgress progress, gpointer user_data,
                        GCancellable *cancellable, GError **error)
{
  const GodwitFileInfo *there = g_hash_table_lookup (end->host->files, end->path);

  return g_strdup_printf ("digest-%" G_GUINT64_FORMAT, there != NULL ? there->inode : 0);
}
