/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>

G_BEGIN_DECLS

/**
 * GodwitImageSource:
 *
 * The contract of an image source: where a base image comes from. Since: 0.1
 */
#define GODWIT_TYPE_IMAGE_SOURCE (godwit_image_source_get_type ())
G_DECLARE_INTERFACE (GodwitImageSource, godwit_image_source, GODWIT, IMAGE_SOURCE, GObject)

/**
 * GodwitImageSourceInterface:
 * @has_image: required. Whether it can give an image with that content.
 * @fetch: required. Makes @path on @host hold that content, verified.
 *
 * Images are named by the SHA-256 of their contents, never by a name. Since: 0.1
 */
struct _GodwitImageSourceInterface {
  GTypeInterface parent_iface;

  gboolean (*has_image) (GodwitImageSource *self, const char *sha256, gboolean *has,
                         GCancellable *cancellable, GError **error);
  gboolean (*fetch) (GodwitImageSource *self, GodwitJob *job, const char *sha256, GodwitHost *host,
                     const char *path, GCancellable *cancellable, GError **error);

  gpointer _reserved[8];
};

gboolean godwit_image_source_has_image (GodwitImageSource *self, const char *sha256, gboolean *has,
                                        GCancellable *cancellable, GError **error);
gboolean godwit_image_source_fetch (GodwitImageSource *self, GodwitJob *job, const char *sha256,
                                    GodwitHost *host, const char *path, GCancellable *cancellable,
                                    GError **error);

G_END_DECLS
