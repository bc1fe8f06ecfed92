/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transfer/image.h"

#include <godwit/error.h>

#include <string.h>

/* Reads an image that nobody writes to, without a program that would have to be started for it:
 * while a guest stands still that would be downtime. Only what a fresh image can hold: no
 * compression, encryption, data file or part clusters. */

#define MAGIC              0x514649fbu
#define HEADER_LENGTH      104u
#define FEATURES_TOLERATED G_GUINT64_CONSTANT (0x9) /* dirty refcounts, kind of compression */
#define OFFSET_MASK        G_GUINT64_CONSTANT (0x00fffffffffffe00)
#define COMPRESSED         (G_GUINT64_CONSTANT (1) << 62)
#define READS_ZERO         G_GUINT64_CONSTANT (1)
#define L1_MAX             (32u << 20)

typedef struct {
  GodwitImage base;
  GodwitImage *file;
  guint cluster_bits;
  gboolean backed;
  gboolean zero_flag; /* version 3 */
  guint64 *l1;
  guint32 l1_size;
  guint64 *l2;
  guint64 l2_at; /* where the table in memory comes from; 0 for none */
} Qcow2Image;

static guint64
read64 (const guint8 *at)
{
  guint64 value;
  memcpy (&value, at, sizeof value);
  return GUINT64_FROM_BE (value);
}

static guint32
read32 (const guint8 *at)
{
  guint32 value;
  memcpy (&value, at, sizeof value);
  return GUINT32_FROM_BE (value);
}

static gboolean
refuse (Qcow2Image *self, const char *why, GError **error)
{
  godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, NULL, "%s cannot be read at rest: %s",
                    self->base.path, why);
  return FALSE;
}

static gboolean
load_l2 (Qcow2Image *self, guint64 at, GError **error)
{
  gsize length = (gsize)1 << self->cluster_bits;

  if (at == self->l2_at)
    return TRUE;
  self->l2_at = 0;
  if (at > self->file->size || length > self->file->size - at)
    return refuse (self, "a table of it lies behind its end", error);
  if (!godwit_image_read (self->file, self->l2, at, length, error))
    return FALSE;
  self->l2_at = at;
  return TRUE;
}

/* Where the cluster with the byte @offset begins in the file; 0 if it reads as zeroes. */
static gboolean
find_cluster (Qcow2Image *self, guint64 offset, guint64 *at, GError **error)
{
  guint64 entries = (guint64)1 << (self->cluster_bits - 3);
  guint64 cluster = offset >> self->cluster_bits;
  guint64 index = cluster / entries;
  guint64 table = index < self->l1_size ? GUINT64_FROM_BE (self->l1[index]) & OFFSET_MASK : 0;
  guint64 entry = 0;

  if (table != 0) {
    if (!load_l2 (self, table, error))
      return FALSE;
    entry = GUINT64_FROM_BE (self->l2[cluster % entries]);
  }
  if ((entry & COMPRESSED) != 0)
    return refuse (self, "it is compressed", error);
  if (self->zero_flag && (entry & READS_ZERO) != 0)
    *at = 0;
  else
    *at = entry & OFFSET_MASK;
  if (*at == 0 && self->backed && (entry & READS_ZERO) == 0)
    return refuse (self, "part of it is only in its backing file", error);
  return TRUE;
}

static gboolean
qcow2_read (GodwitImage *image, void *buffer, guint64 offset, gsize length, GError **error)
{
  Qcow2Image *self = (Qcow2Image *)image;
  guint64 cluster = (guint64)1 << self->cluster_bits;

  for (gsize done = 0; done < length;) {
    guint64 within = (offset + done) % cluster;
    gsize part = MIN (length - done, cluster - within);
    guint64 at = 0;
    if (!find_cluster (self, offset + done, &at, error))
      return FALSE;
    guint8 *into = (guint8 *)buffer + done;
    /* A last cluster that was never written to its end is longer than the file. */
    guint64 there = at != 0 && at + within < self->file->size ? self->file->size - at - within : 0;
    gsize present = MIN (part, there);
    if (present > 0 && !godwit_image_read (self->file, into, at + within, present, error))
      return FALSE;
    memset (into + present, 0, part - present);
    done += part;
  }
  return TRUE;
}

static gboolean
qcow2_next_data (GodwitImage *image, guint64 offset, guint64 *start, guint64 *end, GError **error)
{
  *start = offset;
  *end = image->size;
  return TRUE;
}

static void
qcow2_close (GodwitImage *image)
{
  Qcow2Image *self = (Qcow2Image *)image;
  godwit_image_close (self->file);
  g_free (self->l1);
  g_free (self->l2);
  g_free (self);
}

static gboolean
load (Qcow2Image *self, GError **error)
{
  guint8 header[HEADER_LENGTH];

  if (self->file->size < sizeof header)
    return refuse (self, "it is too short", error);
  if (!godwit_image_read (self->file, header, 0, sizeof header, error))
    return FALSE;
  guint32 version = read32 (header + 4);
  self->cluster_bits = read32 (header + 20);
  if (read32 (header) != MAGIC || version < 2 || version > 3 || self->cluster_bits < 9 ||
      self->cluster_bits > 21)
    return refuse (self, "its header is not sound", error);
  if (read32 (header + 32) != 0 ||
      (version == 3 && (read64 (header + 72) & ~FEATURES_TOLERATED) != 0))
    return refuse (self, "it has features that only its hypervisor reads", error);
  self->backed = read64 (header + 8) != 0;
  self->zero_flag = version == 3;
  self->base.size = read64 (header + 24);
  self->l1_size = read32 (header + 36);
  guint64 l1_at = read64 (header + 40);
  gsize length = (gsize)self->l1_size * 8;
  if (length > L1_MAX || l1_at > self->file->size || length > self->file->size - l1_at)
    return refuse (self, "its first table is not where it must be", error);
  self->l1 = g_malloc0 (MAX (length, 8));
  self->l2 = g_malloc0 ((gsize)1 << self->cluster_bits);
  return godwit_image_read (self->file, self->l1, l1_at, length, error);
}

GodwitImage *
godwit_image_open_qcow2 (GodwitPolicy *policy, const GodwitImageOptions *options,
                         GCancellable *cancellable, GError **error)
{
  static const GodwitImageClass klass = {.next_data = qcow2_next_data,
                                         .read = qcow2_read,
                                         .close = qcow2_close};
  GodwitImageOptions raw = {.path = options->path};
  GodwitImage *file = godwit_image_open (policy, &raw, cancellable, error);

  if (file == NULL)
    return NULL;
  Qcow2Image *self = g_new0 (Qcow2Image, 1);
  self->base.klass = &klass;
  self->base.path = g_strdup (options->path);
  self->file = file;
  if (load (self, error))
    return &self->base;
  godwit_image_close (&self->base);
  return NULL;
}
