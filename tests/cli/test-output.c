/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include <stdlib.h>
#include <string.h>

static void
assert_text (char *text, const char *expected)
{
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

static void
test_bytes (void)
{
  assert_text (cli_format_bytes (0), "0 B");
  assert_text (cli_format_bytes (1023), "1023 B");
  assert_text (cli_format_bytes (1024), "1.0 KiB");
  assert_text (cli_format_bytes (10 * 1024), "10 KiB");
  assert_text (cli_format_bytes (G_GUINT64_CONSTANT (1610612736)), "1.5 GiB");
  assert_text (cli_format_bytes (G_MAXUINT64), "16384 PiB");
  assert_text (cli_format_rate (115343360), "110 MiB/s");
}

static void
test_duration (void)
{
  assert_text (cli_format_duration (90000), "0.09 s");
  assert_text (cli_format_duration (12345678), "12.3 s");
  assert_text (cli_format_duration (G_GINT64_CONSTANT (252) * G_USEC_PER_SEC), "4 min 12 s");
  assert_text (cli_format_duration (G_GINT64_CONSTANT (3780) * G_USEC_PER_SEC), "1 h 03 min");
}

static void
test_table (void)
{
  static const char *const headings[] = {"job", "guest", "what", NULL};
  static const char *const first[] = {"k7", "größe", "a b", NULL};
  static const char *const second[] = {"longer", NULL, "", NULL};
  g_autoptr (CliTable) table = cli_table_new (headings);
  char *text = NULL;
  size_t size;
  FILE *stream = open_memstream (&text, &size);

  cli_table_add (table, first);
  cli_table_add_note (table, "next", "godwit jobs");
  cli_table_add_note (table, "next", NULL);
  cli_table_add (table, second);
  cli_table_print (table, stream);
  fclose (stream);
  g_assert_cmpstr (text, ==,
                   "job     guest  what\n"
                   "k7      größe  a b\n"
                   "    next: godwit jobs\n"
                   "longer  -      -\n");
  free (text);
}

static void
test_split_error (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;
  g_autofree char *remedy = NULL;

  godwit_set_error (&error, GODWIT_ERROR_BUSY, "godwit wait k7", "web1 is busy");
  message = cli_split_error (error->code, error->message, &remedy);
  g_assert_cmpstr (message, ==, "web1 is busy");
  g_assert_cmpstr (remedy, ==, "godwit wait k7");
}

static void
test_no_terminal (void)
{
  FILE *stream = tmpfile ();

  g_assert_false (cli_is_terminal (stream));
  g_assert_cmpuint (cli_get_width (stream), ==, 0);
  fclose (stream);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/output/bytes", test_bytes);
  g_test_add_func ("/cli/output/duration", test_duration);
  g_test_add_func ("/cli/output/table", test_table);
  g_test_add_func ("/cli/output/split-error", test_split_error);
  g_test_add_func ("/cli/output/no-terminal", test_no_terminal);
  return g_test_run ();
}
