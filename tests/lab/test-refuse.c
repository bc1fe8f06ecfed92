/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bad input: refused with what, where, why and what to do, and nothing is touched. */
#include "support/labtest.h"

#include <string.h>

#define IMAGES "/var/lib/libvirt/images"

/* The exit codes that the manual promises. */
enum { USAGE = 2, REFUSED = 3 };

/* Runs godwit on host a, and asserts exit code, words of the message, a next command, and that
 * neither host has changed. */
static void
refuse (int status, const char *arguments, const char *word, const char *other_word)
{
  g_autofree char *before = lab_snapshot ();
  g_autoptr (LabRun) run = lab_godwit ("a", status, "%s", arguments);

  lab_assert_contains (run->err, word);
  if (other_word != NULL)
    lab_assert_contains (run->err, other_word);
  lab_assert_contains (run->err, "next:");
  lab_assert_clean ();
  lab_assert_unchanged (before);
}

static void
test_unknown_guest (void)
{
  refuse (REFUSED, "migrate nosuch --to b", "nosuch", "[guest-exists]");
  /* A near miss is offered. */
  refuse (REFUSED, "migrate locall --to b", "local", NULL);
}

static void
test_unknown_host (void)
{
  refuse (USAGE, "migrate local --to nowhere.invalid", "nowhere.invalid", NULL);
}

static void
test_same_host (void)
{
  refuse (REFUSED, "migrate local --to localhost", "same-host", NULL);
  refuse (REFUSED, "migrate local --to root@a", "same-host", "another name");
}

static void
test_unreachable (void)
{
  g_free (lab_sh ("a", "echo '10.99.99.99 ghost' >> /etc/hosts; ip route add unreachable "
                       "10.99.99.0/24"));
  refuse (REFUSED, "migrate local --to root@ghost", "ghost", "destination-reachable");
  g_free (lab_sh ("a", "ip route del unreachable 10.99.99.0/24"));
}

static void
test_key_refused (void)
{
  g_free (lab_sh ("b", "mv /root/.ssh/authorized_keys /root/.ssh/away"));
  refuse (REFUSED, "migrate local --to b", "destination-reachable", "key");
  g_free (lab_sh ("b", "mv /root/.ssh/away /root/.ssh/authorized_keys"));
}

static void
test_unknown_host_key (void)
{
  g_autofree char *where =
      lab_sh ("a", "for f in /root/.ssh/known_hosts /etc/ssh/ssh_known_hosts; do "
                   "test ! -e $f || { mv $f $f.away; echo $f; }; done");

  g_assert_cmpstr (where, !=, "");
  refuse (REFUSED, "migrate local --to b", "host key", "fingerprint");
  g_free (lab_sh ("a", "for f in /root/.ssh/known_hosts /etc/ssh/ssh_known_hosts; do "
                       "test ! -e $f.away || mv $f.away $f; done; ssh b true"));
}

static void
test_libvirt_refused (void)
{
  g_free (lab_sh ("b", "mv /run/libvirt/libvirt-sock /run/libvirt/away"));
  refuse (REFUSED, "migrate local --to b", "libvirt", "b");
  g_free (lab_sh ("b", "mv /run/libvirt/away /run/libvirt/libvirt-sock"));
}

static void
test_name_taken (void)
{
  g_free (lab_sh ("a", "virsh dumpxml local | grep -v '<uuid>' | ssh b virsh -q define "
                       "/dev/stdin"));
  refuse (REFUSED, "migrate local --to b --allow-downtime", "guest-name-free", "local");
  g_free (lab_sh ("b", "virsh -q undefine local"));
}

static void
test_uuid_taken (void)
{
  g_free (lab_sh ("a", "virsh dumpxml local | sed 's,<name>local,<name>twin,' | ssh b virsh -q "
                       "define /dev/stdin"));
  refuse (REFUSED, "migrate local --to b --allow-downtime", "guest-uuid-free", "twin");
  g_free (lab_sh ("b", "virsh -q undefine twin"));
}

