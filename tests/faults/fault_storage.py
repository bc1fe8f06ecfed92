# SPDX-License-Identifier: LGPL-2.1-or-later
"""No space, at the destination and under the journal; a journal that cannot be written or is torn."""

import os

import journal
import labhosts as lh
import world as w
from catalogue import EVERY, fault

IMAGES = "/var/lib/libvirt/images"
JOURNAL = "/var/lib/godwit"
COPIED = ("cold", "live-block")


def small_images(size):
    """A small file system under the destination's images, with what is foreign on it."""
    lh.on("b", f"set -e; cp -a {w.FOREIGN} /tmp/foreign; mount -t tmpfs -o size={size} small {IMAGES}; "
               f"chmod 711 {IMAGES}; cp -a /tmp/foreign {w.FOREIGN}; rm -rf /tmp/foreign")


def big_images():
    """Takes it away again; what is on it that is not foreign was left there."""
    left = lh.on("b", f"ls -A {IMAGES}").split()
    lh.on("b", f"umount {IMAGES}")
    if left != ["foreign"]:
        raise w.Wrong(f"left at the destination: {left}")


@fault("destination is full", phases=("before",), strategies=COPIED)
def full_before(case, _moment, _variant):
    small_images("3m")
    try:
        command = case.migrate()
    finally:
        big_images()
    if command.code != 3:
        raise w.Wrong(f"it was not refused: {command}")
    return {"rolled-back"}


@fault("destination fills up", phases=("prepared", "mirror"), strategies=COPIED)
def full_during(case, moment, _variant):
    small_images("100m")
    try:
        moment.begin()
        lh.on("b", f"cat /dev/zero > {IMAGES}/filler", check=False)
        moment.go_on()
        moment.end()
        lh.on("b", f"rm {IMAGES}/filler")
        case.recover_until_ended()
    finally:
        big_images()
    return {"rolled-back"}


# --- the journal ------------------------------------------------------------------------------


def small_journal(size):
    lh.on("a", f"rm -rf {JOURNAL}; mkdir -m 755 {JOURNAL}; mount -t tmpfs -o size={size},mode=755 j {JOURNAL}")


def big_journal():
    lh.on("a", f"set -e; cp -a {JOURNAL} /tmp/journal; umount {JOURNAL}; "
               f"cp -a /tmp/journal/. {JOURNAL}/; rm -rf /tmp/journal")


@fault("journal's disk fills up", phases=("prepared", "memory", "mirror", "frozen", "committed",
                                          "retiring"))
def journal_full(case, moment, _variant):
    case.bound = 280
    small_journal("8m")
    try:
        moment.begin()
        lh.on("a", f"cat /dev/zero > {JOURNAL}/filler", check=False)
        moment.go_on()
        case.told(case.end(moment.command))
        lh.on("a", f"rm {JOURNAL}/filler")
        case.recover_until_ended()
    finally:
        big_journal()
    return moment.usual()


@fault("journal is read-only", phases=("before",))
def journal_read_only(case, _moment, _variant):
    lh.on("a", f"rm -rf {JOURNAL}; mkdir -m 755 {JOURNAL}; mount -t tmpfs -o ro j {JOURNAL}")
    command = case.end(case.begin(case.migrate_words()))
    lh.on("a", f"umount {JOURNAL}")
    if command.code == 0 or "journal" not in command.output:
        raise w.Wrong(f"it went on without a journal: {command}")
    case.checks_without("I6")
    return {"rolled-back"}


@fault("last record torn", phases=("prepared", "frozen", "committed", "retiring"), strategies=EVERY)
def torn(case, moment, _variant):
    """The worker dies after a record, of which half is on the disk. What follows it was not begun."""
    points = {"prepared": "record:write#14:after", "frozen": "record:write#20:after",
              "committed": "record:write#26:after", "retiring": "record:write#34:after"}
    case.strikes.order("run", points[moment.phase], "kill-both")
    case.migrate()
    wal = f"{case.world.root('a')}{JOURNAL}/journal.db-wal"
    size = os.path.getsize(wal)
    if size < 4096:
        raise w.Trouble(f"the log is only {size} bytes long")
    lh.on("a", f"truncate -s -2000 {JOURNAL}/journal.db-wal")
    if journal.newest(case.world) is None:
        raise w.Trouble("nothing is left of the journal")
    case.recover_until_ended()
    return None
