/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/offers.h"
#include "channel/channel.h"
#include "channel/fd.h"
#include "transfer/engine.h"
#include "transfer/image.h"
#include "transfer/queue.h"

#include <godwit/error.h>

#include <string.h>

#define QUEUE_DEPTH 6

typedef struct {
  GodwitAgent *agent;
  char *token;
  char *path;
  gboolean nbd;
  GMutex lock;
  GCond changed;
  gboolean ended;
  GError *error; /* the first one */

  GodwitImage *image;
  GodwitStream *stream;
  GodwitQueue *queue;
  GCancellable *cancellable;
  guint64 written; /* atomic */
} Receive;

static void
receive_free (gpointer data)
{
  Receive *self = data;
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->token);
  g_free (self->path);
  g_free (self);
}

/* Takes @error. */
static void
fail (Receive *self, GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&self->lock);
  godwit_queue_close (self->queue);
}

static gboolean
has_failed (Receive *self)
{
  g_mutex_lock (&self->lock);
  gboolean failed = self->error != NULL;
  g_mutex_unlock (&self->lock);
  return failed;
}

/* --- checking and writing ------------------------------------------------------------------- */

static gboolean
write_block (Receive *self, GodwitBlock *block, GError **error)
{
  guint8 hash[GODWIT_HASH_SIZE];
  godwit_hash_block (block->data, block->frame.length, hash);
  if (memcmp (hash, block->frame.hash, GODWIT_HASH_SIZE) != 0) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT,
                      "try again; if it happens again, test the memory "
                      "and the network of both hosts",
                      "the block at byte %" G_GUINT64_FORMAT " of %s was changed on its way",
                      block->frame.number, self->path);
    return FALSE;
  }
  GodwitFrame ack = {.type = GODWIT_FRAME_ACK, .number = block->frame.length};
  if (!godwit_image_write (self->image, block->data, block->frame.number, block->frame.length,
                           error))
    return FALSE;
  __atomic_add_fetch (&self->written, block->frame.length, __ATOMIC_RELAXED);
  return godwit_frame_write (self->stream->out, &ack, NULL, self->cancellable, error);
}

static gpointer
run_writer (gpointer user_data)
{
  Receive *self = user_data;
  GodwitBlock *block;
  while ((block = godwit_queue_pop (self->queue)) != NULL) {
    g_autoptr (GError) error = NULL;
    gboolean ok = write_block (self, block, &error);
    godwit_queue_give_back (self->queue, block);
    if (!ok) {
      fail (self, g_steal_pointer (&error));
      break;
    }
  }
  return NULL;
}

/* --- reading from the channel --------------------------------------------------------------- */

static gboolean
check_block (Receive *self, const GodwitFrame *frame, GError **error)
{
  if (frame->type == GODWIT_FRAME_BLOCK && frame->length <= GODWIT_BLOCK_SIZE &&
      frame->number <= self->image->size && frame->length <= self->image->size - frame->number)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CORRUPT, "try again",
                    "what the sender says of %s makes no sense (type %d, byte %" G_GUINT64_FORMAT
                    ", length %u)",
                    self->path, (int)frame->type, frame->number, frame->length);
  return FALSE;
}

/* Until the sender's END, whose digest is left in @end. */
static gboolean
read_blocks (Receive *self, GodwitFrame *end, GodwitHash *digest, GError **error)
{
  while (TRUE) {
    GodwitFrame frame;
    if (!godwit_frame_read (self->stream->in, &frame, self->cancellable, error))
      return FALSE;
    if (frame.type == GODWIT_FRAME_END) {
      *end = frame;
      return TRUE;
    }
    if (!check_block (self, &frame, error))
      return FALSE;
    GodwitBlock *block = godwit_queue_get_empty (self->queue);
    if (block == NULL)
      return FALSE;
    block->frame = frame;
    if (!godwit_fd_read_all (self->stream->in, block->data, frame.length, -1, self->cancellable,
                             error)) {
      godwit_queue_give_back (self->queue, block);
      return FALSE;
    }
    godwit_hash_add_block (digest, &frame);
    godwit_queue_push (self->queue, block);
  }
}

static gboolean
finish (Receive *self, const GodwitFrame *end, GodwitHash *digest, GError **error)
{
  GodwitFrame done = {.type = GODWIT_FRAME_DONE};
  godwit_hash_finish (digest, done.hash);
  if (memcmp (done.hash, end->hash, GODWIT_HASH_SIZE) != 0) {
    godwit_set_error (error, GODWIT_ERROR_CORRUPT, "try again",
                      "not every block of %s has arrived as it was sent", self->path);
    return FALSE;
  }
  return godwit_image_sync (self->image, error) &&
         godwit_frame_write (self->stream->out, &done, NULL, self->cancellable, error);
}

