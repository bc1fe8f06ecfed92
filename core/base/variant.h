/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Members of an a{sv}. Text that is no UTF-8 (a path may be anything) travels as a byte string,
 * because a GVariant string would refuse it; the reader accepts both. NULL is left out. */
void godwit_variant_add_text (GVariantBuilder *builder, const char *key, const char *text);
char *godwit_variant_dup_text (GVariant *dict, const char *key); /* NULL if it is not there */

/* Zero or FALSE if it is not there or of another type. */
guint64 godwit_variant_get_uint64 (GVariant *dict, const char *key);
guint32 godwit_variant_get_uint32 (GVariant *dict, const char *key);
gboolean godwit_variant_get_boolean (GVariant *dict, const char *key);

G_END_DECLS
