/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

gboolean
cli_is_terminal (FILE *stream)
{
  const char *no_color = g_getenv ("NO_COLOR");
  const char *term = g_getenv ("TERM");

  return isatty (fileno (stream)) && (no_color == NULL || *no_color == '\0') &&
         g_strcmp0 (term, "dumb") != 0;
}

guint
cli_get_width (FILE *stream)
{
  struct winsize size = {0};

  if (!isatty (fileno (stream)))
    return 0;
  if (ioctl (fileno (stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

char *
cli_split_error (int code, const char *text, char **remedy)
{
  g_autoptr (GError) error =
      g_error_new_literal (GODWIT_ERROR, MAX (code, 0), text != NULL ? text : "unknown error");

  if (remedy != NULL)
    *remedy = g_strdup (godwit_error_get_remedy (error));
  return godwit_error_dup_message (error);
}

void
cli_print_error (int code, const char *text)
{
  g_autofree char *remedy = NULL;
  g_autofree char *message = cli_split_error (code, text, &remedy);
  g_auto (GStrv) lines = g_strsplit (message, "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_printerr ("%s%s\n", i == 0 ? "godwit: " : "  ", lines[i]);
  if (remedy != NULL)
    g_printerr ("  next: %s\n", remedy);
}

CliExit
cli_fail (const GError *error)
{
  GodwitJobRecord refused = {.state = GODWIT_JOB_FAILED, .error_code = error->code};

  if (error->domain != GODWIT_ERROR) {
    g_printerr ("godwit: %s\n", error->message);
    return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? CLI_INTERRUPTED : CLI_FAILED;
  }
  cli_print_error (error->code, error->message);
  switch ((GodwitErrorCode)error->code) {
  case GODWIT_ERROR_CONFIG:
    return CLI_USAGE;
  case GODWIT_ERROR_IN_DOUBT:
    return CLI_NEEDS_RECOVER;
  case GODWIT_ERROR_CANCELLED:
    return CLI_INTERRUPTED;
  default:
    /* The same code that the job would have ended with. */
    return godwit_job_record_get_exit_code (&refused);
  }
}

void
cli_note (const char *format, ...)
{
  va_list arguments;
  g_autofree char *text = NULL;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("godwit: %s\n", text);
}

char *
cli_format_bytes (guint64 bytes)
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = bytes;
  gsize unit = 0;

  while (value >= 1024 && unit + 1 < G_N_ELEMENTS (units)) {
    value /= 1024;
    unit++;
  }
  return g_strdup_printf ("%.*f %s", unit > 0 && value < 10 ? 1 : 0, value, units[unit]);
}

char *
cli_format_rate (guint64 bytes)
{
  g_autofree char *text = cli_format_bytes (bytes);

  return g_strconcat (text, "/s", NULL);
}

char *
cli_format_duration (gint64 us)
{
  gint64 seconds = us / G_USEC_PER_SEC;

  if (us < 10 * G_USEC_PER_SEC)
    return g_strdup_printf ("%.2f s", (double)us / G_USEC_PER_SEC);
  if (seconds < 60)
    return g_strdup_printf ("%.1f s", (double)us / G_USEC_PER_SEC);
  if (seconds < 3600)
    return g_strdup_printf ("%" G_GINT64_FORMAT " min %02" G_GINT64_FORMAT " s", seconds / 60,
                            seconds % 60);
  return g_strdup_printf ("%" G_GINT64_FORMAT " h %02" G_GINT64_FORMAT " min", seconds / 3600,
                          seconds / 60 % 60);
}

char *
cli_format_time (gint64 us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (us / G_USEC_PER_SEC);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup ("-");
}

void
cli_print_field (FILE *stream, const char *name, const char *value)
{
  if (value != NULL)
    fprintf (stream, "%-14s %s\n", name, value);
}
