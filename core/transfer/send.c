/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/dial.h"
#include "channel/fd.h"
#include "transfer/engine.h"
#include "transfer/image.h"
#include "transfer/queue.h"

#include <godwit/error.h>

#include <string.h>

/* Reading and hashing, writing to the channel, and hearing what has arrived are a thread each,
 * so that disk, processor and network work at the same time. */

#define QUEUE_DEPTH 6
/* Zeroes within data are looked for in pieces of this size. */
#define PIECE         (64 * 1024)
#define LAST_WORDS_MS 2000

typedef struct {
  GodwitAgent *agent;
  GodwitTask *task;
  char *path;
  gboolean nbd;
  GodwitDialer *dialer;

  GodwitImage *image;
  GodwitCall *call;
  GodwitQueue *queue;
  GCancellable *stop; /* ends all three threads */
  GMutex lock;
  GError *error;      /* the first one */
  GError *peer_error; /* what the receiver said; it knows better */
  GCond changed;
  gboolean heard; /* the receiver says no more */
  gboolean done;
  guint8 digest[GODWIT_HASH_SIZE];

  guint64 size, total, through, acked, wire, zeroes; /* atomic */
} Send;

static void
add (guint64 *counter, guint64 value)
{
  __atomic_add_fetch (counter, value, __ATOMIC_RELAXED);
}

static guint64
get (guint64 *counter)
{
  return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

static void
send_free (gpointer data)
{
  Send *self = data;
  g_clear_pointer (&self->dialer, godwit_dialer_free);
  g_clear_error (&self->error);
  g_clear_error (&self->peer_error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->path);
  g_free (self);
}

/* Takes @error. The first counts, the others are its consequences. */
static void
fail (Send *self, GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&self->lock);
  godwit_queue_close (self->queue);
}

static GVariant *
describe_send (gpointer data)
{
  Send *self = data;
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "size", "t", get (&self->size));
  g_variant_dict_insert (&dict, "total", "t", get (&self->total));
  g_variant_dict_insert (&dict, "done", "t", get (&self->acked) + get (&self->through));
  g_variant_dict_insert (&dict, "wire", "t", get (&self->wire));
  g_variant_dict_insert (&dict, "zeroes", "t", get (&self->zeroes));
  godwit_dialer_describe (self->dialer, &dict);
  return g_variant_dict_end (&dict);
}

/* --- reading -------------------------------------------------------------------------------- */

/* How much there is to move: the progress needs it before the first byte. */
static gboolean
measure (Send *self, GError **error)
{
  guint64 start, end;
  for (guint64 at = 0; at < self->image->size; at = end) {
    if (g_cancellable_set_error_if_cancelled (self->stop, error) ||
        !godwit_image_next_data (self->image, at, &start, &end, error))
      return FALSE;
    add (&self->total, end - start);
  }
  return TRUE;
}

static gboolean
push_run (Send *self, const guint8 *data, guint64 offset, gsize length, GodwitHash *digest)
{
  GodwitBlock *block = godwit_queue_get_empty (self->queue);
  if (block == NULL)
    return FALSE;
  memcpy (block->data, data, length);
  block->frame = (GodwitFrame){.type = GODWIT_FRAME_BLOCK, .number = offset, .length = length};
  godwit_hash_block (block->data, length, block->frame.hash);
  godwit_hash_add_block (digest, &block->frame);
  godwit_queue_push (self->queue, block);
  return TRUE;
}

/* Sends the runs of a block that are not zero. */
static gboolean
push_block (Send *self, const guint8 *data, guint64 offset, gsize length, GodwitHash *digest)
{
  gsize run = 0; /* where the pending run begins */
  for (gsize at = 0; at < length; at += PIECE) {
    gsize piece = MIN (PIECE, length - at);
    if (!godwit_is_zero (data + at, piece))
      continue;
    if (at > run && !push_run (self, data + run, offset + run, at - run, digest))
      return FALSE;
    run = at + piece;
    add (&self->zeroes, piece);
    add (&self->through, piece);
  }
  return run >= length || push_run (self, data + run, offset + run, length - run, digest);
}

static gboolean
read_extent (Send *self, guint8 *buffer, guint64 start, guint64 end, GodwitHash *digest,
             GError **error)
{
  for (guint64 at = start; at < end;) {
    /* Blocks begin at multiples of their size, whatever the extents are. */
    gsize length = MIN (GODWIT_BLOCK_SIZE - at % GODWIT_BLOCK_SIZE, end - at);
    if (g_cancellable_set_error_if_cancelled (self->stop, error) ||
        !godwit_image_read (self->image, buffer, at, length, error))
      return FALSE;
    if (!push_block (self, buffer, at, length, digest))
      return FALSE;
    at += length;
  }
  return TRUE;
}

