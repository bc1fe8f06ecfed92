/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actor.h"

#include "unit/hosts-fixture.h"

#include <godwit/transfer.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A disk that arrives, block by block, from another agent. */

#define SIZE (4 * 1024 * 1024)

static void
prepare_disks (void)
{
  const char *paths[] = {data_path ("source"), data_path ("target")};
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    int fd = open (paths[i], O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    g_assert_cmpint (fd, >=, 0);
    g_assert_cmpint (ftruncate (fd, SIZE), ==, 0);
    if (i == 0)
      g_assert_cmpint (pwrite (fd, "block", 5, SIZE / 2), ==, 5);
    close (fd);
  }
}

static void
transfer (GodwitEnd *to)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *root = g_path_get_dirname (data_directory ());
  Fixture fixture = {.root = root, .session = (char *)safe_path ("session")};
  g_mkdir (fixture.session, 0700);
  g_autoptr (GodwitHost) source = fixture_open (&fixture, "a");
  g_autoptr (GodwitHost) destination = fixture_open (&fixture, "b");
  GodwitEnd from = {.host = source, .path = data_path ("source")};
  GodwitTransferStats stats;
  to->host = destination;
  godwit_transfer_run (&from, to, NULL, NULL, &stats, NULL, &error);
  g_assert_no_error (error);
}

static void
act_receive (void)
{
  GodwitEnd to = {.path = data_path ("target")};
  transfer (&to);
}

/* The socket is where the agent may look for it, and the server keeps what it is told to flush. */
static void
act_receive_nbd (void)
{
  g_autoptr (GError) error = NULL;
  const char *socket = data_path ("nbd.sock");
  const char *pid_file = safe_path ("nbd.pid");
  const char *argv[] = {"qemu-nbd", "--fork", "--persistent", "--pid-file", pid_file,
                        "--socket", socket,   "--format",     "raw",        data_path ("target"),
                        NULL};
  /* What it syncs by itself is not ours to leave out. */
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), "LD_PRELOAD");
  int status;
  g_spawn_sync (NULL, (char **)argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  GodwitEnd to = {.path = socket, .nbd = TRUE};
  transfer (&to);
}

static gboolean
has_arrived (void)
{
  char text[6] = "";
  int fd = open (data_path ("target"), O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && pread (fd, text, 5, SIZE / 2) == 5 && g_str_equal (text, "block");
  if (fd >= 0)
    close (fd);
  return ok;
}

const PowerCase transfer_cases[] = {
    {"receive", prepare_disks, act_receive, has_arrived},
    {"receive-nbd", prepare_disks, act_receive_nbd, has_arrived},
    {NULL},
};