static void
test_target_exists (void)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  g_free (lab_sh ("b", "mkdir -p " IMAGES "/local; echo precious > " IMAGES "/local/disk.qcow2"));
  before = lab_sh ("b", "stat -c '%%i %%y' " IMAGES "/local/disk.qcow2");
  refuse (REFUSED, "migrate local --to b --strategy live-block", "target-exists",
          IMAGES "/local/disk.qcow2");
  refuse (REFUSED, "migrate local --to b --strategy cold --allow-downtime", "target-exists", NULL);
  after = lab_sh ("b", "stat -c '%%i %%y' " IMAGES "/local/disk.qcow2; test $(cat " IMAGES
                       "/local/disk.qcow2) = precious");
  g_assert_cmpstr (before, ==, after);
  g_free (lab_sh ("b", "rm -r " IMAGES "/local"));
}

static void
test_no_space (void)
{
  g_free (lab_sh ("b", "mount -t tmpfs -o size=4m none " IMAGES));
  refuse (REFUSED, "migrate local --to b", "destination-space", "vda");
  g_free (lab_sh ("b", "umount " IMAGES));
  /* Each of the two disks would fit alone. */
  g_free (lab_guest_define ("a", "two",
                            "--format raw --size 64 --prealloc --disk path=" IMAGES
                            "/two/more.raw,size=64"));
  g_free (lab_sh ("a", "fallocate -l 64M " IMAGES "/two/more.raw"));
  g_free (lab_sh ("b", "mount -t tmpfs -o size=100m none " IMAGES));
  refuse (REFUSED, "migrate two --to b", "destination-space", "vda 64.0");
  g_free (lab_sh ("b", "umount " IMAGES));
  lab_guest_forget ("two");
}

/* Somebody else already moves it. */
static void
test_busy (void)
{
  LabProcess *virsh = NULL;

  g_free (lab ("rate", "b", "1", NULL));
  virsh = lab_spawn ("a", "virsh migrate --live --unsafe --verbose shared qemu+ssh://b/system");
  g_free (lab_sh ("a", "until virsh domjobinfo shared | grep -q 'Data processed'; do sleep 0.05; "
                       "done"));
  {
    g_autoptr (LabRun) run = lab_godwit ("a", REFUSED, "migrate shared --to b");
    lab_assert_contains (run->err, "guest-busy");
    lab_assert_contains (run->err, "next:");
  }
  g_free (lab_sh ("a", "virsh domjobabort shared"));
  g_assert_cmpint (lab_process_finish (virsh), !=, 0);
  g_free (lab ("rate", "b", "none", NULL));
  lab_assert_state ("a", "shared", "running");
}

static void
test_no_memory (void)
{
  g_free (lab_sh ("b", "sed -E 's/^(MemFree|MemAvailable|Buffers|Cached): .*/\\1: 1000 kB/' "
                       "/proc/meminfo > /root/meminfo; mount --bind /root/meminfo /proc/meminfo"));
  refuse (REFUSED, "migrate shared --to b", "memory-free", "but b has only");
  g_free (lab_sh ("b", "umount /proc/meminfo; rm /root/meminfo"));
}

/* What host b's hypervisor says it can do is cached in XML; editing the cache makes b differ. */
static void
edit_capabilities (const char *sed)
{
  g_free (lab_sh ("b",
                  "set -e; virsh -q list >/dev/null; cp -a /var/cache/libvirt /var/cache/away;"
                  "sed -i -E \"%s\" /var/cache/libvirt/qemu/capabilities/*.xml;"
                  "kill $(cat /run/libvirtd.pid); while test -e /proc/$(cat /run/libvirtd.pid "
                  "2>/dev/null || echo none); do sleep 0.02; done; libvirtd -d; virsh -q list "
                  ">/dev/null",
                  sed));
}

static void
restore_capabilities (void)
{
  g_free (lab_sh ("b", "rm -rf /var/cache/libvirt; mv /var/cache/away /var/cache/libvirt;"
                       "kill $(cat /run/libvirtd.pid); while test -e /proc/$(cat "
                       "/run/libvirtd.pid 2>/dev/null || echo none); do sleep 0.02; done;"
                       "libvirtd -d; virsh -q list >/dev/null"));
}

