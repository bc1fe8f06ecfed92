/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How much of an image's beginning has all that is asked here. */
#define QCOW2_HEADER_BYTES 65536

/* What a qcow2 header says. It is read here and not by a program that opens the image: an
 * image may come from a stranger, and opening it opens whatever its header names. */
typedef struct {
  guint version; /* 2 or 3 */
  guint64 virtual_size;
  guint cluster_bits;
  guint refcount_bits;
  guint snapshots;
  gboolean encrypted;
  gboolean corrupt;
  gboolean data_file; /* the data is in another file */
  gboolean lazy_refcounts;
  gboolean extended_l2;
  gboolean zstd;
  gboolean unknown_features; /* that change how the image must be read */
  char *backing;             /* as written; NULL for none */
  char *backing_format;      /* NULL if the header does not name it */
} Qcow2Header;

void qcow2_header_clear (Qcow2Header *header);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Qcow2Header, qcow2_header_clear)

/* @data: the first QCOW2_HEADER_BYTES, fewer if the file is shorter */
gboolean qcow2_header_parse (const guint8 *data, gsize length, Qcow2Header *header, GError **error);

/* Options for a new image like this one: "cluster_size=65536,compat=1.1,...". */
char *qcow2_header_to_options (const Qcow2Header *header, gboolean preallocate);

/* The file that a backing name means. Refuses everything that is not a plain path. */
char *qcow2_resolve_backing (const char *overlay, const char *backing, GError **error);

G_END_DECLS
