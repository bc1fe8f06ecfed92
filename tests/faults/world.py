# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts that are used again for every case, and guests that are put back in seconds."""

import os
import re
import shutil
import subprocess
import time

import labhosts as lh

STRIKE = "/usr/local/lib/godwit-strike.so"
STRIKE_DIR = "/var/tmp/strike"
RUNS = "/var/log/lab/runs"
TITLE = "a guest of the fault matrix"
METADATA = '<owner xmlns="https://faults.invalid/">nobody</owner>'
# Who ran when is told by the QEMUs here, so the guests need not beat as often as they do elsewhere:
# each letter on a console costs the emulator an exit.
BEAT_MS = 50
SHARED = "/srv/shared/"
FOREIGN = "/var/lib/libvirt/images/foreign"


class Trouble(Exception):
    """The lab, not godwit, does not do what a case needs."""


class Wrong(Exception):
    """godwit does not do what it has to."""


class Guest:
    def __init__(self, strategy, name, directory, options=""):
        self.strategy, self.name, self.directory = strategy, name, directory
        self.image = f"{directory}/disk.qcow2"
        self.options = options


GUESTS = {
    "live-block": Guest("live-block", "blk", "/var/lib/libvirt/images/blk"),
    "live-shared": Guest("live-shared", "shr", SHARED + "shr"),
    "cold": Guest("cold", "cld", "/var/lib/libvirt/images/cld", "--allow-downtime"),
}


def quietly(argv):
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)


