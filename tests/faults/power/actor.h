/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What godwit makes durable, one thing a case. The driver (syncs.py) runs the three functions of a
 * case in processes of their own, with a power cut between the last two. They assert what has to
 * succeed whatever is synced. */
typedef struct {
  const char *name;
  void (*prepare) (void); /* all of it is durable; may be NULL */
  void (*act) (void);
  gboolean (*is_intact) (void); /* after the cut */
} PowerCase;

extern const PowerCase file_cases[]; /* ended by a NULL name, like the others */
extern const PowerCase state_cases[];
extern const PowerCase transfer_cases[];

/* A path below the mount's `data`; freed by the end of the process. */
const char *data_path (const char *name);
/* Where agents may act. */
const char *data_directory (void);
/* On a file system that keeps everything. */
const char *safe_path (const char *name);

void make_file (const char *path, const char *text);
gboolean has_text (const char *path, const char *text);
gboolean is_there (const char *path);

G_END_DECLS
