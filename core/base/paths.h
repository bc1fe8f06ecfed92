/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where things are. Root has the system's directories, anybody else those of the XDG base
 * directory specification. GODWIT_STATE_DIR, GODWIT_RUNTIME_DIR and GODWIT_CONFIG override
 * them, unless the process runs with more privileges than its caller. All (transfer none). */
const char *godwit_paths_get_state_dir (void);   /* /var/lib/godwit */
const char *godwit_paths_get_runtime_dir (void); /* /run/godwit */
const char *godwit_paths_get_config_file (void); /* /etc/godwit/godwit.conf */
const char *godwit_paths_get_plugin_dir (void);  /* $libdir/godwit/plugins-1 */

/* Makes a directory with that mode; root's get the group `godwit` if there is one. */
gboolean godwit_paths_make_dir (const char *path, int mode, GError **error);

/* /proc/self/exe, for starting ourselves again as worker, agent, probe. */
const char *godwit_paths_get_self (void);

/* "alice (uid 1000) on host-a", for what must say later who did it. */
char *godwit_paths_describe_caller (void);

G_END_DECLS
