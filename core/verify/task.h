/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/agent-private.h"
#include "verify/tap.h"

G_BEGIN_DECLS

/* The taps of an agent, each under the path of the socket that it listens at. */
struct _GodwitTaps {
  GMutex lock;
  GHashTable *table;
};

GodwitTaps *godwit_taps_new (void);
void godwit_taps_add (GodwitTaps *self, const char *path, GodwitTap *tap);
/* Only if it is that one. */
void godwit_taps_remove (GodwitTaps *self, const char *path, GodwitTap *tap);
/* Returns: (transfer full) (nullable) */
GodwitTap *godwit_taps_find (GodwitTaps *self, const char *path);

/* Disks as they travel: name, export, image, format, fresh. */
#define GODWIT_VERIFY_DISKS_TYPE "a(ssssb)"
/* Their figures: name, verified, waiting, unknown. */
#define GODWIT_VERIFY_FIGURES_TYPE "a(sttt)"

/* Options: path (s) of a tapped socket; disks; rest (b): read what is left from the images at
 * rest, once, instead of reading through the socket until it is cancelled. Returns the task's
 * number, 0 with an error. Details: figures, passes (u). */
guint godwit_agent_start_verify (GodwitAgent *self, GVariant *options, GError **error);

G_END_DECLS
