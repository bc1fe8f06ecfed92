/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-bench.h"

#include <string.h>
#include <sys/xattr.h>

char *
text_of (char letter, gsize length)
{
  char *text = g_malloc (length + 1);
  memset (text, letter, length);
  text[length] = '\0';
  return text;
}

void
hosts_write_disk (Hosts *hosts)
{
  g_autofree char *text = text_of ('d', 65536);
  hosts_write (hosts->data, "web/disk", text);
}

void
hosts_inspect (Hosts *hosts, GodwitReport *report)
{
  g_autoptr (GError) error = NULL;
  file_inspect (NULL, hosts->job, hosts->disk, report, NULL, &error);
  g_assert_no_error (error);
}

/* Inspects and checks the target; the table of needed bytes is thrown away. */
GodwitReport *
hosts_check_target (Hosts *hosts)
{
  GodwitReport *report = godwit_report_new ();
  g_autoptr (GHashTable) needed = godwit_disks_new_needed ();
  g_autoptr (GError) error = NULL;

  hosts_inspect (hosts, report);
  file_check_target (NULL, hosts->job, hosts->disk, report, needed, NULL, &error);
  g_assert_no_error (error);
  return report;
}

gboolean
hosts_is_empty (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name = g_dir_read_name (dir);
  if (name != NULL)
    g_test_message ("%s has %s", directory, name);
  return name == NULL;
}

void
hosts_assert_no_facts (Hosts *hosts, const char *prefix)
{
  g_auto (GStrv) facts = godwit_job_list_facts (hosts->job, prefix);
  if (facts[0] != NULL)
    g_test_message ("fact %s", facts[0]);
  g_assert_null (facts[0]);
}

void
hosts_assert_blocked (Hosts *hosts, const char *id)
{
  g_autoptr (GodwitReport) report = godwit_report_new ();
  hosts_inspect (hosts, report);
  const GodwitFinding *finding = hosts_find (report, id);
  g_assert_nonnull (finding);
  g_assert_cmpint (finding->severity, ==, GODWIT_SEVERITY_BLOCKER);
}

gboolean
hosts_has_token (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char value[64];
  return getxattr (path, "user.godwit.token", value, sizeof value) > 0;
}
