/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qcow2.h"

#include <godwit/error.h>

#include <string.h>

typedef struct {
  gsize offset;
  const char *hex;
} Line;

/* Headers as qemu-img 7.2 writes them; lines of zeroes are left out. */
/* -b base.qcow2 -F qcow2 -o lazy_refcounts=on,extended_l2=on,cluster_size=131072,refcount_bits=32
 */
static const Line recorded_overlay[] = {
    {0x000, "514649fb000000030000000000000210"}, {0x010, "0000000a000000110000000040000000"},
    {0x020, "00000000000000010000000000060000"}, {0x030, "00000000000200000000000100000000"},
    {0x040, "00000000000000000000000000000010"}, {0x050, "00000000000000010000000000000000"},
    {0x060, "00000005000000700000000000000000"}, {0x070, "e2792aca0000000571636f7732000000"},
    {0x080, "6803f857000001800000646972747920"}, {0x090, "62697400000000000000000000000000"},
    {0x0b0, "00000000000000000001636f72727570"}, {0x0c0, "74206269740000000000000000000000"},
    {0x0e0, "0000000000000000000265787465726e"}, {0x0f0, "616c20646174612066696c6500000000"},
    {0x110, "00000000000000000003636f6d707265"}, {0x120, "7373696f6e2074797065000000000000"},
    {0x140, "00000000000000000004657874656e64"}, {0x150, "6564204c3220656e7472696573000000"},
    {0x170, "000000000000000001006c617a792072"}, {0x180, "6566636f756e74730000000000000000"},
    {0x1a0, "000000000000000002006269746d6170"}, {0x1b0, "73000000000000000000000000000000"},
    {0x1d0, "00000000000000000201726177206578"}, {0x1e0, "7465726e616c20646174610000000000"},
    {0x210, "626173652e71636f7732000000000000"}, {0, NULL},
};

/* -o compat=0.10 -b base.qcow2 -F qcow2 */
static const Line recorded_v2[] = {
    {0x000, "514649fb000000020000000000000060"}, {0x010, "0000000a000000100000000040000000"},
    {0x020, "00000000000000020000000000030000"}, {0x030, "00000000000100000000000100000000"},
    {0x040, "0000000000000000e2792aca00000005"}, {0x050, "71636f77320000000000000000000000"},
    {0x060, "626173652e71636f7732000000000000"}, {0, NULL},
};

/* -o data_file=d.raw */
static const Line recorded_data_file[] = {
    {0x000, "514649fb000000030000000000000000"}, {0x010, "00000000000000100000000000100000"},
    {0x020, "00000000000000010000000000030000"}, {0x030, "00000000000100000000000100000000"},
    {0x040, "00000000000000000000000000000004"}, {0x060, "00000004000000700000000000000000"},
    {0x070, "4441544100000005642e726177000000"}, {0x080, "6803f857000001800000646972747920"},
    {0x090, "62697400000000000000000000000000"}, {0x0b0, "00000000000000000001636f72727570"},
    {0x0c0, "74206269740000000000000000000000"}, {0x0e0, "0000000000000000000265787465726e"},
    {0x0f0, "616c20646174612066696c6500000000"}, {0x110, "00000000000000000003636f6d707265"},
    {0x120, "7373696f6e2074797065000000000000"}, {0x140, "00000000000000000004657874656e64"},
    {0x150, "6564204c3220656e7472696573000000"}, {0x170, "000000000000000001006c617a792072"},
    {0x180, "6566636f756e74730000000000000000"}, {0x1a0, "000000000000000002006269746d6170"},
    {0x1b0, "73000000000000000000000000000000"}, {0x1d0, "00000000000000000201726177206578"},
    {0x1e0, "7465726e616c20646174610000000000"}, {0, NULL},
};

#define LENGTH 4096

static guint8 *
replay (const Line *lines)
{
  guint8 *data = g_malloc0 (LENGTH);
  for (; lines->hex != NULL; lines++) {
    for (gsize i = 0; lines->hex[2 * i] != '\0'; i++)
      data[lines->offset + i] = (guint8)(g_ascii_xdigit_value (lines->hex[2 * i]) << 4 |
                                         g_ascii_xdigit_value (lines->hex[2 * i + 1]));
  }
  return data;
}

