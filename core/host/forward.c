/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/forward.h"

#include "channel/fd.h"
#include "channel/pump.h"

#include <godwit/error.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct _GodwitForward {
  GodwitHost *host; /* which owns us */
  char *remote_path;
  char *path;
  int listener;
  guint offer;
  char *token;
  GCancellable *stop;
  GThread *thread;
  GMutex lock;
  GCond changed;
  guint connections;
};

typedef struct {
  GodwitForward *forward;
  int socket;
} Connection;

static gpointer
run_connection (gpointer user_data)
{
  g_autofree Connection *connection = user_data;
  GodwitForward *self = connection->forward;
  g_autoptr (GError) error = NULL;
  GodwitStream local = {connection->socket, connection->socket};
  g_autoptr (GodwitChannel) channel =
      godwit_host_open_channel (self->host, self->token, 0, self->stop, &error);
  if (channel != NULL) {
    GodwitStream remote = godwit_channel_steal_stream (channel);
    godwit_pump_run (&local, &remote, NULL, self->stop);
    godwit_stream_close (&remote);
  } else if (!godwit_error_is_cancelled (error)) {
    g_warning ("%s", error->message);
  }
  godwit_stream_close (&local);
  g_clear_pointer (&channel, godwit_channel_free);
  g_mutex_lock (&self->lock);
  self->connections--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static gpointer
run_forward (gpointer user_data)
{
  GodwitForward *self = user_data;
  while (godwit_fd_wait (self->listener, POLLIN, -1, self->stop, NULL)) {
    int fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
      continue;
    Connection *connection = g_new (Connection, 1);
    *connection = (Connection){.forward = self, .socket = fd};
    g_mutex_lock (&self->lock);
    self->connections++;
    g_mutex_unlock (&self->lock);
    g_thread_unref (g_thread_new ("godwit-forward", run_connection, connection));
  }
  g_mutex_lock (&self->lock);
  while (self->connections > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static gboolean
listen_here (GodwitForward *self, GError **error)
{
  static gint serial;
  g_autofree char *name = g_strdup_printf ("f%d", g_atomic_int_add (&serial, 1));
  self->path = g_build_filename (self->host->session, name, NULL);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (g_strlcpy (address.sun_path, self->path, sizeof address.sun_path) >=
      sizeof address.sun_path) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, "set GODWIT_RUNTIME_DIR to a shorter path",
                      "%s is too long for the name of a socket", self->path);
    return FALSE;
  }
  unlink (self->path);
  self->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (self->listener < 0 ||
      bind (self->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      chmod (self->path, 0600) != 0 || listen (self->listener, 16) != 0) {
    godwit_set_error (error, GODWIT_ERROR_UNAVAILABLE, NULL, "cannot listen at %s: %s", self->path,
                      g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

GodwitForward *
godwit_forward_new (GodwitHost *host, const char *remote_path, GCancellable *cancellable,
                    GError **error)
{
  GodwitForward *self = g_new0 (GodwitForward, 1);
  self->host = host;
  self->remote_path = g_strdup (remote_path);
  self->listener = -1;
  self->stop = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->token =
      godwit_host_offer_connect (host, remote_path, 0, NULL, &self->offer, cancellable, error);
  if (self->token == NULL || !listen_here (self, error)) {
    godwit_forward_free (self);
    return NULL;
  }
  self->thread = g_thread_new ("godwit-forward", run_forward, self);
  return self;
}

const char *
godwit_forward_get_path (GodwitForward *self)
{
  return self->path;
}

const char *
godwit_forward_get_remote_path (GodwitForward *self)
{
  return self->remote_path;
}

void
godwit_forward_free (GodwitForward *self)
{
  g_cancellable_cancel (self->stop);
  g_clear_pointer (&self->thread, g_thread_join);
  godwit_host_cancel (self->host, self->offer);
  if (self->listener >= 0) {
    close (self->listener);
    unlink (self->path);
  }
  g_object_unref (self->stop);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->token);
  g_free (self->path);
  g_free (self->remote_path);
  g_free (self);
}
