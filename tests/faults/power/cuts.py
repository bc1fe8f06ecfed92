#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The power of one host is cut at one point of a migration; what was not synced there is lost.

Three hosts: a has the guest, b is to get it, c is the controller. `cuts.py --list` names the
cases, `cuts.py PATTERN` runs some of them, `cuts.py --ci` those that every test run has. In most the worker dies too, so that `recover` has to
find out; in those called "told" it lives and sees its host go."""

import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import labhosts as lh  # noqa: E402

VICTIMS = {"source": "a", "destination": "b", "controller": "c"}
POINTS = {"created": "after-step:prepare-disks", "copying": "copying",
          "before-commit": "before-commit", "after-commit": "after-commit", "end": None}
OPTIONS = {"cold": "--strategy cold --allow-downtime", "live-block": "--strategy live-block"}
# A guest goes on where it belongs, unless its host lost power under it: that is for its operator
# to mend. What the job itself has stopped it starts again.
EXPECTED = {
    "cold": {
        "created": ("a", "running"), "copying": ("a", "running"), "before-commit": ("a", "running"),
        "after-commit": ("b", "running"), "end": ("b", "running"),
        ("source", "created"): ("a", "shut off"), ("destination", "end"): ("b", "shut off"),
    },
    "live-block": {
        "created": ("a", "running"), "copying": ("a", "running"),
        # The destination alone has the guest's memory then, complete.
        "before-commit": ("b", "running"),
        "after-commit": ("b", "running"), "end": ("b", "running"),
        ("source", "created"): ("a", "shut off"), ("source", "copying"): ("a", "shut off"),
        ("destination", "before-commit"): ("a", "shut off"),
        ("destination", "after-commit"): ("b", "shut off"), ("destination", "end"): ("b", "shut off"),
    },
}
# Each host once, and the two moments at which most could be lost.
CI = ("cold/source/copying", "cold/destination/after-commit", "cold/controller/before-commit",
      "live-block/destination/before-commit", "live-block/controller/after-commit")
HOLD = "/tmp/hold"
DEADLINE = 180
TERMINAL = ("done", "failed", "cancelled", "reverted")


class Case:
    def __init__(self, number, strategy, victim, point, told=False):
        self.name = f"{strategy}/{victim}/{point}" + ("/told" if told else "")
        self.told = told
        self.guest = f"p{number}"
        self.strategy, self.victim, self.point = strategy, VICTIMS[victim], point
        self.image = f"{lh.IMAGES}/{self.guest}/disk.qcow2"

    def expected(self):
        """Where the guest belongs in the end, and whether it runs there."""
        hurt = {"a": "source", "b": "destination", "c": "controller"}[self.victim]
        return EXPECTED[self.strategy].get((hurt, self.point)) or EXPECTED[self.strategy][self.point]


def all_cases():
    names = [(s, v, p) for s in OPTIONS for v in VICTIMS for p in POINTS]
    names += [(s, "destination", p, True) for s in OPTIONS for p in ("copying", "after-commit")]
    return [Case(number, *name) for number, name in enumerate(names)]


def migrate_command(case, source, destination):
    return (f"godwit migrate {case.guest} --from root@{source} --to root@{destination} "
            f"{OPTIONS[case.strategy]}")


def wait_until(what, holds):
    deadline = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > deadline:
            raise lh.Failed(f"waited {DEADLINE} s: {what}")
        time.sleep(0.05)


# --- one case -------------------------------------------------------------------------------


def set_up(case):
    lh.lab("guest", "define", "a", case.guest, "--fill", "8")
    for host in VICTIMS.values():
        lh.lab("power", host, "sync")
    lh.on("c", f"rm -rf {HOLD}; mkdir {HOLD}")
    lh.boot("a", case.guest)
    # Slow enough that there is a middle.
    lh.lab("rate", "a", "20" if case.point == "copying" else "none")


def begin(case):
    """The migration, standing still at the point, or over."""
    at = POINTS[case.point] or "nowhere"
    hold = os.environ["POWER_HOLD"]
    command = migrate_command(case, "a", "b")
    run = subprocess.Popen([lh.LAB, "exec", "c", "--", "env", f"LD_PRELOAD={hold}", f"HOLD_AT={at}",
                            f"HOLD_DIR={HOLD}", "sh", "-c", command],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    wait_until("the migration does not come to the point",
               lambda: run.poll() is not None or
               lh.call([lh.LAB, "exec", "c", "--", "test", "-e", f"{HOLD}/reached"], False).returncode == 0)
    if (run.poll() is None) != (POINTS[case.point] is not None):
        raise lh.Failed(f"the migration went past the point: {run.communicate()[0]}")
    return run


def cut(case, run):
    lh.lab("power", case.victim, "off")
    lh.lab("power", case.victim, "on")
    lh.lab("rate", "a", "none")
    if case.told:
        lh.on("c", f"touch {HOLD}/go")
    elif case.victim != "c" and run.poll() is None:
        # The command, its supervisor and its worker, all at once.
        lh.on("c", "kill -KILL $(pgrep -f '^godwit (migrate|supervise|work) ')")
    told = run.communicate(timeout=DEADLINE)[0]
    return f"migrate: exit {run.returncode}\n{told}"


def recover(case):
    run = lh.call([lh.LAB, "exec", "c", "--", "godwit", "recover", case.guest], check=False)
    return f"recover: exit {run.returncode}\n{run.stdout}{run.stderr}"


# --- what is left ---------------------------------------------------------------------------


def files_of(case, host):
    return lh.on(host, f"cd {lh.IMAGES} && find . -mindepth 1 -path './{case.guest}*' | sort; "
                       "find /run/godwit -mindepth 1 ! -type d 2>/dev/null | sort").split()


def snapshot(case):
    job = lh.show("c", case.guest)
    return {"job": {key: job[key] for key in ("state", "committed", "debts")},
            "guest": {host: lh.lab("guest", "state", host, case.guest) for host in "ab"},
            "files": {host: files_of(case, host) for host in "ab"}}


def expected_files(case, home):
    here = [f"./{case.guest}", f"./{case.guest}/disk.qcow2"]
    parked = [f"./{case.guest}_migrate", f"./{case.guest}_migrate/disk.qcow2"]
    return {"a": here, "b": []} if home == "a" else {"a": parked, "b": here}


def check_place(case, seen):
    home, state = case.expected()
    problems = []
    if seen["job"]["state"] != ("done" if home == "b" else "failed"):
        problems.append(f"the job is {seen['job']['state']}")
    if seen["job"]["debts"] != 0:
        problems.append(f"it owes {seen['job']['debts']}")
    if seen["guest"] != {home: state, "a" if home == "b" else "b": "absent"}:
        problems.append(f"the guest is {seen['guest']}, expected {state} on {home}")
    if seen["files"] != expected_files(case, home):
        problems.append(f"files: {seen['files']}")
    return home, problems


def check_guest(case, home):
    if lh.lab("guest", "state", home, case.guest) != "running":
        lh.lab("guest", "start", home, case.guest)
    lh.settle(case.guest, home)
    lost, found = lh.lost_writes(home, case.guest, case.image)
    good = lost == 0 and found["bad"] == 0 and found["fill"] == "good"
    return [] if good else [f"{lost} acknowledged writes are lost: {found}"]


def check_again(case, home):
    """The same migration, or the way back."""
    if home == "b":
        lh.on("c", f"godwit confirm {case.guest}")
    run = lh.call([lh.LAB, "exec", "c", "--", "sh", "-c",
                   migrate_command(case, home, "a" if home == "b" else "b")], check=False)
    return [] if run.returncode == 0 else [f"another migration: exit {run.returncode}\n{run.stdout}{run.stderr}"]


def tear_down(case):
    for host in "ab":
        lh.on(host, f"virsh -q destroy {case.guest}; virsh -q undefine {case.guest}; "
                    f"rm -rf {lh.IMAGES}/{case.guest}*", check=False)


def run_case(case):
    set_up(case)
    clock = lh.stopwatch()
    run = begin(case)
    told = [f"at the point after {clock():.0f} s", cut(case, run), f"ended after {clock():.0f} s",
            recover(case), f"recovered after {clock():.0f} s"]
    seen = snapshot(case)
    home, problems = check_place(case, seen)
    told.append(recover(case))
    again = snapshot(case)
    if again != seen:
        problems.append(f"another recover changed it: {seen} -> {again}")
    if not problems:
        problems += check_guest(case, home) + check_again(case, home)
    return problems + told if problems else []


def attempt(case):
    try:
        problems = run_case(case)
        tear_down(case)
    except (lh.Failed, subprocess.TimeoutExpired, json.JSONDecodeError) as failure:
        problems = [str(failure)]
    return problems


def make_hosts():
    """What a case that failed has left must not fail the next."""
    lh.lab("down")
    lh.lab("up", "--hosts", "a,b,c", "--stage", os.environ["GODWIT_STAGE"], "--power-fs",
           "--bind", os.path.dirname(os.environ["POWER_HOLD"]))


def main():
    cases = all_cases()
    if "--list" in sys.argv:
        print("\n".join(case.name for case in cases))
        return 0
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        print("1..0 # SKIP needs root and /dev/fuse")
        return 0
    if "--ci" in sys.argv:
        cases = [case for case in cases if case.name in CI]
    elif len(sys.argv) > 1:
        cases = [case for case in cases if re.search(sys.argv[1], case.name)]
    os.environ.setdefault("LAB", "cuts")
    print(f"1..{len(cases)}", flush=True)
    bad = 0
    make_hosts()
    try:
        for number, case in enumerate(cases, 1):
            clock = lh.stopwatch()
            problems = attempt(case)
            bad += bool(problems)
            print(f"{'not ok' if problems else 'ok'} {number} - {case.name} ({clock():.0f} s)", flush=True)
            for line in "\n".join(problems).splitlines():
                print(f"#   {line}", flush=True)
            if problems:
                make_hosts()
    finally:
        lh.lab("down")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
