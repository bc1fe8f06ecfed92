/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli.h"

#include <stdio.h>

G_BEGIN_DECLS

/* Prints "godwit: what failed" and "  next: remedy" on standard error. Returns the exit code
 * that the error stands for. */
CliExit cli_fail (const GError *error);
/* The same for text in which a job keeps an error. */
void cli_print_error (int code, const char *text);
void cli_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Splits a kept error into what failed and, or NULL, what to do next. */
char *cli_split_error (int code, const char *text, char **remedy);

/* Whether @stream may get control sequences: a terminal, and NO_COLOR is not set. */
gboolean cli_is_terminal (FILE *stream);
guint cli_get_width (FILE *stream);

char *cli_format_bytes (guint64 bytes); /* "1.5 GiB" */
char *cli_format_rate (guint64 bytes);  /* "110 MiB/s" */
char *cli_format_duration (gint64 us);  /* "0.09 s", "4 min 12 s" */
char *cli_format_time (gint64 us);      /* "2025-06-30 14:02:11" */

/* A table with aligned columns; the last one is wrapped to the width of the terminal. */
typedef struct _CliTable CliTable;
CliTable *cli_table_new (const char *const *headings);
/* @cells: as many as headings, NULL cells are printed as "-" */
void cli_table_add (CliTable *self, const char *const *cells);
/* A line below the row before, indented: a remedy. NULL text adds nothing. */
void cli_table_add_note (CliTable *self, const char *label, const char *text);
void cli_table_print (CliTable *self, FILE *stream);
void cli_table_free (CliTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTable, cli_table_free)

/* "name    value" lines; NULL values are left out. */
void cli_print_field (FILE *stream, const char *name, const char *value);

G_END_DECLS
