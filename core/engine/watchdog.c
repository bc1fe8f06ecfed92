/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/watchdog.h"

#include "engine/engine.h"

#include <unistd.h>

struct _GodwitWatchdog {
  GThread *thread;
  GMutex mutex;
  GCond cond;
  gboolean quit;
  guint call;         /* grows with every begin, so that a late wake-up is not taken for this one */
  gint64 deadline_us; /* monotonic; 0 while nothing is watched */
  gboolean expired;
  char *what;
  guint seconds;
  GCancellable *cancellable;
  GCancellable *parent;
  gulong parent_handler;
  guint grace_ms;
  GodwitWatchdogFunc expire;
  gpointer user_data;
};

static void
leave (const char *what, guint seconds, gpointer user_data)
{
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "MESSAGE",
                    "%s did not end %u seconds after it began, nor when it was cancelled: the "
                    "worker ends, and recovery decides",
                    what, seconds);
  _exit (GODWIT_EXIT_DEADLINE);
}

/* Waits until @until or until the call that is watched ends. Called with the mutex held. */
static gboolean
still_watching_at (GodwitWatchdog *self, guint call, gint64 until)
{
  while (!self->quit && self->call == call && self->deadline_us != 0) {
    if (!g_cond_wait_until (&self->cond, &self->mutex, until))
      return !self->quit && self->call == call && self->deadline_us != 0;
  }
  return FALSE;
}

static void
watch_one (GodwitWatchdog *self)
{
  guint call = self->call;
  if (!still_watching_at (self, call, self->deadline_us))
    return;
  self->expired = TRUE;
  g_autoptr (GCancellable) cancellable = g_object_ref (self->cancellable);
  /* Handlers of the cancellable may want to end the call from this very thread. */
  g_mutex_unlock (&self->mutex);
  g_cancellable_cancel (cancellable);
  g_mutex_lock (&self->mutex);
  gint64 grace = g_get_monotonic_time () + (gint64)self->grace_ms * 1000;
  if (still_watching_at (self, call, grace)) {
    self->expire (self->what, self->seconds, self->user_data);
    self->deadline_us = 0;
  }
}

static gpointer
watch (gpointer data)
{
  GodwitWatchdog *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  while (!self->quit) {
    if (self->deadline_us != 0 && !self->expired)
      watch_one (self);
    else
      g_cond_wait (&self->cond, &self->mutex);
  }
  return NULL;
}

GodwitWatchdog *
godwit_watchdog_new (guint grace_ms, GodwitWatchdogFunc expire, gpointer user_data)
{
  GodwitWatchdog *self = g_new0 (GodwitWatchdog, 1);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->grace_ms = grace_ms;
  self->expire = expire != NULL ? expire : leave;
  self->user_data = user_data;
  self->thread = g_thread_new ("watchdog", watch, self);
  return self;
}

void
godwit_watchdog_free (GodwitWatchdog *self)
{
  if (self == NULL)
    return;
  g_mutex_lock (&self->mutex);
  self->quit = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->thread);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->parent);
  g_free (self->what);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static void
pass_on (GCancellable *parent, gpointer data)
{
  g_cancellable_cancel (data);
}

GCancellable *
godwit_watchdog_begin (GodwitWatchdog *self, const char *what, guint seconds, GCancellable *parent)
{
  g_mutex_lock (&self->mutex);
  self->call++;
  self->expired = FALSE;
  g_free (self->what);
  self->what = g_strdup (what);
  self->seconds = seconds;
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->deadline_us = seconds > 0 ? g_get_monotonic_time () + (gint64)seconds * G_USEC_PER_SEC : 0;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);

  /* Outside the lock: a parent that is cancelled already calls back at once. */
  g_set_object (&self->parent, parent);
  if (parent != NULL)
    self->parent_handler = g_cancellable_connect (parent, G_CALLBACK (pass_on),
                                                  g_object_ref (self->cancellable), g_object_unref);
  return self->cancellable;
}

gboolean
godwit_watchdog_end (GodwitWatchdog *self)
{
  if (self->parent != NULL)
    g_cancellable_disconnect (self->parent, self->parent_handler);
  g_clear_object (&self->parent);
  self->parent_handler = 0;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  self->deadline_us = 0;
  g_cond_signal (&self->cond);
  return self->expired;
}
