/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What this host's own configuration lets a controller do: directories to touch, programs to
 * run. Every path goes through here. */
typedef struct _GodwitPolicy GodwitPolicy;

GodwitPolicy *godwit_policy_new (const char *const *directories, const char *const *programs);
void godwit_policy_free (GodwitPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GodwitPolicy, godwit_policy_free)

void godwit_policy_add_directory (GodwitPolicy *self, const char *path);
GVariant *godwit_policy_list_directories (GodwitPolicy *self);
GVariant *godwit_policy_list_programs (GodwitPolicy *self);

/* The absolute path of an allow-listed program; never looked up in the environment's PATH. */
char *godwit_policy_find_program (GodwitPolicy *self, const char *name, GError **error);

/* Refuses arguments that name a path outside the allowed directories. */
gboolean godwit_policy_check_arguments (GodwitPolicy *self, const char *const *argv,
                                        GError **error);

/* Opens what is at an allowed path. Symbolic links are followed as long as they stay beneath
 * the allowed directory; O_NOFOLLOW in @flags stops at the last component. Errors: DENIED for a
 * path outside, NOT_FOUND, and what the system says. */
int godwit_policy_open (GodwitPolicy *self, const char *path, int flags, GError **error);

/* Opens the directory that holds @path, for creating, renaming or removing in it. @name: (out):
 * the last component. An allowed directory itself has no parent here. */
int godwit_policy_open_parent (GodwitPolicy *self, const char *path, char **name, GError **error);

/* Sets an error from errno: "VERB PATH: reason". */
void godwit_set_errno (GError **error, int number, const char *verb, const char *path);

G_END_DECLS
