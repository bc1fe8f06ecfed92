/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#define MAX_LAYERS 64

typedef struct {
  GodwitHost *host;
  GodwitDisk *disk;
  GodwitReport *report;
} Inspect;

gboolean
read_qcow2_header (GodwitHost *host, const char *path, Qcow2Header *header,
                   GCancellable *cancellable, GError **error)
{
  gsize length = 0;
  g_autoptr (GBytes) bytes =
      godwit_host_read_file (host, path, 0, QCOW2_HEADER_BYTES, cancellable, error);
  if (bytes == NULL)
    return FALSE;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  if (qcow2_header_parse (data, length, header, error))
    return TRUE;
  g_prefix_error (error, "%s on %s: ", path, godwit_host_get_name (host));
  return FALSE;
}

static void
block (const Inspect *inspect, const char *id, const char *remedy, const char *path,
       const char *what)
{
  godwit_report_add (inspect->report, GODWIT_SEVERITY_BLOCKER, id, inspect->disk->target, remedy,
                     "disk %s: %s on %s %s", inspect->disk->target, path,
                     godwit_host_get_name (inspect->host), what);
}

static gboolean
check_features (const Inspect *inspect, const char *path, const Qcow2Header *header)
{
  if (header->data_file) {
    block (inspect, "image-data-file", "convert it to an image that holds its own data", path,
           "keeps its data in another file, which godwit does not move");
    return FALSE;
  }
  if (header->encrypted) {
    block (inspect, "image-encrypted", NULL, path,
           "is encrypted; this version does not move encrypted images");
    return FALSE;
  }
  if (header->corrupt) {
    g_autofree char *remedy =
        g_strdup_printf ("shut the guest down, then on %s: qemu-img check -r all %s",
                         godwit_host_get_name (inspect->host), path);
    block (inspect, "image-corrupt", remedy, path, "is marked as corrupt");
    return FALSE;
  }
  if (header->unknown_features) {
    block (inspect, "image-format", NULL, path,
           "uses features of qcow2 that this version does not know");
    return FALSE;
  }
  if (header->snapshots > 0)
    godwit_report_add (inspect->report, GODWIT_SEVERITY_WARNING, "internal-snapshots",
                       inspect->disk->target, "delete them, or let the file travel whole (cold)",
                       "disk %s: %s holds %u internal snapshots, which a live copy and a "
                       "flattened one leave behind",
                       inspect->disk->target, path, header->snapshots);
  return TRUE;
}

/* Adds the next layer, or a finding; FALSE if the chain ends here. */
static gboolean
follow (const Inspect *inspect, const char *path, const Qcow2Header *header)
{
  GPtrArray *chain = inspect->disk->chain;

  if (header->backing == NULL)
    return FALSE;
  if (header->backing_format == NULL) {
    g_autofree char *remedy = g_strdup_printf (
        "shut the guest down, then on %s: qemu-img rebase -u -b %s -F raw|qcow2 %s",
        godwit_host_get_name (inspect->host), header->backing, path);
    block (inspect, "backing-format-unset", remedy, path,
           "names a backing file but not its format; guessing it would let a guest choose which "
           "file of the host it reads");
    return FALSE;
  }
  g_autoptr (GError) local = NULL;
  g_autofree char *next = qcow2_resolve_backing (path, header->backing, &local);
  if (next == NULL) {
    godwit_report_add_error (inspect->report, "backing-name", inspect->disk->target, local);
    return FALSE;
  }
  for (guint i = 0; i < chain->len; i++) {
    if (g_strcmp0 (disk_get_layer (inspect->disk, i)->path, next) == 0) {
      block (inspect, "backing-loop", NULL, next, "is a backing file of itself");
      return FALSE;
    }
  }
  if (chain->len >= MAX_LAYERS) {
    block (inspect, "backing-depth", "commit some layers into their base", path,
           "has a backing chain deeper than 64 layers");
    return FALSE;
  }
  g_ptr_array_add (chain, godwit_image_new (next, header->backing_format));
  return TRUE;
}

