# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exactly one reply of libvirt's is lost: it was done, and godwit is not told."""

import contextlib
import os
import subprocess
import tempfile

import labhosts as lh
import world as w
from catalogue import LIVE, fault

HERE = os.path.dirname(os.path.abspath(__file__))

# Procedures by their numbers in libvirt's protocol, and on which host godwit calls them.
MIGRATION = {"Begin": (302, "a"), "Prepare": (303, "b"), "Perform": (305, "a"),
             "Finish": (306, "b"), "Confirm": (307, "a")}
DOMAIN = {"resume": (28, "b"), "define": (350, "b"), "undefine": (231, "a")}
COLD = {"define": (350, "b"), "undefine": (231, "a"), "create": (196, "b"), "shutdown": (258, "a")}


@contextlib.contextmanager
def proxy(case, host, procedure, way):
    """A proxy in the place of a host's socket; yields a function that returns what it has seen."""
    with open(os.path.join(HERE, "proxy.py"), encoding="utf-8") as program:
        text = program.read()
    with open(f"{case.world.root(host)}/var/tmp/proxy.py", "w", encoding="utf-8") as target:
        target.write(text)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as seen:
        process = subprocess.Popen(
            lh.inside(host, "/usr/bin/python3", "/var/tmp/proxy.py", str(procedure), way),
            stdin=subprocess.DEVNULL, stdout=seen, stderr=subprocess.STDOUT)

        def look():
            seen.seek(0)
            return seen.read()

        try:
            w.until(lambda: "ready" in look(), 20, "the proxy listens")
            yield look
        finally:
            # The process that we started is a nsenter, which does not pass signals on.
            lh.on(host, "pkill -TERM -f '^/usr/bin/python3 /var/tmp/proxy.py'")
            process.wait(20)


def lose(table):
    def play(case, moment, variant):
        name, way = variant.split(", ")
        procedure, host = table[name]
        case.bound = 280
        with proxy(case, host, procedure, way) as look:
            command = case.told(case.end(case.begin(case.migrate_words())))
            if f"lost {procedure}\n" not in look():
                raise w.Wrong(f"no reply {procedure} at {host}: {command}\n{look()}")
        case.recover_until_ended()
        return None
    return play


def variants(table):
    return tuple(f"{name}, {way}" for name in table for way in ("closed", "lost"))


fault("one reply lost", phases=("migration",), strategies=LIVE, variants=variants(MIGRATION))(
    lose(MIGRATION))
fault("one reply lost", phases=("domain",), strategies=LIVE, variants=variants(DOMAIN))(lose(DOMAIN))
fault("one reply lost", phases=("domain",), strategies=("cold",), variants=variants(COLD))(
    lose(COLD))
