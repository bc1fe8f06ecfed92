/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-bench.h"

#include <string.h>

/* --- inspect ---------------------------------------------------------------------------- */

static void
make_chain (Hosts *hosts, gboolean with_format)
{
  g_autofree char *base = g_build_filename (hosts->data, "base.raw", NULL);
  g_autofree char *path = g_build_filename (hosts->data, "web", "disk", NULL);
  g_autofree char *text = text_of ('b', 1 << 20);
  const char *named[] = {"create", "-q", "-f", "qcow2", "-o", "cluster_size=131072",
                         "-b",     base, "-F", "raw",   path, NULL};
  const char *bare[] = {"create", "-q", "-f", "qcow2", path, "1M", NULL};

  hosts_write (hosts->data, "base.raw", text);
  hosts_qemu_img (with_format ? named : bare);
  if (!with_format) {
    /* Programs refuse to write such a header these days; older ones did. */
    g_autofree char *contents = NULL;
    gsize length = 0;
    g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
    memcpy (contents + 1024, base, strlen (base));
    contents[14] = 4; /* offset 1024 */
    contents[15] = 0;
    contents[19] = (char)strlen (base);
    g_assert_true (g_file_set_contents (path, contents, (gssize)length, NULL));
  }
}

static void
test_inspect_chain (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GodwitReport) report = godwit_report_new ();
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  hosts_inspect (&hosts, report);
  hosts_inspect (&hosts, report);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_cmpuint (hosts.disk->chain->len, ==, 2);
  const GodwitImage *base = disk_get_layer (hosts.disk, 1);
  g_autofree char *path = g_build_filename (hosts.data, "base.raw", NULL);
  g_assert_cmpstr (base->path, ==, path);
  g_assert_cmpstr (base->format, ==, "raw");
  g_assert_cmpuint (base->virtual_size, ==, 1 << 20);
  g_assert_cmpuint (godwit_disk_get_top (hosts.disk)->virtual_size, ==, 1 << 20);
  g_assert_false (hosts.disk->preallocated);
}

static void
test_inspect_unset_format (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, FALSE);
  hosts_assert_blocked (&hosts, "backing-format-unset");
}

/* --- backing files ----------------------------------------------------------------------- */

static void
test_overlay_on_present_base (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autofree char *text = text_of ('b', 1 << 20);
  hosts_write (hosts.other, "base.raw", text);
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  g_assert_false (godwit_report_is_blocked (report, NULL));
  g_assert_true (disk_get_layer (hosts.disk, 1)->present);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));

  g_auto (Qcow2Header) header = {0};
  g_assert_true (read_qcow2_header (hosts.b, godwit_disk_get_top (hosts.disk)->destination, &header,
                                    NULL, NULL));
  g_autofree char *base = g_build_filename (hosts.data, "base.raw", NULL);
  g_assert_cmpstr (header.backing, ==, base);
  g_assert_cmpstr (header.backing_format, ==, "raw");
  g_assert_cmpuint (header.cluster_bits, ==, 17);
  g_assert_cmpuint (header.virtual_size, ==, 1 << 20);
  ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (hosts_have (hosts.other, "base.raw"));
}

static void
test_base_differs (void)
{
  g_auto (Hosts) hosts = {0};
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autofree char *text = text_of ('x', 1 << 20);
  hosts_write (hosts.other, "base.raw", text);
  g_autoptr (GodwitReport) live = hosts_check_target (&hosts);
  g_assert_nonnull (hosts_find (live, "base-differs"));

  hosts.disk->treatment = GODWIT_TREATMENT_COPY;
  g_autoptr (GodwitReport) cold = hosts_check_target (&hosts);
  g_assert_false (godwit_report_is_blocked (cold, NULL));
  g_assert_true (hosts.disk->flatten);
}

/* A base that another job is still making may be gone again when that is undone. */
static void
test_base_of_another_job (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autofree char *text = text_of ('b', 1 << 20);
  hosts_write (hosts.other, "base.raw", text);
  g_autofree char *path = g_build_filename (hosts.data, "base.raw", NULL);
  ASSERT_DONE (godwit_host_set_token (hosts.b, path, "of-another-job", NULL, &error));
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  g_assert_nonnull (hosts_find (report, "target-busy"));
}

static void
test_base_absent (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  g_autoptr (GodwitReport) live = hosts_check_target (&hosts);
  g_assert_false (godwit_report_is_blocked (live, NULL));
  g_assert_false (disk_get_layer (hosts.disk, 1)->present);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));
  g_autofree char *base = hosts_read (hosts.other, "base.raw");
  g_autofree char *text = text_of ('b', 1 << 20);
  g_assert_cmpstr (base, ==, text);
  ASSERT_DONE (file_remove_created (NULL, hosts.job, hosts.disk, NULL, &error));
  g_assert_true (hosts_is_empty (hosts.other));
}

/* --- cold copies ------------------------------------------------------------------------- */

static void
test_cold_flattened (void)
{
  g_auto (Hosts) hosts = {0};
  g_autoptr (GError) error = NULL;
  if (!hosts_set_up (&hosts, HOSTS_APART, "qcow2"))
    return;
  make_chain (&hosts, TRUE);
  hosts.disk->treatment = GODWIT_TREATMENT_COPY;
  g_autoptr (GodwitReport) report = hosts_check_target (&hosts);
  g_assert_true (hosts.disk->flatten);
  ASSERT_DONE (file_create (NULL, hosts.job, hosts.disk, NULL, &error));

  GodwitEnd from = {0}, to = {0};
  g_autofree char *digest = NULL;
  g_autoptr (GObject) source = file_open_source (NULL, hosts.job, hosts.disk, &from, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GObject) target = file_open_target (NULL, hosts.job, hosts.disk, &to, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (from.nbd && to.nbd);
  ASSERT_DONE (godwit_disks_transfer (hosts.job, "disk vda", &from, &to, &digest, NULL, &error));
  g_clear_object (&source);
  g_clear_object (&target);

  g_autofree char *copy = g_build_filename (hosts.other, "web", "disk", NULL);
  g_autofree char *original = g_build_filename (hosts.data, "web", "disk", NULL);
  const char *compare[] = {"compare", "-q", "-f", "qcow2", "-F", "qcow2", original, copy, NULL};
  hosts_qemu_img (compare);
  g_auto (Qcow2Header) header = {0};
  g_assert_true (read_qcow2_header (hosts.b, original, &header, NULL, NULL));
  g_assert_null (header.backing);
}

static gboolean
have_qemu (void)
{
  g_autofree char *image = g_find_program_in_path ("qemu-img");
  g_autofree char *server = g_find_program_in_path ("qemu-nbd");
  return image != NULL && server != NULL;
}

static void
skip (void)
{
  g_test_skip ("qemu-img and qemu-nbd are not both installed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!have_qemu ()) {
    g_test_add_func ("/hosts-chain", skip);
    return g_test_run ();
  }
  g_test_add_func ("/hosts-chain/inspect/chain", test_inspect_chain);
  g_test_add_func ("/hosts-chain/inspect/unset-format", test_inspect_unset_format);
  g_test_add_func ("/hosts-chain/base/present", test_overlay_on_present_base);
  g_test_add_func ("/hosts-chain/base/differs", test_base_differs);
  g_test_add_func ("/hosts-chain/base/of-another-job", test_base_of_another_job);
  g_test_add_func ("/hosts-chain/base/absent", test_base_absent);
  g_test_add_func ("/hosts-chain/cold/flattened", test_cold_flattened);
  return g_test_run ();
}
