/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* This machine's copies of the records of jobs that it takes part in: a GodwitJournal reads them.
 * Only root can. */
GStrv godwit_records_list (void);
GBytes *godwit_records_read (const char *job, GError **error);

G_END_DECLS
