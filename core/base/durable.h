/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What must be there after a power cut. A synced file is not enough: its name is in the directory,
 * which has to be synced too. */

/* Syncs an open directory. */
gboolean godwit_sync_names (int directory, const char *path, GError **error);
/* Syncs the directory in which @path is. */
gboolean godwit_sync_parent (const char *path, GError **error);
/* Removes what writers of @path left beside it when they were killed: g_file_set_contents_full()
 * writes a file of that name, a dot and six characters first. The caller sees to it that no other
 * writer of @path is alive. */
void godwit_remove_unfinished (const char *path);

G_END_DECLS
