/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/guest.h>
#include <godwit/host.h>

G_BEGIN_DECLS

typedef enum {
  MARKER_NOT_TRIED, /* only planning, or media that nobody writes to */
  MARKER_REFUSED,   /* it could not be written at the source */
  MARKER_NOT_SEEN,  /* the destination can read the directory and the marker is not in it */
  MARKER_SEEN,      /* seen at the destination, but changing it there did not come back */
  MARKER_PROVEN,    /* seen, renamed at the destination, seen renamed at the source */
} MarkerState;

/* What was seen of one path on both hosts, in this order in time: the source, the destination,
 * the source again. A running guest changes its image all the while, so what the destination
 * shows must lie between the two. */
typedef struct {
  const char *source_name;
  const char *destination_name;
  GodwitFileInfo before;
  GodwitFileInfo destination;
  GodwitFileInfo after;
  /* The nearest directory above it that the destination has, looked at if the file is absent
   * there. */
  char *directory;
  GodwitFileInfo directory_before;
  GodwitFileInfo directory_destination;
  GodwitFileInfo directory_after;
  char *trouble; /* why the destination could not be looked at */
  MarkerState marker;
  char *marker_trouble;
} Observation;

void observation_clear (Observation *observation);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Observation, observation_clear)

typedef enum {
  IDENTITY_UNSURE,
  IDENTITY_DIFFERENT,
  IDENTITY_SAME,
} Identity;

/* Whether both hosts see one file, by inode number, size and times; @why (transfer full). */
Identity observation_identify (const Observation *observation, char **why);

/* The verdict from everything that was seen; @proof (transfer full). */
GodwitSharing observation_decide (const Observation *observation, char **proof);

G_END_DECLS
