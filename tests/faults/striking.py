# SPDX-License-Identifier: LGPL-2.1-or-later
"""Orders for the library that strikes workers, and godwit run with them."""

import os
import re
import select
import subprocess
import tempfile
import time

import labhosts as lh
import world as w


class Command:
    """One run of godwit: what it printed, how it ended, how long it took."""

    def __init__(self, words, argv):
        self.words = words
        # A file: what godwit leaves running would keep a pipe open for as long as it runs.
        self.file = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.file,
                                        stderr=subprocess.STDOUT)
        self.began = time.monotonic()
        self.output, self.code, self.seconds = "", None, None

    def wait(self, seconds):
        """FALSE if it has not ended in time; it is killed then."""
        try:
            self.code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.seconds = time.monotonic() - self.began
        self.file.seek(0)
        self.output = self.file.read()
        return self.code is not None

    def __str__(self):
        return f"godwit {self.words}: exit {self.code}, {self.seconds or 0:.1f} s\n{self.output}"


def start(words, orders=(), host="a"):
    argv = lh.inside(host, "env", f"LD_PRELOAD={w.STRIKE}", f"GODWIT_STRIKE_DIR={w.STRIKE_DIR}",
                     f"GODWIT_STRIKE={';'.join(orders)}", "godwit", *words.split())
    return Command(words, argv)


class Strikes:
    """The orders of one case, and what came of them."""

    def __init__(self, world, host="a"):
        self.world, self.host = world, host
        self.orders = []

    @property
    def directory(self):
        """Asked anew each time: a host that was switched on again is another process."""
        return self.world.root(self.host) + w.STRIKE_DIR

    def order(self, purpose, point, deed):
        number = len(self.orders)
        self.orders.append(f"in={purpose} at={point} do={deed}")
        if deed in ("wait", "stop"):
            for name in (f"arrived-{number}", f"release-{number}"):
                path = f"{self.directory}/{name}"
                if os.path.exists(path):
                    os.unlink(path)
                os.mkfifo(path, 0o666)
                os.chmod(path, 0o666)
        return number

    def fired(self, number):
        return os.path.exists(f"{self.directory}/fired-{number}")

    def wait(self, number, seconds, command=None):
        """Until the worker is at the point of a `wait` or `stop`; its process id at its host."""
        fifo = os.open(f"{self.directory}/arrived-{number}", os.O_RDONLY | os.O_NONBLOCK)
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if select.select([fifo], [], [], 0.2)[0]:
                    text = os.read(fifo, 64)
                    if text:
                        return int(text)
                    # Nobody has opened the other end yet.
                    time.sleep(0.02)
                if command is not None and command.process.poll() is not None:
                    break
        finally:
            os.close(fifo)
        raise w.Trouble(f"nobody came to the point of '{self.orders[number]}'")

    def release(self, number):
        """Lets a worker that waits go on."""
        path = f"{self.directory}/release-{number}"

        def opened():
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK) + 1
            except OSError:
                return 0

        os.close(w.until(opened, 20, f"the worker waits at '{self.orders[number]}'") - 1)

    def trace(self, purpose=None):
        """Points in the order in which they were passed: [(seconds, purpose, point)]."""
        path = f"{self.directory}/trace"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as lines:
            found = [line.split() for line in lines]
        return [(float(fields[0]), fields[2], fields[3]) for fields in found
                if len(fields) == 4 and purpose in (None, fields[2])]


def job_of(output):
    """The id that godwit's own words name."""
    found = re.findall(r"\b([a-z]{3}-[0-9a-f]{4,})\b", output)
    return found[-1] if found else None