static void
test_machine_type (void)
{
  edit_capabilities ("s/name='pc-i440fx-7.2'/name='pc-i440fx-0.1'/");
  refuse (REFUSED, "migrate local --to b", "machine-type-supported", "pc-i440fx-7.2");
  restore_capabilities ();
}

static void
test_cpu_model (void)
{
  edit_capabilities ("/<cpu type='tcg' name='qemu64'/d; s/(<cpu type='tcg' name='qemu64'.*usable)="
                     "'yes'/\\\\1='no'/");
  refuse (REFUSED, "migrate local --to b", "cpu-compatible", "qemu64");
  restore_capabilities ();
}

static void
test_missing_bridge (void)
{
  g_free (lab_guest_define ("a", "net", "--nic"));
  g_free (lab_sh ("b", "ip link del br0"));
  refuse (REFUSED, "migrate net --to b", "networks-present", "br0");
  g_free (lab_sh ("b", "ip link add br0 type bridge; ip link set br0 up"));
  lab_guest_forget ("net");
}

static void
test_missing_network (void)
{
  g_free (
      lab_guest_define ("a", "net2",
                        "--xml \"<interface type='network'><source network='lab'/></interface>\""));
  g_free (lab_sh ("a", "echo '<network><name>lab</name><bridge name=\"br0\"/><forward mode="
                       "\"bridge\"/></network>' | virsh -q net-define /dev/stdin; virsh -q "
                       "net-start lab"));
  refuse (REFUSED, "migrate net2 --to b", "networks-present", "lab");
  g_free (lab_sh ("a", "virsh -q net-destroy lab; virsh -q net-undefine lab"));
  lab_guest_forget ("net2");
}

static void
test_strategies (void)
{
  refuse (USAGE, "migrate local --to b --strategy warp", "warp", "live-block");
  /* Local disks do not fit live-shared; the message names the one that fits. */
  refuse (REFUSED, "migrate local --to b --strategy live-shared", "disk-not-shared", "live-block");
  refuse (REFUSED, "migrate shared --to b --strategy live-block", "nothing-to-mirror",
          "live-shared");
  refuse (REFUSED, "migrate local --to b --strategy cold", "needs-downtime", "--allow-downtime");
}

static void
test_only_cold_fits (void)
{
  g_free (lab_sh ("a",
                  "mkdir -p /etc/godwit; printf '[plugins]\\ndisable=live-block;live-shared\\n'"
                  " > /etc/godwit/godwit.conf"));
  refuse (REFUSED, "migrate local --to b", "--allow-downtime", "cold");
  g_free (lab_sh ("a", "rm -r /etc/godwit"));
}

static void
config (const char *text, const char *word, const char *other_word)
{
  g_free (lab_sh ("a", "mkdir -p /etc/godwit; printf '%s' > /etc/godwit/godwit.conf", text));
  refuse (USAGE, "migrate local --to b", word, other_word);
  refuse (USAGE, "config check", word, "/etc/godwit/godwit.conf");
  g_free (lab_sh ("a", "rm -r /etc/godwit"));
}

static void
test_config (void)
{
  config ("[migration]\\nalow-downtime=true\\n", "alow-downtime", "allow-downtime");
  config ("[migraton]\\nallow-downtime=true\\n", "migraton", "migration");
  config ("[migration]\\nallow-downtime=perhaps\\n", "allow-downtime", "true");
  config ("[strategy]\\norder=live-blok\\n", "live-blok", "live-block");
  config ("[transport scp]\\nport=99999\\n", "port", "65535");
  config ("[migration]\\nmax-downtime=2h\\n", "max-downtime", NULL);
}

