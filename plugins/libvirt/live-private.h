/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "live.h"

G_BEGIN_DECLS

/* The two sides of a migration. */
typedef enum {
  LV_SOURCE,
  LV_DESTINATION,
  LV_SIDES,
} LvSide;

struct _GodwitLibvirtLive {
  GObject parent_instance;

  /* Set before the threads start. */
  GodwitLibvirtHypervisor *hypervisors[LV_SIDES];
  char *name;
  char *uuid;
  char *memory_uri;
  char *disk_uri;
  GStrv mirror;
  char *definition;
  unsigned flags;
  guint first_downtime;

  GMutex mutex; /* guards what follows */
  GCond changed;
  GodwitLiveStatus status;
  GError *error;
  guint64 serial;           /* grows with everything that live_wait must tell at once */
  guint64 told;             /* serial that live_wait told last */
  guint64 events[LV_SIDES]; /* number of events of each side */
  gboolean abort_wanted;
  gboolean has_panicked; /* the guest at the source, as its QEMU says */
};

/* live-watch.c */

/* Starts the threads that keep the status true until the call has returned. */
void lv_live_watch (GodwitLibvirtLive *self);

/* live-stats.c: fills the figures of @status. */
void lv_live_fill_stats (GodwitLiveStatus *status, virTypedParameterPtr params, int count);

/* live-flags.c: for a migration that leaves the destination paused. */
unsigned lv_live_choose_flags (const GodwitGuest *guest, const GodwitLiveParams *params);

G_END_DECLS
