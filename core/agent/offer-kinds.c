/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/offers.h"
#include "channel/channel.h"
#include "channel/fd.h"
#include "transfer/engine.h"
#include "verify/task.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS    20
#define WAIT_MAX_MS 600000

/* Connects by the descriptor, so that the path is resolved once, by the policy, and may be
 * longer than a socket's name may be. */
static int
connect_beneath (GodwitPolicy *policy, const char *path, GError **error)
{
  int place = godwit_policy_open (policy, path, O_PATH, error);
  if (place < 0)
    return -1;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", place);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int number = 0;
  if (fd < 0 || connect (fd, (struct sockaddr *)&address, sizeof address) != 0)
    number = errno;
  close (place);
  if (number == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  if (number == ECONNREFUSED || number == EAGAIN)
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND, NULL, "nobody listens at %s", path);
  else
    godwit_set_errno (error, number, "connect to", path);
  return -1;
}

int
godwit_agent_connect_socket (GodwitPolicy *policy, const char *path, guint wait_ms,
                             GCancellable *cancellable, GError **error)
{
  gint64 deadline = godwit_deadline_in_ms (wait_ms);
  while (TRUE) {
    g_autoptr (GError) local = NULL;
    int fd = connect_beneath (policy, path, &local);
    if (fd >= 0)
      return fd;
    /* It is not there yet: whoever makes it is still starting. */
    if (!g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND) ||
        g_get_monotonic_time () >= deadline || g_cancellable_is_cancelled (cancellable)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return -1;
    }
    g_usleep (RETRY_MS * 1000);
  }
}

typedef struct {
  GodwitAgent *agent;
  char *token;
  char *path;
  guint wait_ms;
  GodwitTap *tap; /* NULL: nobody wants to know what goes through */
  char *after;    /* socket of a tap that is to be read first; NULL for none */
  guint64 rest;   /* bytes of it that may be left to read */
  guint64 bytes;  /* atomic */
  gint connections;
} Connect;

static void
connect_free (gpointer data)
{
  Connect *offer = data;
  if (offer->tap != NULL)
    godwit_taps_remove (offer->agent->taps, offer->path, offer->tap);
  godwit_tap_unref (offer->tap);
  g_free (offer->token);
  g_free (offer->path);
  g_free (offer->after);
  g_free (offer);
}

static void
tell_tap (gboolean from_server, const void *data, gsize length, gpointer stream)
{
  godwit_tap_stream_feed (stream, from_server, data, length);
}

static void
carry (Connect *offer, GodwitStream *stream, GodwitStream *socket, GCancellable *cancellable)
{
  if (offer->tap == NULL) {
    godwit_pump_run (stream, socket, &offer->bytes, cancellable);
    return;
  }
  g_autoptr (GodwitTapStream) tap = godwit_tap_stream_new (offer->tap);
  godwit_pump_run_watched (stream, socket, &offer->bytes, tell_tap, tap, cancellable);
}

/* Who comes to this socket comes when the disks are in step; what it brings waits until most of
 * them has been read, or else the rest would be read while the guest stands still. */
static void
wait_for_disks (Connect *offer, GCancellable *cancellable)
{
  g_autoptr (GodwitTap) tap =
      offer->after != NULL ? godwit_taps_find (offer->agent->taps, offer->after) : NULL;

  if (tap == NULL)
    return;
  godwit_tap_set_in_step (tap);
  godwit_tap_hold (tap, offer->rest, cancellable);
}

static void
take_connect (GodwitStream *stream, gpointer data, GCancellable *cancellable)
{
  Connect *offer = data;
  g_autoptr (GError) failure = NULL;
  int fd = godwit_agent_connect_socket (offer->agent->policy, offer->path, offer->wait_ms,
                                        cancellable, &failure);
  gboolean answered =
      godwit_channel_send_answer (stream->out, failure, godwit_deadline_in_ms (5000), NULL);
  if (fd < 0)
    return;
  GodwitStream socket = {fd, fd};
  g_atomic_int_inc (&offer->connections);
  if (answered) {
    wait_for_disks (offer, cancellable);
    carry (offer, stream, &socket, cancellable);
  }
  g_atomic_int_add (&offer->connections, -1);
  godwit_stream_close (&socket);
}

static GVariant *
describe_connect (gpointer data)
{
  Connect *offer = data;
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "bytes", "t", __atomic_load_n (&offer->bytes, __ATOMIC_RELAXED));
  g_variant_dict_insert (&dict, "connections", "u",
                         (guint32)g_atomic_int_get (&offer->connections));
  return g_variant_dict_end (&dict);
}

static void
wait_cancelled (GCancellable *cancellable)
{
  godwit_fd_wait (-1, 0, -1, cancellable, NULL);
}

static GVariant *
run_connect (GodwitTask *task, gpointer data, GError **error)
{
  Connect *offer = data;
  wait_cancelled (godwit_task_get_cancellable (task));
  godwit_offers_withdraw (offer->agent->offers, offer->token);
  godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "the offer was withdrawn");
  return NULL;
}

guint
godwit_agent_offer (GodwitAgent *self, GVariant *options, char **token, GError **error)
{
  static const GodwitTaskClass connect_class = {.run = run_connect,
                                                .describe = describe_connect,
                                                .free_data = connect_free};
  const char *kind = "";
  const char *path = "";
  guint32 wait = 0;
  gboolean tap = FALSE;
  g_variant_lookup (options, "kind", "&s", &kind);
  g_variant_lookup (options, "path", "&s", &path);
  g_variant_lookup (options, "wait", "u", &wait);
  g_variant_lookup (options, "tap", "b", &tap);
  if (g_str_equal (kind, "receive"))
    return godwit_agent_offer_receive (self, options, token, error);
  if (!g_str_equal (kind, "connect")) {
    godwit_set_error (error, GODWIT_ERROR_NOT_SUPPORTED, "upgrade the older godwit of the two",
                      "the agent knows no offer of the kind '%s'", kind);
    return 0;
  }
  /* Outside of what is allowed is refused now and not when the channel comes. */
  g_autoptr (GError) local = NULL;
  int probe = godwit_policy_open (self->policy, path, O_PATH, &local);
  if (probe >= 0)
    close (probe);
  else if (!g_error_matches (local, GODWIT_ERROR, GODWIT_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return 0;
  }
  Connect *offer = g_new0 (Connect, 1);
  offer->agent = self;
  offer->path = g_strdup (path);
  offer->wait_ms = MIN (wait, WAIT_MAX_MS);
  g_variant_lookup (options, "after", "s", &offer->after);
  g_variant_lookup (options, "rest", "t", &offer->rest);
  if (tap) {
    offer->tap = godwit_tap_new ();
    godwit_taps_add (self->taps, path, offer->tap);
  }
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  offer->token = godwit_offers_add (self->offers, take_connect, offer, FALSE, cancellable);
  *token = g_strdup (offer->token);
  return godwit_tasks_start (self->tasks, &connect_class, offer, cancellable);
}
