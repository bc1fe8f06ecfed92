# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that is emptied: many guests move at the same time, each by a command of its own."""

import re

import labhosts as lh
import world as w
from catalogue import fault

NAMES = [f"crowd{number}" for number in range(9)]


def place(case, name):
    return f"{case.guest.directory.rsplit('/', 1)[0]}/{name}"


def xml(case, name):
    return ("<domain type='qemu'>"
            f"<name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
            "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
            "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>"
            f"<source file='{place(case, name)}/disk.raw'/><target dev='vda' bus='virtio'/></disk>"
            "</devices></domain>")


def make(case):
    # Without a system they never shut down, so cold gets them as they are when they are off.
    start = "true" if case.guest.strategy == "cold" else "virsh -q start"
    for name in NAMES:
        lh.on("a", f"set -e; mkdir {place(case, name)}; "
                   f"head -c 1048576 /dev/urandom > {place(case, name)}/disk.raw; "
                   f"sha256sum < {place(case, name)}/disk.raw > /var/tmp/{name}.sum; "
                   f"virsh -q define /dev/stdin <<'E'\n{xml(case, name)}\nE\n{start} {name}")


def remove(case):
    for name in NAMES:
        for host in case.world.hosts:
            lh.on(host, f"virsh -q 'destroy {name}; undefine {name}' >/dev/null 2>&1; "
                        f"rm -rf {place(case, name)} {place(case, name)}_migrate /var/tmp/{name}.sum")


def wrong_of(case, name):
    """What is not as it should be of a guest that has moved."""
    at_a = lh.on("a", f"virsh -q domstate {name} 2>/dev/null", check=False)
    at_b = lh.on("b", f"virsh -q domstate {name} 2>/dev/null", check=False)
    wanted = "shut off" if case.guest.strategy == "cold" else "running"
    summed = lh.on("a", f"cat /var/tmp/{name}.sum")
    found = lh.on("b", f"sha256sum < {place(case, name)}/disk.raw", check=False)
    if at_a or at_b != wanted or summed != found:
        return [f"{name}: '{at_a}' at a, '{at_b}' at b; its disk was {summed} and is {found}"]
    return []


@fault("ten guests at once", phases=("whole",))
def ten_at_once(case, _moment, _variant):
    case.bound = 600
    case.afterwards(lambda: remove(case))
    make(case)
    words = case.migrate_words().replace(case.guest.name, "{}", 1)
    commands = [case.begin(words.format(name), struck=False) for name in NAMES]
    commands.append(case.begin(case.migrate_words(), struck=False))
    for command in commands:
        case.end(command, allowed=(0,))
    wrong = [line for name in NAMES for line in wrong_of(case, name)]
    if wrong:
        raise w.Wrong("\n".join(wrong))
    for command in commands[:-1]:
        for words in re.findall(r"godwit (confirm \S+)", command.output):
            case.godwit(words, allowed=(0,))
    remove(case)
    return {"moved"}
