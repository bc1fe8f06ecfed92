/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts-fixture.h"
#include "transfer/frame.h"

#include <godwit/error.h>
#include <godwit/transfer.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB  (1024 * 1024)
#define KEEP G_MAXUINT32

/* A sparse image: data at 1, 5 and 20 MiB of 24, and a written stretch of zeroes at 8. */
static char *
make_image (Fixture *fixture, const char *name)
{
  char *path = fixture_path (fixture, name);
  int fd = open (path, O_CREAT | O_RDWR, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, 24 * MIB + 512), ==, 0);
  g_autofree guint32 *data = g_malloc (2 * MIB);
  for (gsize i = 0; i < 2 * MIB / 4; i++)
    data[i] = g_random_int ();
  g_assert_cmpint (pwrite (fd, data, MIB, MIB), ==, MIB);
  g_assert_cmpint (pwrite (fd, data, 2 * MIB - 4096, 5 * MIB + 4096), ==, 2 * MIB - 4096);
  g_assert_cmpint (pwrite (fd, data, 512, 24 * MIB), ==, 512);
  g_assert_cmpint (pwrite (fd, data + 99, 300000, 20 * MIB + 8192), ==, 300000);
  memset (data, 0, 2 * MIB);
  g_assert_cmpint (pwrite (fd, data, 2 * MIB, 8 * MIB), ==, 2 * MIB);
  close (fd);
  return path;
}

static void
assert_same (const char *a, const char *b)
{
  g_autofree char *one = NULL;
  g_autofree char *two = NULL;
  gsize one_length, two_length;
  g_assert_true (g_file_get_contents (a, &one, &one_length, NULL));
  g_assert_true (g_file_get_contents (b, &two, &two_length, NULL));
  g_assert_cmpuint (one_length, ==, two_length);
  g_assert_true (memcmp (one, two, one_length) == 0);
}

static guint64
allocated (const char *path)
{
  struct stat status;
  g_assert_cmpint (stat (path, &status), ==, 0);
  return (guint64)status.st_blocks * 512;
}

static char *
make_target (Fixture *fixture, GodwitHost *host, const char *name, guint64 size)
{
  g_autoptr (GError) error = NULL;
  char *path = fixture_path (fixture, name);
  godwit_host_create_file (host, path, size, FALSE, 0600, KEEP, KEEP, "t", NULL, &error);
  g_assert_no_error (error);
  return path;
}

static void
count_progress (const GodwitTransferStats *stats, gpointer user_data)
{
  (*(guint *)user_data)++;
  g_assert_cmpuint (stats->done, <=, stats->total);
}

static void
check_copy (Fixture *fixture, GodwitHost *from, GodwitHost *to, gboolean relayed)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = make_image (fixture, "source");
  g_autofree char *target = make_target (fixture, to, "target", 24 * MIB + 512);
  GodwitEnd a = {.host = from, .path = source};
  GodwitEnd b = {.host = to, .path = target};
  GodwitTransferStats stats;
  guint calls = 0;
  g_assert_true (godwit_transfer_run (&a, &b, count_progress, &calls, &stats, NULL, &error));
  g_assert_no_error (error);
  assert_same (source, target);
  g_assert_cmpuint (calls, >=, 1);
  g_assert_cmpuint (stats.done, ==, stats.total);
  g_assert_cmpuint (stats.size, ==, 24 * MIB + 512);
  g_assert_cmpuint (stats.zeroes, >=, 2 * MIB);
  g_assert_cmpuint (stats.wire, <, 4 * MIB);
  g_assert_cmpint (stats.relayed, ==, relayed);
  /* Holes stay holes, and written zeroes become them. */
  g_assert_cmpuint (allocated (target), <, allocated (source));

  g_autofree char *one = godwit_transfer_digest (&a, NULL, NULL, NULL, &error);
  g_autofree char *two = godwit_transfer_digest (&b, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (one, ==, two);
  g_autofree char *bytes = NULL;
  gsize length;
  g_assert_true (g_file_get_contents (source, &bytes, &length, NULL));
  g_autofree char *expected =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *)bytes, length);
  g_assert_cmpstr (one, ==, expected);
}

static void
test_direct (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  check_copy (fixture, from, to, FALSE);
}

static void
test_to_controller (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open_local (fixture);
  check_copy (fixture, from, to, FALSE);
}

static void
test_relayed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  check_copy (fixture, from, to, TRUE);
}

static void
test_paired (Fixture *fixture, gconstpointer data)
{
  fixture_pair (fixture, "a", "b");
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  check_copy (fixture, from, to, FALSE);
}

static void
test_same_host (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open_local (fixture);
  check_copy (fixture, host, host, FALSE);
}

static void
test_corrupt (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GError) error = NULL;
  /* The control connection is left alone: only bytes far into a channel are changed. */
  const char *words[] = {"corrupt", "1500000", NULL};
  g_autoptr (GodwitHost) to = fixture_try_open (fixture, "b", words, &error);
  g_assert_no_error (error);
  g_autofree char *source = make_image (fixture, "source");
  g_autofree char *target = make_target (fixture, to, "target", 24 * MIB + 512);
  GodwitEnd a = {.host = from, .path = source};
  GodwitEnd b = {.host = to, .path = target};
  g_assert_false (godwit_transfer_run (&a, &b, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "b: the block at byte 5246976"));
}

