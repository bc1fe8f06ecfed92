# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which cases a test run has time for: chosen by the commit, so that many runs see them all."""

import hashlib

# A run that is to tell whether a change broke something needs cases that held before it, and more
# than once.
PROVEN_PASSES = 2


class Nothing(Exception):
    """There is no case of some kind, which would look like success."""


# Up to so many seconds, as long as they took last, cases are added to those that have to be played.
BUDGET = 480


def rank(commit, name):
    return hashlib.sha256(f"{commit} {name}".encode()).hexdigest()


def fault_of(case):
    return case.fault.split(" (")[0]


def first_of_each(cases, key, commit):
    """One case for each value of a key, another one with each commit."""
    chosen = {}
    for case in sorted(cases, key=lambda case: rank(commit, case.name)):
        chosen.setdefault(key(case), case)
    return list(chosen.values())


def is_wanted(result):
    """One that has failed since stays until it is mended."""
    return result["passes"] >= PROVEN_PASSES or result["passes"] == 0


def choose(cases, commit, record):
    """One of each step, each fault and each self-test; then others for as long as there is time."""
    all_faults = [case for case in cases if case.name.startswith("fault/")]
    cases = [case for case in cases if case.name in record and is_wanted(record[case.name])]
    tests = [case for case in cases if case.fault == "selftest"]
    rest = [case for case in cases if case.fault != "selftest"]
    crashes = [case for case in rest if case.name.startswith(("crash/", "stop/"))]
    faults = [case for case in rest if case not in crashes]
    if not tests or not crashes or not faults:
        raise Nothing(f"{len(tests)} self-tests, {len(crashes)} crashes and {len(faults)} faults "
                      "have held before: see results.tsv")
    for name in sorted({fault_of(case) for case in all_faults} - {fault_of(case) for case in faults}):
        print(f"# no case of '{name}' has passed {PROVEN_PASSES} times in a row yet")
    chosen = first_of_each(tests, lambda case: case.name.split("/")[1], commit)
    chosen += first_of_each(crashes, lambda case: case.phase, commit)
    chosen += first_of_each(faults, fault_of, commit)
    seconds = sum(record[case.name]["seconds"] for case in chosen)
    for case in sorted(rest, key=lambda case: rank(commit, case.name)):
        if case not in chosen and seconds + record[case.name]["seconds"] <= BUDGET:
            chosen.append(case)
            seconds += record[case.name]["seconds"]
    # Hosts of another shape are made anew.
    return sorted(chosen, key=lambda case: case.shape.key)
