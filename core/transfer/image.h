/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/policy.h"

G_BEGIN_DECLS

/* What a transfer reads from or writes to: a file, a block device, or an NBD export at a unix
 * socket. One thread at a time. */
typedef struct _GodwitImage GodwitImage;

typedef struct {
  const char *path;
  gboolean nbd;
  const char *export; /* of an NBD server; NULL for its default one */
  gboolean writable;
} GodwitImageOptions;

GodwitImage *godwit_image_open (GodwitPolicy *policy, const GodwitImageOptions *options,
                                GCancellable *cancellable, GError **error);
void godwit_image_close (GodwitImage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitImage, godwit_image_close)

guint64 godwit_image_get_size (GodwitImage *self);
/* The first extent at or after @offset that may hold data; *@start is the size if there is none.
 * What is left out reads as zeroes. */
gboolean godwit_image_next_data (GodwitImage *self, guint64 offset, guint64 *start, guint64 *end,
                                 GError **error);
/* What was learnt of holes may be old by now: the next question is asked anew. */
void godwit_image_forget_holes (GodwitImage *self);
gboolean godwit_image_read (GodwitImage *self, void *buffer, guint64 offset, gsize length,
                            GError **error);
gboolean godwit_image_write (GodwitImage *self, const void *buffer, guint64 offset, gsize length,
                             GError **error);
/* Makes room for @size bytes. A file grows; a device or an export that is smaller stays so, and
 * the size says it. */
gboolean godwit_image_grow (GodwitImage *self, guint64 size, GError **error);
/* Everything written is on stable storage. */
gboolean godwit_image_sync (GodwitImage *self, GError **error);

/* --- for the two kinds ---------------------------------------------------------------------- */

typedef struct {
  gboolean (*next_data) (GodwitImage *self, guint64 offset, guint64 *start, guint64 *end,
                         GError **error);
  void (*forget_holes) (GodwitImage *self); /* NULL: it asks each time */
  gboolean (*read) (GodwitImage *self, void *buffer, guint64 offset, gsize length, GError **error);
  gboolean (*write) (GodwitImage *self, const void *buffer, guint64 offset, gsize length,
                     GError **error);
  gboolean (*grow) (GodwitImage *self, guint64 size, GError **error); /* NULL: it cannot */
  gboolean (*sync) (GodwitImage *self, GError **error);
  void (*close) (GodwitImage *self);
} GodwitImageClass;

struct _GodwitImage {
  const GodwitImageClass *klass;
  char *path;
  guint64 size;
};

GodwitImage *godwit_image_open_file (GodwitPolicy *policy, const GodwitImageOptions *options,
                                     GError **error);
GodwitImage *godwit_image_open_nbd (GodwitPolicy *policy, const GodwitImageOptions *options,
                                    GCancellable *cancellable, GError **error);

/* What the guest sees of a qcow2 image at rest, to be read only. */
GodwitImage *godwit_image_open_qcow2 (GodwitPolicy *policy, const GodwitImageOptions *options,
                                      GCancellable *cancellable, GError **error);

G_END_DECLS