static gboolean
shake_hands (Receive *self, GError **error)
{
  GodwitFrame hello;
  if (!godwit_frame_read (self->stream->in, &hello, self->cancellable, error))
    return FALSE;
  if (hello.type != GODWIT_FRAME_HELLO || hello.number != GODWIT_FRAME_MAGIC) {
    godwit_set_error (error, GODWIT_ERROR_PEER, "upgrade the older godwit of the two",
                      "the sender of %s speaks another protocol", self->path);
    return FALSE;
  }
  if (!godwit_image_grow (self->image, hello.second, error))
    return FALSE;
  GodwitFrame ready = {.type = GODWIT_FRAME_READY, .number = self->image->size};
  return godwit_frame_write (self->stream->out, &ready, NULL, self->cancellable, error);
}

static void
receive_all (Receive *self)
{
  g_autoptr (GodwitHash) digest = godwit_hash_new ();
  g_autoptr (GError) error = NULL;
  GodwitFrame end;
  if (!shake_hands (self, &error)) {
    fail (self, g_steal_pointer (&error));
    return;
  }
  GThread *writer = g_thread_new ("godwit-write", run_writer, self);
  gboolean ok = read_blocks (self, &end, digest, &error);
  if (ok)
    godwit_queue_finish (self->queue);
  else if (error != NULL)
    fail (self, g_steal_pointer (&error));
  g_thread_join (writer);
  if (ok && !has_failed (self) && !finish (self, &end, digest, &error))
    fail (self, g_steal_pointer (&error));
}

/* Whatever went wrong here, the sender tells it to the operator. */
static void
tell_failure (Receive *self)
{
  if (self->error == NULL || self->error->domain != GODWIT_ERROR)
    return;
  gsize length = MIN (strlen (self->error->message), GODWIT_FRAME_TEXT_MAX);
  GodwitFrame frame = {.type = GODWIT_FRAME_FAIL,
                       .number = (guint64)self->error->code,
                       .length = length};
  godwit_frame_write (self->stream->out, &frame, self->error->message, self->cancellable, NULL);
  /* What is still on its way is read and dropped, else the channel may end before our last words
   * have passed it. */
  char waste[65536];
  gint64 deadline = godwit_deadline_in_ms (2000);
  while (godwit_fd_read (self->stream->in, waste, sizeof waste, deadline, self->cancellable, NULL) >
         0)
    ;
}

static void
take_receive (GodwitStream *stream, gpointer data, GCancellable *cancellable)
{
  Receive *self = data;
  GodwitImageOptions options = {.path = self->path, .nbd = self->nbd, .writable = TRUE};
  g_autoptr (GError) failure = NULL;
  self->stream = stream;
  self->cancellable = cancellable;
  self->queue = godwit_queue_new (QUEUE_DEPTH);
  self->image = godwit_image_open (self->agent->policy, &options, cancellable, &failure);
  godwit_fd_prepare (stream->in);
  godwit_fd_prepare (stream->out);
  gboolean answered =
      godwit_channel_send_answer (stream->out, failure, godwit_deadline_in_ms (5000), NULL);
  if (self->image != NULL && answered)
    receive_all (self);
  else if (failure != NULL)
    fail (self, g_steal_pointer (&failure));
  tell_failure (self);
  g_clear_pointer (&self->image, godwit_image_close);
  g_clear_pointer (&self->queue, godwit_queue_free);
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* --- the offer ------------------------------------------------------------------------------ */

static GVariant *
describe_receive (gpointer data)
{
  Receive *self = data;
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "written", "t", __atomic_load_n (&self->written, __ATOMIC_RELAXED));
  return g_variant_dict_end (&dict);
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  Receive *self = data;
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static GVariant *
run_receive (GodwitTask *task, gpointer data, GError **error)
{
  Receive *self = data;
  GCancellable *cancellable = godwit_task_get_cancellable (task);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (wake), self, NULL);
  g_mutex_lock (&self->lock);
  while (!self->ended && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  godwit_offers_withdraw (self->agent->offers, self->token);
  if (self->ended && self->error == NULL)
    return describe_receive (self);
  if (self->error == NULL || self->error->domain != GODWIT_ERROR)
    godwit_set_error (error, GODWIT_ERROR_TRANSIENT, NULL, "the channel broke while %s was written",
                      self->path);
  else
    g_propagate_error (error, g_steal_pointer (&self->error));
  return NULL;
}

guint
godwit_agent_offer_receive (GodwitAgent *self, GVariant *options, char **token, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_receive,
                                        .describe = describe_receive,
                                        .free_data = receive_free};
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Receive *receive = g_new0 (Receive, 1);
  receive->agent = self;
  g_mutex_init (&receive->lock);
  g_cond_init (&receive->changed);
  if (!g_variant_lookup (options, "path", "s", &receive->path))
    receive->path = g_strdup ("");
  g_variant_lookup (options, "nbd", "b", &receive->nbd);
  receive->token = godwit_offers_add (self->offers, take_receive, receive, TRUE, cancellable);
  *token = g_strdup (receive->token);
  return godwit_tasks_start (self->tasks, &klass, receive, cancellable);
}
