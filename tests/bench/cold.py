# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cold copy of a sparse disk against the copiers that people use today."""

import labhosts as lh

TURNS = 3
SIZE_MIB = 4096
DATA_MIB = 400
IMAGE = f"{lh.IMAGES}/cold/disk.raw"

# Each ends with a sync at the destination, as godwit does.
CONTENDERS = {
    "scp": f"scp -q {IMAGE} b:{lh.IMAGES}/there/ && ssh b sync -f {lh.IMAGES}/there",
    "rsync -S": f"rsync -S {IMAGE} b:{lh.IMAGES}/there/ && ssh b sync -f {lh.IMAGES}/there",
    "tar -S | ssh": f"tar -C {lh.IMAGES}/cold -S -c disk.raw | "
                    f"ssh b 'tar -C {lh.IMAGES}/there -S -x && sync -f {lh.IMAGES}/there'",
}


def by_hand(command):
    lh.on("b", f"rm -rf {lh.IMAGES}/there; mkdir -p {lh.IMAGES}/there")
    seconds = lh.timed_on("a", command)
    size = lh.allocated("b", f"{lh.IMAGES}/there/disk.raw")
    lh.on("b", f"rm -rf {lh.IMAGES}/there")
    return seconds, size


def by_godwit():
    seconds = lh.timed_on("a", "godwit migrate cold --to b")
    size = lh.allocated("b", IMAGE)
    lh.on("a", "godwit revert cold")
    return seconds, size


def make_disk():
    """Data in 16 extents spread over the disk, as files in a file system are."""
    step = SIZE_MIB // 16
    share = DATA_MIB // 16
    lh.on("a", f"for i in {{0..15}}; do dd if=/dev/urandom of={IMAGE} bs=1M count={share} "
               f"seek=$((i * {step})) conv=notrunc status=none; done; sync {IMAGE}")


def copy(results, _pairs):
    """cold, 4 GiB sparse with 400 MiB of data, against scp, rsync -S, tar -S | ssh"""
    lh.lab("guest", "define", "a", "cold", "--format", "raw", "--size", str(SIZE_MIB))
    make_disk()
    source = lh.allocated("a", IMAGE)
    seconds = {name: [] for name in (*CONTENDERS, "godwit")}
    sizes = {}
    for _ in range(TURNS):
        for name, command in CONTENDERS.items():
            taken, sizes[name] = by_hand(command)
            seconds[name].append(taken)
        taken, sizes["godwit"] = by_godwit()
        seconds["godwit"].append(taken)
    for name, taken in seconds.items():
        results.median(f"copy: {name}", taken, "s")
        results.add(f"copy: {name}, allocation ratio", sizes[name] / source, "x",
                    1.02 if name == "godwit" else None)
    for name in CONTENDERS:
        ratios = [ours / theirs for ours, theirs in zip(seconds["godwit"], seconds[name])]
        results.median(f"copy: whole godwit job to {name}", ratios, "x")
    lh.on("a", "virsh -q undefine cold; rm -rf " + lh.IMAGES + "/cold")
