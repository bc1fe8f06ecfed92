/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/tap.h"

#include <string.h>

#define LOOK_US 10000
/* A reader that gets on looks at hundreds of MiB meanwhile. */
#define STUCK_US  (10 * G_USEC_PER_SEC)
#define MOMENT_US 250000

struct _GodwitTap {
  gatomicrefcount refs;
  GMutex lock;
  GCond changed;
  GHashTable *exports; /* name -> GodwitBlocks */
  char *off;
  gboolean in_step;
  gboolean connected;
  gint readers;
};

GodwitTap *
godwit_tap_new (void)
{
  GodwitTap *self = g_new0 (GodwitTap, 1);
  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->exports =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)godwit_blocks_free);
  return self;
}

GodwitTap *
godwit_tap_ref (GodwitTap *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
godwit_tap_unref (GodwitTap *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->exports);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->off);
  g_free (self);
}

GodwitBlocks *
godwit_tap_find (GodwitTap *self, const char *name)
{
  g_mutex_lock (&self->lock);
  GodwitBlocks *blocks = g_hash_table_lookup (self->exports, name);
  g_mutex_unlock (&self->lock);
  return blocks;
}

char *
godwit_tap_dup_off (GodwitTap *self)
{
  g_mutex_lock (&self->lock);
  char *text = g_strdup (self->off);
  g_mutex_unlock (&self->lock);
  return text;
}

/* --- what waits for what ---------------------------------------------------------------------- */

void
godwit_tap_set_in_step (GodwitTap *self)
{
  g_mutex_lock (&self->lock);
  self->in_step = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
godwit_tap_wait_in_step (GodwitTap *self, gint64 deadline_us)
{
  g_mutex_lock (&self->lock);
  while (!self->in_step && g_cond_wait_until (&self->changed, &self->lock, deadline_us))
    ;
  gboolean in_step = self->in_step;
  g_mutex_unlock (&self->lock);
  return in_step;
}

void
godwit_tap_add_reader (GodwitTap *self, gint change)
{
  g_mutex_lock (&self->lock);
  self->readers += change;
  g_mutex_unlock (&self->lock);
}

void
godwit_tap_set_connected (GodwitTap *self)
{
  g_mutex_lock (&self->lock);
  self->connected = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Called with the lock held. */
static guint64
count_waiting (GodwitTap *self)
{
  guint64 waiting = 0;
  GHashTableIter iter;
  gpointer blocks;

  g_hash_table_iter_init (&iter, self->exports);
  while (g_hash_table_iter_next (&iter, NULL, &blocks)) {
    GodwitBlocksFigures figures;
    godwit_blocks_get_figures (blocks, &figures);
    waiting += figures.waiting;
  }
  return waiting;
}

typedef struct {
  gint64 begin_us;
  guint64 begin;
  gint64 moved_us;
  guint64 least;
} Pace;

/* What is left may have to be read while the guest stands still, so a slow disk may leave less. */
static gboolean
is_moment (const Pace *pace, guint64 waiting, gint64 now)
{
  guint64 done = pace->begin > waiting ? pace->begin - waiting : 0;
  return waiting == 0 || waiting / MOMENT_US <= done / (guint64)MAX (now - pace->begin_us, 1);
}

static gboolean
is_stuck (Pace *pace, guint64 waiting, gint64 now)
{
  if (waiting < pace->least) {
    pace->least = waiting;
    pace->moved_us = now;
  }
  return now - pace->moved_us >= STUCK_US;
}

void
godwit_tap_hold (GodwitTap *self, guint64 rest, GCancellable *cancellable)
{
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  guint64 waiting = count_waiting (self);
  Pace pace = {.begin_us = now, .begin = waiting, .moved_us = now, .least = waiting};
  while (self->readers > 0 && self->off == NULL && !g_cancellable_is_cancelled (cancellable) &&
         !(self->connected && waiting <= rest && is_moment (&pace, waiting, now)) &&
         !is_stuck (&pace, waiting, now)) {
    g_cond_wait_until (&self->changed, &self->lock, now + LOOK_US);
    now = g_get_monotonic_time ();
    waiting = count_waiting (self);
  }
  g_mutex_unlock (&self->lock);
}

/* --- one connection -------------------------------------------------------------------------- */

void
godwit_tap_stop (GodwitTapStream *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->off = TRUE;
  g_mutex_lock (&self->tap->lock);
  if (self->tap->off == NULL)
    self->tap->off = g_steal_pointer (&why);
  g_mutex_unlock (&self->tap->lock);
}

void
godwit_tap_expect (GodwitTapSide *side, gsize want, GodwitTapHead on_head)
{
  side->want = want;
  side->on_head = on_head;
}

GodwitBlocks *
godwit_tap_open_export (GodwitTapStream *self, const char *name, guint64 size)
{
  GodwitTap *tap = self->tap;

  g_mutex_lock (&tap->lock);
  GodwitBlocks *blocks = g_hash_table_lookup (tap->exports, name);
  if (blocks == NULL) {
    blocks = godwit_blocks_new (size);
    if (blocks != NULL)
      g_hash_table_insert (tap->exports, g_strdup (name), blocks);
  }
  g_mutex_unlock (&tap->lock);
  if (blocks == NULL)
    godwit_tap_stop (self, "export %s of %" G_GUINT64_FORMAT " bytes is too big to keep track of",
                     name, size);
  else if (godwit_blocks_get_size (blocks) != size)
    godwit_tap_stop (self, "export %s changed its size", name);
  return self->off ? NULL : blocks;
}

GodwitTapStream *
godwit_tap_stream_new (GodwitTap *tap)
{
  GodwitTapStream *self = g_new0 (GodwitTapStream, 1);
  self->tap = godwit_tap_ref (tap);
  g_mutex_init (&self->lock);
  godwit_tap_begin (self);
  return self;
}

void
godwit_tap_stream_free (GodwitTapStream *self)
{
  if (self == NULL)
    return;
  godwit_tap_drop_requests (self);
  g_clear_pointer (&self->pending, g_hash_table_unref);
  g_mutex_clear (&self->lock);
  godwit_tap_unref (self->tap);
  g_free (self->name);
  g_free (self);
}

static gsize
take_body (GodwitTapStream *self, GodwitTapSide *side, const guint8 *data, gsize length)
{
  gsize taken = MIN (side->body, length);
  if (side == &self->client)
    godwit_tap_take_body (self, data, taken);
  side->body -= taken;
  return taken;
}

static gsize
take_head (GodwitTapStream *self, GodwitTapSide *side, const guint8 *data, gsize length)
{
  gsize taken = MIN (side->want - side->have, length);
  memcpy (side->head + side->have, data, taken);
  side->have += taken;
  if (side->have < side->want)
    return taken;
  gsize whole = side->have;
  side->have = 0;
  side->on_head (self, side->head, whole);
  return taken;
}

void
godwit_tap_stream_feed (GodwitTapStream *self, gboolean from_server, const void *data, gsize length)
{
  GodwitTapSide *side = from_server ? &self->server : &self->client;
  const guint8 *at = data;

  g_mutex_lock (&self->lock);
  while (length > 0 && !self->off) {
    gsize taken =
        side->body > 0 ? take_body (self, side, at, length) : take_head (self, side, at, length);
    at += taken;
    length -= taken;
  }
  g_mutex_unlock (&self->lock);
}
