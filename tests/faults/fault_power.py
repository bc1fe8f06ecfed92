# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host loses power: its link goes first, then everything that runs on it."""

import glob
import os
import time

import labhosts as lh
import world as w
from catalogue import LIVE, fault


def lose_power(case, host):
    logs = case.runs_directory(host)
    paths = [path[:-4] for path in glob.glob(os.path.join(glob.escape(logs), "*.run"))]
    # Through the host's own root they are out of reach once it is off.
    names = [os.path.basename(path) for path in paths]
    lh.lab("power", host, "off")
    note_ends(case, host, names)


def note_ends(case, host, names):
    """Who would have noted the end of a QEMU ended with it."""
    for name in names:
        path = os.path.join(case.world.paths["console"], host, "runs", name + ".end")
        if not os.path.exists(path) or os.path.getsize(path) == 0:
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"0@{time.time():.6f}:ended\n")


def give_power(case, host):
    lh.lab("power", host, "on")
    case.world.find_hosts()


# Whose power is lost, and where the controller is.
PLACES = {"source": "a", "destination": "b", "third host": "c"}
VARIANTS = {f"{victim}, controller at {place}": (PLACES[victim], PLACES[place])
            for place in PLACES for victim in PLACES
            if victim != "third host" or place == "third host"}


def is_taken_along(case, moment, host):
    """Whether the guest loses power with the destination: its memory is there alone, and nothing
    starts it when that boots, for it is not defined there yet. It is for its operator to start."""
    return (host == "b" and case.guest.strategy in LIVE and
            moment.phase in ("frozen", "committed", "resumed"))


def shape_of(variant):
    return w.Shape(controller=VARIANTS[variant][1], forgetful=True)


@fault("power lost", variants=tuple(VARIANTS), shape=shape_of)
def power_lost(case, moment, variant):
    case.bound = 180
    # Agents of a controller that fell silent end after a minute.
    case.orphan_seconds = 90
    host = VARIANTS[variant][0]
    moment.begin()
    lose_power(case, host)
    if host != case.controller:
        moment.go_on()
    command = case.end(moment.command)
    # It says how it ended, unless it died with its host; where the guest was then nobody could ask.
    if host != case.controller:
        case.endings.append((command, None))
    give_power(case, host)
    # It was still running when the destination went away, so there was no reason to stop it.
    if host == "b" and moment.phase == "prepared" and "to shut down, for up to" in command.output:
        raise w.Wrong(f"the guest was stopped for a destination that is off: {command}")
    case.recover_until_ended()
    if is_taken_along(case, moment, host):
        case.end_state = "shut off"
    early = moment.phase in ("planned", "prepared", "mirror")
    return {"rolled-back"} if early else moment.usual()
