# SPDX-License-Identifier: LGPL-2.1-or-later
"""What godwit itself costs: the time of a plan, and memory."""

import labhosts as lh

CONNECTS = ("ssh b true; virsh -q -c qemu:///system hostname; "
            "virsh -q -c 'qemu+unix:///system?socket=/run/libvirt/libvirt-sock' hostname")
PSS = ("for p in $(pgrep -f '{pattern}'); do awk '/^Pss:/ {{ sum += $2 }} END {{ print sum }}' "
       "/proc/$p/smaps_rollup; done | awk '{{ sum += $1 }} END {{ print sum + 0 }}'")


def plan(results, pairs):
    """godwit plan: time beyond the SSH and libvirt connects"""
    lh.lab("guest", "define", "a", "plan", "--size", "512", "--fill", "50")
    lh.boot("a", "plan")
    beyond = []
    for _ in range(pairs):
        connects = lh.timed_on("a", CONNECTS)
        whole = lh.timed_on("a", "godwit plan plan --to b --no-forecast")
        beyond.append((whole - connects) * 1000)
    results.median("plan: beyond the connects", beyond, "ms", 300)
    lh.on("a", "virsh -q destroy plan; virsh -q undefine plan")


def pss_kib(pattern):
    return int(lh.on("a", PSS.format(pattern=pattern)) or 0)


def memory(results, _pairs):
    """PSS of command, supervisor and worker during a live move, against virsh's"""
    lh.lab("guest", "define", "a", "mem", "--size", "512", "--fill", "100")
    lh.boot("a", "mem")
    lh.lab("rate", "b", "100")
    lh.on("a", "godwit migrate mem --to b --detach >/dev/null; "
               "godwit watch mem >/tmp/watch 2>&1 & "
               "until grep -q 'disk vda' /tmp/watch; do sleep 0.1; done")
    ours = pss_kib("^[^ ]*godwit (watch|supervise|work)")
    agents = pss_kib("^[^ ]*godwit agent")
    lh.lab("rate", "b", "none")
    lh.on("a", "godwit wait mem")
    stock = int(lh.on("a", "virsh -q event --event lifecycle --loop >/dev/null 2>&1 & "
                           "pid=$!; sleep 0.3; awk '/^Pss:/ { print $2 }' "
                           "/proc/$pid/smaps_rollup; kill $pid"))
    results.add("memory: virsh", stock / 1024, "MiB")
    results.add("memory: godwit beyond virsh", (ours - stock) / 1024, "MiB", 20)
    results.add("memory: godwit's agents on the source", agents / 1024, "MiB")
    lh.on("b", "virsh -q destroy mem; virsh -q undefine mem")
