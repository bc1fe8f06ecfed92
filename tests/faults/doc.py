# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/faults.md, made of the kept results."""

HEAD = """# Faults

What was done to migrations, when, and how they ended. This page is made by `./dev faults --doc` out of
the results of the cases; nobody writes it. After each case these were checked:

| | |
|---|---|
| I1 | at no instant do the processors of two QEMUs run the guest |
| I2 | one host has the guest, in the state it was in, defined there alone, with autostart, title and metadata |
| I3 | every write that the guest was told of is on its disk; the image is sound |
| I4 | no process, domain, file, listener, mount, block job, export or node is left on either host |
| I5 | foreign files and domains are as they were |
| I6 | the job has ended, and recovering it again changes nothing |
| I7 | the same migration then succeeds; from the destination the way back does |
| I8 | every command ended in time |
| I9 | the message says which step, where the guest is, what is left, and one next command |

`+` after a commit: the tree had changes that were not committed.
"""


def cell(text):
    return text.replace("|", "\\|")


def outcome_of(results):
    outcomes = sorted({result["outcome"] for result in results if result["passed"]})
    bad = sum(not result["passed"] for result in results)
    text = ", ".join(outcomes)
    if bad:
        text += f"{', ' if text else ''}**{bad} failed**"
    return text


def rows(results, planned):
    """One row for each fault, phase and strategy."""
    groups = {}
    for case in planned:
        key = (case.fault, case.phase, case.strategy)
        groups.setdefault(key, []).append(results.get(case.name))
    for (fault, phase, strategy), found in sorted(groups.items()):
        run = [result for result in found if result is not None]
        commits = sorted({result["commit"] for result in run})
        yield (fault, phase, strategy, f"{len(run)} of {len(found)}", outcome_of(run) or "not run",
               " ".join(commits))


def counts(results, planned):
    for strategy in sorted({case.strategy for case in planned}):
        names = [case.name for case in planned if case.strategy == strategy]
        run = [results[name] for name in names if name in results]
        yield strategy, len(names), len(run), sum(result["passed"] for result in run)


def write(path, results, planned):
    planned = list(planned)
    lines = [HEAD, "| fault | phase | strategy | run | outcome | commit |", "|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(cell(part) for part in row) + " |" for row in rows(results, planned)]
    lines += ["", "## Counts", "", "| strategy | generated | run | passed |", "|---|---|---|---|"]
    lines += [f"| {strategy} | {made} | {run} | {passed} |"
              for strategy, made, run, passed in counts(results, planned)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
