/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <godwit/error.h>

#include <gio/gio.h>

#include <string.h>

/* The remedy is the last line of the message, so that it survives g_prefix_error(), the journal
 * and the way over a socket without a second channel beside the GError. */
#define REMEDY_MARK "\nNext: "

GQuark
godwit_error_quark (void)
{
  return g_quark_from_static_string ("godwit-error");
}

/* An inner error quoted in the text brings its own remedy along; the outer one knows better. */
static void
drop_inner_remedies (char *text)
{
  char *mark;
  while ((mark = strstr (text, REMEDY_MARK)) != NULL) {
    char *rest = mark + strlen (REMEDY_MARK);
    rest += strcspn (rest, "\n");
    memmove (mark, rest, strlen (rest) + 1);
  }
}

void
godwit_set_error (GError **error, GodwitErrorCode code, const char *remedy, const char *format, ...)
{
  if (error == NULL)
    return;

  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);

  if (remedy == NULL) {
    g_set_error_literal (error, GODWIT_ERROR, code, text);
    return;
  }
  drop_inner_remedies (text);
  g_set_error (error, GODWIT_ERROR, code, "%s" REMEDY_MARK "%s", text, remedy);
}

const char *
godwit_error_get_remedy (const GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);
  const char *mark = g_strrstr (error->message, REMEDY_MARK);
  return mark != NULL ? mark + strlen (REMEDY_MARK) : NULL;
}

char *
godwit_error_dup_message (const GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);
  const char *mark = g_strrstr (error->message, REMEDY_MARK);
  return mark != NULL ? g_strndup (error->message, mark - error->message)
                      : g_strdup (error->message);
}

gboolean
godwit_error_is_cancelled (const GError *error)
{
  return g_error_matches (error, GODWIT_ERROR, GODWIT_ERROR_CANCELLED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}
