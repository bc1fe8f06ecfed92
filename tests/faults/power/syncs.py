#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Leaves each sync of godwit out, one at a time, cuts the power, and wants to see something lost.

A sync is a call of fsync and its like, or a PRAGMA, as seen at run time: by the return addresses
in libgodwit. `sources.py` tells those of the sources, so that none is without a case."""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

import sources

ENV = os.environ
ACTOR = ENV.get("POWER_ACTOR", "")
LOST = 3
# So many callers tell one place from another: the helper that syncs is not what is left out.
DEPTH = 3
Sync = collections.namedtuple("Sync", "number what path module frames")


def call(argv, env=None, check=True):
    run = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         env=env, timeout=60, check=False)
    if check and run.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {run.returncode}\n{run.stdout}{run.stderr}")
    return run


class Machine:
    """A mounted powerfs and what a case has beside it."""

    def __init__(self, case):
        self.case = case
        self.root = tempfile.mkdtemp(prefix="godwit-syncs-", dir="/var/tmp")
        self.mount = os.path.join(self.root, "mount")
        for name in ("backing", "mount", "safe"):
            os.mkdir(os.path.join(self.root, name))
        self.on()
        os.mkdir(os.path.join(self.mount, "data"))
        os.mkdir(os.path.join(self.mount, "lib"))

    def on(self):
        call([ENV["POWERFS"], os.path.join(self.root, "backing"), self.mount])

    def off(self):
        call(["umount", "--lazy", self.mount])

    def control(self, word):
        with open(os.path.join(self.mount, ".powerfs-control"), "w", encoding="ascii") as control:
            control.write(word)

    def do(self, phase, **extra):
        """One phase of the case; returns the exit code."""
        env = dict(ENV, POWER_DATA=os.path.join(self.mount, "data"),
                   POWER_SAFE=os.path.join(self.root, "safe"),
                   GODWIT_STATE_DIR=os.path.join(self.mount, "lib", "state", "godwit"),
                   GODWIT_RUNTIME_DIR=os.path.join(self.root, "safe", "run"),
                   LD_PRELOAD=ENV["POWER_SYNC_OFF"], G_DEBUG="fatal-criticals", **extra)
        if self.case == "record":
            env["SYNC_NO_XATTR"] = "1"
        env["SYNC_SQLITE_LAX"] = "1"
        run = call([ACTOR, self.case, phase], env, check=False)
        if run.returncode not in (0, LOST) or (run.returncode and phase != "check"):
            raise RuntimeError(f"{self.case} {phase}: exit {run.returncode}\n{run.stdout}{run.stderr}")
        return run.returncode

    def end(self):
        pid_file = os.path.join(self.root, "safe", "nbd.pid")
        if os.path.exists(pid_file):
            with open(pid_file, encoding="ascii") as text:
                os.kill(int(text.read()), 9)
        self.off()
        shutil.rmtree(self.root)


def run_case(case, skip=()):
    """Returns whether something was lost, and all syncs that were met."""
    machine = Machine(case)
    log = os.path.join(machine.root, "syncs")
    try:
        machine.do("prepare")
        machine.control("sync")
        machine.do("act", SYNC_LOG=log, SYNC_SKIP=",".join(str(number) for number in skip))
        machine.control("cut")
        machine.off()
        machine.on()
        lost = machine.do("check") == LOST
        return lost, read_log(log) if os.path.exists(log) else []
    finally:
        machine.end()


def read_log(path):
    with open(path, encoding="ascii") as lines:
        words = [line.split() for line in lines]
    return [Sync(int(w[0]), *w[1:4], tuple(int(offset, 16) for offset in w[4:])) for w in words]


def group(met):
    """By the place that asks: what one line of the source does several times is left out at once.
    What SQLite does in its commits is its own; we ask for it by a PRAGMA. And what is in the
    runtime directory does not survive a boot anyway."""
    places = collections.OrderedDict()
    for sync in met:
        if sync.frames and "sqlite" not in sync.module and "/safe" not in sync.path:
            places.setdefault((sync.what, sync.frames[:DEPTH]), []).append(sync.number)
    return places


def main():
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        print("1..0 # SKIP needs root and /dev/fuse")
        return 0
    only = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    count = bad = 0
    needed = {}
    missed = set()

    def report(ok, text):
        nonlocal count, bad
        count += 1
        bad += not ok
        print(f"{'ok' if ok else 'not ok'} {count} - {text}", flush=True)

    for case in call([ACTOR, "list"]).stdout.split():
        if not only.search(case):
            continue
        lost, met = run_case(case)
        report(not lost, f"{case}: survives a power cut")
        for key, numbers in group(met).items() if not lost else ():
            needed.setdefault(key, [])
            if run_case(case, numbers)[0]:
                needed[key].append(case)
    for (what, frames), cases in needed.items():
        places = sources.resolve(ENV["POWER_LIBRARY"], frames)
        report(cases, f"{what} in {sources.describe(places)} is missed by {', '.join(cases) or 'nobody'}")
        if cases:
            missed.update((place.file, place.function) for place in places)
    if not only.pattern:
        for place in sources.find():
            report((place.file, place.function) in missed,
                   f"{place.file}:{place.line} in {place.function}() has a case that misses it")
    print(f"1..{count}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
