/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/policy.h"

G_BEGIN_DECLS

#define GODWIT_SMALL_FILE_MAX (1024 * 1024)
#define GODWIT_KEEP_ID        G_MAXUINT32 /* a uid or gid that is left as it is */

/* The agent's file calls; sdk/godwit/host.h says what they mean. */

#define GODWIT_STAT_TYPE "(uttuuuttxxssx)"

GVariant *godwit_files_stat (GodwitPolicy *policy, const char *path, GError **error);
GVariant *godwit_files_list (GodwitPolicy *policy, const char *path, GError **error);
gboolean godwit_files_make_directory (GodwitPolicy *policy, const char *path, guint32 mode,
                                      guint32 uid, guint32 gid, const char *token, GError **error);
gboolean godwit_files_create (GodwitPolicy *policy, const char *path, guint64 size,
                              gboolean preallocate, guint32 mode, guint32 uid, guint32 gid,
                              const char *token, GError **error);
gboolean godwit_files_write (GodwitPolicy *policy, const char *path, GBytes *contents, guint32 mode,
                             gboolean exclusive, GError **error);
GBytes *godwit_files_read (GodwitPolicy *policy, const char *path, guint64 offset, gsize length,
                           GError **error);
gboolean godwit_files_rename (GodwitPolicy *policy, const char *from, const char *to,
                              GError **error);
gboolean godwit_files_remove_owned (GodwitPolicy *policy, const char *path, const char *token,
                                    GError **error);
/* Allocates every hole of a file; what is in it stays as it is. */
gboolean godwit_files_allocate (GodwitPolicy *policy, const char *path, GError **error);
gboolean godwit_files_set_token (GodwitPolicy *policy, const char *path, const char *token,
                                 GError **error);
gboolean godwit_files_set_owner (GodwitPolicy *policy, const char *path, guint32 uid, guint32 gid,
                                 guint32 mode, GError **error);
gboolean godwit_files_free_space (GodwitPolicy *policy, const char *path, guint64 *free_bytes,
                                  guint64 *filesystem, GError **error);
/* May take long; @cancellable is looked at between files. */
gboolean godwit_files_remove_parked (GodwitPolicy *policy, const char *path, const char *token,
                                     GCancellable *cancellable, GError **error);

/* Shared by the files that implement the calls. */

/* FALSE without an error if nothing is there. @fd is O_PATH and never of a link's target. */
gboolean godwit_files_open_object (int parent, const char *name, const char *path, int *fd,
                                   GError **error);
gboolean godwit_files_give (int fd, guint32 mode, guint32 uid, guint32 gid, const char *path,
                            GError **error);
/* Never replaces: EEXIST. For file systems that cannot promise it in one call, the nearest that
 * never loses anything. Returns 0 or an errno. */
int godwit_files_rename_at (int from_parent, const char *from, int to_parent, const char *to);

G_END_DECLS
