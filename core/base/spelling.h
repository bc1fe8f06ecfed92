/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The candidate that @word was probably meant to be, or NULL if none is near enough to be
 * worth suggesting. @candidates: ended by NULL; may be NULL. (transfer none) */
const char *godwit_spelling_nearest (const char *word, const char *const *candidates);

G_END_DECLS
