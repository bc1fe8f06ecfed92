/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/event.h"

G_BEGIN_DECLS

/* From here on this process logs to journald, else to syslog, else to standard error. For
 * supervisors and workers, which have no terminal. */
void godwit_log_use_system (void);

/* One line, with GODWIT_JOB, GODWIT_KIND, GODWIT_WHAT and GODWIT_HOST as fields. Progress is left
 * out. */
void godwit_log_event (const char *job, const GodwitEvent *event);

G_END_DECLS
