/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GODWIT_TOKEN_MAX 47

/* The mark of the job that made an object: an extended attribute, or, where the file system has
 * none, a record in the state directory that names the object by its file handle, which no
 * later object of the same inode number shares. */

gboolean godwit_token_check (const char *token, GError **error);

/* @fd: any descriptor of the object, O_PATH too. Empty: no token. */
gboolean godwit_token_get (int fd, char token[GODWIT_TOKEN_MAX + 1], GError **error);
/* @token: "" takes it off. @path is for messages and the record only. */
gboolean godwit_token_set (int fd, const char *token, const char *path, GError **error);
/* Forgets the record of an object that is about to be removed; nothing to do for attributes. */
void godwit_token_forget (int fd);

G_END_DECLS
