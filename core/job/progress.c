/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/progress.h"

#define INTERVAL_US (G_USEC_PER_SEC / 4)
#define WINDOW_US   (5 * G_USEC_PER_SEC)
#define N_SAMPLES   24

typedef struct {
  gint64 time_us;
  guint64 done;
} Sample;

struct _GodwitProgress {
  Sample samples[N_SAMPLES]; /* a ring, one for each event */
  guint n_samples;
  guint next;
  guint64 done;
  guint64 total;
  double fraction;
  gboolean finished;
};

GodwitProgress *
godwit_progress_new (void)
{
  return g_new0 (GodwitProgress, 1);
}

void
godwit_progress_free (GodwitProgress *self)
{
  g_free (self);
}

static const Sample *
newest (const GodwitProgress *self)
{
  return self->n_samples > 0 ? &self->samples[(self->next + N_SAMPLES - 1) % N_SAMPLES] : NULL;
}

/* Bytes a second since the oldest sample inside the window. */
static guint64
measure_rate (const GodwitProgress *self, gint64 now_us)
{
  for (guint i = 0; i < self->n_samples; i++) {
    const Sample *sample =
        &self->samples[(self->next + N_SAMPLES - self->n_samples + i) % N_SAMPLES];
    gint64 passed = now_us - sample->time_us;
    if (passed > 0 && passed <= WINDOW_US)
      return (guint64)((double)(self->done - sample->done) * G_USEC_PER_SEC / (double)passed);
  }
  return 0;
}

static void
add_sample (GodwitProgress *self, gint64 now_us)
{
  self->samples[self->next] = (Sample){.time_us = now_us, .done = self->done};
  self->next = (self->next + 1) % N_SAMPLES;
  self->n_samples = MIN (self->n_samples + 1, N_SAMPLES);
}

GodwitEvent *
godwit_progress_report (GodwitProgress *self, const char *what, guint64 done, guint64 total,
                        gint64 now_us)
{
  self->total = MAX (total, self->total);
  self->done = MAX (self->done, MIN (done, self->total));
  gboolean complete = self->total > 0 && self->done == self->total;
  const Sample *last = newest (self);
  if (last != NULL && now_us - last->time_us < INTERVAL_US && (!complete || self->finished))
    return NULL;

  self->finished = complete;
  if (self->total > 0)
    self->fraction = MAX (self->fraction, (double)self->done / (double)self->total);
  GodwitEvent *event = godwit_event_new (GODWIT_EVENT_PROGRESS, what, NULL);
  event->done = self->done;
  event->total = self->total;
  event->rate = measure_rate (self, now_us);
  GVariantDict data;
  g_variant_dict_init (&data, NULL);
  g_variant_dict_insert (&data, "fraction", "d", self->fraction);
  event->data = g_variant_ref_sink (g_variant_dict_end (&data));
  add_sample (self, now_us);
  return event;
}
