/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/past.h"

#include <godwit/guest.h>

G_BEGIN_DECLS

/* How far the journal says that a job has come. "Home" is the host that owns the guest until the
 * commit, "target" the one that owns it afterwards; for a revert they are the other way round. */
typedef enum {
  GODWIT_POSITION_NOTHING,  /* no step has begun, or all are undone */
  GODWIT_POSITION_PREPARED, /* steps have begun, but the guest's memory cannot have moved */
  GODWIT_POSITION_MOVING,   /* the guest's memory may have moved */
  GODWIT_POSITION_COMMITTED,
} GodwitPosition;

typedef enum {
  GODWIT_ACTION_ROLL_BACK,
  GODWIT_ACTION_RESUME_HOME, /* roll back; the guest stands still at home and must run again */
  GODWIT_ACTION_COMMIT,      /* the target alone has the guest: prove it, commit, go on */
  GODWIT_ACTION_ADOPT,       /* it runs at the target already: commit, end what is left at home */
  GODWIT_ACTION_FORWARD,     /* run the steps that are left */
  GODWIT_ACTION_END_HOME,    /* the same, after ending what stands still at home */
  GODWIT_ACTION_WAIT,        /* committed, but the target cannot be asked */
  GODWIT_ACTION_DOUBT,       /* nobody can know; ask again later */
  GODWIT_ACTION_ALARM,       /* the one rule is broken: touch nothing, call a person */
} GodwitAction;

typedef struct {
  GodwitAction action;
  const char *reason; /* a clause: "the guest runs at home" */
} GodwitDecision;

/* What to do with a job that was interrupted or has failed. Total: every combination has an
 * answer. Doing it twice is doing it once. @past counts only where home has no process of the
 * guest. */
GodwitDecision godwit_decide (GodwitPosition position, GodwitGuestState home,
                              GodwitGuestState target, GodwitPast past);

const char *godwit_action_to_string (GodwitAction action);

G_END_DECLS
