/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fake-world.h"
#include "scratch.h"

/* A journal, the two hosts that live in memory, and an engine between them. */
typedef struct {
  Scratch *dir;
  GodwitJournal *journal;
  FakeWorld world;
  GodwitEngineBackend backend;
  GCancellable *cancellable;
} Bench;

void bench_init (Bench *bench);
/* Also asserts that the guest never ran twice, too early, or lost its memory. */
void bench_clear (Bench *bench);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

/* Runs a new job to its end. */
GodwitJobRecord *bench_run (Bench *bench);
/* Lets a new worker do @what with the job, godwit_engine_recover() for example. */
GodwitJobRecord *bench_again (Bench *bench, const char *id,
                              gboolean (*what) (GodwitJob *, const GodwitEngineBackend *,
                                                GError **));

void bench_assert_exit (const GodwitJobRecord *record, GodwitJobState state, int code);
void bench_assert_at_source (const Bench *bench);
void bench_assert_at_destination (const Bench *bench);
const GodwitEvent *bench_last_event (GPtrArray *events);