static gboolean
is_usable_file (const Inspect *inspect, const GodwitImage *image, const GodwitFileInfo *info)
{
  switch (info->type) {
  case GODWIT_FILE_REGULAR:
    return TRUE;
  case GODWIT_FILE_ABSENT:
    block (inspect, "image-missing", "restore the file, or correct the guest's definition",
           image->path, "does not exist");
    return FALSE;
  case GODWIT_FILE_SYMLINK:
    block (inspect, "image-symlink", "name the file itself, not a link to it", image->path,
           "is a symbolic link; what is behind it could change while it is moved");
    return FALSE;
  default:
    block (inspect, "image-type", NULL, image->path, "is not a regular file");
    return FALSE;
  }
}

/* One layer; sets @more if it has a backing file. Errors only if the host cannot be asked. */
static gboolean
inspect_layer (const Inspect *inspect, guint layer, gboolean *more, GCancellable *cancellable,
               GError **error)
{
  GodwitImage *image = disk_get_layer (inspect->disk, layer);
  g_auto (Qcow2Header) header = {0};
  GodwitFileInfo info;
  g_autoptr (GError) local = NULL;

  *more = FALSE;
  if (!godwit_host_stat (inspect->host, image->path, &info, cancellable, error))
    return FALSE;
  if (!is_usable_file (inspect, image, &info))
    return TRUE;
  image->allocated = info.allocated;
  if (g_strcmp0 (image->format, "raw") == 0) {
    image->virtual_size = (info.size + 511) & ~G_GUINT64_CONSTANT (511);
  } else if (g_strcmp0 (image->format, "qcow2") == 0) {
    if (!read_qcow2_header (inspect->host, image->path, &header, cancellable, &local)) {
      if (!g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_CORRUPT)) {
        g_propagate_error (error, g_steal_pointer (&local));
        return FALSE;
      }
      godwit_report_add_error (inspect->report, "image-format", inspect->disk->target, local);
      return TRUE;
    }
    image->virtual_size = header.virtual_size;
    *more =
        check_features (inspect, image->path, &header) && follow (inspect, image->path, &header);
  } else {
    g_autofree char *what = g_strdup_printf ("has the format '%s'; only raw and qcow2 can be moved",
                                             image->format != NULL ? image->format : "unknown");
    block (inspect, "image-format", "convert the image", image->path, what);
    return TRUE;
  }
  if (layer == 0) {
    guint64 full = g_strcmp0 (image->format, "raw") == 0 ? info.size : image->virtual_size;
    inspect->disk->preallocated = full > 0 && info.allocated >= full;
  }
  return TRUE;
}

/* What another kernel reads after a switch-over depends on what the first one has flushed. */
static void
report_cache_mode (const Inspect *inspect)
{
  const char *cache = inspect->disk->cache;

  if (inspect->disk->read_only)
    return;
  if (g_strcmp0 (cache, "unsafe") == 0)
    godwit_report_add (inspect->report, GODWIT_SEVERITY_WARNING, "cache-mode",
                       inspect->disk->target, "use cache='none' or 'writeback'",
                       "disk %s has cache='unsafe': what the guest wrote is never flushed, so on "
                       "shared storage another host may read old data",
                       inspect->disk->target);
  else
    godwit_report_add (inspect->report, GODWIT_SEVERITY_OK, "cache-mode", inspect->disk->target,
                       NULL, "disk %s: cache mode '%s' is flushed at the switch-over",
                       inspect->disk->target, cache != NULL ? cache : "default");
}

gboolean
file_inspect (GodwitStorage *storage, GodwitJob *job, GodwitDisk *disk, GodwitReport *report,
              GCancellable *cancellable, GError **error)
{
  Inspect inspect = {.host = godwit_job_get_source (job), .disk = disk, .report = report};
  gboolean more = TRUE;

  if (disk->chain->len == 0)
    return TRUE;
  /* Only the top comes from the definition; a second look starts from there again. */
  g_ptr_array_set_size (disk->chain, 1);
  for (guint layer = 0; more; layer++) {
    if (!inspect_layer (&inspect, layer, &more, cancellable, error)) {
      g_prefix_error (error, "disk %s: ", disk->target);
      return FALSE;
    }
  }
  report_cache_mode (&inspect);
  return TRUE;
}