def until(condition, seconds, what):
    """Asks again and again, for what gives no event; what it returned when it was true."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Trouble(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Shape:
    """What hosts a case needs: a third one for a controller beside the two, and hosts on which a
    power cut loses what was not synced."""

    def __init__(self, controller="a", forgetful=False):
        self.controller, self.forgetful = controller, forgetful
        self.hosts = tuple(sorted({"a", "b", controller}))
        self.key = (self.hosts, forgetful)


class World:
    def __init__(self, instance, keep):
        os.environ["LAB"] = instance
        self.instance, self.keep = instance, keep
        self.shape = Shape()
        self.alive = False
        self.baselines = {}
        self.cases = 0
        os.makedirs(keep, exist_ok=True)

    # --- the hosts ----------------------------------------------------------------------------

    @property
    def hosts(self):
        return self.shape.hosts

    def take_shape(self, shape):
        """Hosts of another shape are other hosts."""
        if shape.key != self.shape.key:
            self.down()
        self.shape = shape

    def up(self):
        lh.lab("down")
        lh.lab("up", "--hosts", ",".join(self.hosts), "--stage", os.environ["GODWIT_STAGE"],
               *(["--power-fs"] if self.shape.forgetful else []))
        self.alive, self.cases = True, 0
        self.paths = dict(line.split("\t") for line in lh.lab("paths").splitlines())
        self.find_hosts()
        for host in self.hosts:
            shutil.copy(os.environ["GODWIT_STRIKE_SO"], self.root(host) + STRIKE)
            os.makedirs(self.root(host) + STRIKE_DIR, exist_ok=True)
            lh.on(host, f"mkdir -p {FOREIGN}; head -c 65536 /dev/urandom > {FOREIGN}/disk.raw; "
                        f"virsh -q define /dev/stdin <<'E'\n{foreign_xml()}\nE")

    def find_hosts(self):
        self.pids = {line.split("\t")[0]: line.rsplit("pid=", 1)[1]
                     for line in lh.lab("list").splitlines()}

    def make_durable(self):
        """Only what happens from now on can be lost with a host's power."""
        if self.shape.forgetful:
            for host in self.hosts:
                lh.lab("power", host, "sync")

    def down(self):
        if self.alive:
            lh.lab("down")
        self.alive = False

    def root(self, host):
        """A host's files as the harness sees them."""
        return f"/proc/{self.pids[host]}/root"

    def on_all(self, command):
        """The same on all hosts, at the same time; what each printed."""
        running = {host: subprocess.Popen(lh.inside(host, "bash", "-c", command),
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                          stderr=subprocess.STDOUT, text=True)
                   for host in self.hosts}
        return {host: process.communicate(timeout=120)[0] for host, process in running.items()}

    # --- guests -------------------------------------------------------------------------------

    def saved(self, guest, suffix):
        return f"{self.keep}/{guest.name}.{suffix}"

    def make(self, guest):
        """Boots the guest once and keeps its memory and disk of one moment."""
        lh.lab("guest", "define", "a", guest.name, "--dir", guest.directory, "--size", "64",
               "--memory", "96", "--fill", "8", "--knob", f"beat_ms={BEAT_MS}")
        name = guest.name
        lh.on("a", f"virsh -q desc --config --title {name} '{TITLE}'; virsh -q metadata --config "
                   f"{name} https://faults.invalid/ --key f --set '{METADATA}'; "
                   f"virsh -q autostart {name}")
        lh.boot("a", name)
        until(lambda: int(lh.lab("acked", name)) > 3, 30, "the guest writes records")
        lh.on("a", f"virsh -q save {name} /var/tmp/{name}.save; "
                   f"virsh dumpxml --inactive --security-info {name} > /var/tmp/{name}.xml; "
                   f"cp --sparse=always {guest.image} /var/tmp/{name}.disk")
        for suffix in ("save", "xml", "disk"):
            shutil.copy(f"{self.root('a')}/var/tmp/{name}.{suffix}", self.saved(guest, suffix))

    def supply(self, guest):
        if not os.path.exists(self.saved(guest, "disk")):
            self.make(guest)
        for suffix in ("save", "xml", "disk"):
            there = f"{self.root('a')}/var/tmp/{guest.name}.{suffix}"
            if not os.path.exists(there):
                shutil.copy(self.saved(guest, suffix), there)

    def clear(self):
        """No guest of ours is anywhere, and no job is known."""
        # One virsh for all: each costs as much as what it does.
        away = "; ".join(f"destroy {guest.name}; undefine {guest.name}" for guest in GUESTS.values())
        places = " ".join(f"{guest.directory} {guest.directory}_migrate"
                          for guest in GUESTS.values())
        self.on_all(
            f"virsh -q '{away}' >/dev/null 2>&1; "
            "iptables -w -F; pkill -CONT -x libvirtd; "
            f"rm -rf {places} /var/lib/godwit {RUNS}/* {STRIKE_DIR}/* /var/log/libvirt/qemu/*.log")

    def restore(self, guest):
        """The guest runs at host a as it did when it was saved; nothing else of it is left."""
        if not self.alive or self.cases >= 80:
            self.up()
        self.cases += 1
        self.clear()
        self.supply(guest)
        name = guest.name
        lh.on("a", f"set -e; mkdir -p {guest.directory}; "
                   f"cp --sparse=always /var/tmp/{name}.disk {guest.image}; "
                   f"virsh -q define /var/tmp/{name}.xml; virsh -q autostart {name}; "
                   f"virsh -q restore --running /var/tmp/{name}.save")
        lh.settle(name, "a")
        self.make_durable()

    def restore_checked(self, guest):
        """As restore(); hosts that are not as before the first case are made anew."""
        try:
            self.restore(guest)
            if self.is_as_before(guest):
                return
        except (lh.Failed, subprocess.TimeoutExpired) as failure:
            print(f"# the hosts are made anew: {str(failure)[:500]}", flush=True)
        self.down()
        self.restore(guest)
        if not self.is_as_before(guest):
            raise Trouble("new hosts are not alike: " + "; ".join(self.last_difference))

    def picture(self, guest, moment):
        """The key of a picture of all hosts, "before" a case or with the guest "moved"."""
        return guest.name, self.shape.controller, self.shape.key, moment

    def is_as_before(self, guest):
        key = self.picture(guest, "before")
        if key not in self.baselines:
            self.baselines[key] = settled(self.inventory)
            return True
        self.last_difference = self.wait_for(self.baselines[key], 10)
        return not self.last_difference

    # --- what is there ------------------------------------------------------------------------

    def inventory(self):
        running = {host: subprocess.Popen([lh.LAB, "inventory", host], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, text=True)
                   for host in self.hosts}
        texts = {host: process.communicate()[0] for host, process in running.items()}
        for host, process in running.items():
            if process.returncode != 0:
                raise lh.Failed(f"lab inventory {host}: exit {process.returncode}\n{texts[host]}")
        return {host: set(filter(self.is_ours, normal(text))) for host, text in texts.items()}

    def is_ours(self, line):
        """Loop devices are the kernel's: those of other labs are seen here too."""
        if not line.startswith("loops: "):
            return True
        path = line.rsplit(" ", 1)[1]
        return any(os.path.exists(self.root(host) + path) for host in self.hosts)

    def wait_for(self, expected, seconds, ignored=None):
        """What differs from an inventory when it has had the time to become equal."""
        end = time.monotonic() + seconds
        while True:
            difference = [line for line in differ(expected, self.inventory())
                          if ignored is None or not ignored.search(line)]
            if not difference or time.monotonic() > end:
                return difference
            time.sleep(0.2)

    def foreign(self):
        return self.on_all(f"sha256sum {FOREIGN}/*; stat -c '%n %u %a %Y' {FOREIGN} {FOREIGN}/*; "
                            "virsh dumpxml --inactive bystander | sha256sum")


