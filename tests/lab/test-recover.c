/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovery by others than the worker: from another machine, and by a person's word. */
#include "support/labtest.h"

#include <signal.h>
#include <string.h>

#define OURS "pgrep -xf 'godwit (work|supervise) .*'"

static void
slow_link (gboolean slow)
{
  g_free (lab ("rate", "b", slow ? "20" : "none", NULL));
}

static char *
wait_for_nothing (const char *host)
{
  return lab_sh (host, "for try in {1..600}; do left=$(%s) || exit 0; sleep 0.05; done; echo $left",
                 OURS);
}

/* A controller that hangs and wakes up when another has gone on with its job changes nothing. */
static void
test_take_over (void)
{
  g_autofree char *image = lab_guest_define ("a", "tko", "--size 256 --fill 60");
  g_autofree char *id = NULL;
  g_autofree char *before = NULL;
  g_autoptr (LabRun) listed = NULL;
  g_autoptr (LabRun) late = NULL;
  g_autoptr (LabRun) shown = NULL;
  LabProcess *migrate = NULL;

  lab_guest_boot ("a", "tko");
  /* The first agent and the first session on a host make directories, which stay. */
  lab_run_free (lab_godwit ("b", 0, "plan tko --from a --to b"));
  lab_run_free (lab_godwit ("c", 0, "plan tko --from a --to b"));
  before = lab_snapshot ();
  slow_link (TRUE);
  migrate = lab_spawn ("c", "godwit migrate tko --from a --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  g_free (lab_sh ("c", "kill -STOP $(%s)", OURS));
  slow_link (FALSE);

  id = lab_sh ("b", "ls -I '*.*' /var/lib/godwit/records");
  listed = lab_godwit ("b", 0, "recover");
  lab_assert_contains (listed->err, id);
  lab_assert_contains (listed->err, "--take-over-from localhost");
  lab_run_free (lab_godwit ("b", 0, "recover %s --take-over-from localhost", id));
  lab_assert_state ("a", "tko", "running");
  lab_assert_state ("b", "tko", "absent");
  lab_assert_writes ("a", "tko");

  g_free (lab_sh ("c", "kill -CONT $(%s)", OURS));
  g_assert_cmpint (lab_process_finish (migrate), ==, 4);
  g_free (wait_for_nothing ("c"));
  late = lab_godwit ("c", 4, "recover %s", id);
  lab_assert_contains (late->err, "taken over");
  lab_assert_contains (late->err, "--take-over-from");
  lab_assert_clean ();
  lab_assert_unchanged (before);
  /* What became of it can be asked where it was finished. */
  lab_run_free (lab_godwit ("c", 0, "recover %s --take-over-from b", id));
  shown = lab_godwit ("c", 0, "show %s --json", id);
  g_autofree char *state = lab_json_string (shown->out, "state");
  g_assert_cmpstr (state, ==, "failed");
  g_free (lab ("guest", "stop", "a", "tko", NULL));
  lab_assert_nothing_lost ("a", "tko", image);
  lab_guest_forget ("tko");
}

/* A host that cannot be asked keeps a job in doubt until a person says that it is off. */
static void
test_source_is_off (void)
{
  g_autofree char *image = lab_guest_define ("a", "off", "--size 256 --fill 60");
  g_autofree char *before = NULL;
  g_autofree char *id = NULL;
  g_autoptr (LabRun) doubt = NULL;
  g_autoptr (LabRun) said = NULL;
  LabProcess *migrate = NULL;

  lab_run_free (lab_godwit ("c", 0, "plan off --from a --to b"));
  before = lab_snapshot ();
  slow_link (TRUE);
  migrate = lab_spawn ("c", "godwit migrate off --from a --to b");
  lab_process_expect (migrate, "disk vda");
  g_free (lab_sh ("c", "kill -KILL $(%s)", OURS));
  g_assert_cmpint (lab_process_finish (migrate), ==, 4);
  slow_link (FALSE);
  g_free (lab ("link", "a", "down", NULL));
  /* With a dot: one that is still being written. */
  id = lab_sh ("b", "ls -t -I '*.*' /var/lib/godwit/records | head -n 1");

  doubt = lab_godwit ("c", 4, "recover off");
  lab_assert_contains (doubt->err, "in doubt");
  lab_assert_contains (doubt->err, "--source-is-off");
  lab_run_free (lab_godwit ("c", 2, "recover --source-is-off"));
  said = lab_godwit ("c", 0, "recover off --source-is-off");
  lab_assert_contains (said->err, "off, says root");
  g_free (lab_sh ("b", "test ! -e %s", image));

  g_free (lab ("link", "a", "up", NULL));
  lab_run_free (lab_godwit ("c", 0, "recover %s", id));
  lab_assert_state ("a", "off", "shut off");
  lab_assert_state ("b", "off", "absent");
  lab_assert_clean ();
  lab_assert_unchanged (before);
  lab_run_free (lab_godwit ("c", 0, "migrate off --from a --to b --auto-confirm"));
  lab_assert_state ("b", "off", "shut off");
  lab_guest_forget ("off");
}

static void
prepare (void)
{
  /* Hosts that do not answer are meant to be found out soon. */
  g_free (lab_sh ("c", "mkdir -p /etc/godwit; printf '[host a]\\nconnect-timeout=4\\n[host b]\\n"
                       "connect-timeout=4\\n' > /etc/godwit/godwit.conf"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recover/take-over", test_take_over);
  g_test_add_func ("/recover/source-is-off", test_source_is_off);
  return lab_main ("recover", "a,b,c", prepare);
}
