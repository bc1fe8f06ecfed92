/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel/child.h"
#include "channel/fd.h"

#include <unistd.h>

struct _GodwitTail {
  int fd;
  gsize max;
  GThread *thread;
  GCancellable *stop;
  GMutex lock;
  GCond ended;
  GString *text;
  gboolean at_end;
  gboolean lost;
};

static void
trim (GodwitTail *self)
{
  if (self->text->len <= self->max)
    return;
  g_string_erase (self->text, 0, self->text->len - self->max);
  self->lost = TRUE;
}

static gpointer
run_tail (gpointer user_data)
{
  GodwitTail *self = user_data;
  char buffer[4096];
  gssize n;
  while ((n = godwit_fd_read (self->fd, buffer, sizeof buffer, -1, self->stop, NULL)) > 0) {
    g_mutex_lock (&self->lock);
    g_string_append_len (self->text, buffer, n);
    /* Seldom, because it moves all that is kept. */
    if (self->text->len > 2 * self->max)
      trim (self);
    g_mutex_unlock (&self->lock);
  }
  g_mutex_lock (&self->lock);
  self->at_end = TRUE;
  g_cond_broadcast (&self->ended);
  g_mutex_unlock (&self->lock);
  return NULL;
}

GodwitTail *
godwit_tail_new (int fd, gsize max)
{
  GodwitTail *self = g_new0 (GodwitTail, 1);
  self->fd = dup (fd);
  godwit_fd_prepare (self->fd);
  self->max = max;
  self->stop = g_cancellable_new ();
  self->text = g_string_new (NULL);
  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  self->thread = g_thread_new ("godwit-tail", run_tail, self);
  return self;
}

GBytes *
godwit_tail_dup_bytes (GodwitTail *self, guint settle_ms, gboolean *lost)
{
  gint64 deadline = godwit_deadline_in_ms (settle_ms);
  g_mutex_lock (&self->lock);
  while (!self->at_end && g_cond_wait_until (&self->ended, &self->lock, deadline))
    ;
  trim (self);
  GBytes *bytes = g_bytes_new (self->text->str, self->text->len);
  if (lost != NULL)
    *lost = self->lost;
  g_mutex_unlock (&self->lock);
  return bytes;
}

char *
godwit_tail_dup_text (GodwitTail *self, guint settle_ms)
{
  g_autoptr (GBytes) bytes = godwit_tail_dup_bytes (self, settle_ms, NULL);
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  return g_strstrip (data != NULL ? g_utf8_make_valid (data, length) : g_strdup (""));
}

void
godwit_tail_free (GodwitTail *self)
{
  if (self == NULL)
    return;
  g_cancellable_cancel (self->stop);
  g_thread_join (self->thread);
  close (self->fd);
  g_object_unref (self->stop);
  g_string_free (self->text, TRUE);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->ended);
  g_free (self);
}
