/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/job.h>

G_BEGIN_DECLS

/* What is known of a guest that has no process at the source any more, and whose memory is
 * complete at the destination. */
typedef enum {
  GODWIT_PAST_UNKNOWN, /* nothing speaks against its having left by the migration */
  GODWIT_PAST_RAN_ON,  /* it went on at the source and ended there: the memory that was moved is old
                        */
  GODWIT_PAST_BY_HAND, /* somebody ended it at the source, and nobody can know in which state it was
                        */
} GodwitPast;

/* Durable when it returns: the guest may run on at the source from now on. */
gboolean godwit_guest_note_ran_on (GodwitJob *job, GError **error);
/* Asks the source. What cannot be asked is unknown. */
GodwitPast godwit_guest_get_past (GodwitJob *job);

G_END_DECLS
