/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/leftovers.h"

#include "agent/agent.h"
#include "control/lock.h"
#include "plan/machines.h"

void
godwit_leftovers_sweep (const char *job)
{
  godwit_machines_sweep_sessions ();
  godwit_agent_sweep ();
  if (job != NULL)
    godwit_lock_sweep (job);
}
