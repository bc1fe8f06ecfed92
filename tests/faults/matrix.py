# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases that nobody lists: a clean run is traced, and each point that it passed is struck."""

import hashlib
import json
import os

import invariants
import journal
import outcomes
import played
import world as w

KINDS = ("worker", "both", "again")


class Case:
    """`play` does the fault to a played.Played and returns the outcomes that are right."""

    def __init__(self, name, strategy, play, fault, phase, check=tuple(invariants.ALL),
                 shape=w.Shape()):
        self.name, self.strategy, self.play = name, strategy, play
        self.fault, self.phase, self.check, self.shape = fault, phase, check, shape


# --- references -------------------------------------------------------------------------------


def build_id():
    """What a trace is true of: the library, the plugins, and what looks at them."""
    digest = hashlib.sha256()
    stage = os.environ["GODWIT_STAGE"]
    for top, folders, files in os.walk(stage):
        folders.sort()
        for name in sorted(files):
            if ".so" in name or name == "godwit":
                with open(os.path.join(top, name), "rb") as file:
                    digest.update(file.read())
    with open(os.environ["GODWIT_STRIKE_SO"], "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()[:16]


def trace_clean_run(world, guest):
    """Points of a run to which nothing happens; also the picture of its end."""
    world.restore_checked(guest)
    case = played.Played(world, guest)
    case.end(case.begin(case.migrate_words()), allowed=(0,))
    # The way ahead is set by what the run did; the roll-back by what it does when it ends early.
    world.baselines[world.picture(guest, "moved")] = w.settled(world.inventory)
    return [point for _at, _purpose, point in case.strikes.trace("run")]


def trace_roll_back(world, guest, points):
    """Which steps a recovery undoes, of a worker that died at the last moment to go back."""
    last = [point for point in points if point.startswith("step:") and point.endswith(":before")
            and "rolled-back" in outcomes.allowed(guest.strategy, [point])][-1]
    world.restore_checked(guest)
    case = played.Played(world, guest)
    case.strikes.order("run", last, "kill")
    case.migrate()
    return [point for _at, _purpose, point in case.strikes.trace("recover")
            if point.startswith("undo:")]


def ensure_moved_baseline(world, guest):
    if world.picture(guest, "moved") not in world.baselines:
        trace_clean_run(world, guest)


def reference(world, strategy, folder):
    """{"points": [...], "undo": [...]} of a strategy, kept for as long as the build is the same."""
    path = os.path.join(folder, f"trace-{strategy}-{build_id()}.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    guest = w.GUESTS[strategy]
    points = trace_clean_run(world, guest)
    found = {"points": points, "undo": trace_roll_back(world, guest, points)}
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(found, file)
    os.rename(path + ".new", path)
    return found


# --- crashes ----------------------------------------------------------------------------------


def again_point(strategy, found, index):
    """Where the recovery is killed as well, of a worker that died at that point of the trace."""
    passed = found["points"][:index + 1]
    when = "before" if index % 2 == 0 else "after"
    steps = [point[5:].split("#")[0] for point in passed
             if point.startswith("step:") and point.endswith(":before")]
    ends = outcomes.allowed(strategy, passed)
    undone = [point.split(":")[1].split("#")[0] for point in found["undo"]]
    if not steps or len(ends) > 1:
        return f"record:write#2:{when}"
    if ends == {"rolled-back"}:
        undoable = [step for step in steps if step in undone]
        return f"undo:{undoable[-1]}#1:{when}" if undoable else f"record:write#3:{when}"
    order = [step for step in outcomes.OUTCOMES[strategy]]
    rest = [step for step in order[order.index(steps[-1]):]
            if f"step:{step}#1:after" not in passed]
    return f"step:{rest[0]}#1:{when}" if rest else f"record:write#2:{when}"


def make_crash(found, strategy, index, kind):
    point = found["points"][index]
    ends = outcomes.allowed(strategy, found["points"][:index + 1])

    def play(case):
        case.strikes.order("run", point, "kill" if kind == "worker" else "kill-both")
        if kind == "again":
            case.strikes.order("recover", again_point(strategy, found, index), "kill-both")
        case.migrate()
        case.recover_until_ended()
        if not case.strikes.fired(0):
            raise w.Wrong(f"no worker came to {point}")
        return ends

    return play


def phase_of(points, index):
    steps = [point[5:].split("#")[0] for point in points[:index + 1] if point.startswith("step:")]
    return steps[-1] if steps else "planning"


def crash_cases(strategy, found):
    for index, point in enumerate(found["points"]):
        if not point.startswith(("record:", "step:")):
            continue
        for kind in KINDS:
            yield Case(f"crash/{strategy}/{point}/{kind}", strategy,
                       make_crash(found, strategy, index, kind), f"crash of {kind}",
                       phase_of(found["points"], index))


# --- workers that are stopped -----------------------------------------------------------------


def make_stop(point):
    """The worker stands still before it changes something; another takes the job over."""

    def play(case):
        number = case.strikes.order("run", point, "stop")
        first = case.begin(case.migrate_words())
        pid = case.strikes.wait(number, 60, first)
        stat = f"{case.world.root(case.controller)}/proc/{pid}/stat"
        w.until(lambda: field(stat, 0) == "T", 20, "the worker stands still")
        began = field(stat, STARTED)
        job = journal.newest(case.world, case.controller)
        case.told(case.end(case.begin(f"recover {job['id']}")))
        if field(stat, STARTED) == began and field(stat, 0) != "Z":
            raise w.Wrong(f"worker {pid} stands still at {point} and was not ended")
        case.told(case.end(first))

    return play


# Fields of /proc/PID/stat, counted from the state.
STARTED = 19


def field(path, number):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rsplit(") ", 1)[1].split()[number]
    except FileNotFoundError:
        return None


def stop_cases(strategy, found):
    for index, point in enumerate(found["points"]):
        if point.startswith(("agent:", "call:")) and point.endswith(":before"):
            yield Case(f"stop/{strategy}/{point}", strategy, make_stop(point),
                       "worker stopped and taken over", phase_of(found["points"], index))
