"""Sums the TAP results of all tests that meson's JSON logs hold.

Shows what failed, whole, and what was skipped, with the reason; the last line is the sum. Exits
with 1 if anything failed. A log that is not there is a failure: its suite did not run.
"""

import json
import re
import sys

RESULT = re.compile(r"^(not )?ok\b(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", re.IGNORECASE)
SKIP = re.compile(r"#\s*skip\S*\s*(.*)$", re.IGNORECASE)


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skips = []

    def skip(self, name, reason):
        self.skips.append(f"{name}: {reason.strip() or 'no reason given'}")

    def add_tap(self, name, text):
        """Counts the lines of one program; returns how many results it had and how many were
        bad."""
        planned = None
        seen = 0
        bad = 0
        # Subtests are indented and summed up by their parent.
        for line in text.splitlines():
            plan = PLAN.match(line)
            result = RESULT.match(line)
            if plan:
                planned = int(plan.group(1))
                if planned == 0:
                    self.skip(name, plan.group(2) or "")
            elif result:
                seen += 1
                skip = SKIP.search(result.group(2))
                if result.group(1):
                    bad += 1
                elif skip:
                    self.skip(name + result.group(2).split("#")[0].rstrip(), skip.group(1))
                else:
                    self.passed += 1
        if planned is not None and seen < planned:
            bad += planned - seen
        self.failed += bad
        return planned is not None or seen > 0, bad

    def add_test(self, test):
        name = test["name"]
        verdict = test["result"]
        good = verdict in ("OK", "SKIP", "EXPECTEDFAIL")
        is_tap, bad = self.add_tap(name, test.get("stdout", ""))
        if not is_tap and verdict == "SKIP":
            self.skip(name, "")
        elif not is_tap and good:
            self.passed += 1
        elif not good and bad == 0:
            # It crashed, ran out of time, or ended badly after its last good result.
            self.failed += 1
        if not good or bad:
            print(f"\n===== {name}: {verdict}, exit status {test.get('returncode')} =====")
            print(test.get("stdout", ""), end="")
            print(test.get("stderr", ""), end="")


def main():
    tally = Tally()
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8", errors="replace") as log:
                for line in log:
                    tally.add_test(json.loads(line))
        except OSError as error:
            print(f"{path}: {error.strerror}: no test of this suite ran")
            tally.failed += 1
    for skip in tally.skips:
        print(f"skipped {skip}")
    print(f"{tally.passed} passed, {tally.failed} failed, {len(tally.skips)} skipped")
    return 1 if tally.failed else 0


sys.exit(main())
