# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk under the images that can no longer be read or written."""

import os
import shutil

import labhosts as lh
import world as w
from catalogue import fault

IMAGES = "/var/lib/libvirt/images"
BACKING = "/var/tmp/medium"
CONTROL = IMAGES + "/.powerfs-control"
COPIED = ("cold", "live-block")


def put_under(case, host):
    """What is in the directory of images goes on a file system whose medium can fail."""
    shutil.copy(os.environ["GODWIT_POWERFS"], case.world.root(host) + "/var/tmp/powerfs")
    lh.on(host, f"set -e; rm -rf {BACKING}; mkdir -p {BACKING}/tree; chmod 711 {BACKING}/tree; "
                f"cp -a --sparse=always {IMAGES}/. {BACKING}/tree/; "
                f"/var/tmp/powerfs {BACKING} {IMAGES}")


def take_away(host):
    """Whatever uses it ends with it."""
    lh.on(host, f"umount -l {IMAGES}; rm -rf {IMAGES}/*; cp -a {BACKING}/tree/foreign {IMAGES}/; "
                f"rm -rf {BACKING}", check=False)


def tell(host, word):
    # Written at once, and not truncated before: a control file has no size.
    lh.on(host, f"printf %s {word} | dd of={CONTROL} conv=notrunc status=none")


def fail(case, moment, host, how):
    """The medium fails from the moment on until the command has ended, which has to say so."""
    moment.begin()
    tell(host, how)
    moment.go_on()
    command = moment.end()
    tell(host, "good")
    if command.code == 0:
        raise w.Wrong(f"{how} at {host} were no error: {command}")
    case.recover_until_ended()
    return {"rolled-back"}


@fault("write error at the destination", phases=("prepared", "mirror"), strategies=COPIED)
def bad_writes(case, moment, _variant):
    case.ignore("b", rf"mounts: {IMAGES} |processes: \S+ /var/tmp/powerfs ")
    case.afterwards(lambda: take_away("b"))
    put_under(case, "b")
    return fail(case, moment, "b", "bad-writes")


@fault("read error at the source", phases=("planned", "prepared"), strategies=COPIED)
def bad_reads(case, moment, _variant):
    """The guest is put on the failing medium first, for a file that is open stays where it is."""
    case.ignore("a", rf"mounts: {IMAGES} |processes: \S+ /var/tmp/powerfs ")
    case.afterwards(lambda: take_away("a"))
    name = case.guest.name
    lh.on("a", f"virsh -q destroy {name}")
    put_under(case, "a")
    lh.on("a", f"virsh -q restore --running /var/tmp/{name}.save")
    lh.settle(name, "a")
    case.since = lh.now_us()
    return fail(case, moment, "a", "bad-reads")
