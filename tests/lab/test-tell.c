/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What godwit tells: the choice and its reason, JSON for programs, the system's log, no secrets. */
#include "support/labtest.h"

#include <string.h>

#define IMAGES "/var/lib/libvirt/images"
#define SECRET "hunter2x"

static void
configure (const char *text)
{
  g_free (lab_sh ("a", "mkdir -p /etc/godwit; printf '%s' > /etc/godwit/godwit.conf", text));
}

static void
forget_configuration (void)
{
  g_free (lab_sh ("a", "rm -r /etc/godwit"));
}

static void
assert_chosen (const char *arguments, const char *strategy)
{
  g_autoptr (LabRun) run = lab_godwit ("a", 0, "plan %s --to b --json", arguments);
  g_autofree char *chosen = lab_json_string (run->out, "chosen");

  g_assert_cmpstr (chosen, ==, strategy);
}

/* Operators choose in the configuration, for all guests and for one, and on the command line. */
static void
test_order (void)
{
  assert_chosen ("telll", "live-block");
  assert_chosen ("tells", "live-shared");
  configure ("[strategy]\\norder=cold;live-block;live-shared\\n");
  /* cold comes first and is still not taken for a running guest. */
  assert_chosen ("telll", "live-block");
  assert_chosen ("telll --allow-downtime", "cold");
  configure ("[migration]\\nallow-downtime=true\\n[guest telll]\\norder=cold\\n");
  assert_chosen ("telll", "cold");
  assert_chosen ("tells", "live-shared");
  assert_chosen ("telll --strategy live-block", "live-block");
  forget_configuration ();
}

/* Every line is one JSON object with a kind. */
static void
assert_json_lines (const char *text, const char *word)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (gsize i = 0; lines[i] != NULL; i++) {
    if (*lines[i] == '\0')
      continue;
    g_autofree char *kind = lab_json_string (lines[i], "kind");
    g_assert_cmpstr (kind, !=, "");
    n++;
  }
  g_assert_cmpuint (n, >, 0);
  lab_assert_contains (text, word);
}

static void
test_json (void)
{
  g_autoptr (LabRun) refused = lab_sh_try ("a", "godwit migrate nosuch --to b --json");
  g_autoptr (LabRun) moved = lab_godwit ("a", 0, "migrate tells --to b --json");
  g_autoptr (LabRun) log = lab_godwit ("a", 0, "log tells --json");
  g_autoptr (LabRun) jobs = lab_godwit ("a", 0, "jobs --json");
  g_autoptr (LabRun) watch = lab_godwit ("a", 0, "watch tells --json");
  g_autoptr (LabRun) hosts = lab_godwit ("a", 0, "hosts b --json");
  g_autoptr (LabRun) back = NULL;

  g_assert_cmpint (refused->status, ==, 3);
  assert_json_lines (refused->out, "guest-exists");
  assert_json_lines (moved->out, "\"result\"");
  lab_assert_contains (moved->out, "live-shared");
  assert_json_lines (log->out, "commit");
  assert_json_lines (jobs->out, "tells");
  assert_json_lines (watch->out, "done");
  assert_json_lines (hosts->out, "libvirt");
  back = lab_godwit ("a", 0, "migrate tells --from b --to localhost --json");
  assert_json_lines (back->out, "\"done\"");
}

/* A console's password moves with the guest and is told to nobody. */
static void
test_secrets (void)
{
  g_autofree char *there = NULL;
  g_autofree char *said = NULL;
  g_autofree char *modes = NULL;

  g_free (lab_guest_define ("a", "tellv",
                            "--dir /srv/shared/tellv --xml \"<graphics type='vnc' port='-1' "
                            "autoport='yes' listen='127.0.0.1' passwd='" SECRET "'/>\""));
  lab_guest_boot ("a", "tellv");
  said = lab_sh ("a",
                 "godwit plan tellv --to b --json; godwit migrate tellv --to b; godwit log tellv; "
                 "godwit log tellv --json; godwit show tellv --json; cat "
                 "/var/lib/godwit/jobs/tellv*");
  lab_assert_contains (said, "tellv moved from localhost to b");
  g_assert_null (strstr (said, SECRET));
  there = lab_sh ("b", "virsh dumpxml --inactive --security-info tellv");
  lab_assert_contains (there, SECRET);
  /* The journal has definitions whole, so it is for its owner alone. */
  modes = lab_sh ("a", "stat -c %%a /var/lib/godwit/journal.db* | sort -u");
  g_assert_cmpstr (modes, ==, "600");
  lab_guest_forget ("tellv");
}

/* Without a journald, what happens goes to syslog. */
static void
test_syslog (void)
{
  g_autofree char *log = NULL;

  g_free (lab_sh ("a",
                  "(setsid socat -u UNIX-RECV:/dev/log,mode=666 OPEN:/root/syslog,creat,append "
                  "</dev/null >/dev/null 2>&1 & echo $! > /run/socat.pid); until test -S "
                  "/dev/log; do sleep 0.02; done"));
  lab_run_free (lab_godwit ("a", 3, "migrate telll --to b --strategy live-shared"));
  log = lab_sh ("a", "until grep -q 'result failed' /root/syslog; do sleep 0.05; done; kill $(cat "
                     "/run/socat.pid); cat /root/syslog; rm -f /dev/log /root/syslog");
  lab_assert_contains (log, "godwit[");
  lab_assert_contains (log, "telll-");
  lab_assert_contains (log, "disk-not-shared");
}

/* An emulated guest may lose writes with this QEMU; that is said before it moves. */
static void
test_emulated (void)
{
  g_autoptr (LabRun) run = lab_godwit ("a", 0, "plan telll --to b");

  lab_assert_contains (run->out, "emulated-guest");
}

static void
prepare (void)
{
  g_free (lab_guest_define ("a", "telll", "--size 128 --fill 10"));
  g_free (lab_guest_define ("a", "tells", "--dir /srv/shared/tells"));
  lab_guest_boot ("a", "telll");
  lab_guest_boot ("a", "tells");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tell/order", test_order);
  g_test_add_func ("/tell/json", test_json);
  g_test_add_func ("/tell/secrets", test_secrets);
  g_test_add_func ("/tell/syslog", test_syslog);
  g_test_add_func ("/tell/emulated", test_emulated);
  return lab_main ("tell", "a,b", prepare);
}