/* What happens to a plugin file happens on host a alone. */
static void
test_plugins (void)
{
  g_autofree char *dir = lab_sh ("a", "dirname $(find /usr/lib -name godwit-scp.so | head -n 1)");
  g_autofree char *file = g_build_filename (dir, "godwit-scp.so", NULL);

  g_free (lab_sh ("a", "mv %s /root/away.so", file));
  refuse (REFUSED, "migrate local --to b", "provides a transport", "install a package");
  g_free (lab_sh ("a", "cp /root/away.so %s; chown nobody %s", file, file));
  refuse (REFUSED, "migrate local --to b", file, "owned by");
  g_free (lab_sh ("a", "rm %s; cp /root/away.so %s; chmod 777 %s", file, file, file));
  refuse (REFUSED, "migrate local --to b", file, "write");
  g_free (lab_sh ("a", "rm %s; mv /root/away.so %s", file, file));
}

static void
test_crashed (void)
{
  g_free (lab_guest_define ("a", "crash", ""));
  lab_guest_boot ("a", "crash");
  g_free (lab_sh ("a", "kill -SEGV $(cat /run/libvirt/qemu/crash.pid); for try in {1..100}; do "
                       "virsh domstate crash | grep -q shut && break; sleep 0.05; done"));
  refuse (REFUSED, "migrate crash --to b", "crashed", "crash");
  lab_guest_forget ("crash");
}

static void
test_snapshots (void)
{
  g_free (lab_guest_define ("a", "snap", ""));
  g_free (lab_sh ("a", "virsh -q snapshot-create-as snap one"));
  refuse (REFUSED, "migrate snap --to b", "guest-snapshots", "snapshot");
  g_free (lab_sh ("a", "virsh -q snapshot-delete snap one"));
  lab_guest_forget ("snap");
}

static void
test_passthrough (void)
{
  g_free (lab_guest_define ("a", "pass",
                            "--xml \"<hostdev mode='subsystem' type='pci' managed='yes'><source>"
                            "<address domain='0' bus='0' slot='31' function='7'/></source>"
                            "</hostdev>\""));
  refuse (REFUSED, "migrate pass --to b", "guest-passthrough", "PCI device 0000:00:1f.7");
  lab_guest_forget ("pass");
}

static void
test_agent_missing (void)
{
  g_free (lab_sh ("b", "mv /usr/bin/godwit /root/godwit.away"));
  refuse (REFUSED, "migrate local --to b", "godwit", "install");
  g_free (lab_sh ("b", "mv /root/godwit.away /usr/bin/godwit"));
}

/* An agent that speaks @protocol and nothing else. */
static void
agent_speaks (guint protocol, const char *remedy)
{
  g_free (lab_sh ("b",
                  "mv /usr/bin/godwit /root/godwit.away; printf '#!/bin/sh\\necho godwit-agent "
                  "0.0.1 %u 0123456789abcdef0123456789abcdef\\ncat >/dev/null\\n' > "
                  "/usr/bin/godwit; chmod 755 /usr/bin/godwit",
                  protocol));
  refuse (REFUSED, "migrate local --to b", "speaks protocol", remedy);
  g_free (lab_sh ("b", "mv -f /root/godwit.away /usr/bin/godwit"));
}

static void
test_agent_protocol (void)
{
  agent_speaks (0, "upgrade godwit on b");
  agent_speaks (9, "upgrade godwit on this machine");
}

/* A chatty shell works, and is mentioned. */
static void
test_banner (void)
{
  g_autoptr (LabRun) run = NULL;
  g_autofree char *before = NULL;

  g_free (lab_sh ("b", "cp /root/.bashrc /root/bashrc.away 2>/dev/null; sed -i '1i echo Welcome to "
                       "the jungle' /root/.bashrc 2>/dev/null || echo 'echo Welcome to the "
                       "jungle' > /root/.bashrc"));
  before = lab_snapshot ();
  run = lab_godwit ("a", 0, "plan local --to b");
  lab_assert_contains (run->out, "agent-banner");
  lab_assert_contains (run->out, "jungle");
  lab_assert_unchanged (before);
  /* Data channels skip it as well. */
  lab_run_free (lab_godwit ("a", 0, "migrate local --to b --auto-confirm"));
  lab_run_free (lab_godwit ("a", 0, "migrate local --from b --to localhost --auto-confirm"));
  g_free (lab_sh ("b", "rm /root/.bashrc; test ! -e /root/bashrc.away || mv /root/bashrc.away "
                       "/root/.bashrc"));
}

