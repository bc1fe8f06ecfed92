/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/image.h"

GodwitImage *
godwit_image_open (GodwitPolicy *policy, const GodwitImageOptions *options,
                   GCancellable *cancellable, GError **error)
{
  GodwitImage *self = options->nbd ? godwit_image_open_nbd (policy, options, cancellable, error)
                                   : godwit_image_open_file (policy, options, error);
  if (self != NULL)
    self->path = g_strdup (options->path);
  return self;
}

void
godwit_image_close (GodwitImage *self)
{
  if (self == NULL)
    return;
  g_free (self->path);
  self->klass->close (self);
}

guint64
godwit_image_get_size (GodwitImage *self)
{
  return self->size;
}

gboolean
godwit_image_next_data (GodwitImage *self, guint64 offset, guint64 *start, guint64 *end,
                        GError **error)
{
  if (offset >= self->size) {
    *start = *end = self->size;
    return TRUE;
  }
  return self->klass->next_data (self, offset, start, end, error);
}

void
godwit_image_forget_holes (GodwitImage *self)
{
  if (self->klass->forget_holes != NULL)
    self->klass->forget_holes (self);
}

gboolean
godwit_image_read (GodwitImage *self, void *buffer, guint64 offset, gsize length, GError **error)
{
  return self->klass->read (self, buffer, offset, length, error);
}

gboolean
godwit_image_write (GodwitImage *self, const void *buffer, guint64 offset, gsize length,
                    GError **error)
{
  return self->klass->write (self, buffer, offset, length, error);
}

gboolean
godwit_image_grow (GodwitImage *self, guint64 size, GError **error)
{
  return size <= self->size || self->klass->grow == NULL || self->klass->grow (self, size, error);
}

gboolean
godwit_image_sync (GodwitImage *self, GError **error)
{
  return self->klass->sync (self, error);
}
