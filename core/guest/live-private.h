/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/past.h"

#include <godwit/hypervisor.h>
#include <godwit/job.h>
#include <godwit/verify.h>

G_BEGIN_DECLS

/* --- what one worker knows of a migration that it started -------------------------------- */

#define GODWIT_TYPE_LIVE_RUN (godwit_live_run_get_type ())
G_DECLARE_FINAL_TYPE (GodwitLiveRun, godwit_live_run, GODWIT, LIVE_RUN, GObject)

/* Kept in the job as "live". A worker that takes over has none and asks the hypervisors. */
struct _GodwitLiveRun {
  GObject parent_instance;
  GObject *live;           /* the hypervisor plugin's handle */
  GodwitProcess *watch;    /* the guest's process at the source; NULL if it cannot be watched */
  gboolean exited;         /* that process has ended */
  gboolean returned;       /* the hypervisor's call has returned */
  GodwitVerify *verify;    /* of the mirrored disks; NULL before they are in step */
  gboolean verified;       /* to the end, the guest stood still */
  guint64 looked_at;       /* bytes of them that were read and found right, as last told */
  char *unverified;        /* why they were not; NULL if nothing stands against it */
  gint64 frozen_us;        /* wall clock when the guest stood still; 0 before */
  GodwitLiveStatus status; /* last one seen */
};

GodwitLiveRun *godwit_live_get_run (GodwitJob *job);

/* Logs "WHAT: ERROR" without the error's remedy. @what: NULL for the error alone */
void godwit_live_log_error (GodwitJob *job, GodwitSeverity severity, const char *what,
                            const GError *error);

/* How long to wait for what; tests make it short. */
typedef struct {
  guint poll_ms;    /* for something to change */
  guint abort_ms;   /* for an abort to be obeyed, before the channels are cut */
  guint gone_ms;    /* the same, of a host that is silent */
  guint cut_ms;     /* for the call to return once they are cut */
  guint idle_ms;    /* for a hypervisor to end a migration whose client died */
  guint arrival_ms; /* the destination's event may come a round trip after the source's exit */
  guint settle_ms;  /* for the call to return after the guest went on */
  guint retry_ms;   /* between attempts to resume */
} GodwitLiveTimes;

extern GodwitLiveTimes godwit_live_times;

/* --- steering ----------------------------------------------------------------------------- */

/* Raises the downtime limit only when passes over memory stop getting shorter. */
typedef struct {
  guint limit_ms;
  guint max_ms;
  guint mark_iteration;
  guint64 mark_remaining;
} GodwitLadder;

void godwit_ladder_init (GodwitLadder *ladder, guint initial_ms, guint max_ms);
/* TRUE if the limit was raised; the new one is in the ladder. */
gboolean godwit_ladder_step (GodwitLadder *ladder, const GodwitLiveStatus *status);

/* Of the time without a byte that is the end of a migration: the part after which the hosts are
 * asked whether they are there, and the part that is enough if one of them is not. */
#define GODWIT_WATCHDOG_DOUBT  12
#define GODWIT_WATCHDOG_SILENT 2

/* Watches bytes and not time: a slow link is no reason to give up, a dead one is. */
typedef struct {
  guint64 bytes;
  gint64 moved_us; /* monotonic */
  gint64 timeout_us;
  gboolean doubtful; /* it is time to ask whether the hosts are there */
} GodwitWatchdog;

void godwit_watchdog_init (GodwitWatchdog *dog, gint64 timeout_us, gint64 now_us);
/* @heard: FALSE if the destination is known to have fallen silent */
gboolean godwit_watchdog_is_stalled (GodwitWatchdog *dog, const GodwitLiveStatus *status,
                                     gboolean heard, gint64 now_us);

typedef enum {
  GODWIT_MOVING_YES,
  GODWIT_MOVING_STALLED, /* for too long */
  GODWIT_MOVING_SILENT,  /* for long, and the destination is silent as well */
} GodwitMoving;

/* Sets @error unless it is moving. Asks the hosts whether they are there when that becomes
 * doubtful. */
GodwitMoving godwit_live_check_moving (GodwitJob *job, GodwitWatchdog *dog,
                                       const GodwitLiveStatus *status, GError **error);

/* --- verification of mirrored disks ---------------------------------------------------------- */

/* Whether the job is to verify what it mirrors. */
gboolean godwit_live_wants_verify (GodwitJob *job);
/* At each turn while the guest runs: sees to it that the disks are read at the destination once
 * they are in step, and asks how it stands. FALSE: one holds what the mirror did not write. */
gboolean godwit_live_verify (GodwitJob *job, const char *const *mirror, GError **error);
/* Once the guest stands still: what was written since it was last looked at. FALSE with IN_DOUBT:
 * as above, and too late to go back. */
gboolean godwit_live_verify_rest (GodwitJob *job, const char *const *mirror, GError **error);
/* Logs what was verified; no part of the downtime. */
void godwit_live_report_verify (GodwitJob *job);

/* --- what is where ------------------------------------------------------------------------ */

typedef enum {
  GODWIT_LIVE_AT_SOURCE, /* as before; nothing is left at the destination */
  GODWIT_LIVE_MOVED,     /* complete at the destination, its process at the source is gone */
  GODWIT_LIVE_LOST,      /* it died at the source and nothing complete arrived */
  GODWIT_LIVE_STUCK,     /* paused at the source, and the hypervisor does not resume it */
  GODWIT_LIVE_IN_DOUBT,  /* a side that matters cannot be asked, or both have it */
} GodwitLiveOutcome;

/* Asks both sides again, since an error of the migration call says nothing. Where the guest
 * still is at the source: ends what is left of it at the destination, then sees that it goes on
 * at the source as before. @error explains every outcome but AT_SOURCE and MOVED. With
 * AT_SOURCE an @error may be set too: the destination could not be cleaned. */
GodwitLiveOutcome godwit_live_restore_source (GodwitJob *job, GError **error);

/* Whether the guest's process at the source is gone. FALSE with @error: cannot be told. */
gboolean godwit_live_source_is_gone (GodwitJob *job, gboolean *gone, GCancellable *cancellable,
                                     GError **error);

/* Waits until the migration call has returned: aborts it first if @abort, and cuts the tunnels
 * if that does not end it. FALSE if it still has not returned. */
gboolean godwit_live_end_call (GodwitJob *job, gboolean abort);

/* Ends the tunnels' connections now, whatever runs through them. */
void godwit_live_cut_tunnels (GodwitJob *job);

G_END_DECLS
