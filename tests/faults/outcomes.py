# SPDX-License-Identifier: LGPL-2.1-or-later
"""How a case must end whose worker dies before, inside and after each step.

A step that is not here makes the build's tests fail: whoever adds one has to say what a crash in it
means. "either" is for a step inside which the guest's memory changes hosts: which side has it
complete when the worker dies is not for the worker to say, and both ends are right.
"""

BACK, MOVED, EITHER = "rolled-back", "moved", "either"

LIVE = {
    "prepare-disks": (BACK, BACK, BACK),
    "hold-autostart": (BACK, BACK, BACK),
    "open-tunnels": (BACK, BACK, BACK),
    "copy": (BACK, EITHER, MOVED),
    "commit": (MOVED, MOVED, MOVED),
    "resume": (MOVED, MOVED, MOVED),
    "settle": (MOVED, MOVED, MOVED),
    "define-destination": (MOVED, MOVED, MOVED),
    "undefine-source": (MOVED, MOVED, MOVED),
    "park-source": (MOVED, MOVED, MOVED),
    "finish-targets": (MOVED, MOVED, MOVED),
}

OUTCOMES = {
    "live-block": LIVE,
    "live-shared": LIVE,
    "cold": {
        "prepare-disks": (BACK, BACK, BACK),
        "shut-down": (BACK, BACK, BACK),
        "copy-disks": (BACK, BACK, BACK),
        "verify": (BACK, BACK, BACK),
        "hold-autostart": (BACK, BACK, BACK),
        # The record that follows its proof is the commit itself.
        "commit": (BACK, BACK, BACK),
        "define-destination": (MOVED, MOVED, MOVED),
        "undefine-source": (MOVED, MOVED, MOVED),
        "start-destination": (MOVED, MOVED, MOVED),
        "park-source": (MOVED, MOVED, MOVED),
        "finish-targets": (MOVED, MOVED, MOVED),
    },
    # Of a revert "rolled-back" means that the guest stays where the migration had brought it.
    "cold-revert": {
        "revert-stop-destination": (BACK, BACK, BACK),
        "revert-commit": (BACK, BACK, BACK),
        "revert-undefine-destination": (MOVED, MOVED, MOVED),
        "revert-unpark-source": (MOVED, MOVED, MOVED),
        "revert-define-source": (MOVED, MOVED, MOVED),
        "revert-start-source": (MOVED, MOVED, MOVED),
        "revert-remove-copies": (MOVED, MOVED, MOVED),
    },
}

BEFORE, INSIDE, AFTER = range(3)


def allowed(strategy, passed):
    """The ends that are right for a crash at the last of the points that were passed."""
    declared = OUTCOMES[strategy]
    step, where = None, None
    for point in passed:
        if point.startswith("step:"):
            step, where = point[5:].split("#")[0], point.rsplit(":", 1)[1]
    if step is None:
        return {BACK}
    if step not in declared:
        raise KeyError(f"{strategy} has a step '{step}' without a declared outcome")
    last = passed[-1]
    if last.startswith("step:"):
        return widen(declared[step][BEFORE if where == "before" else AFTER])
    if where == "before":
        return widen(declared[step][INSIDE])
    steps = list(declared)
    after = steps.index(step) + 1
    following = declared[steps[after]][BEFORE] if after < len(steps) else declared[step][AFTER]
    return widen(declared[step][AFTER]) | widen(following)


def widen(outcome):
    return {BACK, MOVED} if outcome == EITHER else {outcome}