static gboolean
read_all (Send *self, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (GODWIT_BLOCK_SIZE);
  g_autoptr (GodwitHash) digest = godwit_hash_new ();
  guint64 start, end;
  for (guint64 at = 0; at < self->image->size; at = end) {
    if (!godwit_image_next_data (self->image, at, &start, &end, error) ||
        !read_extent (self, buffer, start, end, digest, error))
      return FALSE;
  }
  godwit_hash_finish (digest, self->digest);
  godwit_queue_finish (self->queue);
  return TRUE;
}

/* --- writing to the channel ----------------------------------------------------------------- */

static gboolean
write_all (Send *self, GError **error)
{
  int fd = godwit_call_get_stream (self->call)->out;
  GodwitBlock *block;
  while ((block = godwit_queue_pop (self->queue)) != NULL) {
    gboolean ok = godwit_frame_write (fd, &block->frame, block->data, self->stop, error);
    add (&self->wire, block->frame.length);
    godwit_queue_give_back (self->queue, block);
    if (!ok)
      return FALSE;
  }
  GodwitFrame end = {.type = GODWIT_FRAME_END};
  memcpy (end.hash, self->digest, GODWIT_HASH_SIZE);
  g_mutex_lock (&self->lock);
  gboolean failed = self->error != NULL;
  g_mutex_unlock (&self->lock);
  return failed || godwit_frame_write (fd, &end, NULL, self->stop, error);
}

static void
wait_heard (Send *self)
{
  gint64 deadline = godwit_deadline_in_ms (LAST_WORDS_MS);
  g_mutex_lock (&self->lock);
  while (!self->heard && g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  g_mutex_unlock (&self->lock);
}

static gpointer
run_writer (gpointer user_data)
{
  Send *self = user_data;
  g_autoptr (GError) error = NULL;
  if (!write_all (self, &error)) {
    fail (self, g_steal_pointer (&error));
    /* Its last words, if there are any, say why it no longer reads. */
    wait_heard (self);
    g_cancellable_cancel (self->stop);
  }
  return NULL;
}

/* --- hearing -------------------------------------------------------------------------------- */

static void
take_failure (Send *self, const GodwitFrame *frame)
{
  g_autofree char *text = g_malloc0 (GODWIT_FRAME_TEXT_MAX + 1);
  gsize length = MIN (frame->length, GODWIT_FRAME_TEXT_MAX);
  int fd = godwit_call_get_stream (self->call)->in;
  if (!godwit_fd_read_all (fd, text, length, godwit_deadline_in_ms (5000), self->stop, NULL))
    g_strlcpy (text, "the receiver failed", GODWIT_FRAME_TEXT_MAX);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_mutex_lock (&self->lock);
  if (self->peer_error == NULL)
    self->peer_error = g_error_new (GODWIT_ERROR, (int)MIN (frame->number, GODWIT_ERROR_INTERNAL),
                                    "%s: %s", godwit_dialer_get_host (self->dialer), valid);
  g_mutex_unlock (&self->lock);
}

/* Until the receiver is done, fails, or is gone. */
static gboolean
hear_all (Send *self, GError **error)
{
  int fd = godwit_call_get_stream (self->call)->in;
  GodwitFrame frame;
  while (godwit_frame_read (fd, &frame, self->stop, error)) {
    switch (frame.type) {
    case GODWIT_FRAME_ACK:
      add (&self->acked, frame.number);
      break;
    case GODWIT_FRAME_DONE:
      if (memcmp (frame.hash, self->digest, GODWIT_HASH_SIZE) == 0) {
        self->done = TRUE;
        return TRUE;
      }
      godwit_set_error (error, GODWIT_ERROR_CORRUPT, "try again",
                        "what %s wrote is not what was sent of %s",
                        godwit_dialer_get_host (self->dialer), self->path);
      return FALSE;
    case GODWIT_FRAME_FAIL:
      take_failure (self, &frame);
      godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "the receiver failed");
      return FALSE;
    default:
      godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "the receiver does not make sense");
      return FALSE;
    }
  }
  return FALSE;
}