/* `plan` reports everything at once and touches nothing. */
static void
test_plan (void)
{
  g_autofree char *before = lab_snapshot ();
  g_autoptr (LabRun) run = lab_godwit ("a", 0, "plan local --to b");
  g_autoptr (LabRun) dry = lab_godwit ("a", 0, "migrate local --to b --dry-run");
  g_autoptr (LabRun) shared = lab_godwit ("a", 0, "plan shared --to b");

  lab_assert_contains (run->out, "live-block");
  lab_assert_contains (run->out, "cold");
  lab_assert_contains (run->out, "disk-not-shared");
  lab_assert_contains (run->out, "needs-downtime");
  lab_assert_contains (dry->out, "live-block");
  lab_assert_contains (shared->out, "live-shared");
  lab_assert_unchanged (before);
  g_free (lab_sh ("b", "mkdir -p " IMAGES "/local; touch " IMAGES "/local/disk.qcow2; ip link del "
                       "br0"));
  g_clear_pointer (&before, g_free);
  before = lab_snapshot ();
  lab_run_free (g_steal_pointer (&run));
  run = lab_godwit ("a", REFUSED, "plan local --to b");
  lab_assert_contains (run->out, "target-exists");
  lab_assert_unchanged (before);
  g_free (lab_sh ("b", "rm -r " IMAGES "/local; ip link add br0 type bridge; ip link set br0 up"));
}

/* Two guests that run through all the tests, and are none the worse for any of them. */
static void
prepare (void)
{
  g_free (lab_guest_define ("a", "local", "--size 128 --fill 30"));
  g_free (lab_guest_define ("a", "shared", "--dir /srv/shared/shared"));
  lab_guest_boot ("a", "local");
  lab_guest_boot ("a", "shared");
  /* The first agent on a host makes the runtime directory, which stays. */
  lab_run_free (lab_godwit ("a", 0, "plan shared --to b"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refuse/unknown-guest", test_unknown_guest);
  g_test_add_func ("/refuse/unknown-host", test_unknown_host);
  g_test_add_func ("/refuse/same-host", test_same_host);
  g_test_add_func ("/refuse/unreachable", test_unreachable);
  g_test_add_func ("/refuse/key-refused", test_key_refused);
  g_test_add_func ("/refuse/unknown-host-key", test_unknown_host_key);
  g_test_add_func ("/refuse/libvirt-refused", test_libvirt_refused);
  g_test_add_func ("/refuse/name-taken", test_name_taken);
  g_test_add_func ("/refuse/uuid-taken", test_uuid_taken);
  g_test_add_func ("/refuse/target-exists", test_target_exists);
  g_test_add_func ("/refuse/no-space", test_no_space);
  g_test_add_func ("/refuse/busy", test_busy);
  g_test_add_func ("/refuse/no-memory", test_no_memory);
  g_test_add_func ("/refuse/machine-type", test_machine_type);
  g_test_add_func ("/refuse/cpu-model", test_cpu_model);
  g_test_add_func ("/refuse/missing-bridge", test_missing_bridge);
  g_test_add_func ("/refuse/missing-network", test_missing_network);
  g_test_add_func ("/refuse/strategies", test_strategies);
  g_test_add_func ("/refuse/only-cold-fits", test_only_cold_fits);
  g_test_add_func ("/refuse/config", test_config);
  g_test_add_func ("/refuse/plugins", test_plugins);
  g_test_add_func ("/refuse/crashed", test_crashed);
  g_test_add_func ("/refuse/snapshots", test_snapshots);
  g_test_add_func ("/refuse/passthrough", test_passthrough);
  g_test_add_func ("/refuse/agent-missing", test_agent_missing);
  g_test_add_func ("/refuse/agent-protocol", test_agent_protocol);
  g_test_add_func ("/refuse/banner", test_banner);
  g_test_add_func ("/refuse/plan", test_plan);
  return lab_main ("refuse", "a,b", prepare);
}
