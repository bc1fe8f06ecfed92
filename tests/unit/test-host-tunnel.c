/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/fd.h"
#include "channel/pump.h"
#include "hosts-fixture.h"

#include <godwit/error.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- a server that sends everything back ---------------------------------------------------- */

typedef struct {
  int listener;
  char *path;
  GThread *thread;
  GCancellable *stop;
} Echo;

static gpointer
run_echo_connection (gpointer user_data)
{
  int fd = GPOINTER_TO_INT (user_data);
  g_autofree char *buffer = g_malloc (65536);
  gssize n;
  while ((n = godwit_fd_read (fd, buffer, 65536, -1, NULL, NULL)) > 0)
    if (!godwit_fd_write_all (fd, buffer, n, -1, NULL, NULL))
      break;
  close (fd);
  return NULL;
}

static gpointer
run_echo (gpointer user_data)
{
  Echo *echo = user_data;
  while (godwit_fd_wait (echo->listener, POLLIN, -1, echo->stop, NULL)) {
    int fd = accept4 (echo->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    g_thread_unref (g_thread_new ("echo", run_echo_connection, GINT_TO_POINTER (fd)));
  }
  return NULL;
}

static struct sockaddr_un
address_of (const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_assert_cmpuint (g_strlcpy (address.sun_path, path, sizeof address.sun_path), <,
                    sizeof address.sun_path);
  return address;
}

static void
echo_start (Echo *echo, const char *path)
{
  struct sockaddr_un address = address_of (path);
  echo->path = g_strdup (path);
  echo->stop = g_cancellable_new ();
  echo->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_assert_cmpint (bind (echo->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (echo->listener, 16), ==, 0);
  echo->thread = g_thread_new ("echo", run_echo, echo);
}

static void
echo_stop (Echo *echo)
{
  g_cancellable_cancel (echo->stop);
  g_thread_join (echo->thread);
  close (echo->listener);
  g_object_unref (echo->stop);
  g_free (echo->path);
}

static int
dial (const char *path)
{
  struct sockaddr_un address = address_of (path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  godwit_fd_prepare (fd);
  return fd;
}

typedef struct {
  int fd;
  gsize size;
} Writing;

static gpointer
run_writing (gpointer user_data)
{
  Writing *writing = user_data;
  g_autofree guint32 *block = g_malloc (65536);
  for (gsize done = 0; done < writing->size; done += 65536) {
    for (gsize i = 0; i < 16384; i++)
      block[i] = (guint32)(done / 4 + i);
    if (!godwit_fd_write_all (writing->fd, block, 65536, -1, NULL, NULL))
      return NULL;
  }
  shutdown (writing->fd, SHUT_WR);
  return NULL;
}

/* Sends @size bytes there and expects them back, then the end. */
static void
check_echo (const char *path, gsize size)
{
  Writing writing = {dial (path), size};
  GThread *thread = g_thread_new ("writing", run_writing, &writing);
  g_autofree guint32 *block = g_malloc (65536);
  for (gsize done = 0; done < size; done += 65536) {
    g_autoptr (GError) error = NULL;
    godwit_fd_read_all (writing.fd, block, 65536, godwit_deadline_in_ms (10000), NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (block[0], ==, done / 4);
    g_assert_cmpuint (block[16383], ==, done / 4 + 16383);
  }
  /* The end of one way arrives, and then the end of the other. */
  char byte;
  g_assert_cmpint (godwit_fd_read (writing.fd, &byte, 1, godwit_deadline_in_ms (5000), NULL, NULL),
                   ==, 0);
  g_thread_join (thread);
  close (writing.fd);
}

static void
assert_ended (int fd, gint64 within_ms)
{
  char byte;
  g_autoptr (GError) error = NULL;
  gssize n = godwit_fd_read (fd, &byte, 1, godwit_deadline_in_ms (within_ms), NULL, &error);
  g_assert_false (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
  g_assert_cmpint (n, <=, 0);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
check_tunnel (Fixture *fixture, GodwitHost *from, GodwitHost *to, gboolean relayed)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *here = fixture_path (fixture, "in");
  g_autofree char *there = fixture_path (fixture, "out");
  Echo echo;
  echo_start (&echo, there);
  g_autoptr (GodwitTunnel) tunnel = godwit_tunnel_new (from, here, to, there, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (godwit_tunnel_is_relayed (tunnel), ==, relayed);
  struct stat status;
  g_assert_cmpint (stat (here, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0666);

  check_echo (here, 8 * 1024 * 1024);
  check_echo (here, 65536);
  g_assert_cmpuint (godwit_tunnel_get_bytes (tunnel), ==, 2 * (8 * 1024 * 1024 + 65536));

  int open_one = dial (here);
  char byte = 'x';
  g_assert_cmpint (write (open_one, &byte, 1), ==, 1);
  g_assert_true (
      godwit_fd_read_all (open_one, &byte, 1, godwit_deadline_in_ms (5000), NULL, &error));
  godwit_tunnel_close (tunnel);
  assert_ended (open_one, 500);
  close (open_one);
  g_assert_false (fixture_is_there (here));
  g_assert_cmpuint (godwit_tunnel_get_bytes (tunnel), >=, 2 * (8 * 1024 * 1024 + 65536));
  echo_stop (&echo);
}

static void
test_from_controller (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  check_tunnel (fixture, from, to, FALSE);
}

static void
test_to_controller (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open_local (fixture);
  check_tunnel (fixture, from, to, FALSE);
}

static void
test_relayed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  check_tunnel (fixture, from, to, TRUE);
}

static void
test_paired (Fixture *fixture, gconstpointer data)
{
  fixture_pair (fixture, "a", "b");
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_assert_true (godwit_host_are_paired (from, to));
  check_tunnel (fixture, from, to, FALSE);
}

static void
test_unknown_command (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_autoptr (GError) error = NULL;
  g_assert_false (godwit_host_are_paired (from, to));
  /* A controller that asks all the same gets nowhere. */
  g_autofree char *here = fixture_path (fixture, "in");
  const char *command[] = {"touch", here, NULL};
  GVariantDict options;
  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "path", "s", here);
  g_variant_dict_insert (&options, "token", "s", "none");
  g_variant_dict_insert (&options, "host", "s", "b");
  g_variant_dict_insert_value (&options, "command", g_variant_new_strv (command, -1));
  g_assert_cmpuint (godwit_host_start (from, "StartListen",
                                       g_variant_new ("(@a{sv})", g_variant_dict_end (&options)),
                                       NULL, &error),
                    ==, 0);
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_assert_nonnull (strstr (godwit_error_get_remedy (error), "hosts pair"));
  g_assert_false (fixture_is_there (here));
}

static gpointer
start_echo_later (gpointer user_data)
{
  Echo *echo = user_data;
  g_usleep (400000);
  g_autofree char *path = echo->path;
  echo_start (echo, path);
  return NULL;
}

static void
test_late_target (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_autoptr (GError) error = NULL;
  g_autofree char *here = fixture_path (fixture, "in");
  g_autofree char *there = fixture_path (fixture, "out");
  g_autoptr (GodwitTunnel) tunnel = godwit_tunnel_new (from, here, to, there, NULL, &error);
  g_assert_no_error (error);
  Echo echo = {.path = g_strdup (there)};
  GThread *thread = g_thread_new ("later", start_echo_later, &echo);
  check_echo (here, 65536);
  g_thread_join (thread);
  echo_stop (&echo);
}

static void
test_dead_man (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open (fixture, "a");
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_autoptr (GError) error = NULL;
  g_autofree char *here = fixture_path (fixture, "in");
  g_autofree char *there = fixture_path (fixture, "out");
  Echo echo;
  echo_start (&echo, there);
  fixture_pair (fixture, "a", "b");
  g_autoptr (GodwitTunnel) tunnel = godwit_tunnel_new (from, here, to, there, NULL, &error);
  g_assert_no_error (error);
  int fd = dial (here);
  char byte = 'x';
  g_assert_cmpint (write (fd, &byte, 1), ==, 1);
  g_assert_true (godwit_fd_read_all (fd, &byte, 1, godwit_deadline_in_ms (5000), NULL, &error));
  /* The destination's session is gone: what comes through the tunnel must end. */
  kill (godwit_child_get_pid (to->channel->child), SIGKILL);
  assert_ended (fd, 500);
  close (fd);
  echo_stop (&echo);
}

static void
test_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GodwitHost) from = fixture_open_local (fixture);
  g_autoptr (GodwitHost) to = fixture_open (fixture, "b");
  g_autoptr (GError) error = NULL;
  g_autofree char *here = fixture_path (fixture, "in");
  g_autofree char *file = fixture_make_file (fixture, "file", "no socket");
  g_assert_null (godwit_tunnel_new (from, here, to, "/etc/socket", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  g_clear_error (&error);
  g_assert_null (godwit_tunnel_new (from, file, to, here, NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_EXISTS);
  g_clear_error (&error);

  g_autofree char *loop = fixture_path (fixture, "loop");
  g_assert_cmpint (symlink ("/etc", loop), ==, 0);
  g_autofree char *there = fixture_path (fixture, "late");
  g_autoptr (GodwitTunnel) tunnel = godwit_tunnel_new (from, here, to, there, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (godwit_tunnel_dup_error (tunnel));
  g_assert_cmpint (symlink ("/etc/passwd", there), ==, 0);
  int fd = dial (here);
  assert_ended (fd, 3000);
  close (fd);
  g_autofree char *why = godwit_tunnel_dup_error (tunnel);
  g_assert_nonnull (why);
  g_assert_nonnull (strstr (why, "leads out of the allowed directory"));
}

static void
test_forward (Fixture *fixture, gconstpointer data)
{
  GodwitHost *host = fixture_open (fixture, "b");
  g_autoptr (GodwitHost) local = fixture_open_local (fixture);
  g_autoptr (GError) error = NULL;
  g_autofree char *there = fixture_path (fixture, "daemon");
  Echo echo;
  echo_start (&echo, there);
  g_autofree char *here = godwit_host_forward_socket (host, there, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *again = godwit_host_forward_socket (host, there, NULL, &error);
  g_assert_cmpstr (here, ==, again);
  g_assert_true (g_str_has_prefix (here, fixture->session));
  check_echo (here, 1024 * 1024);
  check_echo (here, 65536);
  g_autofree char *same = godwit_host_forward_socket (local, there, NULL, &error);
  g_assert_cmpstr (same, ==, there);
  g_assert_null (godwit_host_forward_socket (host, "/run/other", NULL, &error));
  g_assert_error (error, GODWIT_ERROR, GODWIT_ERROR_DENIED);
  int fd = dial (here);
  g_object_unref (host);
  assert_ended (fd, 1000);
  close (fd);
  g_assert_false (fixture_is_there (here));
  echo_stop (&echo);
}

/* --- the pump alone ------------------------------------------------------------------------- */

static gpointer
run_pump (gpointer user_data)
{
  GodwitStream *streams = user_data;
  godwit_pump_run (&streams[0], &streams[1], NULL, NULL);
  return NULL;
}

static void
check_pump (gboolean pipes)
{
  /* far -> near -> pump -> back to far, over sockets, or over pipes on the pump's right. */
  int left[2], right[2], there[2], back[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, left), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, right), ==, 0);
  g_assert_cmpint (pipe2 (there, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (back, O_CLOEXEC), ==, 0);
  GodwitStream streams[2] = {{left[1], left[1]}, {right[0], right[0]}};
  if (pipes)
    streams[1] = (GodwitStream){back[0], there[1]};
  int in = pipes ? there[0] : right[1];
  int out = pipes ? back[1] : right[1];
  GThread *thread = g_thread_new ("pump", run_pump, streams);
  g_autofree char *sent = g_malloc (300000);
  g_autofree char *got = g_malloc (300000);
  for (gsize i = 0; i < 300000; i++)
    sent[i] = (char)g_random_int ();
  godwit_fd_prepare (left[0]);
  godwit_fd_prepare (in);
  godwit_fd_prepare (out);
  for (gsize at = 0; at < 300000; at += 30000) {
    g_assert_true (godwit_fd_write_all (left[0], sent + at, 30000, -1, NULL, NULL));
    g_assert_true (godwit_fd_read_all (in, got, 30000, godwit_deadline_in_ms (5000), NULL, NULL));
    g_assert_true (memcmp (got, sent + at, 30000) == 0);
    g_assert_true (godwit_fd_write_all (out, sent + at, 30000, -1, NULL, NULL));
    g_assert_true (
        godwit_fd_read_all (left[0], got, 30000, godwit_deadline_in_ms (5000), NULL, NULL));
    g_assert_true (memcmp (got, sent + at, 30000) == 0);
  }
  /* Closing the far end ends the pump. */
  close (left[0]);
  char byte;
  g_assert_cmpint (godwit_fd_read (in, &byte, 1, godwit_deadline_in_ms (5000), NULL, NULL), ==, 0);
  close (out);
  if (in != out)
    close (in);
  g_thread_join (thread);
  godwit_stream_close (&streams[0]);
  godwit_stream_close (&streams[1]);
  if (pipes) {
    close (right[0]);
    close (right[1]);
  } else {
    for (int i = 0; i < 2; i++) {
      close (there[i]);
      close (back[i]);
    }
  }
}

static void
test_pump_sockets (void)
{
  check_pump (FALSE);
}

static void
test_pump_pipes (void)
{
  check_pump (TRUE);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/host/tunnel/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  g_test_add_func ("/host/pump/sockets", test_pump_sockets);
  g_test_add_func ("/host/pump/pipes", test_pump_pipes);
  ADD ("from-controller", test_from_controller);
  ADD ("to-controller", test_to_controller);
  ADD ("relayed", test_relayed);
  ADD ("paired", test_paired);
  ADD ("unknown-command", test_unknown_command);
  ADD ("late-target", test_late_target);
  ADD ("dead-man", test_dead_man);
  ADD ("error", test_error);
  ADD ("forward", test_forward);
  return g_test_run ();
}
