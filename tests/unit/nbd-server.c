/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nbd-server.h"

#include "channel/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct _NbdServer {
  int listener;
  int file;
  guint64 size;
  GThread *thread;
  GPtrArray *connections; /* threads */
  GCancellable *stop;
  gint count;
  gint lose;
};

typedef struct {
  NbdServer *server;
  int fd;
} Connection;

static gboolean
get (Connection *self, void *buffer, gsize length)
{
  return godwit_fd_read_all (self->fd, buffer, length, -1, self->server->stop, NULL);
}

static gboolean
put (Connection *self, const void *data, gsize length)
{
  return godwit_fd_write_all (self->fd, data, length, -1, self->server->stop, NULL);
}

static gboolean
put_numbers (Connection *self, const char *sizes, ...)
{
  guint8 bytes[64];
  gsize length = 0;
  va_list arguments;

  va_start (arguments, sizes);
  for (; *sizes != '\0'; sizes++) {
    guint64 value = va_arg (arguments, guint64);
    for (guint i = (guint)(*sizes - '0'); i > 0; i--)
      bytes[length++] = (guint8)(value >> (8 * (i - 1)));
  }
  va_end (arguments);
  return put (self, bytes, length);
}

static guint64
number (const guint8 *at, guint size)
{
  guint64 value = 0;
  for (guint i = 0; i < size; i++)
    value = value << 8 | at[i];
  return value;
}

#define U64(x)       ((guint64)(x))
#define OPTION       G_GUINT64_CONSTANT (0x49484156454f5054)
#define OPTION_REPLY G_GUINT64_CONSTANT (0x0003e889045565a9)

/* TRUE once an export was agreed on. */
static gboolean
negotiate (Connection *self)
{
  guint8 head[16];

  if (!put_numbers (self, "882", G_GUINT64_CONSTANT (0x4e42444d41474943), OPTION, U64 (3)) ||
      !get (self, head, 4))
    return FALSE;
  while (get (self, head, 16)) {
    guint64 option = number (head + 8, 4);
    g_autofree guint8 *data = g_malloc (number (head + 12, 4) + 1);
    if (!get (self, data, number (head + 12, 4)))
      return FALSE;
    if (option == 7)
      return put_numbers (self, "8444282", OPTION_REPLY, option, U64 (3), U64 (12), U64 (0),
                          self->server->size, U64 (0x1ed)) &&
             put_numbers (self, "8444", OPTION_REPLY, option, U64 (1), U64 (0));
    if (!put_numbers (self, "8444", OPTION_REPLY, option, U64 (0x80000001), U64 (0)))
      return FALSE;
  }
  return FALSE;
}

static gboolean
serve (Connection *self, guint type, guint64 cookie, guint64 offset, guint32 length)
{
  int file = self->server->file;
  g_autofree guint8 *buffer = g_malloc0 ((gsize)length + 1);

  if (type == 1 && !get (self, buffer, length))
    return FALSE;
  if ((type == 1 || type == 6) && !g_atomic_int_get (&self->server->lose))
    g_assert_cmpint (pwrite (file, buffer, length, (off_t)offset), ==, length);
  if (type == 0)
    g_assert_cmpint (pread (file, buffer, length, (off_t)offset), ==, length);
  return put_numbers (self, "448", U64 (0x67446698), U64 (0), cookie) &&
         (type != 0 || put (self, buffer, length));
}

static gpointer
run_connection (gpointer data)
{
  g_autofree Connection *self = data;
  guint8 head[28];

  if (negotiate (self))
    while (get (self, head, sizeof head) && number (head + 6, 2) != 2)
      if (!serve (self, (guint)number (head + 6, 2), number (head + 8, 8), number (head + 16, 8),
                  (guint32)number (head + 24, 4)))
        break;
  close (self->fd);
  return NULL;
}

static gpointer
run_server (gpointer data)
{
  NbdServer *self = data;

  while (godwit_fd_wait (self->listener, POLLIN, -1, self->stop, NULL)) {
    Connection *connection = g_new0 (Connection, 1);
    connection->server = self;
    connection->fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    g_atomic_int_inc (&self->count);
    g_ptr_array_add (self->connections, g_thread_new ("nbd", run_connection, connection));
  }
  return NULL;
}

NbdServer *
nbd_server_start (const char *socket_path, const char *file)
{
  NbdServer *self = g_new0 (NbdServer, 1);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat status;

  g_assert_cmpuint (g_strlcpy (address.sun_path, socket_path, sizeof address.sun_path), <,
                    sizeof address.sun_path);
  self->file = open (file, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fstat (self->file, &status), ==, 0);
  self->size = (guint64)status.st_size;
  self->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_assert_cmpint (bind (self->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (self->listener, 16), ==, 0);
  self->connections = g_ptr_array_new ();
  self->stop = g_cancellable_new ();
  self->thread = g_thread_new ("nbd", run_server, self);
  return self;
}

void
nbd_server_stop (NbdServer *self)
{
  g_cancellable_cancel (self->stop);
  g_thread_join (self->thread);
  for (guint i = 0; i < self->connections->len; i++)
    g_thread_join (g_ptr_array_index (self->connections, i));
  g_ptr_array_unref (self->connections);
  close (self->listener);
  close (self->file);
  g_object_unref (self->stop);
  g_free (self);
}

void
nbd_server_lose_writes (NbdServer *self)
{
  g_atomic_int_set (&self->lose, TRUE);
}

guint
nbd_server_count (NbdServer *self)
{
  return (guint)g_atomic_int_get (&self->count);
}
