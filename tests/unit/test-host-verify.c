/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mirror through a tunnel, an NBD server at its end, and somebody else who writes there. */
#include "channel/fd.h"
#include "hosts-fixture.h"
#include "nbd-server.h"

#include <godwit/error.h>
#include <godwit/verify.h>

#include <fcntl.h>
#include <libnbd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KIB       1024u
#define DISK      (40u * 64 * KIB + 1000)
#define WAIT_MS   20000
#define ALL_KNOWN (32u * 64 * KIB) /* what the mirror writes; the rest it leaves alone */

typedef struct {
  GodwitHost *a, *b;
  char *image;
  NbdServer *server;
  NbdServer *memory; /* anything that answers */
  GodwitTunnel *disks;
  GodwitTunnel *ram;
  struct nbd_handle *mirror;
  GodwitVerify *verify;
} World;

static struct nbd_handle *
connect_nbd (const char *path)
{
  struct nbd_handle *nbd = nbd_create ();

  nbd_set_export_name (nbd, "drive");
  if (nbd_connect_unix (nbd, path) != 0)
    g_error ("%s: %s", path, nbd_get_error ());
  return nbd;
}

static void
write_pattern (struct nbd_handle *nbd, guint64 offset, gsize length, guint seed)
{
  g_autofree guint8 *data = g_malloc (length);

  for (gsize i = 0; i < length; i++)
    data[i] = (guint8)((i * 7 + seed) ^ (i >> 9));
  if (nbd_pwrite (nbd, data, length, offset, 0) != 0)
    g_error ("write: %s", nbd_get_error ());
}

static void
world_open (World *world, Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *nbd = fixture_path (fixture, "nbd"), *nbd_in = fixture_path (fixture, "nbd-in");
  g_autofree char *ram = fixture_path (fixture, "ram"), *ram_in = fixture_path (fixture, "ram-in");
  GodwitTunnelOptions tap = {.tap = TRUE};
  GodwitTunnelOptions after = {.after = nbd, .rest = 0};

  world->a = fixture_open (fixture, "a");
  world->b = fixture_open (fixture, "b");
  world->image = fixture_make_file (fixture, "disk", "");
  g_assert_cmpint (truncate (world->image, DISK), ==, 0);
  world->server = nbd_server_start (nbd, world->image);
  world->memory = nbd_server_start (ram, world->image);
  world->ram = godwit_tunnel_new_with (world->a, ram_in, world->b, ram, &after, NULL, &error);
  g_assert_no_error (error);
  world->disks = godwit_tunnel_new_with (world->a, nbd_in, world->b, nbd, &tap, NULL, &error);
  g_assert_no_error (error);
  world->mirror = connect_nbd (nbd_in);
  /* In pieces that are no blocks, and zeroes. */
  for (guint i = 0; i < 8; i++)
    write_pattern (world->mirror, i * 192 * KIB, 192 * KIB, i);
  g_assert_cmpint (nbd_zero (world->mirror, ALL_KNOWN - 24 * 64 * KIB, 24 * 64 * KIB, 0), ==, 0);
}

static void
begin (World *world, const char *export, gboolean fresh)
{
  g_autoptr (GError) error = NULL;
  GodwitVerifyDisk disk = {
      .name = "vda", .export = export, .image = world->image, .format = "raw", .fresh = fresh};

  world->verify = godwit_verify_new (world->disks, &disk, 1, NULL, &error);
  g_assert_no_error (error);
}

static void
world_close (World *world)
{
  g_clear_object (&world->verify);
  g_clear_pointer (&world->mirror, nbd_close);
  g_clear_object (&world->disks);
  g_clear_object (&world->ram);
  g_clear_pointer (&world->server, nbd_server_stop);
  g_clear_pointer (&world->memory, nbd_server_stop);
  g_clear_object (&world->a);
  g_clear_object (&world->b);
  g_free (world->image);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (World, world_close)

/* Memory comes: its first byte arrives when the disks have been read. */
static void
move_memory (Fixture *fixture)
{
  g_autofree char *path = fixture_path (fixture, "ram-in");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char byte;
  g_autoptr (GError) error = NULL;

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  godwit_fd_prepare (fd);
  godwit_fd_read_all (fd, &byte, 1, godwit_deadline_in_ms (WAIT_MS), NULL, &error);
  g_assert_no_error (error);
  close (fd);
}

static void
write_foreign (Fixture *fixture, guint64 offset)
{
  g_autofree char *path = fixture_path (fixture, "nbd");
  struct nbd_handle *nbd = connect_nbd (path);
  guint8 data[4096];

  memset (data, 0xaa, sizeof data);
  g_assert_cmpint (nbd_pwrite (nbd, data, sizeof data, offset, 0), ==, 0);
  nbd_close (nbd);
}

static void
expect_error (World *world, int code, const char *text)
{
  gint64 deadline = g_get_monotonic_time () + WAIT_MS * 1000;
  g_autoptr (GError) error = NULL;

  while (godwit_verify_check (world->verify, NULL, &error) && g_get_monotonic_time () < deadline)
    g_usleep (5000);
  g_assert_error (error, GODWIT_ERROR, code);
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\" is not in: %s", text, error->message);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
test_clean (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};
  g_autoptr (GError) error = NULL;
  GodwitVerifyFigures figures;

  world_open (&world, fixture);
  begin (&world, "drive", TRUE);
  move_memory (fixture);
  g_assert_true (godwit_verify_check (world.verify, NULL, &error));
  godwit_verify_get_figures (world.verify, "vda", &figures);
  g_assert_cmpuint (figures.waiting, ==, 0);
  g_assert_cmpuint (figures.verified, >=, ALL_KNOWN);

  /* The guest goes on writing, and the server ends before all of it has been looked at. */
  for (guint i = 0; i < 200; i++)
    write_pattern (world.mirror, (i % 32) * 64 * KIB, 64 * KIB, i);
  /* The mirror, and one that reads: none comes or goes while the server may be told to stop. */
  g_assert_cmpuint (nbd_server_count (world.server), ==, 2);
  nbd_shutdown (world.mirror, 0);
  g_clear_pointer (&world.server, nbd_server_stop);
  g_assert_true (godwit_verify_rest (world.verify, NULL, &error));
  g_assert_no_error (error);
  godwit_verify_get_figures (world.verify, NULL, &figures);
  g_assert_cmpuint (figures.verified, ==, DISK);
  g_assert_cmpuint (figures.waiting + figures.unknown, ==, 0);
}