/* A file grows to the size of the source; a qcow2 file may have become longer meanwhile. */
static void
test_grows (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_autoptr (GError) error = NULL;
  g_autofree char *source = make_image (fixture, "source");
  g_autofree char *target = make_target (fixture, to, "target", MIB);
  GodwitEnd a = {.host = from, .path = source};
  GodwitEnd b = {.host = to, .path = target};
  godwit_transfer_run (&a, &b, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *sent = godwit_transfer_digest (&a, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *arrived = godwit_transfer_digest (&b, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sent, ==, arrived);
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_autoptr (GError) error = NULL;
  g_autofree char *source = make_image (fixture, "source");
  g_autofree char *target = make_target (fixture, to, "target", MIB);
  g_autofree char *absent = fixture_path (fixture, "absent");
  GodwitEnd a = {.host = from, .path = source};
  GodwitEnd b = {.host = to, .path = target};

  b.path = absent;
  g_assert_false (godwit_transfer_run (&a, &b, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "b: "));
  g_clear_error (&error);
  a.path = "/etc/passwd";
  b.path = target;
  g_assert_false (godwit_transfer_run (&a, &b, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_null (godwit_transfer_digest (&a, NULL, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
}

typedef struct {
  GCancellable *cancellable;
  gint64 cancelled_at;
  GodwitHost *to;
} Interruption;

static void
cancel_on_progress (const GodwitTransferStats *stats, gpointer user_data)
{
  Interruption *interruption = user_data;
  if (interruption->cancelled_at == 0) {
    interruption->cancelled_at = g_get_monotonic_time ();
    g_cancellable_cancel (interruption->cancellable);
  }
}

static void
kill_on_progress (const GodwitTransferStats *stats, gpointer user_data)
{
  Interruption *interruption = user_data;
  if (interruption->cancelled_at == 0) {
    interruption->cancelled_at = g_get_monotonic_time ();
    kill (godwit_child_get_pid (interruption->to->channel->child), SIGKILL);
  }
}

/* Under way for seconds in a slow channel. */
static char *
make_big_source (Fixture *fixture)
{
  char *path = fixture_path (fixture, "big");
  g_autofree char *bytes = g_malloc (32 * MIB);
  memset (bytes, 'x', 32 * MIB);
  g_autoptr (GError) error = NULL;
  g_file_set_contents_full (path, bytes, 32 * MIB, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
  return path;
}

static const char *const slow_words[] = {"slow", "20", NULL};

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_try_open (fixture, "b", slow_words, &error);
  g_assert_no_error (error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Interruption interruption = {.cancellable = cancellable};
  g_autofree char *source = make_big_source (fixture);
  g_autofree char *target = make_target (fixture, to, "target", 32 * MIB);
  GodwitEnd a = {.host = from, .path = source};
  GodwitEnd b = {.host = to, .path = target};
  g_assert_false (
      godwit_transfer_run (&a, &b, cancel_on_progress, &interruption, NULL, cancellable, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - interruption.cancelled_at, <, 500000);
  /* And nothing writes any more. */
  guint64 before = allocated (target);
  g_usleep (200000);
  g_assert_cmpuint (allocated (target), ==, before);
}

static void
test_cancel_digest (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) host = fixture_open (fixture, "a");
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Interruption interruption = {.cancellable = cancellable};
  g_autofree char *source = make_target (fixture, host, "huge", G_GUINT64_CONSTANT (256) << 30);
  GodwitEnd a = {.host = host, .path = source};
  g_assert_null (
      godwit_transfer_digest (&a, cancel_on_progress, &interruption, cancellable, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - interruption.cancelled_at, <, 500000);
}

static void
test_lost (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_try_open (fixture, "b", slow_words, &error);
  g_assert_no_error (error);
  Interruption interruption = {.to = to};
  g_autofree char *source = make_big_source (fixture);
  g_autofree char *target = make_target (fixture, to, "target", 32 * MIB);
  GodwitEnd a = {.host = from, .path = source};
  GodwitEnd b = {.host = to, .path = target};
  g_assert_false (
      godwit_transfer_run (&a, &b, kill_on_progress, &interruption, NULL, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (error->message, "channel to b broke"));
  g_assert_cmpint (g_get_monotonic_time () - interruption.cancelled_at, <, 3 * G_USEC_PER_SEC);
}

static void
test_is_zero (void)
{
  guint8 block[1000] = {0};
  g_assert_true (godwit_is_zero (block, sizeof block));
  g_assert_true (godwit_is_zero (block, 0));
  for (gsize i = 0; i < sizeof block; i += 7) {
    block[i] = 1;
    g_assert_false (godwit_is_zero (block, sizeof block));
    block[i] = 0;
  }
}

#define ADD(name, func)                                                                            \
  g_test_add ("/host/transfer/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host/transfer/is-zero", test_is_zero);
  ADD ("direct", test_direct);
  ADD ("to-controller", test_to_controller);
  ADD ("relayed", test_relayed);
  ADD ("paired", test_paired);
  ADD ("same-host", test_same_host);
  ADD ("corrupt", test_corrupt);
  ADD ("grows", test_grows);
  ADD ("refused", test_refused);
  ADD ("cancel", test_cancel);
  ADD ("cancel-digest", test_cancel_digest);
  ADD ("lost", test_lost);
  return g_test_run ();
}
