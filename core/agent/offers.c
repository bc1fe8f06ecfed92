/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/offers.h"

#include "base/paths.h"
#include "channel/channel.h"
#include "channel/fd.h"

#include <godwit/error.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_LENGTH  12
#define TOKEN_LENGTH (NAME_LENGTH + 1 + 32)
#define HAND_OVER_MS 5000

struct _GodwitOffers {
  GMutex lock;
  GCond changed;
  GHashTable *table; /* token -> Offer */
  char *name;
  char *path;
  int listener;
  GCancellable *stop;
  GThread *thread;
};

typedef struct {
  GodwitOffers *offers;
  char *token;
  GodwitOfferFunc func;
  gpointer data;
  gboolean single_use;
  gboolean used;
  guint busy; /* channels that run */
  GCancellable *cancellable;
} Offer;

static void
offer_free (gpointer data)
{
  Offer *offer = data;
  g_free (offer->token);
  g_clear_object (&offer->cancellable);
  g_free (offer);
}

typedef struct {
  Offer *offer;
  GodwitStream stream;
  int link;
} Taken;

static gpointer
run_taken (gpointer user_data)
{
  g_autofree Taken *taken = user_data;
  Offer *offer = taken->offer;
  GodwitOffers *self = offer->offers;
  offer->func (&taken->stream, offer->data, offer->cancellable);
  godwit_stream_close (&taken->stream);
  close (taken->link);
  g_mutex_lock (&self->lock);
  offer->busy--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
refuse (GodwitStream *stream, GodwitErrorCode code, const char *text)
{
  g_autoptr (GError) failure = NULL;
  godwit_set_error (&failure, code, NULL, "%s", text);
  godwit_channel_send_answer (stream->out, failure, godwit_deadline_in_ms (1000), NULL);
  godwit_stream_close (stream);
}

static void
take_up (GodwitOffers *self, const char *token, GodwitStream stream, int link)
{
  g_mutex_lock (&self->lock);
  Offer *offer = g_hash_table_lookup (self->table, token);
  if (offer != NULL &&
      (g_cancellable_is_cancelled (offer->cancellable) || (offer->single_use && offer->used)))
    offer = NULL;
  if (offer != NULL) {
    offer->used = TRUE;
    offer->busy++;
  }
  g_mutex_unlock (&self->lock);
  if (offer == NULL) {
    refuse (&stream, GODWIT_ERROR_NOT_FOUND, "this channel's token is not known (any more)");
    close (link);
    return;
  }
  Taken *taken = g_new (Taken, 1);
  *taken = (Taken){.offer = offer, .stream = stream, .link = link};
  g_thread_unref (g_thread_new ("godwit-channel", run_taken, taken));
}

/* The token with the two descriptors. */
static gboolean
receive_stream (int link, char token[TOKEN_LENGTH + 1], GodwitStream *stream)
{
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (2 * sizeof (int))];
  } control;
  struct iovec part = {token, TOKEN_LENGTH};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  gssize n = recvmsg (link, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR (&message) : NULL;
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return FALSE;
  int fds[2] = {-1, -1};
  guint count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
  memcpy (fds, CMSG_DATA (header), MIN (count, 2) * sizeof (int));
  *stream = (GodwitStream){fds[0], fds[1]};
  token[n] = '\0';
  if (count == 2 && n == TOKEN_LENGTH)
    return TRUE;
  godwit_stream_close (stream);
  return FALSE;
}

static gboolean
is_same_user (int link)
{
  struct ucred peer;
  socklen_t length = sizeof peer;
  return getsockopt (link, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid ();
}

static gpointer
run_offers (gpointer user_data)
{
  GodwitOffers *self = user_data;
  while (godwit_fd_wait (self->listener, POLLIN, -1, self->stop, NULL)) {
    int link = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC);
    char token[TOKEN_LENGTH + 1];
    GodwitStream stream;
    if (link < 0)
      continue;
    if (is_same_user (link) &&
        godwit_fd_wait (link, POLLIN, godwit_deadline_in_ms (HAND_OVER_MS), self->stop, NULL) &&
        receive_stream (link, token, &stream))
      take_up (self, token, stream, link);
    else
      close (link);
  }
  return NULL;
}

static gboolean
fill_address (struct sockaddr_un *address, const char *path, GError **error)
{
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (g_strlcpy (address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CONFIG, "set GODWIT_RUNTIME_DIR to a shorter path",
                    "%s is too long for the name of a socket", path);
  return FALSE;
}

static char *
agents_dir (void)
{
  return g_build_filename (godwit_paths_get_runtime_dir (), "agents", NULL);
}

#define LOCK_TRIES    100
#define LOCK_PAUSE_US 10000

/* Between its making and its first listening a socket looks like one of an agent that was killed.
 * Closing it is the end of the lock; -1 if there is none. */
static int
lock_agents (const char *directory)
{
  int lock = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  /* Whoever has it may have been stopped, and ending him is the work of an agent that is started.
   */
  for (guint i = 0; lock >= 0 && i < LOCK_TRIES; i++) {
    if (flock (lock, LOCK_EX | LOCK_NB) == 0)
      return lock;
    g_usleep (LOCK_PAUSE_US);
  }
  if (lock >= 0)
    close (lock);
  return -1;
}

/* An agent that was killed leaves its socket; nobody listens there. Called with the lock held. */
static void
sweep_dead_sockets (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    struct sockaddr_un address;
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && fill_address (&address, path, NULL) &&
        connect (fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED)
      unlink (path);
    if (fd >= 0)
      close (fd);
  }
}

