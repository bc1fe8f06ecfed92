/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/spelling.h"

static const char *const words[] = {"migrate", "plan", "plugins", "max-downtime", "b", NULL};

static void
test_near (void)
{
  g_assert_cmpstr (godwit_spelling_nearest ("migrat", words), ==, "migrate");
  g_assert_cmpstr (godwit_spelling_nearest ("MIGRATE", words), ==, "migrate");
  g_assert_cmpstr (godwit_spelling_nearest ("plna", words), ==, "plan");
  g_assert_cmpstr (godwit_spelling_nearest ("pluginss", words), ==, "plugins");
  g_assert_cmpstr (godwit_spelling_nearest ("max-dowmtimes", words), ==, "max-downtime");
}

static void
test_far (void)
{
  g_autofree char *endless = g_strnfill (4096, 'x');

  g_assert_null (godwit_spelling_nearest ("reboot", words));
  g_assert_null (godwit_spelling_nearest ("host-a", words));
  g_assert_null (godwit_spelling_nearest ("c", words));
  g_assert_null (godwit_spelling_nearest ("", words));
  g_assert_null (godwit_spelling_nearest (endless, words));
  g_assert_null (godwit_spelling_nearest ("plan", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spelling/near", test_near);
  g_test_add_func ("/spelling/far", test_far);
  return g_test_run ();
}