static gpointer
run_hearer (gpointer user_data)
{
  Send *self = user_data;
  g_autoptr (GError) error = NULL;
  if (!hear_all (self, &error)) {
    fail (self, g_steal_pointer (&error));
    /* The writer may wait for a receiver that has stopped to read. */
    g_cancellable_cancel (self->stop);
  }
  g_mutex_lock (&self->lock);
  self->heard = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* --- the whole ------------------------------------------------------------------------------ */

static gboolean
shake_hands (Send *self, GError **error)
{
  GodwitStream *stream = godwit_call_get_stream (self->call);
  GodwitFrame hello = {.type = GODWIT_FRAME_HELLO,
                       .number = GODWIT_FRAME_MAGIC,
                       .second = self->image->size};
  GodwitFrame answer;
  if (!godwit_frame_write (stream->out, &hello, NULL, self->stop, error) ||
      !godwit_frame_read (stream->in, &answer, self->stop, error))
    return FALSE;
  if (answer.type == GODWIT_FRAME_FAIL)
    take_failure (self, &answer);
  if (answer.type != GODWIT_FRAME_READY) {
    godwit_set_error (error, GODWIT_ERROR_PEER, NULL, "the receiver was not ready");
    return FALSE;
  }
  if (answer.number >= self->image->size)
    return TRUE;
  godwit_set_error (error, GODWIT_ERROR_CONFIG, "make the target as large as the source",
                    "%s holds %" G_GUINT64_FORMAT
                    " bytes, its target at %s only %" G_GUINT64_FORMAT,
                    self->path, self->image->size, godwit_dialer_get_host (self->dialer),
                    answer.number);
  return FALSE;
}

static void
move_all (Send *self)
{
  GThread *writer = g_thread_new ("godwit-write", run_writer, self);
  GThread *hearer = g_thread_new ("godwit-hear", run_hearer, self);
  g_autoptr (GError) error = NULL;
  /* Without an error the queue was closed by another thread, which has one. */
  if (!read_all (self, &error) && error != NULL) {
    fail (self, g_steal_pointer (&error));
    g_cancellable_cancel (self->stop);
  }
  g_thread_join (writer);
  g_thread_join (hearer);
}

/* The error that an operator can do something with. */
static void
explain (Send *self, GError **error)
{
  if (g_cancellable_is_cancelled (godwit_task_get_cancellable (self->task)))
    godwit_set_error (error, GODWIT_ERROR_CANCELLED, NULL, "copying %s was cancelled", self->path);
  else if (self->peer_error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->peer_error));
  else if (self->error != NULL && self->error->domain == GODWIT_ERROR)
    g_propagate_error (error, g_steal_pointer (&self->error));
  else {
    g_autofree char *said = self->call != NULL ? godwit_call_dup_errors (self->call) : NULL;
    const char *why = said != NULL && *said != '\0' ? said
                      : self->error != NULL         ? self->error->message
                                                    : "it ended";
    godwit_set_error (error, GODWIT_ERROR_TRANSIENT, "try again when both hosts are reachable",
                      "the channel to %s broke while %s was copied: %s",
                      godwit_dialer_get_host (self->dialer), self->path, why);
  }
}

static gboolean
send_image (Send *self)
{
  GodwitImageOptions options = {.path = self->path, .nbd = self->nbd};
  self->image = godwit_image_open (self->agent->policy, &options, self->stop, &self->error);
  if (self->image == NULL)
    return FALSE;
  self->size = self->image->size;
  self->call = godwit_dialer_call (self->dialer, self->task, self->stop, &self->error);
  if (self->call == NULL || !shake_hands (self, &self->error) || !measure (self, &self->error))
    return FALSE;
  move_all (self);
  return self->done && self->error == NULL;
}

static void
on_cancelled (GCancellable *cancellable, gpointer stop)
{
  g_cancellable_cancel (stop);
}

static GVariant *
run_send (GodwitTask *task, gpointer data, GError **error)
{
  Send *self = data;
  GCancellable *cancellable = godwit_task_get_cancellable (task);
  self->task = task;
  self->stop = g_cancellable_new ();
  self->queue = godwit_queue_new (QUEUE_DEPTH);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self->stop, NULL);
  gboolean ok = send_image (self);
  if (!ok)
    explain (self, error);
  g_cancellable_disconnect (cancellable, handler);
  g_clear_pointer (&self->call, godwit_call_end);
  g_clear_pointer (&self->image, godwit_image_close);
  g_clear_pointer (&self->queue, godwit_queue_free);
  g_clear_object (&self->stop);
  return ok ? describe_send (self) : NULL;
}

guint
godwit_agent_start_send (GodwitAgent *self, GVariant *options, GError **error)
{
  static const GodwitTaskClass klass = {.run = run_send,
                                        .describe = describe_send,
                                        .free_data = send_free};
  Send *send = g_new0 (Send, 1);
  send->agent = self;
  g_mutex_init (&send->lock);
  g_cond_init (&send->changed);
  g_variant_lookup (options, "path", "s", &send->path);
  g_variant_lookup (options, "nbd", "b", &send->nbd);
  send->dialer = godwit_dialer_new (self, options, error);
  if (send->dialer != NULL && send->path != NULL)
    return godwit_tasks_start (self->tasks, &klass, send, NULL);
  if (send->dialer != NULL)
    godwit_set_error (error, GODWIT_ERROR_INTERNAL, NULL, "nothing to send was named");
  send_free (send);
  return 0;
}
