#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever a strategy can do has a declared outcome, and whatever changes hosts can be struck.

Looks at the sources and the libraries only, so that a build without hosts finds what is missing.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import outcomes  # noqa: E402

TABLE = re.compile(r"GodwitStepEntry\s+\w+\[\]\s*=\s*\{(.*?)\n\};", re.S)
ENTRY = re.compile(r"^\s*\{\s*\"([^\"]+)\"", re.M)
# Calls that only look; all others change a host and have to be wrapped.
LOOKS = {"claims", "connect", "get_facts", "list_guests", "describe_guest", "check_guest",
         "adapt_definition", "get_state", "get_pid_file", "get_end", "get_export", "get_written", "get_type", "live_wait",
         "live_set_downtime", "required"}

count, bad = 0, 0


def report(what, wrong):
    global count, bad
    count += 1
    bad += bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} {count} - {what}")
    for line in wrong:
        print(f"# {line}")


def steps_in(folder):
    """{table's file: names of its steps}, and how many entries could not be read."""
    found, unread = {}, 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".c"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        for table in TABLE.findall(text):
            found.setdefault(name, []).extend(ENTRY.findall(table))
            unread += table.count("GODWIT_PHASE_") - len(ENTRY.findall(table))
    return found, unread


def check_strategy(plugins, name):
    found, unread = steps_in(os.path.join(plugins, name))
    declared = set(outcomes.OUTCOMES.get(name, {})) | set(outcomes.OUTCOMES.get(name + "-revert", {}))
    used = {step for steps in found.values() for step in steps}
    report(f"every step of {name} has a declared outcome",
           [f"{step}: say in tests/faults/outcomes.py how a crash in it ends"
            for step in sorted(used - declared)])
    report(f"every declared outcome of {name} is of a step",
           [f"{step} is no step" for step in sorted(declared - used)])
    report(f"every step of {name} was read", [f"{unread} were not"] if unread or not used else [])


def symbols(library):
    text = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                          check=True).stdout
    return {line.split()[-1] for line in text.splitlines()}


def check_calls(library, strike):
    prefix = "godwit_hypervisor_"
    calls = {name[len(prefix):] for name in symbols(library) if name.startswith(prefix)}
    wrapped = {name[len(prefix):] for name in symbols(strike) if name.startswith(prefix)}
    report("every call that changes a host can be struck",
           [f"{name}: wrap it in tests/faults/wrap.c, or say in LOOKS that it only looks"
            for name in sorted(calls - wrapped - LOOKS)])
    report("only calls that there are are wrapped", sorted(wrapped - calls))


def main():
    plugins, library, strike = sys.argv[1:]
    strategies = [name for name in sorted(os.listdir(plugins))
                  if os.path.isdir(os.path.join(plugins, name)) and steps_in(os.path.join(plugins, name))[0]]
    report("there are strategies", [] if len(strategies) >= 3 else [f"found {strategies}"])
    for name in strategies:
        check_strategy(plugins, name)
    check_calls(library, strike)
    print(f"1..{count}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
