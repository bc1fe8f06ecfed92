/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qcow2.h"

#include <godwit/error.h>

#include <string.h>

#define MAGIC              0x514649fbu /* "QFI\xfb" */
#define HEADER_V2_LENGTH   72
#define HEADER_V3_LENGTH   104
#define EXTENSION_FORMAT   0xe2792acau
#define INCOMPATIBLE_DIRTY (1u << 0)
#define INCOMPATIBLE_BAD   (1u << 1)
#define INCOMPATIBLE_DATA  (1u << 2)
#define INCOMPATIBLE_ZIP   (1u << 3)
#define INCOMPATIBLE_L2    (1u << 4)
#define INCOMPATIBLE_KNOWN G_GUINT64_CONSTANT (0x1f)
#define COMPATIBLE_LAZY    (1u << 0)
#define BACKING_MAX        1023

static guint32
read32 (const guint8 *data, gsize offset)
{
  guint32 value;
  memcpy (&value, data + offset, sizeof value);
  return GUINT32_FROM_BE (value);
}

static guint64
read64 (const guint8 *data, gsize offset)
{
  guint64 value;
  memcpy (&value, data + offset, sizeof value);
  return GUINT64_FROM_BE (value);
}

void
qcow2_header_clear (Qcow2Header *header)
{
  g_clear_pointer (&header->backing, g_free);
  g_clear_pointer (&header->backing_format, g_free);
}

static gboolean
fail (GError **error, const char *what)
{
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, NULL, "not a sound qcow2 header: %s", what);
  return FALSE;
}

/* Text from a header: printable UTF-8 only, because it ends up in messages and paths. */
static char *
take_text (const guint8 *data, gsize length)
{
  const char *text = (const char *)data;
  if (memchr (text, '\0', length) != NULL || !g_utf8_validate (text, (gssize)length, NULL))
    return NULL;
  for (gsize i = 0; i < length; i++) {
    if (g_ascii_iscntrl (text[i]))
      return NULL;
  }
  return g_strndup (text, length);
}

static gboolean
parse_features (const guint8 *data, gsize length, Qcow2Header *header, gsize *extensions,
                GError **error)
{
  if (header->version == 2) {
    header->refcount_bits = 16;
    *extensions = HEADER_V2_LENGTH;
    return TRUE;
  }
  if (length < HEADER_V3_LENGTH)
    return fail (error, "it is cut short");

  guint64 incompatible = read64 (data, 72);
  guint32 refcount_order = read32 (data, 96);
  guint32 header_length = read32 (data, 100);
  if (refcount_order > 6)
    return fail (error, "its refcount order is out of range");
  if (header_length < HEADER_V3_LENGTH || header_length > length)
    return fail (error, "its length is out of range");
  header->corrupt = (incompatible & INCOMPATIBLE_BAD) != 0;
  header->data_file = (incompatible & INCOMPATIBLE_DATA) != 0;
  header->extended_l2 = (incompatible & INCOMPATIBLE_L2) != 0;
  header->unknown_features = (incompatible & ~INCOMPATIBLE_KNOWN) != 0;
  header->lazy_refcounts = (read64 (data, 80) & COMPATIBLE_LAZY) != 0;
  header->refcount_bits = 1u << refcount_order;
  header->zstd = (incompatible & INCOMPATIBLE_ZIP) != 0 && header_length > HEADER_V3_LENGTH &&
                 data[HEADER_V3_LENGTH] == 1;
  *extensions = header_length;
  return TRUE;
}

static gboolean
parse_extensions (const guint8 *data, gsize length, gsize offset, Qcow2Header *header,
                  GError **error)
{
  guint64 end = MIN (length, 1u << header->cluster_bits);
  guint64 backing = read64 (data, 8);

  /* Old images without extensions have the name of the backing file here. */
  if (backing != 0)
    end = MIN (end, backing);
  while (offset + 8 <= end) {
    guint32 type = read32 (data, offset);
    guint32 size = read32 (data, offset + 4);
    offset += 8;
    if (type == 0)
      return TRUE;
    if (size > end - offset)
      return fail (error, "an extension is cut short");
    if (type == EXTENSION_FORMAT) {
      g_free (header->backing_format);
      header->backing_format = take_text (data + offset, size);
      if (header->backing_format == NULL)
        return fail (error, "the format of its backing file is not text");
    }
    offset += (size + 7u) & ~7u;
  }
  return TRUE;
}

static gboolean
parse_backing (const guint8 *data, gsize length, Qcow2Header *header, GError **error)
{
  guint64 offset = read64 (data, 8);
  guint32 size = read32 (data, 16);

  if (offset == 0)
    return TRUE;
  if (size == 0 || size > BACKING_MAX)
    return fail (error, "the name of its backing file has an impossible length");
  if (offset > length || size > length - offset)
    return fail (error, "the name of its backing file is out of reach");
  header->backing = take_text (data + offset, size);
  if (header->backing == NULL)
    return fail (error, "the name of its backing file is not text");
  return TRUE;
}

gboolean
qcow2_header_parse (const guint8 *data, gsize length, Qcow2Header *header, GError **error)
{
  gsize extensions = 0;

  *header = (Qcow2Header){0};
  if (length < HEADER_V2_LENGTH || read32 (data, 0) != MAGIC)
    return fail (error, "the magic number is missing");
  header->version = read32 (data, 4);
  header->cluster_bits = read32 (data, 20);
  header->virtual_size = read64 (data, 24);
  header->encrypted = read32 (data, 32) != 0;
  header->snapshots = read32 (data, 60);
  if (header->version != 2 && header->version != 3)
    return fail (error, "its version is not 2 or 3");
  if (header->cluster_bits < 9 || header->cluster_bits > 21)
    return fail (error, "its cluster size is out of range");
  if (header->virtual_size > G_MAXINT64)
    return fail (error, "its size is out of range");
  if (parse_features (data, length, header, &extensions, error) &&
      parse_extensions (data, length, extensions, header, error) &&
      parse_backing (data, length, header, error))
    return TRUE;
  qcow2_header_clear (header);
  return FALSE;
}

char *
qcow2_header_to_options (const Qcow2Header *header, gboolean preallocate)
{
  GString *options = g_string_new (NULL);

  g_string_append_printf (options, "cluster_size=%u,compat=%s", 1u << header->cluster_bits,
                          header->version == 2 ? "0.10" : "1.1");
  if (header->version == 3) {
    g_string_append_printf (options, ",lazy_refcounts=%s,refcount_bits=%u",
                            header->lazy_refcounts ? "on" : "off", header->refcount_bits);
    /* Named only if they are in use, so that older versions of the program take the rest. */
    if (header->extended_l2)
      g_string_append (options, ",extended_l2=on");
    if (header->zstd)
      g_string_append (options, ",compression_type=zstd");
  }
  if (preallocate)
    g_string_append (options, ",preallocation=falloc");
  return g_string_free (options, FALSE);
}

char *
qcow2_resolve_backing (const char *overlay, const char *backing, GError **error)
{
  /* QEMU takes everything before a colon that no slash precedes for a protocol: json:, nbd:,
   * http: and the like would make it open what the image's author wants. */
  if (backing[strcspn (backing, ":/")] == ':') {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED,
                      "convert the image to one whose backing file is a plain path",
                      "%s names '%s' as its backing file, which is not a path", overlay, backing);
    return NULL;
  }
  g_autofree char *directory = g_path_get_dirname (overlay);
  return g_canonicalize_filename (backing, directory);
}
