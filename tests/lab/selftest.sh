#!/bin/bash
# selftest: is the lab real, and does it leave nothing behind?  Prints TAP.
# LAB names the instance, so that two can run at once.
# shellcheck disable=SC2317 # functions are called by name, through "check"
set -euo pipefail

export LAB=${LAB:-selftest}
here=$(cd -- "$(dirname -- "$0")" && pwd)
n=0
failed=0
scratch=$(mktemp -d)
trap '"$here/lab" down || true; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

lab ()
{
  "$here/lab" "$@"
}

# $1 what is expected, the rest: a command that must succeed.  Its output is
# shown only if it does not.
check ()
{
  local what=$1 rc=0
  shift
  n=$((n + 1))
  "$@" >"$scratch/out" 2>&1 </dev/null || rc=$?
  if (( rc == 0 )); then
    echo "ok $n - $what"
  else
    echo "not ok $n - $what"
    sed 's/^/# /' "$scratch/out"
    failed=$((failed + 1))
  fi
}

differ ()
{
  local a b
  a=$(lab exec a -- "$@")
  b=$(lab exec b -- "$@")
  echo "a: $a, b: $b"
  [[ -n $a && -n $b && $a != "$b" ]]
}

not ()
{
  ! "$@"
}

# What the machine knows of the instance.
machine ()
{
  local dir
  {
    for dir in /proc/[0-9]*; do
      tr '\0' ' ' 2>/dev/null <"$dir/cmdline" | grep -E " godwit-lab-host $LAB |godwit-lab:$LAB:" || true
    done
    grep -F "/$LAB/" /proc/self/mounts || true
    ip netns list
    ip -o link | awk '{ print $2 }'
    losetup --list --noheadings --output BACK-FILE
    ls -d /run/godwit-lab/"$LAB" /run/godwit-lab/.lock-"$LAB" /var/tmp/godwit-lab/"$LAB" 2>/dev/null || true
  } | LC_ALL=C sort
}

hosts_differ ()
{
  check "the hosts' names differ" differ hostname
  check "their machine ids differ" differ cat /etc/machine-id
  check "their host UUIDs differ" differ sh -c 'virsh capabilities | grep -m 1 "<uuid>"'
  check "their boot times differ" differ sed 's/[0-9]\{3\}\..*//' /proc/uptime
  check "they see the same shared directory" same_shared
  check "images are local" not same_local
}

same_shared ()
{
  [[ $(lab exec a -- stat -c %d:%i /srv/shared) == "$(lab exec b -- stat -c %d:%i /srv/shared)" ]] &&
    lab exec a -- touch /srv/shared/mark && lab exec b -- rm /srv/shared/mark
}

same_local ()
{
  lab exec a -- touch /var/lib/libvirt/images/mark
  lab exec b -- test -e /var/lib/libvirt/images/mark
}

users ()
{
  check "root on a reaches root on b" lab exec a -- ssh -o BatchMode=yes b true
  check "oper on b reaches oper on a" lab exec b --user oper -- ssh -o BatchMode=yes a true
  check "oper may become root for nothing else" \
    not lab exec a --user oper -- sudo -n /usr/bin/id
  check "oper may run the agent" sh -c \
    "'$here/lab' exec a --user oper -- sudo -n -l /usr/bin/godwit agent --stdio 2>&1 |
     grep -E '^/usr/bin/godwit agent --stdio|command not found'"
  check "oper has no rights over libvirt" \
    not lab exec a --user oper -- virsh --connect qemu:///system list
  check "exec passes on the exit code" sh -c "'$here/lab' exec a -- sh -c 'exit 7'; test \$? = 7"
}

no_beat_lost ()
{
  local json
  json=$(lab heartbeat g1 --since "$1")
  echo "$json"
  [[ $json == *'"moves":1,"lost":0,"repeated":0,'* ]]
}

console_has ()
{
  lab exec "$1" -- grep -q "$2" /var/log/lab/console/g1.log
}

migrate ()
{
  local image=/srv/shared/g1/disk.qcow2 since
  check "a guest is defined" lab guest define a g1 --dir /srv/shared/g1 --fill 8
  check "it starts" lab guest start a g1
  check "it boots" lab guest wait-boot a g1
  since=$(lab now)
  check "stock libvirt migrates it live over SSH" lab exec a -- \
    virsh migrate --live --unsafe --persistent --undefinesource g1 qemu+ssh://b/system
  check "it runs on b" lab guest wait-boot b g1
  check "no heartbeat is lost, none comes twice" no_beat_lost "$since"
  echo "# $(lab heartbeat g1 --since "$since")"
  check "no acknowledged record is lost, while it runs" lab guest verify b "$image"
  check "the power button ends it" lab guest stop b g1
  check "its file system was unmounted" console_has b '^W off'
  check "no acknowledged record is lost" lab guest verify b "$image"
  check "it is gone from a" test "$(lab guest state a g1)" = absent
  check "a lost record would be seen" not lab guest verify b "$image" --acked 99999999
}

