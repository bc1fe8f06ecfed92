/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <godwit/guest.h>
#include <godwit/job.h>

G_BEGIN_DECLS

/* What is known of a guest that has no process at the source any more, and whose memory is
 * complete at the destination. */
typedef enum {
  GODWIT_PAST_UNKNOWN, /* nothing speaks against its having left by the migration */
  GODWIT_PAST_RAN_ON,  /* it went on at the source and ended there: the memory that was moved is old
                        */
  GODWIT_PAST_ENDED,   /* it was ended at the source, where it may have run on or not */
  GODWIT_PAST_OLD_COPY, /* what is known of the job is a copy from before its commit, if there was
                           one */
} GodwitPast;

/* Durable when it returns: the guest may run on at the source from now on. */
gboolean godwit_guest_note_ran_on (GodwitJob *job, GError **error);
/* Asks the source. What cannot be asked is unknown. */
GodwitPast godwit_guest_get_past (GodwitJob *job);

/* It was complete at the destination and could not be resumed there, for it had ended. */
gboolean godwit_guest_note_ended_there (GodwitJob *job, GError **error);
gboolean godwit_guest_forget_ended_there (GodwitJob *job, GError **error);
/* Whether that was noted and still holds: somebody may have started it since. Asks the destination;
 * where it cannot be asked, what was noted holds. */
gboolean godwit_guest_has_ended_there (GodwitJob *job, GCancellable *cancellable);
gboolean godwit_guest_was_noted_ended_there (GodwitJob *job);

/* FALSE with IN_DOUBT if this or an earlier worker found that a mirrored disk is not what the
 * source has, unless somebody has resumed the guest since. */
gboolean godwit_live_verify_allows (GodwitJob *job, GodwitGuestState destination, GError **error);

G_END_DECLS
