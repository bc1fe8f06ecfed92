/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/dial.h"

#include "agent/offers.h"
#include "base/paths.h"
#include "channel/channel.h"
#include "channel/fd.h"

#include <godwit/error.h>

#include <string.h>
#include <sys/stat.h>

#define PAIRS_DIR  "/etc/godwit/pairs"
#define CONNECT_MS 30000
#define ATTACH_MS  30000

struct _GodwitDialer {
  GodwitAgent *agent;
  gboolean relay;
  GStrv command;
  char *host;
  char *token;
  guint wait_ms;
  GMutex lock;
  GPtrArray *pending;
};

struct _GodwitCall {
  GodwitDialer *dialer;
  GodwitChannel *channel; /* the direct way */
  GodwitStream stream;
  /* The relayed way: the offer's thread waits in `attach` until the call has ended. */
  char *token;
  GMutex lock;
  GCond changed;
  gboolean attached;
  gboolean ended;
};

/* --- which commands are allowed ------------------------------------------------------------- */

static gboolean
is_trusted_file (const char *path)
{
  struct stat status;
  return lstat (path, &status) == 0 && S_ISREG (status.st_mode) &&
         (status.st_uid == 0 || status.st_uid == geteuid ()) &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static gboolean
is_in_directory (const char *path, const char *wanted)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_autofree char *contents = NULL;
    if (is_trusted_file (file) && g_file_get_contents (file, &contents, NULL, NULL) &&
        g_str_equal (g_strchomp (contents), wanted))
      return TRUE;
  }
  return FALSE;
}

/* A fixed place, because whoever pairs from afar cannot know where this host's godwit has its
 * configuration; and the one beside that configuration. */
static gboolean
is_paired_command (const char *const *command)
{
  g_autofree char *base = g_path_get_dirname (godwit_paths_get_config_file ());
  g_autofree char *beside = g_build_filename (base, "pairs", NULL);
  g_autofree char *wanted = g_strjoinv ("\n", (char **)command);
  return is_in_directory (PAIRS_DIR, wanted) || is_in_directory (beside, wanted);
}

gboolean
godwit_dialer_allows (GodwitAgent *agent, const char *const *command)
{
  /* Words are compared line by line. */
  for (gsize i = 0; command[i] != NULL; i++)
    if (strchr (command[i], '\n') != NULL)
      return FALSE;
  return command[0] != NULL && (agent->any_channel || is_paired_command (command));
}

static gboolean
check_command (GodwitDialer *self, GError **error)
{
  if (self->command == NULL || self->token == NULL) {
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "no way to reach %s was given",
                      self->host);
    return FALSE;
  }
  if (godwit_dialer_allows (self->agent, (const char *const *)self->command))
    return TRUE;
  g_autofree char *remedy = g_strdup_printf ("godwit hosts pair THIS-HOST %s", self->host);
  godwit_set_error (error, GODWIT_ERROR_DENIED, remedy,
                    "this host is not set up to open channels to %s itself", self->host);
  return FALSE;
}

GodwitDialer *
godwit_dialer_new (GodwitAgent *agent, GVariant *options, GError **error)
{
  GodwitDialer *self = g_new0 (GodwitDialer, 1);
  self->agent = agent;
  g_mutex_init (&self->lock);
  self->pending = g_ptr_array_new_with_free_func (g_free);
  g_variant_lookup (options, "relay", "b", &self->relay);
  g_variant_lookup (options, "command", "^as", &self->command);
  g_variant_lookup (options, "token", "s", &self->token);
  g_variant_lookup (options, "wait", "u", &self->wait_ms);
  if (!g_variant_lookup (options, "host", "s", &self->host))
    self->host = g_strdup ("the other host");
  if (self->relay || check_command (self, error))
    return self;
  godwit_dialer_free (self);
  return NULL;
}

const char *
godwit_dialer_get_host (GodwitDialer *self)
{
  return self->host;
}

