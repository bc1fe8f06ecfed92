/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an operator steers: abort, detach, confirm, revert, recover; and with little privilege. */
#include "support/labtest.h"

#include <signal.h>
#include <string.h>

#define IMAGES "/var/lib/libvirt/images"

/* The exit code of a command that stopped watching. */
#define GOES_ON 6

/* A slow link keeps a migration in its copy phase for as long as a test needs it. */
static void
slow_link (gboolean slow)
{
  g_free (lab ("rate", "b", slow ? "20" : "none", NULL));
}

static void
assert_rolled_back (const char *name, const char *before)
{
  lab_assert_state ("a", name, "running");
  lab_assert_state ("b", name, "absent");
  lab_assert_writes ("a", name);
  lab_assert_clean ();
  lab_assert_unchanged (before);
}

static void
test_interrupt (void)
{
  g_autofree char *before = lab_snapshot ();
  LabProcess *migrate = NULL;

  slow_link (TRUE);
  migrate = lab_spawn ("a", "godwit migrate ctl --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  lab_process_signal (migrate, SIGINT);
  g_assert_cmpint (lab_process_finish (migrate), ==, 130);
  slow_link (FALSE);
  assert_rolled_back ("ctl", before);
}

static void
test_abort_from_elsewhere (void)
{
  g_autofree char *before = lab_snapshot ();
  g_autoptr (LabRun) log = NULL;
  LabProcess *migrate = NULL;

  slow_link (TRUE);
  migrate = lab_spawn ("a", "godwit migrate ctl --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  lab_run_free (lab_godwit ("a", 0, "abort ctl"));
  g_assert_cmpint (lab_process_finish (migrate), ==, 130);
  slow_link (FALSE);
  assert_rolled_back ("ctl", before);
  log = lab_godwit ("a", 0, "log ctl");
  lab_assert_contains (log->out, "root");
  lab_assert_contains (log->out, "abort");
}

/* A lost terminal detaches; the job goes on, and a second one for the guest is refused. */
static void
test_hangup (void)
{
  g_autoptr (LabRun) second = NULL;
  LabProcess *migrate = NULL;

  slow_link (TRUE);
  migrate = lab_spawn ("a", "godwit migrate ctl --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  lab_process_signal (migrate, SIGHUP);
  g_assert_cmpint (lab_process_finish (migrate), ==, GOES_ON);
  second = lab_godwit ("a", 3, "migrate ctl --to b");
  lab_assert_contains (second->err, "already");
  lab_assert_contains (second->err, "by job ctl-");
  lab_assert_contains (second->err, "next:");
  lab_run_free (lab_godwit ("a", GOES_ON, "wait ctl --timeout 1"));
  slow_link (FALSE);
  lab_run_free (lab_godwit ("a", 0, "wait ctl"));
  lab_assert_state ("b", "ctl", "running");
  lab_assert_writes ("b", "ctl");
  lab_run_free (lab_godwit ("a", 0, "confirm ctl"));
  /* Bring it home for the next test, from a third name for the same direction. */
  lab_run_free (lab_godwit ("a", 0, "migrate ctl --from b --to localhost --auto-confirm"));
  lab_assert_state ("a", "ctl", "running");
  lab_assert_clean ();
}

static void
test_detach (void)
{
  g_autoptr (LabRun) start = lab_godwit ("a", 0, "migrate ctl --to b --detach --auto-confirm");
  g_autoptr (LabRun) jobs = NULL;

  g_assert_cmpstr (start->out, !=, "");
  lab_run_free (lab_godwit ("a", 0, "wait ctl"));
  lab_assert_state ("b", "ctl", "running");
  jobs = lab_godwit ("a", 0, "jobs");
  lab_assert_contains (jobs->out, "done");
  lab_run_free (lab_godwit ("a", 0, "migrate ctl --from b --to localhost --auto-confirm"));
}

/* kill -9 of the worker: the supervisor recovers at once. */
static void
test_worker_killed (void)
{
  g_autofree char *before = lab_snapshot ();
  LabProcess *migrate = NULL;

  slow_link (TRUE);
  migrate = lab_spawn ("a", "godwit migrate ctl --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  g_free (lab_sh ("a", "kill -9 $(pgrep -f '^[^ ]*godwit work' | head -n 1)"));
  g_assert_cmpint (lab_process_finish (migrate), ==, 1);
  slow_link (FALSE);
  assert_rolled_back ("ctl", before);
}

/* kill -9 of worker and supervisor: the next command says that a job waits; recover mends it,
 * and a second recover changes nothing. */
static void
test_both_killed (void)
{
  g_autofree char *before = lab_snapshot ();
  g_autoptr (LabRun) jobs = NULL;
  g_autoptr (LabRun) recovered = NULL;
  g_autoptr (LabRun) again = NULL;
  LabProcess *migrate = NULL;

  slow_link (TRUE);
  migrate = lab_spawn ("a", "godwit migrate ctl --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  g_free (lab_sh ("a", "kill -9 $(pgrep -f '^[^ ]*godwit supervise') $(pgrep -f "
                       "'^[^ ]*godwit work')"));
  lab_process_finish (migrate);
  slow_link (FALSE);
  jobs = lab_godwit ("a", 0, "jobs");
  lab_assert_contains (jobs->err, "recover");
  recovered = lab_godwit ("a", 0, "recover");
  lab_assert_contains (recovered->out, "ctl");
  lab_assert_contains (recovered->err, "ctl is at localhost");
  assert_rolled_back ("ctl", before);
  again = lab_godwit ("a", 0, "recover");
  lab_assert_unchanged (before);
}

/* A hook of libvirt's holds the source's end of a migration up, after the commit, until /run/hold
 * is gone. */
static void
hold_back (void)
{
  g_free (lab_sh ("a",
                  "mkdir -p /etc/libvirt/hooks; printf '#!/bin/sh\\n[ \"$2\" = release ] || exit "
                  "0\\nwhile [ -e /run/hold ]; do sleep 0.05; done\\n' > "
                  "/etc/libvirt/hooks/qemu; chmod 755 /etc/libvirt/hooks/qemu; touch /run/hold; "
                  "kill $(cat /run/libvirtd.pid); while test -e /proc/$(cat /run/libvirtd.pid "
                  "2>/dev/null || echo none); do sleep 0.02; done; libvirtd -d; virsh -q list "
                  ">/dev/null"));
}

static void
let_go (void)
{
  g_free (lab_sh ("a", "rm /run/hold"));
}

/* After the commit the first interrupt says that the job finishes, and the second only detaches. */
static void
test_interrupt_late (void)
{
  LabProcess *migrate = NULL;

  g_free (lab_guest_define ("a", "late", "--dir /srv/shared/late"));
  hold_back ();
  lab_guest_boot ("a", "late");
  migrate = lab_spawn ("a", "godwit migrate late --to b");
  lab_process_expect (migrate, "stood still");
  lab_process_signal (migrate, SIGINT);
  lab_process_expect (migrate, "finishing");
  lab_process_signal (migrate, SIGINT);
  g_assert_cmpint (lab_process_finish (migrate), ==, GOES_ON);
  lab_assert_contains (lab_process_get_output (migrate), "goes on");
  lab_run_free (lab_godwit ("a", GOES_ON, "wait late --timeout 1"));
  lab_run_free (lab_godwit ("a", 3, "abort late"));
  let_go ();
  lab_run_free (lab_godwit ("a", 0, "wait late"));
  g_free (lab_sh ("a", "rm /etc/libvirt/hooks/qemu"));
  lab_assert_state ("b", "late", "running");
  lab_assert_state ("a", "late", "absent");
  lab_assert_writes ("b", "late");
  lab_assert_clean ();
  lab_guest_forget ("late");
}

static void
test_revert_stopped (void)
{
  g_autofree char *image = lab_guest_define ("a", "rvs", "--size 128 --fill 10");
  g_autofree char *files = lab_sh ("a", "ls -ilR --time-style=full-iso " IMAGES "/rvs");
  g_autofree char *definition = lab_sh ("a", "virsh dumpxml --inactive rvs");
  g_autofree char *files_after = NULL;
  g_autofree char *definition_after = NULL;

  lab_run_free (lab_godwit ("a", 0, "migrate rvs --to b"));
  lab_assert_state ("b", "rvs", "shut off");
  lab_run_free (lab_godwit ("a", 0, "revert rvs"));
  lab_assert_state ("a", "rvs", "shut off");
  lab_assert_state ("b", "rvs", "absent");
  files_after = lab_sh ("a", "ls -ilR --time-style=full-iso " IMAGES "/rvs");
  definition_after = lab_sh ("a", "virsh dumpxml --inactive rvs");
  g_assert_cmpstr (definition, ==, definition_after);
  g_assert_cmpstr (files, ==, files_after);
  g_free (lab_sh ("b", "test ! -e %s", image));
  lab_assert_clean ();
  lab_guest_forget ("rvs");
}

static void
test_revert_ran (void)
{
  g_autofree char *image = lab_guest_define ("a", "rvr", "--size 128 --fill 10");
  g_autoptr (LabRun) refused = NULL;

  lab_guest_boot ("a", "rvr");
  lab_run_free (lab_godwit ("a", 0, "migrate rvr --to b --strategy cold --allow-downtime"));
  lab_assert_writes ("b", "rvr");
  refused = lab_godwit ("a", 3, "revert rvr");
  lab_assert_contains (refused->err, "written");
  lab_assert_contains (refused->err, "--discard-destination-writes");
  lab_assert_state ("b", "rvr", "running");
  lab_run_free (lab_godwit ("a", 0, "revert rvr --discard-destination-writes"));
  lab_assert_state ("a", "rvr", "running");
  lab_assert_state ("b", "rvr", "absent");
  lab_assert_clean ();
  g_free (lab_sh ("b", "test ! -e %s", image));
  lab_guest_forget ("rvr");
}

/* With --copy-back nothing that the guest wrote at the destination is lost. */
static void
test_revert_copy_back (void)
{
  g_autofree char *image = lab_guest_define ("a", "rvc", "--size 128 --fill 10");

  lab_guest_boot ("a", "rvc");
  lab_run_free (lab_godwit ("a", 0, "migrate rvc --to b --strategy cold --allow-downtime"));
  lab_assert_writes ("b", "rvc");
  lab_run_free (lab_godwit ("a", 0, "revert rvc --copy-back"));
  lab_assert_state ("b", "rvc", "absent");
  lab_assert_writes ("a", "rvc");
  /* Both hosts still have an older copy; one confirm removes both. */
  g_free (lab_sh ("a", "test -d " IMAGES "/rvc_migrate"));
  g_free (lab_sh ("b", "test -d " IMAGES "/rvc_migrate"));
  lab_run_free (lab_godwit ("a", 0, "confirm rvc"));
  g_free (lab_sh ("a", "test ! -e " IMAGES "/rvc_migrate"));
  g_free (lab_sh ("b", "test ! -e " IMAGES "/rvc_migrate -a ! -e " IMAGES "/rvc"));
  lab_run_free (lab_godwit ("a", 3, "revert rvc"));
  g_free (lab ("guest", "stop", "a", "rvc", NULL));
  lab_assert_nothing_lost ("a", "rvc", image);
  lab_assert_clean ();
  lab_guest_forget ("rvc");
}

/* A guest that moved live has no state to go back to: it is moved back live. */
static void
test_revert_live (void)
{
  g_autofree char *image = lab_guest_define ("a", "rvl", "--size 128 --fill 10");
  g_autoptr (LabRun) moved = NULL;
  g_autoptr (LabRun) refused = NULL;

  lab_guest_boot ("a", "rvl");
  moved = lab_godwit ("a", 0, "migrate rvl --to b");
  lab_assert_contains (moved->out, "--copy-back");
  refused = lab_godwit ("a", 3, "revert rvl");
  lab_assert_contains (refused->err, "--copy-back");
  lab_assert_state ("b", "rvl", "running");
  lab_run_free (lab_godwit ("a", 0, "revert rvl --copy-back"));
  lab_assert_state ("b", "rvl", "absent");
  lab_assert_writes ("a", "rvl");
  lab_run_free (lab_godwit ("a", 0, "confirm rvl"));
  g_free (lab_sh ("a", "test ! -e " IMAGES "/rvl_migrate"));
  g_free (lab ("guest", "stop", "a", "rvl", NULL));
  lab_assert_nothing_lost ("a", "rvl", image);
  lab_assert_clean ();
  lab_guest_forget ("rvl");
}

/* There and back with plain moves: both can be confirmed, and the next move is free to go. */
static void
test_there_and_back (void)
{
  g_autofree char *image = lab_guest_define ("a", "tab", "--size 128 --fill 5");
  g_autofree char *first = NULL;
  g_autoptr (LabRun) show = NULL;
  g_autoptr (LabRun) blocked = NULL;

  lab_run_free (lab_godwit ("a", 0, "migrate tab --to b"));
  show = lab_godwit ("a", 0, "show tab --json");
  first = lab_json_string (show->out, "job");
  lab_run_free (lab_godwit ("a", 0, "migrate tab --from b --to localhost --auto-confirm"));
  blocked = lab_godwit ("a", 3, "migrate tab --to b");
  lab_assert_contains (blocked->err, "park-exists");
  lab_run_free (lab_godwit ("a", 0, "confirm %s", first));
  g_free (lab_sh ("a", "test ! -e " IMAGES "/tab_migrate -a -e %s", image));
  lab_run_free (lab_godwit ("a", 0, "migrate tab --to b --auto-confirm"));
  lab_assert_state ("b", "tab", "shut off");
  lab_assert_clean ();
  lab_guest_forget ("tab");
}

/* Root may not log in: the agent is started through sudo by an ordinary user. */
static void
test_unprivileged (void)
{
  g_autofree char *image = lab_guest_define ("a", "opr", "--size 128 --fill 10");

  lab_guest_boot ("a", "opr");
  g_free (lab_sh ("a", "mkdir -p /etc/godwit; printf '[host b]\\ndestination=oper@b\\n"
                       "agent-command=sudo -n godwit agent --stdio\\n' > /etc/godwit/godwit.conf"));
  g_free (lab_sh ("b", "cat /root/.ssh/authorized_keys >> ~oper/.ssh/authorized_keys; mv "
                       "/root/.ssh/authorized_keys /root/.ssh/away"));
  lab_run_free (lab_godwit ("a", 0, "migrate opr --to b --auto-confirm"));
  g_free (lab_sh ("b", "mv /root/.ssh/away /root/.ssh/authorized_keys"));
  g_free (lab_sh ("a", "rm -r /etc/godwit"));
  lab_assert_state ("b", "opr", "running");
  lab_assert_writes ("b", "opr");
  g_free (lab ("guest", "stop", "b", "opr", NULL));
  lab_assert_nothing_lost ("b", "opr", image);
  lab_assert_clean ();
  lab_guest_forget ("opr");
}

/* The controller is a third host: relayed without a pair, straight with one. */
static void
test_third_host (void)
{
  g_autofree char *image = lab_guest_define ("a", "thd", "--size 128 --fill 10");
  g_autoptr (LabRun) relayed = NULL;
  g_autoptr (LabRun) paired = NULL;
  g_autoptr (LabRun) again = NULL;

  lab_guest_boot ("a", "thd");
  lab_run_free (lab_godwit ("c", 0, "migrate thd --from a --to b --auto-confirm"));
  relayed = lab_godwit ("c", 0, "log thd");
  lab_assert_contains (relayed->out, "relayed");
  lab_assert_writes ("b", "thd");
  lab_run_free (lab_godwit ("c", 0, "hosts pair b a"));
  again = lab_godwit ("c", 0, "hosts pair b a");
  lab_run_free (lab_godwit ("c", 0, "migrate thd --from b --to a --auto-confirm"));
  paired = lab_godwit ("c", 0, "log thd");
  g_assert_null (strstr (paired->out, "relayed"));
  lab_assert_writes ("a", "thd");
  /* The key that pairs them opens an agent and nothing else. */
  g_autoptr (LabRun) shell =
      lab_sh_try ("b",
                  "ssh -i /etc/godwit/keys/id_ed25519 -o IdentitiesOnly=yes -o BatchMode=yes "
                  "-o UserKnownHostsFile=/etc/godwit/known_hosts a touch /root/broken </dev/null");
  g_assert_nonnull (shell);
  g_free (lab_sh ("a", "test ! -e /root/broken"));
  g_free (lab ("guest", "stop", "a", "thd", NULL));
  lab_assert_nothing_lost ("a", "thd", image);
  lab_assert_clean ();
  lab_guest_forget ("thd");
}

static void
test_hosts (void)
{
  g_autoptr (LabRun) hosts = NULL;
  g_autoptr (LabRun) one = NULL;

  g_free (lab_sh ("a", "mkdir -p /etc/godwit; printf '[host b]\\n[host gone]\\n"
                       "destination=root@gone.invalid\\n' > /etc/godwit/godwit.conf"));
  hosts = lab_sh_try ("a", "godwit hosts");
  g_assert_cmpint (hosts->status, ==, 1);
  lab_assert_contains (hosts->out, "gone");
  one = lab_godwit ("a", 0, "hosts b");
  lab_assert_contains (one->out, "libvirt 9.");
  lab_assert_contains (one->out, "GiB free");
  lab_run_free (lab_godwit ("a", 2, "hosts nosuch.invalid"));
  g_free (lab_sh ("a", "rm -r /etc/godwit"));
}

static void
test_control_socket (void)
{
  g_autofree char *mode = NULL;
  g_autofree char *id = NULL;
  g_autofree char *uid = NULL;
  g_autoptr (LabRun) stranger = NULL;
  g_autoptr (LabRun) log = NULL;
  LabProcess *migrate = NULL;

  g_free (lab_sh ("a", "getent group godwit >/dev/null || groupadd -r godwit"));
  slow_link (TRUE);
  migrate = lab_spawn ("a", "godwit migrate ctl --to b --strategy live-block");
  lab_process_expect (migrate, "disk vda");
  mode = lab_sh ("a", "stat -c '%%a %%U %%G' $(find /run/godwit/jobs -type s)");
  /* A member of the group may end it, and it is written down who that was; nobody else may. */
  id = lab_sh ("a", "basename $(find /run/godwit/jobs -type s) .sock; useradd member; useradd -G "
                    "godwit helper");
  stranger = lab_sh_try ("a", "runuser -u member -- godwit abort %s", id);
  g_assert_cmpint (stranger->status, !=, 0);
  g_free (lab_sh ("a", "runuser -u helper -- godwit abort %s", id));
  g_assert_cmpint (lab_process_finish (migrate), ==, 130);
  slow_link (FALSE);
  g_assert_cmpstr (mode, ==, "660 root godwit");
  log = lab_godwit ("a", 0, "log %s", id);
  uid = lab_sh ("a",
                "echo \"helper (uid $(id -u helper))\"; userdel -r member 2>/dev/null; userdel -r "
                "helper 2>/dev/null; true");
  lab_assert_contains (log->out, uid);
}

static void
prepare (void)
{
  g_free (lab_guest_define ("a", "ctl", "--size 256 --fill 60"));
  lab_guest_boot ("a", "ctl");
  /* The first agent on a host makes the runtime directory, which stays. */
  lab_run_free (lab_godwit ("a", 0, "plan ctl --to b"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/control/interrupt", test_interrupt);
  g_test_add_func ("/control/abort-from-elsewhere", test_abort_from_elsewhere);
  g_test_add_func ("/control/hangup", test_hangup);
  g_test_add_func ("/control/interrupt-late", test_interrupt_late);
  g_test_add_func ("/control/detach", test_detach);
  g_test_add_func ("/control/worker-killed", test_worker_killed);
  g_test_add_func ("/control/both-killed", test_both_killed);
  g_test_add_func ("/control/socket", test_control_socket);
  g_test_add_func ("/control/revert/stopped", test_revert_stopped);
  g_test_add_func ("/control/revert/ran", test_revert_ran);
  g_test_add_func ("/control/revert/copy-back", test_revert_copy_back);
  g_test_add_func ("/control/revert/live", test_revert_live);
  g_test_add_func ("/control/there-and-back", test_there_and_back);
  g_test_add_func ("/control/unprivileged", test_unprivileged);
  g_test_add_func ("/control/third-host", test_third_host);
  g_test_add_func ("/control/hosts", test_hosts);
  return lab_main ("control", "a,b,c", prepare);
}
