# SPDX-License-Identifier: LGPL-2.1-or-later
"""What came of cases: shown as TAP, kept with the commit they ran on."""

import json
import os
import shutil
import subprocess
import sys
import time


class Result:
    def __init__(self, case):
        self.case = case
        self.outcome = "not played"
        self.problems, self.checked = [], []
        self.commands, self.traces = [], []
        self.seconds = 0.0

    def add(self, by_invariant):
        self.checked = sorted(by_invariant)
        for name, lines in sorted(by_invariant.items()):
            self.problems += [f"{name}: {line}" for line in lines]

    def to_dict(self):
        return {"name": self.case.name, "strategy": self.case.strategy, "fault": self.case.fault,
                "phase": self.case.phase, "outcome": self.outcome, "passed": not self.problems,
                "problems": self.problems, "invariants": self.checked,
                "seconds": round(self.seconds, 2)}


class Report:
    """The Test Anything Protocol."""

    def __init__(self, planned, logs):
        self.number, self.bad = 0, 0
        self.logs = logs
        self.began = time.monotonic()
        print(f"1..{planned}", flush=True)

    def add(self, result):
        self.number += 1
        self.bad += bool(result.problems)
        word = "not ok" if result.problems else "ok"
        print(f"{word} {self.number} - {result.case.name} # {result.outcome}, "
              f"{result.seconds:.1f} s", flush=True)
        for problem in result.problems:
            print("\n".join("#   " + line for line in problem.splitlines()))
        log = self.write_log(result)
        if result.problems:
            print(f"#   all that was printed: {log}")
        sys.stdout.flush()

    def skip(self, case, reason):
        self.number += 1
        print(f"ok {self.number} - {case.name} # SKIP {reason}", flush=True)

    def write_log(self, result):
        os.makedirs(self.logs, exist_ok=True)
        path = os.path.join(self.logs, result.case.name.replace("/", ",") + ".log")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(result.problems + result.commands + result.traces))
        return path

    def end(self):
        seconds = time.monotonic() - self.began
        print(f"# {self.number} cases in {seconds:.0f} s, {self.bad} failed", flush=True)
        return 1 if self.bad else 0


class Record:
    """The last result of every case that was ever played, as it goes with the sources: a line each,
    with how often the case has passed without failing in between."""

    COLUMNS = ("name", "passes", "seconds", "commit", "outcome")

    def __init__(self, path):
        self.path = path

    def read(self):
        if not os.path.exists(self.path):
            return {}
        with open(self.path, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
        found = {}
        for name, passes, seconds, commit, outcome in lines:
            found[name] = {"passed": int(passes) > 0, "passes": int(passes),
                           "seconds": float(seconds), "commit": commit, "outcome": outcome}
        return found

    def write(self, known, names):
        """Cases that are no longer made are forgotten."""
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("# " + "\t".join(self.COLUMNS) + "; written by ./dev faults --doc\n")
            for name in sorted(set(names) & set(known)):
                result = known[name]
                file.write(f"{name}\t{result['passes']}\t{result['seconds']:.0f}\t"
                           f"{result['commit']}\t{result['outcome']}\n")


class Store:
    """The last result of every case, by name: of this machine, over what goes with the sources."""

    def __init__(self, path, record, top):
        self.path, self.commit = path, commit_of(top)
        self.known = record.read()
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.known.update(json.load(file))

    def has_passed(self, name, anywhere=False):
        found = self.known.get(name)
        return (found is not None and found["passed"] and
                (anywhere or found["commit"] == self.commit))

    def add(self, result):
        before = self.known.get(result.case.name, {"passes": 0})["passes"]
        self.known[result.case.name] = dict(result.to_dict(), commit=self.commit,
                                            passes=0 if result.problems else before + 1)
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.known, file, indent=1, sort_keys=True)
        os.rename(self.path + ".new", self.path)

    def copy(self, path):
        shutil.copy(self.path, path)


def commit_of(top):
    """The commit, with a mark if the tree differs from it."""
    def git(*words):
        return subprocess.run(["git", "-C", top, *words], capture_output=True, text=True,
                              check=False).stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain") else "")
