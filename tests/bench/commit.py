# SPDX-License-Identifier: LGPL-2.1-or-later
"""What safety costs: the commit rule in downtime, the journal in time, a dead worker in both."""

import statistics

import labhosts as lh
import live

ROUND_TRIPS_MS = (0, 5, 50)
LIMIT_MS = 10


def silences(guest, image, strategy, pairs):
    """Milliseconds of silence by turns: virsh, whose destination starts by itself, and godwit,
    whose destination waits for the commit. Both with the same downtime limit."""
    mirrored = strategy == "live-block"
    virsh = live.Virsh()
    without, with_rule = [], []
    for _ in range(pairs):
        lh.on("a", f"virsh -q migrate-setmaxdowntime {guest} {LIMIT_MS}")
        without.append(live.by_virsh(virsh, guest, image, mirrored)["gap"])
        live.send_home(guest, image, mirrored)
        with_rule.append(live.by_godwit(guest, image, strategy)["gap"])
        live.send_home(guest, image, mirrored)
    return without, with_rule


def at_each_distance(results, name, guest, image, strategy, pairs):
    lh.on("a", f"virsh dumpxml --inactive {guest} > /var/tmp/{guest}.xml; "
               f"cp --sparse=always {image} /var/tmp/{guest}.master")
    lh.boot("a", guest)
    for ms in ROUND_TRIPS_MS:
        lh.lab("delay", "b", str(ms) if ms else "none")
        without, with_rule = silences(guest, image, strategy, pairs)
        where = f"{name}, round trip {ms} ms"
        results.median(f"{where}: silent without the rule", without, "ms")
        results.median(f"{where}: silent with it", with_rule, "ms")
        results.add(f"{where}: the rule costs",
                    statistics.median(with_rule) - statistics.median(without), "ms")
    lh.lab("delay", "b", "none")
    lh.on("a", f"virsh -q destroy {guest}; virsh -q undefine {guest}")


def rule(results, pairs):
    """what the commit rule costs in downtime: shared and copied disks, 0, 5, 50 ms round trip"""
    pairs = min(pairs, 5)
    image = lh.lab("guest", "define", "a", "cms", "--dir", "/srv/shared/cms")
    at_each_distance(results, "commit, shared disks", "cms", image, "live-shared", pairs)
    image = lh.lab("guest", "define", "a", "cmb", "--size", "256", "--fill", "50")
    at_each_distance(results, "commit, copied disks", "cmb", image, "live-block", pairs)


def seconds_of(environment, guest):
    home = lh.on("a", f"{environment} godwit migrate {guest} --to b --strategy cold --auto-confirm "
                      f">/dev/null; {environment} godwit show {guest} --json")
    import json
    job = json.loads(home.splitlines()[0])
    lh.on("b", f"{environment} godwit migrate {guest} --to a --strategy cold --auto-confirm >/dev/null")
    return lh.seconds_between(job["created"], job["ended"])


def journal(results, pairs):
    """what journaling costs a migration: the journal on disk against one in memory, and its writes"""
    lh.lab("guest", "define", "a", "jrn", "--size", "16", "--fill", "1")
    on_disk, in_memory = [], []
    for _ in range(min(pairs, 9)):
        in_memory.append(seconds_of("GODWIT_STATE_DIR=/run/bench-journal", "jrn"))
        on_disk.append(seconds_of("", "jrn"))
    results.median("journal: cold move, journal in memory", in_memory, "s")
    results.median("journal: cold move, journal on disk", on_disk, "s")
    results.add("journal: costs", 1000 * (statistics.median(on_disk) - statistics.median(in_memory)),
                "ms")
    syncs = lh.on("a", "strace -f -qq -c -e trace=fsync,fdatasync -o /tmp/syncs godwit migrate jrn "
                       "--to b --strategy cold --auto-confirm >/dev/null; "
                       "awk '$NF ~ /sync/ { n += $4 } END { print n + 0 }' /tmp/syncs")
    results.add("journal: syncs of one job at the controller", int(syncs), "syncs")
    lh.on("b", "virsh -q undefine jrn; rm -rf /var/lib/libvirt/images/jrn")
    lh.on("a", "rm -rf /run/bench-journal")


def kill_and_wait(guest):
    """Kills the worker while it copies; seconds until the job has ended, from its death."""
    lh.lab("rate", "b", "20")
    lh.on("a", f"godwit migrate {guest} --to b --strategy live-block --detach >/dev/null; "
               "for try in {1..600}; do godwit show " + guest + " --json | "
               "grep -q '\"state\":\"copying\"' && break; sleep 0.05; done")
    seconds = lh.timed_on("a", "kill -KILL $(pgrep -xf 'godwit work [^ ]* run.*'); "
                               f"godwit wait {guest} || true")
    lh.lab("rate", "b", "none")
    return seconds


def recovery(results, pairs):
    """seconds from a worker's death to the guest in its right place, and the guest's silence"""
    lh.lab("guest", "define", "a", "rec", "--size", "256", "--fill", "100")
    lh.boot("a", "rec")
    times, gaps = [], []
    for _ in range(min(pairs, 7)):
        since = lh.now_us()
        times.append(kill_and_wait("rec"))
        lh.settle("rec", "a")
        gaps.append(lh.beats("rec", since)["gap_ms"])
    results.median("recovery: from the worker's death to the job's end", times, "s")
    results.median("recovery: longest silence of the guest", gaps, "ms")
    lh.on("a", "virsh -q destroy rec; virsh -q undefine rec; rm -rf /var/lib/libvirt/images/rec")
