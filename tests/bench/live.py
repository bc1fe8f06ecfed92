# SPDX-License-Identifier: LGPL-2.1-or-later
"""Live moves against `virsh migrate` of the same guest, both encrypted through SSH."""

import statistics

import labhosts as lh

RUN = "/run/bench"
SSH_FORWARDS = ("ssh -f -N -o ExitOnForwardFailure=yes -o ControlMaster=no "
                f"-L {RUN}/ram.sock:{RUN}/ram.sock -L {RUN}/nbd.sock:{RUN}/nbd.sock "
                f"-L {RUN}/ctl.sock:/run/libvirt/libvirt-sock")


class Virsh:
    """What a careful operator would do by hand with stock tools, tunnels made beforehand."""

    def __init__(self):
        lh.on("b", f"mkdir -p {RUN}; chown libvirt-qemu:root {RUN}; chmod 700 {RUN}")
        lh.on("a", f"mkdir -p {RUN}; chmod 711 {RUN}")

    def __enter__(self):
        lh.on("b", f"rm -f {RUN}/*.sock")
        lh.on("a", f"rm -f {RUN}/*.sock; {SSH_FORWARDS} b >/dev/null 2>&1")
        self.pid = lh.on("a", f"pgrep -f -- '-L {RUN}/ram.sock' | head -n 1")
        return self

    def __exit__(self, *exception):
        lh.on("a", f"kill {self.pid}; rm -f {RUN}/*.sock")

    def migrate(self, guest, mirrored):
        disks = f"--copy-storage-all --migrate-disks vda --disks-uri unix://{RUN}/nbd.sock"
        flags = disks if mirrored else "--unsafe"
        lh.on("a", f"virsh -q migrate --live --persistent --undefinesource {flags} "
                   f"--migrateuri unix://{RUN}/ram.sock {guest} "
                   f"'qemu+unix:///system?socket={RUN}/ctl.sock'")


def send_home(guest, image, mirrored):
    """Makes the next turn start as this one did: the same disk, freshly booted, on host a."""
    lh.on("b", f"virsh -q destroy {guest}; virsh -q undefine {guest}")
    if mirrored:
        lh.on("b", f"rm -rf $(dirname {image})")
        lh.on("a", f"rm -rf $(dirname {image})_migrate; mkdir -p $(dirname {image}); "
                   f"cp --sparse=always {image}.master {image} 2>/dev/null || "
                   f"cp --sparse=always /var/tmp/{guest}.master {image}")
    lh.on("a", f"virsh -q define /var/tmp/{guest}.xml")
    lh.boot("a", guest)


def resumed_at(guest, since):
    """When the guest was heard again, on the lab's clock."""
    beats = lh.beats(guest, since)
    return beats["move_at_us"] + beats["move_ms"] * 1000, beats["move_ms"]


def by_virsh(virsh, guest, image, mirrored):
    size = lh.on("a", f"qemu-img info -U --output=json {image} | grep virtual-size | tail -1 | "
                      "tr -dc 0-9") if mirrored else 0
    if mirrored:
        lh.on("b", f"mkdir -p $(dirname {image}); qemu-img create -q -f qcow2 {image} {size}")
    with virsh:
        since = lh.now_us()
        virsh.migrate(guest, mirrored)
        lh.settle(guest, "b")
    resumed, gap = resumed_at(guest, since)
    return {"move": (resumed - since) / 1e6, "gap": gap,
            "allocated": lh.allocated("b", image)}


def by_godwit(guest, image, strategy):
    offset = clock_offset()
    since = lh.now_us()
    lh.on("a", f"godwit migrate {guest} --to b --strategy {strategy}")
    lh.settle(guest, "b")
    resumed, gap = resumed_at(guest, since)
    begun = step_began_us(guest, "copy") - offset
    job = lh.show("a", guest)
    parked = image.replace(f"/{guest}/", f"/{guest}_migrate/")
    source = parked if strategy == "live-block" else image
    return {"move": (resumed - begun) / 1e6, "gap": gap,
            "whole": lh.seconds_between(job["created"], job["ended"]),
            "allocated": lh.allocated("b", image), "source": lh.allocated("a", source)}


def clock_offset():
    """Real time minus the lab's clock, in microseconds."""
    return int(lh.on("a", "date +%s%N")) // 1000 - lh.now_us()


