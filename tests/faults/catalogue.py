# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can happen to a migration from outside, and when. Faults register themselves.

A fault strikes at a moment of the worker's own: it stands at a point, the fault is done, the worker
goes on. So nothing here depends on how fast a machine is.
"""

import matrix
import outcomes
import world as w

LIVE = ("live-block", "live-shared")
EVERY = ("cold", "live-block", "live-shared")
EITHER = {"rolled-back", "moved"}

# Where a phase of a strategy is seen; the same names mean the same for whoever reads the table.
MOMENTS = {
    "planned": {s: "step:prepare-disks#1:before" for s in EVERY},
    "prepared": {"cold": "step:shut-down#1:before", "live-block": "step:copy#1:before",
                 "live-shared": "step:copy#1:before"},
    "mirror": {"live-block": "live:mirror#1:after", "cold": "agent:StartSend#1:after"},
    "memory": {s: "live:memory#1:after" for s in LIVE},
    "frozen": {"cold": "step:commit#1:before", "live-block": "step:commit#1:before",
               "live-shared": "step:commit#1:before"},
    "committed": {"cold": "step:define-destination#1:before", "live-block": "step:resume#1:before",
                  "live-shared": "step:resume#1:before"},
    "resumed": {"cold": "step:start-destination#1:after", "live-block": "step:settle#1:before",
                "live-shared": "step:settle#1:before"},
    "retiring": {s: "step:park-source#1:before" for s in EVERY},
}
PHASES = tuple(MOMENTS)
FAULTS = []


class Fault:
    def __init__(self, name, function, phases, strategies, variants, shape):
        self.name, self.function, self.variants = name, function, variants
        self.phases, self.strategies, self.shape = phases, strategies, shape


def usual_shape(_variant):
    return w.Shape()


def fault(name, phases=PHASES, strategies=EVERY, variants=("",), shape=usual_shape):
    """Registers function(case, moment, variant), which returns the outcomes that are right, or None
    for those that the phase has. shape(variant): the hosts that it needs."""
    def register(function):
        FAULTS.append(Fault(name, function, phases, strategies, variants, shape))
        return function
    return register


class Moment:
    """The worker at a point of its way: struck() when it is there, over() when it may go on."""

    def __init__(self, case, strategy, phase):
        self.case, self.strategy, self.phase = case, strategy, phase
        self.point = MOMENTS.get(phase, {}).get(strategy)
        self.command = None
        self.is_over = False

    def begin(self):
        """Starts the migration and returns when the worker stands at the point."""
        self.number = self.case.strikes.order("run", self.point, "wait")
        self.command = self.case.begin(self.case.migrate_words())
        self.pid = self.case.strikes.wait(self.number, 60, self.command)

    def go_on(self):
        if not self.is_over:
            self.case.strikes.release(self.number)
        self.is_over = True

    def end(self):
        """Until the command has ended."""
        return self.case.told(self.case.end(self.command))

    def usual(self):
        """A fault before the commit may be survived or not; after it the guest has moved."""
        if self.phase in ("committed", "resumed", "retiring"):
            return {outcomes.MOVED}
        return EITHER


def struck(do, heal=None, late=False):
    """The usual course: do(case) at the moment, then heal(case) at once, or when godwit has ended."""
    def play(case, moment, variant):
        moment.begin()
        do(case, variant)
        if heal is not None and not late:
            heal(case, variant)
        moment.go_on()
        moment.end()
        if heal is not None and late:
            heal(case, variant)
        case.recover_until_ended()
        return moment.usual()
    return play


def make(one, strategy, phase, variant):
    def play(case):
        return one.function(case, Moment(case, strategy, phase), variant) or EITHER

    name = "/".join(part for part in ("fault", strategy, one.name, variant, phase) if part)
    return matrix.Case(name, strategy, play, one.name + (f" ({variant})" if variant else ""), phase,
                       shape=one.shape(variant))


def cases():
    return [make(one, strategy, phase, variant)
            for one in FAULTS for strategy in one.strategies for variant in one.variants
            for phase in one.phases if strategy in MOMENTS.get(phase, {strategy: ""})]


def at_side(variant):
    return "a" if variant == "source" else "b"


SIDES = ("source", "destination")

__all__ = ["EITHER", "EVERY", "LIVE", "PHASES", "SIDES", "Moment", "at_side", "cases", "fault",
           "struck", "w"]
