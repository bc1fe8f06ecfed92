/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/pump.h"

#include "channel/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK       (1024 * 1024)
#define PIPE_SIZE   (256 * 1024)
#define COPY_BUFFER (256 * 1024)

/* One direction. Splicing needs a pipe on one side, so between two sockets there is one of ours
 * in the middle; where the kernel cannot splice, a buffer takes its place. */
typedef struct {
  int from;
  int *to;
  int to_in; /* the reading side of the same end; not closed by a half-close */
  int middle[2];
  gsize in_middle;
  char *buffer;
  gsize start;
  gsize filled;
  guint64 *bytes;
  GodwitPumpWatch watch; /* NULL: nobody looks on, and the kernel may do all of it */
  gpointer watch_data;
  gboolean back;
  GCancellable *cancellable;
} Way;

void
godwit_stream_close (GodwitStream *stream)
{
  if (stream->out >= 0 && stream->out != stream->in)
    close (stream->out);
  if (stream->in >= 0)
    close (stream->in);
  *stream = GODWIT_STREAM_NONE;
}

/* Waits for the source to have bytes, or for the sink to take some. A broken sink wakes both. */
static gboolean
way_wait (Way *way, gboolean for_source, int stop)
{
  struct pollfd fds[3] = {{.fd = *way->to, .events = for_source ? 0 : POLLOUT},
                          {.fd = stop, .events = POLLIN},
                          {.fd = for_source ? way->from : -1, .events = POLLIN}};
  while (TRUE) {
    int n = poll (fds, G_N_ELEMENTS (fds), -1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 || fds[1].revents != 0 || (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
      return FALSE;
    return TRUE;
  }
}

static gboolean
would_block (void)
{
  return errno == EAGAIN || errno == EINTR;
}

/* From the source into the middle, or straight into the sink. 0 is the end, -1 with errno. */
static gssize
way_fill (Way *way, gboolean *straight)
{
  *straight = FALSE;
  if (way->buffer != NULL) {
    gssize n = read (way->from, way->buffer, COPY_BUFFER);
    way->start = 0;
    way->filled = MAX (n, 0);
    if (way->watch != NULL && n > 0)
      way->watch (way->back, way->buffer, (gsize)n, way->watch_data);
    return n;
  }
  *straight = way->middle[0] < 0;
  int into = *straight ? *way->to : way->middle[1];
  gssize n = splice (way->from, NULL, into, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n < 0 && errno == EINVAL) {
    way->buffer = g_malloc (COPY_BUFFER);
    return way_fill (way, straight);
  }
  if (n > 0 && !*straight)
    way->in_middle = n;
  return n;
}

static gssize
way_drain (Way *way)
{
  if (way->filled > 0) {
    gssize n = write (*way->to, way->buffer + way->start, way->filled);
    if (n > 0) {
      way->start += n;
      way->filled -= n;
    }
    return n;
  }
  gssize n = splice (way->middle[0], NULL, *way->to, NULL, way->in_middle,
                     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n > 0)
    way->in_middle -= n;
  return n;
}

static void
way_count (Way *way, gssize n)
{
  if (way->bytes != NULL)
    __atomic_add_fetch (way->bytes, (guint64)n, __ATOMIC_RELAXED);
}

/* Moves what is in the middle on. FALSE if the sink is gone or we are to stop. */
static gboolean
way_flush (Way *way, int stop)
{
  while (way->filled > 0 || way->in_middle > 0) {
    gssize n = way_drain (way);
    if (n > 0)
      way_count (way, n);
    else if (n == 0 || !would_block () || !way_wait (way, FALSE, stop))
      return FALSE;
  }
  return TRUE;
}

static void
way_run (Way *way, int stop)
{
  gboolean full = FALSE; /* the last try met a full sink, not an empty source */
  while (way_wait (way, !full, stop)) {
    gboolean straight;
    gssize n = way_fill (way, &straight);
    if (n == 0 || (n < 0 && !would_block ()))
      return;
    /* We only come here when the source has bytes or the sink has room, so a refusal of one
     * means that the other is to be waited for. */
    full = n < 0 ? !full && straight : FALSE;
    if (n > 0 && straight)
      way_count (way, n);
    if (n > 0 && !straight && !way_flush (way, stop))
      return;
  }
}

/* Passes the end on. A socket can be closed for one direction; of a pipe it is the whole. */
static void
way_half_close (Way *way)
{
  if (shutdown (*way->to, SHUT_WR) == 0 || errno != ENOTSOCK)
    return;
  if (*way->to != way->to_in) {
    close (*way->to);
    *way->to = -1;
  }
}

static gpointer
way_thread (gpointer user_data)
{
  Way *way = user_data;
  GPollFD stop = {.fd = -1};
  gboolean stoppable = g_cancellable_make_pollfd (way->cancellable, &stop);
  way_run (way, stop.fd);
  way_half_close (way);
  if (stoppable)
    g_cancellable_release_fd (way->cancellable);
  return NULL;
}

static void
way_init (Way *way, GodwitStream *from, GodwitStream *to)
{
  way->from = from->in;
  way->to = &to->out;
  way->to_in = to->in;
  way->middle[0] = way->middle[1] = -1;
  gboolean pipes = FALSE;
  const int ends[] = {from->in, to->out};
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    if (!godwit_fd_is_pipe (ends[i]))
      continue;
    /* A pipe as the kernel makes it is full after 64 KiB, and each time wakes both its ends. But
     * what is in it when a guest is frozen is downtime, so it is not made much bigger. */
    fcntl (ends[i], F_SETPIPE_SZ, PIPE_SIZE);
    pipes = TRUE;
  }
  if (way->watch != NULL) {
    way->buffer = g_malloc (COPY_BUFFER);
    return;
  }
  if (pipes)
    return;
  if (pipe2 (way->middle, O_CLOEXEC | O_NONBLOCK) == 0)
    fcntl (way->middle[1], F_SETPIPE_SZ, CHUNK);
  else
    way->buffer = g_malloc (COPY_BUFFER);
}

static void
way_clear (Way *way)
{
  for (int i = 0; i < 2; i++)
    if (way->middle[i] >= 0)
      close (way->middle[i]);
  g_free (way->buffer);
}

void
godwit_pump_run (GodwitStream *a, GodwitStream *b, guint64 *bytes, GCancellable *cancellable)
{
  godwit_pump_run_watched (a, b, bytes, NULL, NULL, cancellable);
}

void
godwit_pump_run_watched (GodwitStream *a, GodwitStream *b, guint64 *bytes, GodwitPumpWatch watch,
                         gpointer user_data, GCancellable *cancellable)
{
  godwit_fd_prepare (a->in);
  godwit_fd_prepare (a->out);
  godwit_fd_prepare (b->in);
  godwit_fd_prepare (b->out);
  Way forth = {.bytes = bytes, .watch = watch, .watch_data = user_data, .cancellable = cancellable};
  Way back = forth;
  back.back = TRUE;
  way_init (&forth, a, b);
  way_init (&back, b, a);
  GThread *thread = g_thread_new ("godwit-pump", way_thread, &back);
  way_thread (&forth);
  g_thread_join (thread);
  way_clear (&forth);
  way_clear (&back);
}