def step_began_us(guest, step):
    import json
    from datetime import datetime

    for line in lh.on("a", f"godwit log {guest} --json").splitlines():
        event = json.loads(line)
        if event.get("kind") == "step" and event.get("what") == step:
            moment = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
            return int(moment.timestamp() * 1e6)
    raise lh.Failed(f"the log of {guest} has no step {step}")


def compare(results, name, guest, image, strategy, pairs):
    mirrored = strategy == "live-block"
    virsh = Virsh()
    stock, ours = [], []
    lh.on("a", f"virsh dumpxml --inactive {guest} > /var/tmp/{guest}.xml; "
               f"cp --sparse=always {image} /var/tmp/{guest}.master")
    lh.boot("a", guest)
    for _ in range(pairs):
        stock.append(by_virsh(virsh, guest, image, mirrored))
        send_home(guest, image, mirrored)
        ours.append(by_godwit(guest, image, strategy))
        send_home(guest, image, mirrored)
    report(results, name, stock, ours, mirrored)
    lh.on("a", f"virsh -q destroy {guest}; virsh -q undefine {guest}")


def report(results, name, stock, ours, mirrored):
    ratios = [our["move"] / their["move"] for our, their in zip(ours, stock)]
    gaps = [our["gap"] / their["gap"] for our, their in zip(ours, stock)]
    fixed = [our["whole"] - our["move"] for our in ours]
    results.median(f"{name}: virsh, start to resumed", [t["move"] for t in stock], "s")
    results.median(f"{name}: godwit, start to resumed", [o["move"] for o in ours], "s")
    results.median(f"{name}: ratio to virsh", ratios, "x", 1.05)
    results.median(f"{name}: fixed overhead", fixed, "s", 1.5)
    results.median(f"{name}: virsh, guest silent", [t["gap"] for t in stock], "ms")
    results.median(f"{name}: godwit, guest silent", [o["gap"] for o in ours], "ms")
    results.median(f"{name}: silence, ratio to virsh", gaps, "x", 0.5)
    if mirrored:
        source = statistics.median(o["source"] for o in ours)
        results.median(f"{name}: allocation, ratio to source",
                       [o["allocated"] / o["source"] for o in ours], "x", 1.02)
        results.add(f"{name}: virsh's allocation, ratio to source",
                    statistics.median(t["allocated"] for t in stock) / source, "x")


def block(results, pairs):
    """live-block against virsh --copy-storage-all: time, silence, allocation"""
    image = lh.lab("guest", "define", "a", "blk", "--size", "1024", "--fill", "200")
    compare(results, "live-block", "blk", image, "live-block", pairs)


def choose_verify(how):
    lh.on("a", f"mkdir -p /etc/godwit; printf '[migration]\\nverify={how}\\n' >/etc/godwit/godwit.conf")


def verify(results, pairs):
    """what it costs live-block to read the disks again: time, silence"""
    image = lh.lab("guest", "define", "a", "vfy", "--size", "1024", "--fill", "200")
    turns = {"none": [], "mirror": []}
    lh.on("a", "virsh dumpxml --inactive vfy > /var/tmp/vfy.xml; "
               f"cp --sparse=always {image} /var/tmp/vfy.master")
    lh.boot("a", "vfy")
    for _ in range(pairs):
        for how, taken in turns.items():
            choose_verify(how)
            taken.append(by_godwit("vfy", image, "live-block"))
            send_home("vfy", image, True)
    for how, taken in turns.items():
        results.median(f"verify={how}: start to resumed", [t["move"] for t in taken], "s")
        results.median(f"verify={how}: guest silent", [t["gap"] for t in taken], "ms")
    both = list(zip(turns["mirror"], turns["none"]))
    results.median("verify: ratio of time", [a["move"] / b["move"] for a, b in both], "x", 1.05)
    results.median("verify: silence added", [a["gap"] - b["gap"] for a, b in both], "ms")
    lh.on("a", "virsh -q destroy vfy; virsh -q undefine vfy; rm /etc/godwit/godwit.conf")


def shared(results, pairs):
    """live-shared against virsh on a directory that both hosts see: time, silence"""
    image = lh.lab("guest", "define", "a", "shr", "--dir", "/srv/shared/shr")
    compare(results, "live-shared", "shr", image, "live-shared", pairs)