def settled(look):
    """Processes that are about to end are no part of a picture."""
    last = look()
    for _ in range(20):
        time.sleep(0.2)
        now = look()
        if now == last:
            return now
        last = now
    return last


def foreign_xml():
    return ("<domain type='qemu'><name>bystander</name>"
            "<uuid>5c8d3a52-0d9b-4c53-9a4e-0f6c2b1d7e11</uuid><memory>65536</memory><vcpu>1</vcpu>"
            "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
            f"<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
            f"<source file='{FOREIGN}/disk.raw'/><target dev='vda' bus='virtio'/></disk>"
            "</devices></domain>")


# The journal and the records of jobs stay, and have checks of their own; what was begun to be written
# there and never ended does not stay. Who watches a QEMU's end is of the lab.
IGNORED = re.compile(r" /var/lib/godwit(/(jobs|records|epochs)(/[a-z0-9]+-[0-9a-f]+(\.log)?)?)?$"
                     r"| /var/lib/godwit/journal\.db(-wal|-shm)?$"
                     r"| /run/godwit/plugins\.cache|/note-end |<defunct>"
                     # Empty rooms that are made when first needed, and stay.
                     r"| /run/godwit/(agents|sessions|jobs|claims)$| /etc/libvirt/qemu/autostart$")
# Whose a parked copy is depends on whether the daemon had the time to take it back.
PARKED = re.compile(r"^(files: .) \S+ (\d+ \S+_migrate/)")
# Why a guest is in its state is the past.
REASON = re.compile(r"^(domains: .*) \([a-z ]+\) ")
QEMU = re.compile(r"^(\S+) \S*qemu-system-\S+ .*guest=([a-z0-9]+).*$")


def normal(text):
    lines = set()
    section = ""
    for line in text.splitlines():
        if line.startswith("== "):
            section = line[3:]
        elif not IGNORED.search(line):
            line = section + ": " + QEMU.sub(r"qemu of \2 as \1", line)
            lines.add(PARKED.sub(r"\1 \2", REASON.sub(r"\1 ", line)))
    return lines


def differ(expected, found):
    lines = []
    for host in expected:
        lines += [f"{host} lacks {line}" for line in sorted(expected[host] - found[host])]
        lines += [f"{host} has {line}" for line in sorted(found[host] - expected[host])]
    return lines