restart ()
{
  check "a second boot verifies and goes on" lab guest start b g1
  check "it boots again" lab guest wait-boot b g1
  check "it found its records" console_has b '^W records=[1-9][0-9]* last=[1-9][0-9]* bad=0 gaps=0'
  check "links can be limited" lab rate a 100
  check "and freed" lab rate a none
  check "a host can be cut off" cut_off
  check "and comes back" lab exec a -- ssh -o BatchMode=yes -o ConnectTimeout=10 b true
  # Left running, and a loop device too: "down" must cope with that.
  check "a loop device can be had" lab exec a -- sh -c \
    'truncate -s 1M /var/lib/libvirt/images/l && losetup -f /var/lib/libvirt/images/l'
}

# $1: what is expected
pending ()
{
  [[ $(lab power a pending) == "$1" ]]
}

power ()
{
  local image=/var/lib/libvirt/images/p1/disk.qcow2 before
  check "hosts can be made forgetful" lab up --power-fs
  check "a guest is defined on one" lab guest define a p1
  check "what would be lost is counted" not pending $'files 0\nnames 0'
  check "all can be made durable" lab power a sync
  check "then nothing would be lost" pending $'files 0\nnames 0'
  check "it starts there" lab guest start a p1
  check "it boots there" lab guest wait-boot a p1
  check "something is not synced" lab exec a -- sh -c 'echo text >/var/lib/libvirt/images/lost'
  check "something is" lab exec a -- sh -c \
    'echo text >/var/lib/godwit/kept && sync /var/lib/godwit/kept /var/lib/godwit'
  check "what is in memory is not on disk" lab exec a -- touch /run/mark /tmp/mark
  check "other directories forget nothing" lab exec a -- touch /var/lib/mark
  before=$(boot_id)
  check "its power is cut" lab power a off
  check "it is dead" not lab exec a -- true
  check "the other host does not hear of it" not lab exec b -- \
    ssh -o BatchMode=yes -o ConnectTimeout=1 a true
  check "it boots" lab power a on
  check "it is another boot" test "$(boot_id)" != "$before"
  check "what was not synced is lost" lab exec a -- test ! -e /var/lib/libvirt/images/lost
  check "what was synced is there" lab exec a -- test -s /var/lib/godwit/kept
  check "memory is empty" lab exec a -- test ! -e /run/mark -a ! -e /tmp/mark
  check "the rest is there" lab exec a -- test -e /var/lib/mark
  check "the guest is shut off" test "$(lab guest state a p1)" = "shut off"
  check "no acknowledged record is lost by it" lab guest verify a "$image"
  check "the guest saw no error" not grep -q "^[0-9]* E " "$(lab_stamps p1)"
  check "the other host hears of it again" lab exec b -- ssh -o BatchMode=yes a true
  check "the guest starts again" lab guest start a p1
  check "it boots again" lab guest wait-boot a p1
}

boot_id ()
{
  lab exec a -- cat /proc/sys/kernel/random/boot_id
}

lab_stamps ()
{
  printf '%s/a/stamps/%s.stamps' "$(lab paths | sed -n 's/^console\t//p')" "$1"
}

cut_off ()
{
  local rc=0
  lab link b down
  lab exec a -- ssh -o BatchMode=yes -o ConnectTimeout=1 b true && rc=1
  lab link b up
  return "$rc"
}

lab down
machine >"$scratch/before"
start=$(date +%s%N)
check "up" lab up
took=$(( ($(date +%s%N) - start) / 1000000 ))
check "up takes less than 20 s ($took ms)" test "$took" -lt 20000
if (( failed == 0 )); then
  hosts_differ
  users
  lab inventory a >"$scratch/inventory"
  migrate
  restart
fi
start=$(date +%s%N)
check "down" lab down
echo "# down took $(( ($(date +%s%N) - start) / 1000000 )) ms"
power
check "down after a power cut" lab down
machine >"$scratch/after"
check "nothing is left" diff -u "$scratch/before" "$scratch/after"
check "down twice does no harm" lab down
echo "1..$n"
exit $(( failed > 0 ))
