/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/engine.h"

#include <godwit/hypervisor.h>

/* Two hosts, one guest and a strategy that live only in memory: the reality that survives the
 * death of a worker, to which the journal has to fit. */
typedef struct {
  GodwitGuestState source;
  GodwitGuestState destination;
  gboolean source_unreachable;
  gboolean destination_unreachable;
  gboolean disk_at_destination; /* made by "prepare" */
  gboolean tunnel;              /* made by "tunnel"; dies with its worker */
  gboolean copied;              /* cold: by "copy" */
  gboolean defined_at_destination;
  gboolean defined_at_source;
  gboolean parked;

  gboolean cold;         /* the strategy stops the guest */
  const char *fail_step; /* run_step of that name fails ... */
  guint fail_times;      /* ... so often */
  const char *fail_undo; /* undo_step of that name fails ... */
  guint fail_undo_times; /* ... so often */
  const char *hang_step; /* run_step of that name waits for its cancellable */
  const char *kill_step; /* run_step of that name kills the process */
  gboolean no_deadlines;
  const char *abort_step;  /* run_step of that name has the job aborted, and goes on */
  const char *ends_before; /* it ends at the destination before run_step of that name */
  gboolean fail_confirm;
  gboolean fail_release; /* the same, but after something was removed */
  gboolean dead;         /* the worker has died: whatever is called now is a defect */
  gboolean touched_when_dead;
  gboolean ran_twice;   /* the guest ran on both hosts at some instant */
  gboolean lost_memory; /* the only copy of its memory was thrown away */
  guint looks;          /* how often a host was asked for the guest */
  gboolean early_start; /* it ran at the destination before the commit */
  GString *calls;       /* "+prepare +copy -prepare " */
} FakeWorld;

void fake_world_init (FakeWorld *world);
void fake_world_clear (FakeWorld *world);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FakeWorld, fake_world_clear)

/* A worker's death: its tunnels end. A live migration that had not switched over is aborted. */
void fake_world_kill_worker (FakeWorld *world);

/* A job of the guest "web" from "a" to "b", claimed by this process. */
GodwitJob *fake_world_make_job (FakeWorld *world, GodwitJournal *journal);
/* The same job as a worker sees it that takes it over. */
GodwitJob *fake_world_take_over (FakeWorld *world, GodwitJournal *journal, const char *id);
/* Its data is the world. */
GodwitEngineBackend fake_world_make_backend (FakeWorld *world);
