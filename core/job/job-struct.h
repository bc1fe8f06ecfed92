/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/job-private.h"

G_BEGIN_DECLS

typedef struct {
  char *name;
  GObject *object;
} GodwitKept;

struct _GodwitJob {
  GObject parent_instance;
  GodwitJournal *journal;
  GodwitJobRecord *record;
  GodwitConfig *config;
  GodwitGuest *guest;
  GodwitHost *source;
  GodwitHost *destination;
  GodwitHypervisor *source_hypervisor;
  GodwitHypervisor *destination_hypervisor;
  GHashTable *storages; /* name -> GodwitStorage */
  gboolean may_touch;
  gboolean hold_copies; /* the guest stands still: nothing that can wait is done */
  gboolean source_copy_is_stale;
  gboolean destination_copy_is_stale;
  GodwitJobState announced; /* the state of the last STATE event */

  GMutex mutex;          /* guards what follows: plugins may use threads of their own */
  GPtrArray *fact_names; /* in the order they were first set */
  GHashTable *facts;     /* name -> GVariant */
  GStringChunk *texts;   /* values of options */
  GHashTable *progress;  /* what -> GodwitProgress */
  GPtrArray *kept;       /* GodwitKept */
  guint64 bytes;
  GodwitEventFunc listener;
  gpointer listener_data;

  GMutex commit_mutex; /* an abort and the commit exclude each other */
  gboolean committed;
  char *aborted_by;
  GCancellable *cancellable;
};

G_END_DECLS
