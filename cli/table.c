/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include <string.h>

/* Narrower than this a wrapped column is harder to read than a long line. */
#define NARROWEST 20
#define GAP       2

typedef struct {
  GStrv cells;
  char *note; /* printed below, instead of cells */
} Row;

struct _CliTable {
  guint n_columns;
  GPtrArray *rows;
};

static void
row_free (Row *row)
{
  g_strfreev (row->cells);
  g_free (row->note);
  g_free (row);
}

CliTable *
cli_table_new (const char *const *headings)
{
  CliTable *self = g_new0 (CliTable, 1);

  self->n_columns = g_strv_length ((GStrv)headings);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)row_free);
  cli_table_add (self, headings);
  return self;
}

void
cli_table_free (CliTable *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

void
cli_table_add (CliTable *self, const char *const *cells)
{
  Row *row = g_new0 (Row, 1);

  row->cells = g_new0 (char *, self->n_columns + 1);
  for (guint i = 0; i < self->n_columns; i++)
    row->cells[i] = g_strdup (cells[i] != NULL && *cells[i] != '\0' ? cells[i] : "-");
  g_ptr_array_add (self->rows, row);
}

void
cli_table_add_note (CliTable *self, const char *label, const char *text)
{
  Row *row;

  if (text == NULL)
    return;
  row = g_new0 (Row, 1);
  row->note = g_strdup_printf ("%s: %s", label, text);
  g_ptr_array_add (self->rows, row);
}

static guint
get_column_width (CliTable *self, guint column)
{
  glong widest = 0;

  for (guint i = 0; i < self->rows->len; i++) {
    Row *row = self->rows->pdata[i];

    if (row->cells != NULL)
      widest = MAX (widest, g_utf8_strlen (row->cells[column], -1));
  }
  return widest;
}

static void
print_spaces (FILE *stream, guint count)
{
  fprintf (stream, "%*s", (int)count, "");
}

/* Prints @text word by word, with later lines indented. @width: 0 for endless lines */
static void
print_wrapped (FILE *stream, const char *text, guint indent, guint width)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \n", -1);
  gboolean wrap = width > indent + NARROWEST;
  guint column = indent;

  for (gsize i = 0; words[i] != NULL; i++) {
    guint length = g_utf8_strlen (words[i], -1);

    if (wrap && column > indent && column + 1 + length > width) {
      fputc ('\n', stream);
      print_spaces (stream, indent);
      column = indent;
    } else if (i > 0) {
      fputc (' ', stream);
      column++;
    }
    fputs (words[i], stream);
    column += length;
  }
  fputc ('\n', stream);
}

void
cli_table_print (CliTable *self, FILE *stream)
{
  g_autofree guint *widths = g_new0 (guint, self->n_columns);
  guint screen = cli_get_width (stream);

  for (guint i = 0; i < self->n_columns; i++)
    widths[i] = get_column_width (self, i);
  for (guint i = 0; i < self->rows->len; i++) {
    Row *row = self->rows->pdata[i];
    guint indent = 0;

    if (row->note != NULL) {
      print_spaces (stream, 2 * GAP);
      print_wrapped (stream, row->note, 2 * GAP, screen);
      continue;
    }
    for (guint j = 0; j + 1 < self->n_columns; j++) {
      fputs (row->cells[j], stream);
      print_spaces (stream, widths[j] + GAP - g_utf8_strlen (row->cells[j], -1));
      indent += widths[j] + GAP;
    }
    print_wrapped (stream, row->cells[self->n_columns - 1], indent, screen);
  }
}
