/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/listen.h"

#include "agent/dial.h"
#include "channel/fd.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
  GodwitAgent *agent;
  GodwitDialer *dialer;
  char *path;
  char *name;
  int parent;
  int listener;
  dev_t device;
  ino_t inode;
  guint64 bytes; /* atomic */
  GMutex lock;
  GCond changed;
  guint connections;
  guint accepted;
  char *last_error;
} Listen;

typedef struct {
  Listen *listen;
  GodwitTask *task;
  int socket;
} Connection;

static void
listen_free (gpointer data)
{
  Listen *self = data;
  g_clear_pointer (&self->dialer, godwit_dialer_free);
  if (self->listener >= 0)
    close (self->listener);
  if (self->parent >= 0)
    close (self->parent);
  g_free (self->path);
  g_free (self->name);
  g_free (self->last_error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static void
note_error (Listen *self, const char *text)
{
  g_mutex_lock (&self->lock);
  g_free (self->last_error);
  self->last_error = g_strdup (text);
  g_mutex_unlock (&self->lock);
}

static gpointer
run_connection (gpointer user_data)
{
  g_autofree Connection *connection = user_data;
  Listen *self = connection->listen;
  GCancellable *cancellable = godwit_task_get_cancellable (connection->task);
  g_autoptr (GError) error = NULL;
  GodwitStream socket = {connection->socket, connection->socket};
  GodwitCall *call = godwit_dialer_call (self->dialer, connection->task, cancellable, &error);
  if (call != NULL) {
    godwit_pump_run (&socket, godwit_call_get_stream (call), &self->bytes, cancellable);
    godwit_stream_close (&socket);
    godwit_stream_close (godwit_call_get_stream (call));
    if (!g_cancellable_is_cancelled (cancellable)) {
      g_autofree char *errors = godwit_call_dup_errors (call);
      if (*errors != '\0')
        note_error (self, errors);
    }
    godwit_call_end (call);
  } else {
    note_error (self, error->message);
  }
  godwit_stream_close (&socket);
  g_mutex_lock (&self->lock);
  self->connections--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
accept_connection (Listen *self, GodwitTask *task)
{
  int fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return;
  Connection *connection = g_new (Connection, 1);
  *connection = (Connection){.listen = self, .task = task, .socket = fd};
  g_mutex_lock (&self->lock);
  self->connections++;
  self->accepted++;
  g_mutex_unlock (&self->lock);
  g_thread_unref (g_thread_new ("godwit-tunnel", run_connection, connection));
}

static void
remove_socket (Listen *self)
{
  struct stat status;
  if (fstatat (self->parent, self->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      status.st_dev == self->device && status.st_ino == self->inode)
    unlinkat (self->parent, self->name, 0);
}

static GVariant *
run_listen (GodwitTask *task, gpointer data, GError **error)
{
  Listen *self = data;
  while (godwit_fd_wait (self->listener, POLLIN, -1, godwit_task_get_cancellable (task), NULL))
    accept_connection (self, task);
  remove_socket (self);
  g_mutex_lock (&self->lock);
  while (self->connections > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "the tunnel was closed");
  return NULL;
}

static GVariant *
describe_listen (gpointer data)
{
  Listen *self = data;
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "bytes", "t", __atomic_load_n (&self->bytes, __ATOMIC_RELAXED));
  g_mutex_lock (&self->lock);
  g_variant_dict_insert (&dict, "connections", "u", self->connections);
  g_variant_dict_insert (&dict, "accepted", "u", self->accepted);
  if (self->last_error != NULL)
    g_variant_dict_insert (&dict, "last-error", "s", self->last_error);
  g_mutex_unlock (&self->lock);
  godwit_dialer_describe (self->dialer, &dict);
  return g_variant_dict_end (&dict);
}

/* A socket that nobody listens at any more is what a killed agent leaves. */
static gboolean
clear_dead_socket (Listen *self, struct sockaddr_un *address)
{
  struct stat status;
  if (fstatat (self->parent, self->name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISSOCK (status.st_mode))
    return FALSE;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean dead = fd >= 0 && connect (fd, (struct sockaddr *)address, sizeof *address) != 0 &&
                  errno == ECONNREFUSED;
  if (fd >= 0)
    close (fd);
  return dead && unlinkat (self->parent, self->name, 0) == 0;
}

static gboolean
bind_socket (Listen *self, guint32 mode, GError **error)
{
  self->parent = godwit_policy_open_parent (self->agent->policy, self->path, &self->name, error);
  if (self->parent < 0)
    return FALSE;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
                           self->parent, self->name);
  if (length >= (int)sizeof address.sun_path) {
    godwit_set_error (error, GODWIT_ERROR_CONFIG, NULL, "%s is too long for the name of a socket",
                      self->path);
    return FALSE;
  }
  self->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int bound = bind (self->listener, (struct sockaddr *)&address, sizeof address);
  if (bound != 0 && errno == EADDRINUSE && clear_dead_socket (self, &address))
    bound = bind (self->listener, (struct sockaddr *)&address, sizeof address);
  struct stat status;
  if (bound != 0 || fchmodat (self->parent, self->name, mode & 0777, 0) != 0 ||
      listen (self->listener, 64) != 0 ||
      fstatat (self->parent, self->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    godwit_set_errno (error, errno == EADDRINUSE ? EEXIST : errno, "listen at", self->path);
    return FALSE;
  }
  self->device = status.st_dev;
  self->inode = status.st_ino;
  return TRUE;
}

guint
godwit_agent_start_listen (GodwitAgent *self, GVariant *options, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_listen,
                                        .describe = describe_listen,
                                        .free_data = listen_free};
  const char *path = "";
  guint32 mode = 0600;
  g_variant_lookup (options, "path", "&s", &path);
  g_variant_lookup (options, "mode", "u", &mode);
  Listen *tunnel = g_new0 (Listen, 1);
  tunnel->agent = self;
  tunnel->path = g_strdup (path);
  tunnel->parent = tunnel->listener = -1;
  g_mutex_init (&tunnel->lock);
  g_cond_init (&tunnel->changed);
  tunnel->dialer = godwit_dialer_new (self, options, error);
  if (tunnel->dialer != NULL && bind_socket (tunnel, mode, error))
    return godwit_tasks_start (self->tasks, &klass, tunnel, NULL);
  listen_free (tunnel);
  return 0;
}
