/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events.h"

#include "errors.h"

static gpointer
run_events (gpointer data)
{
  /* An iteration that fails is one bad descriptor; the others still need the loop. The pause
   * keeps a lasting failure from taking a CPU. */
  for (;;)
    if (virEventRunDefaultImpl () < 0)
      g_usleep (100 * G_TIME_SPAN_MILLISECOND);
  return NULL;
}

void
lv_events_start (void)
{
  static gsize started = 0;

  if (g_once_init_enter (&started)) {
    virInitialize ();
    lv_silence_errors ();
    virEventRegisterDefaultImpl ();
    g_thread_unref (g_thread_new ("libvirt-events", run_events, NULL));
    g_once_init_leave (&started, 1);
  }
}
