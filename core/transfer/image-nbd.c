/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/offers.h"
#include "transfer/image.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <unistd.h>

#define CONNECT_MS 10000
/* How far one question about the map looks; servers may answer for less. */
#define MAP_STEP (1024u * 1024 * 1024)

typedef struct {
  GodwitImage base;
  struct nbd_handle *nbd;
  gboolean mapped; /* the server can tell what is allocated */
  /* The last extents that the server told of, from `map_start` on. */
  GArray *map;
  guint64 map_start;
  guint64 map_end;
} NbdImage;

typedef struct {
  guint64 length;
  gboolean zero;
} Extent;

static gboolean
fail (NbdImage *self, const char *verb, const char *path, GError **error)
{
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "cannot %s %s: %s", verb, path,
                    nbd_get_error ());
  return FALSE;
}

static int
on_extents (void *user_data, const char *context, uint64_t offset, uint32_t *entries, size_t count,
            int *nbd_error)
{
  NbdImage *self = user_data;
  if (!g_str_equal (context, LIBNBD_CONTEXT_BASE_ALLOCATION))
    return 0;
  for (size_t i = 0; i + 1 < count; i += 2) {
    Extent extent = {entries[i], (entries[i + 1] & LIBNBD_STATE_ZERO) != 0};
    g_array_append_val (self->map, extent);
    self->map_end += entries[i];
  }
  return 0;
}

static gboolean
ask_map (NbdImage *self, guint64 offset, GError **error)
{
  g_array_set_size (self->map, 0);
  self->map_start = self->map_end = offset;
  guint64 length = MIN (self->base.size - offset, MAP_STEP);
  nbd_extent_callback callback = {.callback = on_extents, .user_data = self};
  if (nbd_block_status (self->nbd, length, offset, callback, 0) != 0)
    return fail (self, "map", self->base.path, error);
  if (self->map_end > offset)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_PEER, NULL,
                    "the NBD server at %s does not answer for byte "
                    "%" G_GUINT64_FORMAT,
                    self->base.path, offset);
  return FALSE;
}

/* The first extent of that kind in what is known. Returns where it begins. */
static guint64
find_in_map (NbdImage *self, guint64 offset, gboolean zero)
{
  guint64 at = self->map_start;
  for (guint i = 0; i < self->map->len; i++) {
    Extent *extent = &g_array_index (self->map, Extent, i);
    guint64 end = at + extent->length;
    if (end > offset && extent->zero == zero)
      return MAX (at, offset);
    at = end;
  }
  return MAX (at, offset);
}

static gboolean
nbd_next_data (GodwitImage *image, guint64 offset, guint64 *start, guint64 *end, GError **error)
{
  NbdImage *self = (NbdImage *)image;
  if (!self->mapped) {
    *start = offset;
    *end = image->size;
    return TRUE;
  }
  while (offset < image->size) {
    if ((offset < self->map_start || offset >= self->map_end) && !ask_map (self, offset, error))
      return FALSE;
    offset = find_in_map (self, offset, FALSE);
    if (offset < self->map_end) {
      *start = MIN (offset, image->size);
      *end = MIN (find_in_map (self, offset, TRUE), image->size);
      return TRUE;
    }
  }
  *start = *end = image->size;
  return TRUE;
}

static void
nbd_forget_holes (GodwitImage *image)
{
  NbdImage *self = (NbdImage *)image;
  self->map_start = self->map_end = 0;
}

static gboolean
nbd_read (GodwitImage *image, void *buffer, guint64 offset, gsize length, GError **error)
{
  NbdImage *self = (NbdImage *)image;
  return nbd_pread (self->nbd, buffer, length, offset, 0) == 0 ||
         fail (self, "read", image->path, error);
}

static gboolean
nbd_write (GodwitImage *image, const void *buffer, guint64 offset, gsize length, GError **error)
{
  NbdImage *self = (NbdImage *)image;
  return nbd_pwrite (self->nbd, buffer, length, offset, 0) == 0 ||
         fail (self, "write", image->path, error);
}

static gboolean
nbd_sync (GodwitImage *image, GError **error)
{
  NbdImage *self = (NbdImage *)image;
  if (nbd_can_flush (self->nbd) != 1)
    return TRUE;
  return nbd_flush (self->nbd, 0) == 0 || fail (self, "sync", image->path, error);
}

static void
nbd_image_close (GodwitImage *image)
{
  NbdImage *self = (NbdImage *)image;
  nbd_close (self->nbd);
  g_array_unref (self->map);
  g_free (self);
}

GodwitImage *
godwit_image_open_nbd (GodwitPolicy *policy, const GodwitImageOptions *options,
                       GCancellable *cancellable, GError **error)
{
  static const GodwitImageClass klass = {.next_data = nbd_next_data,
                                         .forget_holes = nbd_forget_holes,
                                         .read = nbd_read,
                                         .write = nbd_write,
                                         .sync = nbd_sync,
                                         .close = nbd_image_close};
  int fd = godwit_agent_connect_socket (policy, options->path, CONNECT_MS, cancellable, error);
  if (fd < 0)
    return NULL;
  NbdImage *self = g_new0 (NbdImage, 1);
  self->base.klass = &klass;
  self->map = g_array_new (FALSE, FALSE, sizeof (Extent));
  self->nbd = nbd_create ();
  nbd_add_meta_context (self->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION);
  if (options->export != NULL)
    nbd_set_export_name (self->nbd, options->export);
  int64_t size = -1;
  if (nbd_connect_socket (self->nbd, fd) != 0 || (size = nbd_get_size (self->nbd)) < 0) {
    fail (self, "speak NBD at", options->path, error);
    nbd_image_close (&self->base);
    return NULL;
  }
  if (options->writable && nbd_is_read_only (self->nbd) != 0) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, NULL, "the NBD export at %s is read-only",
                      options->path);
    nbd_image_close (&self->base);
    return NULL;
  }
  self->base.size = (guint64)size;
  self->mapped = nbd_can_meta_context (self->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
  return &self->base;
}
