/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

gint64
godwit_deadline_in_ms (gint64 ms)
{
  return g_get_monotonic_time () + ms * 1000;
}

void
godwit_fd_prepare (int fd)
{
  fcntl (fd, F_SETFD, fcntl (fd, F_GETFD) | FD_CLOEXEC);
  fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
}

static gboolean
has_type (int fd, mode_t type)
{
  struct stat status;
  return fstat (fd, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

gboolean
godwit_fd_is_socket (int fd)
{
  return has_type (fd, S_IFSOCK);
}

gboolean
godwit_fd_is_pipe (int fd)
{
  return has_type (fd, S_IFIFO);
}

static gboolean
fail (GError **error, int number)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (number), g_strerror (number));
  return FALSE;
}

gboolean
godwit_fd_wait (int fd, short events, gint64 deadline_us, GCancellable *cancellable, GError **error)
{
  GPollFD stop = {.fd = -1};
  gboolean stoppable = g_cancellable_make_pollfd (cancellable, &stop);
  gboolean ready = FALSE;
  while (!ready) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      break;
    gint64 left = deadline_us < 0 ? -1 : MAX (0, deadline_us - g_get_monotonic_time ());
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = stop.fd, .events = POLLIN}};
    int n = poll (fds, stoppable ? 2 : 1, left < 0 ? -1 : (int)((left + 999) / 1000));
    if (n < 0 && errno != EINTR) {
      fail (error, errno);
      break;
    }
    if (n == 0 && deadline_us >= 0 && g_get_monotonic_time () >= deadline_us) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "timed out");
      break;
    }
    ready = n > 0 && fds[0].revents != 0;
  }
  if (stoppable)
    g_cancellable_release_fd (cancellable);
  return ready;
}

gssize
godwit_fd_read (int fd, void *buffer, gsize length, gint64 deadline_us, GCancellable *cancellable,
                GError **error)
{
  while (TRUE) {
    if (!godwit_fd_wait (fd, POLLIN, deadline_us, cancellable, error))
      return -1;
    gssize n = read (fd, buffer, length);
    if (n >= 0)
      return n;
    if (errno != EAGAIN && errno != EINTR) {
      fail (error, errno);
      return -1;
    }
  }
}

gboolean
godwit_fd_read_all (int fd, void *buffer, gsize length, gint64 deadline_us,
                    GCancellable *cancellable, GError **error)
{
  for (gsize done = 0; done < length;) {
    gssize n =
        godwit_fd_read (fd, (char *)buffer + done, length - done, deadline_us, cancellable, error);
    if (n < 0)
      return FALSE;
    if (n == 0) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "the other end closed it");
      return FALSE;
    }
    done += n;
  }
  return TRUE;
}

gboolean
godwit_fd_write_all (int fd, const void *buffer, gsize length, gint64 deadline_us,
                     GCancellable *cancellable, GError **error)
{
  for (gsize done = 0; done < length;) {
    if (!godwit_fd_wait (fd, POLLOUT, deadline_us, cancellable, error))
      return FALSE;
    gssize n = write (fd, (const char *)buffer + done, length - done);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return fail (error, errno);
    if (n > 0)
      done += n;
  }
  return TRUE;
}

char *
godwit_fd_read_line (int fd, gsize max_length, gint64 deadline_us, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (GString) line = g_string_new (NULL);
  while (line->len <= max_length) {
    char c;
    gssize n = godwit_fd_read (fd, &c, 1, deadline_us, cancellable, error);
    if (n < 0)
      return NULL;
    if (n == 0) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "the other end closed it");
      return NULL;
    }
    if (c == '\n')
      return g_string_free (g_steal_pointer (&line), FALSE);
    g_string_append_c (line, c);
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a line longer than %" G_GSIZE_FORMAT,
               max_length);
  return NULL;
}
