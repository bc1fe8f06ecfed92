# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemons and QEMUs that die, stand still or are restarted."""

import labhosts as lh
import world as w
from catalogue import LIVE, SIDES, at_side, fault, struck

START = ("kill -0 $(cat /run/libvirtd.pid 2>/dev/null) 2>/dev/null || "
         "{ rm -f /run/libvirtd.pid; libvirtd -d; }; virsh -q uri >/dev/null")
END = ("pid=$(cat /run/libvirtd.pid); kill -{signal} $pid; "
       "while kill -0 $pid 2>/dev/null; do sleep 0.02; done")


def signal_daemon(signal):
    def do(case, variant):
        lh.on(at_side(variant), END.format(signal=signal))
    return do


def start_daemon(case, variant):
    lh.on(at_side(variant), START)


fault("libvirtd killed, back at once", variants=SIDES)(
    struck(signal_daemon("KILL"), start_daemon))
fault("libvirtd killed, back later", variants=SIDES)(
    struck(signal_daemon("KILL"), start_daemon, late=True))
fault("libvirtd restarted", variants=SIDES)(
    struck(signal_daemon("TERM"), start_daemon))


@fault("libvirtd stopped and continued", variants=SIDES,
       phases=("prepared", "memory", "frozen", "committed"))
def daemon_stands_still(case, moment, variant):
    case.bound = 280
    host = at_side(variant)
    moment.begin()
    lh.on(host, "kill -STOP $(cat /run/libvirtd.pid)")
    moment.go_on()
    # Whatever godwit decides, it decides in time of its own.
    case.end(moment.command)
    lh.on(host, "kill -CONT $(cat /run/libvirtd.pid); virsh -q uri >/dev/null")
    case.told(moment.command)
    case.recover_until_ended()
    return moment.usual()


# --- QEMU -------------------------------------------------------------------------------------

QEMU = "cat /run/libvirt/qemu/{name}.pid"


def kill_qemu(case, host):
    lh.on(host, f"pid=$({QEMU.format(name=case.guest.name)}); kill -9 $pid; "
                "while kill -0 $pid 2>/dev/null; do sleep 0.02; done")


@fault("QEMU of the source killed", strategies=LIVE, phases=("planned", "prepared", "mirror", "memory"))
def source_qemu_killed(case, moment, _variant):
    moment.begin()
    kill_qemu(case, "a")
    moment.go_on()
    moment.end()
    case.recover_until_ended()
    # Its memory is lost with it. What is left is its disk, at home.
    case.end_state = "shut off"
    return {"rolled-back"}


@fault("QEMU of the destination killed", strategies=LIVE,
       phases=("mirror", "memory", "frozen", "committed"))
def destination_qemu_killed(case, moment, _variant):
    moment.begin()
    kill_qemu(case, "b")
    moment.go_on()
    command = moment.end()
    case.recover_until_ended()
    # Its source had ended already: the memory is lost, wherever the guest belongs now.
    moved = moment.phase == "committed"
    if moment.phase in ("frozen", "committed"):
        case.end_state = "shut off"
        start = f"next: start {case.guest.name} on {'b' if moved else 'localhost'}\n"
        if start not in command.output:
            raise w.Wrong(f"it does not say that the guest is to be started: {command}")
    if command.code != (5 if moved else 1):
        raise w.Wrong(f"it ended with {command.code}: {command}")
    return {"moved" if moved else "rolled-back"}


def qemu_stands_still(host):
    """It must not matter: nothing but time passes."""
    def play(case, moment, _variant):
        moment.begin()
        pid = QEMU.format(name=case.guest.name)
        lh.on(host, f"kill -STOP $({pid})")
        moment.go_on()
        lh.on(host, f"until grep -q '^State:.T' /proc/$({pid})/status; do sleep 0.02; done; "
                    f"kill -CONT $({pid})")
        moment.end()
        case.recover_until_ended()
        return {"moved"}
    return play


fault("QEMU of the source stopped and continued", strategies=LIVE, phases=("planned", "prepared"))(
    qemu_stands_still("a"))
fault("QEMU of the destination stopped and continued", strategies=LIVE, phases=("mirror", "memory"))(
    qemu_stands_still("b"))


# --- what godwit itself runs ------------------------------------------------------------------


def kill_agent(case, _variant):
    lh.on("b", "pkill -KILL -f '^godwit agent|/godwit agent'")


def kill_local_agent(case, _variant):
    """What this machine's hypervisor says does not pass through it."""
    lh.on("a", "pkill -KILL -f '^/proc/self/exe agent'")


def kill_ssh(case, _variant):
    lh.on("a", "pkill -KILL -x ssh")


def stands_still(host, processes):
    """Whatever godwit decides, it decides in time of its own."""
    def play(case, moment, _variant):
        case.bound = 280
        # Who has not heard for a minute that his session is over ends by himself.
        case.orphan_seconds = 90
        moment.begin()
        lh.on(host, f"pkill -STOP {processes}")
        moment.go_on()
        case.end(moment.command)
        lh.on(host, f"pkill -CONT {processes} || true")
        case.told(moment.command)
        case.recover_until_ended()
        return moment.usual()
    return play


STILL = ("prepared", "memory", "frozen", "committed")
fault("agent of the destination stopped and continued", phases=STILL)(
    stands_still("b", "-f '^godwit agent|/godwit agent'"))
fault("ssh stopped and continued", phases=STILL)(stands_still("a", "-x ssh"))
fault("agent of the destination killed")(struck(kill_agent))
fault("agent of the source killed")(struck(kill_local_agent))
fault("ssh killed")(struck(kill_ssh))

