# SPDX-License-Identifier: LGPL-2.1-or-later
"""One case while it is played: what was done to the world and what was seen of it."""

import subprocess

import invariants
import journal
import labhosts as lh
import striking
import world as w

# The end of a command is waited for longer than it may take, so that how long it took is known.
COMMAND_SECONDS = 900


class Played:
    def __init__(self, world, guest):
        self.world, self.guest, self.controller = world, guest, world.shape.controller
        self.commands, self.endings = [], []
        self.home = None
        self.end_state = "running"
        self.unchecked = ()
        self.ignored, self.undoings = [], []
        self.bound = 120
        self.orphan_seconds = invariants.ORPHAN_SECONDS
        self.strikes = striking.Strikes(world, self.controller)
        self.foreign = world.foreign()
        self.since = lh.now_us()

    def runs_directory(self, host):
        return self.world.root(host) + w.RUNS

    def migrate_words(self, source="a"):
        target = "b" if source == "a" else "a"
        name = {host: host for host in self.world.hosts} | {self.controller: "localhost"}
        way = f"--from {name[source]} --to {name[target]}"
        # What is at home need not be said.
        way = way.removeprefix("--from localhost ")
        return (f"migrate {self.guest.name} {way} --strategy {self.guest.strategy} "
                f"{self.guest.options}").strip()

    # --- commands -----------------------------------------------------------------------------

    def begin(self, words, struck=True, host=None):
        """Starts a command, with the orders of this case."""
        orders = self.strikes.orders if struck else ()
        command = striking.start(words, orders, host or self.controller)
        self.commands.append(command)
        return command

    def end(self, command, allowed=None):
        command.wait(COMMAND_SECONDS)
        if command.code is None or (allowed is not None and command.code not in allowed):
            raise w.Wrong(str(command))
        return command

    def godwit(self, words, allowed=None):
        """A command to which nothing happens."""
        return self.end(self.begin(words, struck=False), allowed)

    def told(self, command):
        """Notes where the guest is at the end of a command, to judge what it says of that."""
        self.endings.append((command, self.where()))
        return command

    def where(self):
        """Which host has the guest's memory now; None if it is not to be told."""
        found = invariants.look(self)
        homes = [host for host, facts in found.items() if facts[0] in ("running", "paused")]
        return homes[0] if len(homes) == 1 else None

    def checks_without(self, *names):
        """What cannot hold after such a fault; the case itself says why."""
        self.unchecked = names

    def ignore(self, host, pattern):
        """Of the case's own making: no orphan, and no difference."""
        self.ignored.append(rf"^{host} (has|lacks) ({pattern})")

    def afterwards(self, undo):
        """What is done when all has been looked at."""
        self.undoings.append(undo)

    def put_away(self):
        """What could not be undone, as lines; all have their turn."""
        failures = []
        while self.undoings:
            try:
                self.undoings.pop()()
            except (lh.Failed, w.Trouble, OSError, subprocess.TimeoutExpired) as failure:
                failures.append(f"putting away: {failure}")
        return failures

    def state_at(self, host):
        return invariants.look(self)[host][0]

    # --- common ends --------------------------------------------------------------------------

    def migrate(self):
        return self.told(self.end(self.begin(self.migrate_words())))

    def recover_until_ended(self, tries=3):
        """What an operator does who is told to: `godwit recover JOB`."""
        for _ in range(tries):
            job = journal.newest(self.world, self.controller)
            if job is None or (job["state"] in journal.TERMINAL and not job["debts"]):
                return
            self.told(self.end(self.begin(f"recover {job['id']}")))

    def outcome(self):
        found = invariants.look(self)
        homes = [host for host, facts in found.items() if facts[0] != "absent"]
        if homes == ["a"]:
            return "rolled-back"
        if homes == ["b"]:
            return "moved"
        return "elsewhere: " + str(found)
