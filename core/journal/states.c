/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal/journal.h"

#include <godwit/error.h>

const char *
godwit_job_state_to_string (GodwitJobState state)
{
  static const char *const names[] = {"planned",   "preparing", "copying",  "frozen", "verified",
                                      "committed", "resuming",  "retiring", "done",   "failed",
                                      "cancelled", "reverted",  "in doubt"};
  return (guint)state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

gboolean
godwit_job_state_from_string (const char *text, GodwitJobState *state)
{
  for (guint i = 0; i <= GODWIT_JOB_IN_DOUBT; i++) {
    if (g_str_equal (text, godwit_job_state_to_string (i))) {
      *state = i;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
godwit_job_state_is_terminal (GodwitJobState state)
{
  return state == GODWIT_JOB_DONE || state == GODWIT_JOB_FAILED || state == GODWIT_JOB_CANCELLED ||
         state == GODWIT_JOB_REVERTED;
}

const char *
godwit_step_state_to_string (GodwitStepState state)
{
  static const char *const names[] = {"waiting", "begun",  "done", "failed",
                                      "undoing", "undone", "owed"};
  return (guint)state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

gboolean
godwit_job_record_can_confirm (const GodwitJobRecord *record)
{
  /* A job whose guest was carried back has an older copy at the source that nobody needs. */
  return record->awaiting_confirm &&
         (record->state == GODWIT_JOB_DONE || record->state == GODWIT_JOB_REVERTED);
}

/* Nothing had been begun: what was asked for is at fault, or something just broke. */
static int
code_before_any_step (int error_code)
{
  switch (error_code) {
  case GODWIT_ERROR_CONFIG:
    return 2;
  case GODWIT_ERROR_REFUSED:
  case GODWIT_ERROR_BUSY:
  case GODWIT_ERROR_EXISTS:
  case GODWIT_ERROR_NOT_FOUND:
  case GODWIT_ERROR_NOT_SUPPORTED:
    return 3;
  default:
    return 1;
  }
}

int
godwit_job_record_get_exit_code (const GodwitJobRecord *record)
{
  g_return_val_if_fail (record != NULL, -1);
  switch (record->state) {
  case GODWIT_JOB_DONE:
  case GODWIT_JOB_REVERTED:
    /* An error without a debt is a guest that is down, or a confirm that could not even begin. */
    return record->debts > 0 || record->error != NULL ? 5 : 0;
  case GODWIT_JOB_CANCELLED:
    return record->debts > 0 ? 4 : 130;
  case GODWIT_JOB_FAILED:
    /* A roll-back that owes something is not finished: `recover` goes on with it. */
    if (record->debts > 0)
      return 4;
    return record->failed_step == NULL ? code_before_any_step (record->error_code) : 1;
  case GODWIT_JOB_IN_DOUBT:
    return 4;
  default:
    /* Stopped on the way: it says why, and nobody works on it. */
    return record->error != NULL && record->worker_pid == 0 ? 4 : -1;
  }
}