static void
put32 (guint8 *data, gsize offset, guint32 value)
{
  value = GUINT32_TO_BE (value);
  memcpy (data + offset, &value, sizeof value);
}

static void
test_overlay (void)
{
  g_autofree guint8 *data = replay (recorded_overlay);
  g_auto (Qcow2Header) header = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (qcow2_header_parse (data, LENGTH, &header, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (header.version, ==, 3);
  g_assert_cmpuint (header.virtual_size, ==, 1u << 30);
  g_assert_cmpuint (header.cluster_bits, ==, 17);
  g_assert_cmpuint (header.refcount_bits, ==, 32);
  g_assert_true (header.lazy_refcounts);
  g_assert_true (header.extended_l2);
  g_assert_false (header.zstd);
  g_assert_false (header.data_file);
  g_assert_false (header.corrupt);
  g_assert_false (header.encrypted);
  g_assert_false (header.unknown_features);
  g_assert_cmpstr (header.backing, ==, "base.qcow2");
  g_assert_cmpstr (header.backing_format, ==, "qcow2");
  g_autofree char *options = qcow2_header_to_options (&header, FALSE);
  g_assert_cmpstr (options, ==,
                   "cluster_size=131072,compat=1.1,lazy_refcounts=on,refcount_bits=32,"
                   "extended_l2=on");
}

static void
test_version_2 (void)
{
  g_autofree guint8 *data = replay (recorded_v2);
  g_auto (Qcow2Header) header = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (qcow2_header_parse (data, LENGTH, &header, &error));
  g_assert_cmpuint (header.version, ==, 2);
  g_assert_cmpuint (header.refcount_bits, ==, 16);
  g_assert_cmpstr (header.backing, ==, "base.qcow2");
  g_assert_cmpstr (header.backing_format, ==, "qcow2");
  g_autofree char *options = qcow2_header_to_options (&header, TRUE);
  g_assert_cmpstr (options, ==, "cluster_size=65536,compat=0.10,preallocation=falloc");
}

/* Older programs wrote the name right behind the header, where extensions would be. */
static void
test_no_extensions (void)
{
  g_autofree guint8 *data = replay (recorded_v2);
  g_auto (Qcow2Header) header = {0};
  g_autoptr (GError) error = NULL;

  memset (data + 72, 0, LENGTH - 72);
  memcpy (data + 72, "/images/base.raw", 16);
  put32 (data, 12, 72);
  put32 (data, 16, 16);
  g_assert_true (qcow2_header_parse (data, LENGTH, &header, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (header.backing, ==, "/images/base.raw");
  g_assert_null (header.backing_format);
}

static void
test_data_file (void)
{
  g_autofree guint8 *data = replay (recorded_data_file);
  g_auto (Qcow2Header) header = {0};

  g_assert_true (qcow2_header_parse (data, LENGTH, &header, NULL));
  g_assert_true (header.data_file);
  g_assert_null (header.backing);
}

static void
test_flags (void)
{
  g_autofree guint8 *data = replay (recorded_overlay);
  g_auto (Qcow2Header) header = {0};

  put32 (data, 32, 2);         /* crypt method LUKS */
  put32 (data, 60, 7);         /* snapshots */
  put32 (data, 76, 0x2 | 0x8); /* corrupt, compression type */
  data[104] = 1;               /* zstd */
  g_assert_true (qcow2_header_parse (data, LENGTH, &header, NULL));
  g_assert_true (header.encrypted);
  g_assert_true (header.corrupt);
  g_assert_true (header.zstd);
  g_assert_cmpuint (header.snapshots, ==, 7);
  qcow2_header_clear (&header);

  put32 (data, 76, 0x20);
  g_assert_true (qcow2_header_parse (data, LENGTH, &header, NULL));
  g_assert_true (header.unknown_features);
}

typedef struct {
  const char *name;
  gsize length;
  gsize offset;
  guint32 value;
} Damage;

static const Damage damages[] = {
    {"magic", LENGTH, 0, 0x51464900},
    {"empty", 0, 0, 0x514649fb},
    {"short", 71, 0, 0x514649fb},
    {"short of version 3", 103, 0, 0x514649fb},
    {"version", LENGTH, 4, 4},
    {"cluster too small", LENGTH, 20, 8},
    {"cluster too large", LENGTH, 20, 22},
    {"size", LENGTH, 24, 0x80000000},
    {"refcount order", LENGTH, 96, 7},
    {"header length", LENGTH, 100, 0xffffffff},
    {"short header", LENGTH, 100, 16},
    {"extension length", LENGTH, 116, 0xfffffff8},
    {"backing offset", LENGTH, 8, 1},
    {"backing at the end", LENGTH, 12, LENGTH - 2},
    {"backing length", LENGTH, 16, 0xffff},
    {"backing without a name", LENGTH, 16, 0},
    {"backing with NUL", LENGTH, 16, 11},
};

static void
test_damage (gconstpointer user_data)
{
  const Damage *damage = user_data;
  g_autofree guint8 *data = replay (recorded_overlay);
  /* A copy of exactly that length, so that a sanitizer sees any read beyond it. */
  g_autofree guint8 *cut = NULL;
  Qcow2Header header = {0};
  g_autoptr (GError) error = NULL;

  put32 (data, damage->offset, damage->value);
  cut = g_memdup2 (data, damage->length);
  g_assert_false (qcow2_header_parse (cut, damage->length, &header, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_assert_null (header.backing);
  g_assert_null (header.backing_format);
}

/* Whatever a stranger writes into a header, parsing it ends without reading beyond it. */
static void
test_noise (void)
{
  for (guint round = 0; round < 20000; round++) {
    gsize length = (gsize)g_test_rand_int_range (0, 700);
    g_autofree guint8 *data = replay (recorded_overlay);
    g_autofree guint8 *cut = NULL;
    g_auto (Qcow2Header) header = {0};

    for (guint i = 0; i < 4; i++)
      data[g_test_rand_int_range (4, 640)] = (guint8)g_test_rand_int_range (0, 256);
    cut = g_memdup2 (data, length);
    if (qcow2_header_parse (cut, length, &header, NULL) && header.backing != NULL)
      g_assert_true (g_utf8_validate (header.backing, -1, NULL));
  }
}

static void
test_resolve (void)
{
  static const struct {
    const char *overlay, *backing, *path;
  } cases[] = {
      {"/a/b/o.qcow2", "base.qcow2", "/a/b/base.qcow2"},
      {"/a/b/o.qcow2", "../base.qcow2", "/a/base.qcow2"},
      {"/a/b/o.qcow2", "/c//d/./base", "/c/d/base"},
      {"/a/b/o.qcow2", "./odd:name", "/a/b/odd:name"},
      {"/a/b/o.qcow2", "/c/json:x", "/c/json:x"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = qcow2_resolve_backing (cases[i].overlay, cases[i].backing, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (path, ==, cases[i].path);
  }
}

static void
test_resolve_hostile (void)
{
  static const char *const names[] = {
      "json:{\"driver\":\"file\",\"filename\":\"/etc/shadow\"}",
      "nbd:127.0.0.1:10809",
      "nbd+unix:///?socket=/run/x",
      "http://169.254.169.254/latest/meta-data",
      "file:/etc/shadow",
      "fat:rw:/etc",
      "host_device:/dev/sda",
      ":",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = qcow2_resolve_backing ("/a/o.qcow2", names[i], &error);
    g_assert_null (path);
    g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/qcow2/overlay", test_overlay);
  g_test_add_func ("/qcow2/version-2", test_version_2);
  g_test_add_func ("/qcow2/no-extensions", test_no_extensions);
  g_test_add_func ("/qcow2/data-file", test_data_file);
  g_test_add_func ("/qcow2/flags", test_flags);
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *path = g_strdup_printf ("/qcow2/damage/%s", damages[i].name);
    g_test_add_data_func (path, &damages[i], test_damage);
  }
  g_test_add_func ("/qcow2/noise", test_noise);
  g_test_add_func ("/qcow2/resolve", test_resolve);
  g_test_add_func ("/qcow2/resolve/hostile", test_resolve_hostile);
  return g_test_run ();
}
