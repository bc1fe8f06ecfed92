# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody does something to the guest, or moves it too, while it moves."""

import contextlib

import fault_daemons
import labhosts as lh
import striking
import world as w
from catalogue import LIVE, fault

BEFORE_COMMIT = ("planned", "prepared", "mirror", "memory")


@contextlib.contextmanager
def still_moving(moment):
    """The migration itself does not wait where the worker stands: on a slow link it is not over
    before the deed is done, and the worker may as well go on and see it."""
    lh.lab("rate", "b", "100")
    try:
        moment.begin()
        if moment.phase in ("mirror", "memory"):
            moment.go_on()
        yield
    finally:
        lh.lab("rate", "b", "none")


def from_within(case, words):
    """Libvirt lets nobody do this to a guest that moves; a guest does it to itself."""
    lh.on("a", f"virsh -q qemu-monitor-command {case.guest.name} --hmp '{words}'")


@fault("guest destroyed by someone", phases=BEFORE_COMMIT, strategies=LIVE)
def destroyed(case, moment, _variant):
    with still_moving(moment):
        lh.on("a", f"virsh -q destroy {case.guest.name}", check=False)
    return end_by_wish(case, moment)


@fault("guest shuts itself down", phases=BEFORE_COMMIT, strategies=LIVE)
def shuts_down(case, moment, _variant):
    with still_moving(moment):
        pid = lh.on("a", f"cat /run/libvirt/qemu/{case.guest.name}.pid")
        from_within(case, "system_powerdown")
        lh.on("a", f"timeout 60 bash -c 'while kill -0 {pid} 2>/dev/null; do sleep 0.02; done'")
    end_by_wish(case, moment)
    case.end_state = "shut off"


def end_by_wish(case, moment):
    """Off it is, as somebody wanted it; or it has moved, if libvirt did not listen to him."""
    moment.go_on()
    moment.end()
    if case.guest.strategy == "live-block" and moment.phase in ("mirror", "memory"):
        # libvirt 9.0's dies of a guest that ends itself while its disks are mirrored.
        fault_daemons.start_daemon(case, "source")
    case.recover_until_ended()
    home = {"rolled-back": "a", "moved": "b"}.get(case.outcome())
    if home is not None and case.state_at(home) == "shut off":
        case.end_state = "shut off"
    return None


@fault("guest reboots", phases=BEFORE_COMMIT, strategies=LIVE)
def reboots(case, moment, _variant):
    """It begins anew, and goes on wherever it is then."""
    with still_moving(moment):
        from_within(case, "system_reset")
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    return None


@fault("guest panics", phases=BEFORE_COMMIT, strategies=LIVE)
def panics(case, moment, _variant):
    """What its kernel would tell its panic device is written there for it. By its definition a guest
    that crashed is ended."""
    with still_moving(moment):
        from_within(case, "o /b 0x505 1")
    end_by_wish(case, moment)
    case.end_state = "shut off"
    return {"rolled-back"}


@fault("guest paused by someone", phases=("planned", "prepared"), strategies=LIVE)
def paused(case, moment, _variant):
    """The wish is honoured: paused it stays, wherever it is."""
    moment.begin()
    lh.on("a", f"virsh -q suspend {case.guest.name}")
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    case.end_state = "paused"
    return None


@fault("guest undefined by someone", phases=("planned", "prepared"), strategies=LIVE)
def undefined(case, moment, _variant):
    """Its definition is theirs to give back; godwit must lose nothing else."""
    moment.begin()
    lh.on("a", f"virsh -q undefine {case.guest.name}", check=False)
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    if case.outcome() == "rolled-back":
        lh.on("a", f"virsh -q define /var/tmp/{case.guest.name}.xml; "
                   f"virsh -q autostart {case.guest.name}")
    else:
        # libvirt 9.0 writes the file of a guest that was undefined while it ran once more when a
        # block job of it ends, and does not know it then. Nobody can undefine that.
        lh.on("a", f"rm -f /etc/libvirt/qemu/{case.guest.name}.xml")
    return None


@fault("snapshot taken by someone", phases=("planned", "prepared"), strategies=("live-block",))
def snapshot(case, moment, _variant):
    """Another layer on top: what was planned is no longer what is there. It must not move."""
    name, overlay = case.guest.name, f"{case.guest.directory}/someones.qcow2"
    moment.begin()
    lh.on("a", f"virsh -q snapshot-create-as {name} s --disk-only --no-metadata --atomic "
               f"--diskspec vda,file={overlay}")
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    if case.outcome() == "rolled-back":
        lh.on("a", f"virsh -q blockcommit {name} vda --active --pivot --wait >/dev/null; "
                   f"rm -f {overlay}")
    return {"rolled-back"}


@fault("two migrations of one guest at once", phases=("planned", "mirror", "memory", "retiring"))
def two_at_once(case, moment, _variant):
    moment.begin()
    second = case.godwit(case.migrate_words())
    if second.code == 0:
        raise w.Wrong(f"a second migration at the same time was let in: {second}")
    moment.go_on()
    moment.end()
    return {"moved"}


@fault("moved back by another while it moves", phases=("planned", "mirror", "memory", "retiring"))
def opposite(case, moment, _variant):
    """An orchestrator of its own, at the destination, that knows nothing of the first."""
    moment.begin()
    other = striking.start(f"migrate {case.guest.name} --to a --strategy {case.guest.strategy} "
                           f"{case.guest.options}", host="b")
    case.commands.append(other)
    case.end(other)
    if other.code == 0:
        raise w.Wrong(f"the way back began before the way there had ended: {other}")
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    return {"moved"}


@fault("two orchestrators", phases=("mirror", "memory"))
def two_orchestrators(case, moment, _variant):
    """The same migration, asked for at the destination as well."""
    moment.begin()
    other = striking.start(f"migrate {case.guest.name} --from a --to localhost --strategy "
                           f"{case.guest.strategy} {case.guest.options}", host="b")
    case.commands.append(other)
    case.end(other)
    if other.code == 0:
        raise w.Wrong(f"two controllers moved one guest: {other}")
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    return None
