/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/event.h"

G_BEGIN_DECLS

/* What was reported of one thing that progresses: a disk, the memory. */
typedef struct _GodwitProgress GodwitProgress;

GodwitProgress *godwit_progress_new (void);
void godwit_progress_free (GodwitProgress *self);

/* Takes a report. Returns a PROGRESS event, or NULL if the last one is too fresh. Bytes never
 * go back, and neither does the member `fraction` (0 to 1) of the event's data, even if the total
 * grows. @now_us: monotonic time */
GodwitEvent *godwit_progress_report (GodwitProgress *self, const char *what, guint64 done,
                                     guint64 total, gint64 now_us);

G_END_DECLS