static void
test_foreign (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};

  world_open (&world, fixture);
  write_foreign (fixture, 5 * 64 * KIB + 8192);
  begin (&world, "drive", TRUE);
  move_memory (fixture);
  expect_error (&world, GODWIT_ERROR_CORRUPT,
                "b: disk vda holds something else than this migration wrote to it: 1 block of 64 "
                "KiB between offset 327680 and 393216");
}

/* Where the mirror never wrote; of an overlay that would be the base's. */
static void
test_foreign_untouched (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};

  world_open (&world, fixture);
  write_foreign (fixture, 38 * 64 * KIB);
  begin (&world, "drive", GPOINTER_TO_INT (data));
  move_memory (fixture);
  if (GPOINTER_TO_INT (data)) {
    expect_error (&world, GODWIT_ERROR_CORRUPT, "between offset 2490368 and 2555904");
    return;
  }
  g_autoptr (GError) error = NULL;
  GodwitVerifyFigures figures;
  g_assert_true (godwit_verify_check (world.verify, NULL, &error));
  g_assert_no_error (error);
  godwit_verify_get_figures (world.verify, "vda", &figures);
  g_assert_cmpuint (figures.verified, ==, ALL_KNOWN);
}

static void
test_lost_write (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};

  world_open (&world, fixture);
  nbd_server_lose_writes (world.server);
  write_pattern (world.mirror, 64 * KIB, 64 * KIB, 99);
  begin (&world, "drive", TRUE);
  move_memory (fixture);
  expect_error (&world, GODWIT_ERROR_CORRUPT, "between offset 65536 and 131072");
}

static void
test_at_rest (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};
  g_autoptr (GError) error = NULL;

  world_open (&world, fixture);
  begin (&world, "drive", TRUE);
  nbd_shutdown (world.mirror, 0);
  g_clear_pointer (&world.server, nbd_server_stop);
  int fd = open (world.image, O_WRONLY);
  g_assert_cmpint (pwrite (fd, "x", 1, 64 * KIB), ==, 1);
  g_assert_cmpint (pwrite (fd, "x", 1, 96 * KIB), ==, 1);
  g_assert_cmpint (pwrite (fd, "x", 1, 256 * KIB), ==, 1);
  close (fd);
  g_assert_false (godwit_verify_rest (world.verify, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "2 blocks of 64 KiB between offset 65536 and 327680"));
}

static void
test_not_understood (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};
  g_autofree char *path = fixture_path (fixture, "nbd-in");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_autoptr (GError) error = NULL;

  world_open (&world, fixture);
  begin (&world, "drive", TRUE);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (write (fd, "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n", 32), ==, 32);
  shutdown (fd, SHUT_WR);
  move_memory (fixture);
  expect_error (&world, GODWIT_ERROR_NOT_SUPPORTED, "cannot be followed: the client does not");
  close (fd);
  g_assert_false (godwit_verify_rest (world.verify, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_NOT_SUPPORTED);
  /* The mirror has not noticed. */
  write_pattern (world.mirror, 0, 64 * KIB, 1);
}

static void
test_other_export (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};

  world_open (&world, fixture);
  begin (&world, "another", TRUE);
  move_memory (fixture);
  expect_error (&world, GODWIT_ERROR_NOT_FOUND, "disk vda is not mirrored to the export another");
}

/* Nobody reads: memory does not wait. */
static void
test_not_wanted (Fixture *fixture, gconstpointer data)
{
  g_auto (World) world = {0};

  world_open (&world, fixture);
  move_memory (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, data, func)                                                                      \
  g_test_add ("/host/verify/" path, Fixture, data, fixture_set_up, func, fixture_tear_down)
  ADD ("clean", NULL, test_clean);
  ADD ("foreign", NULL, test_foreign);
  ADD ("foreign/untouched", GINT_TO_POINTER (TRUE), test_foreign_untouched);
  ADD ("foreign/untouched-overlay", GINT_TO_POINTER (FALSE), test_foreign_untouched);
  ADD ("lost-write", NULL, test_lost_write);
  ADD ("at-rest", NULL, test_at_rest);
  ADD ("not-understood", NULL, test_not_understood);
  ADD ("other-export", NULL, test_other_export);
  ADD ("not-wanted", NULL, test_not_wanted);
  return g_test_run ();
}