void
godwit_offers_sweep (void)
{
  g_autofree char *directory = agents_dir ();
  int lock = lock_agents (directory);
  if (lock < 0)
    return;
  sweep_dead_sockets (directory);
  close (lock);
}

static int
listen_at (const char *directory, const char *path, GError **error)
{
  struct sockaddr_un address;
  if (!fill_address (&address, path, error))
    return -1;
  int lock = lock_agents (directory);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind (fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen (fd, 64) != 0) {
    godwit_set_errno (error, errno, "listen at", path);
    if (fd >= 0)
      close (fd);
    fd = -1;
  }
  if (lock >= 0)
    close (lock);
  return fd;
}

GodwitOffers *
godwit_offers_new (GError **error)
{
  g_autofree char *directory = agents_dir ();
  if (!godwit_paths_make_dir (godwit_paths_get_runtime_dir (), 0755, error) ||
      !godwit_paths_make_dir (directory, 0700, error))
    return NULL;
  godwit_offers_sweep ();
  /* Relative paths in the arguments of programs lead to nothing there, and no file system of
   * the caller's choice is kept busy. */
  if (chdir (directory) != 0) {
    godwit_set_errno (error, errno, "change to", directory);
    return NULL;
  }
  g_autofree char *random = godwit_random_token ();
  g_autofree char *name = g_strndup (random, NAME_LENGTH);
  g_autofree char *path = g_build_filename (directory, name, NULL);
  int fd = listen_at (directory, path, error);
  if (fd < 0)
    return NULL;
  GodwitOffers *self = g_new0 (GodwitOffers, 1);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, offer_free);
  self->name = g_steal_pointer (&name);
  self->path = g_steal_pointer (&path);
  self->listener = fd;
  self->stop = g_cancellable_new ();
  self->thread = g_thread_new ("godwit-offers", run_offers, self);
  return self;
}

void
godwit_offers_stop (GodwitOffers *self)
{
  unlink (self->path);
  /* This may be the last agent here for a long time, and it may have ended others itself. */
  godwit_offers_sweep ();
  g_cancellable_cancel (self->stop);
  g_thread_join (self->thread);
  close (self->listener);
}

char *
godwit_offers_add (GodwitOffers *self, GodwitOfferFunc func, gpointer data, gboolean single_use,
                   GCancellable *cancellable)
{
  g_autofree char *secret = godwit_random_token ();
  Offer *offer = g_new0 (Offer, 1);
  offer->offers = self;
  offer->token = g_strdup_printf ("%s.%s", self->name, secret);
  offer->func = func;
  offer->data = data;
  offer->single_use = single_use;
  offer->cancellable = g_object_ref (cancellable);
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->table, offer->token, offer);
  g_mutex_unlock (&self->lock);
  return g_strdup (offer->token);
}

void
godwit_offers_withdraw (GodwitOffers *self, const char *token)
{
  g_mutex_lock (&self->lock);
  Offer *offer = g_hash_table_lookup (self->table, token);
  if (offer != NULL) {
    offer->single_use = offer->used = TRUE;
    while (offer->busy > 0)
      g_cond_wait (&self->changed, &self->lock);
    g_hash_table_remove (self->table, token);
  }
  g_mutex_unlock (&self->lock);
}

/* --- in the channel process ----------------------------------------------------------------- */

static gboolean
send_streams (int link, const char *token)
{
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (2 * sizeof (int))];
  } control = {0};
  int fds[2] = {STDIN_FILENO, STDOUT_FILENO};
  struct iovec part = {(char *)token, TOKEN_LENGTH};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN (sizeof fds);
  memcpy (CMSG_DATA (&control.header), fds, sizeof fds);
  return sendmsg (link, &message, MSG_NOSIGNAL) == TOKEN_LENGTH;
}

/* The agent must see the end of the stream when it closes it, so we keep no copy. */
static void
let_go_of_streams (void)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  dup2 (null, STDIN_FILENO);
  dup2 (null, STDOUT_FILENO);
  close (null);
}

gboolean
godwit_offer_take_up (const char *token, GError **error)
{
  const char *hex = "0123456789abcdef";
  if (strlen (token) != TOKEN_LENGTH || strspn (token, hex) != NAME_LENGTH ||
      token[NAME_LENGTH] != '.' ||
      strspn (token + NAME_LENGTH + 1, hex) != TOKEN_LENGTH - NAME_LENGTH - 1) {
    godwit_set_error (error, GODWIT_ERROR_DENIED, NULL, "this is not the token of a channel");
    return FALSE;
  }
  g_autofree char *directory = agents_dir ();
  g_autofree char *name = g_strndup (token, NAME_LENGTH);
  g_autofree char *path = g_build_filename (directory, name, NULL);
  struct sockaddr_un address;
  if (!fill_address (&address, path, error))
    return FALSE;
  int link = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (link < 0 || connect (link, (struct sockaddr *)&address, sizeof address) != 0 ||
      !is_same_user (link) || !send_streams (link, token)) {
    godwit_set_error (error, GODWIT_ERROR_NOT_FOUND,
                      "let channels run as the same user as the agent, with the same "
                      "GODWIT_RUNTIME_DIR",
                      "the agent that gave this channel's token out is not here: %s",
                      g_strerror (errno));
    if (link >= 0)
      close (link);
    return FALSE;
  }
  let_go_of_streams ();
  char nothing;
  while (read (link, &nothing, 1) < 0 && errno == EINTR)
    ;
  close (link);
  return TRUE;
}