void
godwit_dialer_free (GodwitDialer *self)
{
  if (self == NULL)
    return;
  g_strfreev (self->command);
  g_free (self->host);
  g_free (self->token);
  g_ptr_array_unref (self->pending);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
godwit_dialer_describe (GodwitDialer *self, GVariantDict *dict)
{
  g_mutex_lock (&self->lock);
  g_variant_dict_insert_value (dict, "pending",
                               g_variant_new_strv ((const char *const *)self->pending->pdata,
                                                   self->pending->len));
  g_ptr_array_set_size (self->pending, 0);
  g_mutex_unlock (&self->lock);
}

/* --- calls ---------------------------------------------------------------------------------- */

/* The controller has brought a channel. It is ours until the call ends. */
static void
attach (GodwitStream *stream, gpointer data, G_GNUC_UNUSED GCancellable *cancellable)
{
  GodwitCall *call = data;
  if (!godwit_channel_send_answer (stream->out, NULL, godwit_deadline_in_ms (5000), NULL))
    return;
  g_mutex_lock (&call->lock);
  if (!call->ended) {
    call->stream = *stream;
    *stream = GODWIT_STREAM_NONE;
    call->attached = TRUE;
    g_cond_broadcast (&call->changed);
    while (!call->ended)
      g_cond_wait (&call->changed, &call->lock);
  }
  g_mutex_unlock (&call->lock);
}

static void
wake (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  GodwitCall *call = data;
  g_mutex_lock (&call->lock);
  g_cond_broadcast (&call->changed);
  g_mutex_unlock (&call->lock);
}

static gboolean
wait_attached (GodwitCall *call, GCancellable *cancellable)
{
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (wake), call, NULL);
  gint64 deadline = godwit_deadline_in_ms (ATTACH_MS);
  g_mutex_lock (&call->lock);
  while (!call->attached && !g_cancellable_is_cancelled (cancellable) &&
         g_cond_wait_until (&call->changed, &call->lock, deadline))
    ;
  gboolean attached = call->attached;
  g_mutex_unlock (&call->lock);
  g_cancellable_disconnect (cancellable, handler);
  return attached;
}

static gboolean
call_relayed (GodwitCall *call, GodwitTask *task, GCancellable *cancellable, GError **error)
{
  GodwitDialer *self = call->dialer;
  call->token = godwit_offers_add (self->agent->offers, attach, call, TRUE, cancellable);
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->pending, g_strdup (call->token));
  g_mutex_unlock (&self->lock);
  godwit_task_notify (task);
  if (wait_attached (call, cancellable))
    return TRUE;
  if (g_cancellable_is_cancelled (cancellable))
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "cancelled");
  else
    godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL,
                      "the controller brought no channel to %s within %d s", self->host,
                      ATTACH_MS / 1000);
  return FALSE;
}

static gboolean
call_directly (GodwitCall *call, GCancellable *cancellable, GError **error)
{
  GodwitDialer *self = call->dialer;
  GodwitChannelOptions options = {.host = self->host,
                                  .argv = (const char *const *)self->command,
                                  .token = self->token,
                                  .connect_ms = CONNECT_MS,
                                  .offer_ms = self->wait_ms + 5000};
  call->channel = godwit_channel_open (&options, cancellable, error);
  if (call->channel == NULL)
    return FALSE;
  call->stream = godwit_channel_steal_stream (call->channel);
  return TRUE;
}

GodwitCall *
godwit_dialer_call (GodwitDialer *self, GodwitTask *task, GCancellable *cancellable, GError **error)
{
  GodwitCall *call = g_new0 (GodwitCall, 1);
  call->dialer = self;
  call->stream = GODWIT_STREAM_NONE;
  g_mutex_init (&call->lock);
  g_cond_init (&call->changed);
  gboolean ok = self->relay ? call_relayed (call, task, cancellable, error)
                            : call_directly (call, cancellable, error);
  if (ok)
    return call;
  godwit_call_end (call);
  return NULL;
}

GodwitStream *
godwit_call_get_stream (GodwitCall *self)
{
  return &self->stream;
}

char *
godwit_call_dup_errors (GodwitCall *self)
{
  return self->channel != NULL ? godwit_channel_dup_errors (self->channel, 300) : g_strdup ("");
}

void
godwit_call_end (GodwitCall *self)
{
  if (self == NULL)
    return;
  godwit_stream_close (&self->stream);
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->token != NULL)
    godwit_offers_withdraw (self->dialer->agent->offers, self->token);
  g_clear_pointer (&self->channel, godwit_channel_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->token);
  g_free (self);
}
