# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each invariant is violated on purpose, in the lab, and its check has to say so."""

import re

import invariants
import labhosts as lh
import matrix
import world as w

TESTS = []


def breaks(invariant, name, strategy="live-block"):
    """Registers a function that violates an invariant and returns what the check must find."""
    def register(function):
        TESTS.append((invariant, name, strategy, function))
        return function
    return register


def cases():
    return [make(*test) for test in TESTS]


def make(invariant, name, strategy, function):
    def play(case):
        expected = function(case)
        try:
            found = invariants.check(case, (invariant,))[invariant]
        finally:
            # Whatever was broken on these hosts, the next case gets others.
            case.world.down()
        if not any(re.search(expected, line, re.S) for line in found):
            raise w.Wrong(f"{invariant} was violated and says {found}, not '{expected}'")

    return matrix.Case(f"selftest/{invariant}/{name}", strategy, play, "selftest", "-", check=())


def moved(case):
    case.godwit(case.migrate_words(), allowed=(0,))
    case.home = "b"


# --- I1 ---------------------------------------------------------------------------------------


def run_copy(case, then):
    """The guest runs a second time, from the same saved moment, on a copy of its disk at b."""
    guest, world = case.guest, case.world
    for suffix in ("save", "disk", "xml"):
        with open(world.saved(guest, suffix), "rb") as source, \
             open(f"{world.root('b')}/var/tmp/{guest.name}.{suffix}", "wb") as target:
            target.write(source.read())
    lh.on("b", f"set -e; mkdir -p {guest.directory}; cp /var/tmp/{guest.name}.disk {guest.image}; "
               f"virsh -q define /var/tmp/{guest.name}.xml; "
               f"virsh -q restore --running /var/tmp/{guest.name}.save; {then}")


@breaks("I1", "two-copies-run")
def two_copies(case):
    run_copy(case, "true")
    return r"a blk\S+ and b blk\S+ both ran|b blk\S+ and a blk\S+ both ran"


@breaks("I1", "two-copies-ran-for-a-moment")
def two_copies_for_a_moment(case):
    run_copy(case, f"kill -9 $(cat /run/libvirt/qemu/{case.guest.name}.pid)")
    return "both ran for"


@breaks("I1", "heartbeats-of-two")
def heartbeats_of_two(case):
    run_copy(case, "true")
    lh.settle(case.guest.name, "b")
    lh.settle(case.guest.name, "a")
    return "heartbeats came twice"


@breaks("I1", "nothing-written-down")
def nothing_written_down(case):
    case.world.on_all(f"rm -f {w.RUNS}/*")
    return "nothing is proven"


# --- I2 ---------------------------------------------------------------------------------------


@breaks("I2", "defined-twice")
def defined_twice(case):
    moved(case)
    lh.on("a", f"virsh -q define /var/tmp/{case.guest.name}.xml")
    return "a knows the guest too"


@breaks("I2", "no-home")
def no_home(case):
    lh.on("a", f"virsh -q destroy {case.guest.name}")
    return "0 homes"


@breaks("I2", "left-paused")
def left_paused(case):
    lh.on("a", f"virsh -q suspend {case.guest.name}")
    return "it is paused at a, not running"


@breaks("I2", "autostart-lost")
def autostart_lost(case):
    lh.on("a", f"virsh -q autostart --disable {case.guest.name}")
    return "autostart disable"


@breaks("I2", "not-persistent")
def not_persistent(case):
    lh.on("a", f"virsh -q undefine {case.guest.name}")
    return "persistent no"


@breaks("I2", "title-lost")
def title_lost(case):
    lh.on("a", f"virsh -q desc --live --title {case.guest.name} 'another'")
    return "title or metadata are lost"


# --- I3 ---------------------------------------------------------------------------------------


@breaks("I3", "writes-lost")
def writes_lost(case):
    """The disk is as it was when the guest was saved, and the guest has been told otherwise."""
    name = case.guest.name
    first = int(lh.lab("acked", name, "--since", str(case.since)) or 0)
    w.until(lambda: int(lh.lab("acked", name, "--since", str(case.since))) > first + 5, 30,
            "the guest writes")
    lh.on("a", f"virsh -q suspend {name}; cat /var/tmp/{name}.disk > {case.guest.image}")
    case.home, case.end_state = "a", "paused"
    return r"records acknowledged.*\"lost\":[1-9]"


@breaks("I3", "image-damaged")
def image_damaged(case):
    name = case.guest.name
    w.until(lambda: int(lh.lab("acked", name, "--since", str(case.since))) > 0, 30,
            "the guest writes")
    # The table of reference counts lies in the image's second cluster.
    lh.on("a", f"virsh -q suspend {name}; dd if=/dev/zero of={case.guest.image} bs=64K seek=1 "
               "count=2 conv=notrunc status=none")
    case.home, case.end_state = "a", "paused"
    return "qemu-img check"


# --- I4 ---------------------------------------------------------------------------------------

ORPHANS = {
    "file": ("touch /var/lib/libvirt/images/.godwit-left", r"b has files: .*godwit-left"),
    "runtime-file": ("mkdir -p /run/godwit/blk-1234", r"b has files: .*blk-1234"),
    "unfinished-record": ("mkdir -p /var/lib/godwit/records; touch /var/lib/godwit/records/blk-12.XY",
                          r"b has files: .*blk-12\.XY"),
    "process": ("setsid sleep 1000 >/dev/null 2>&1 </dev/null &", r"b has processes: root sleep"),
    "listener": ("setsid socat TCP-LISTEN:4321,fork - >/dev/null 2>&1 </dev/null & "
                 "until ss -Hlnt | grep -q :4321; do sleep 0.05; done",
                 r"b has listeners: tcp .*4321"),
    "mount": ("mount -t tmpfs left /mnt", r"b has mounts: /mnt"),
    "loop": ("truncate -s 1M /var/tmp/left; losetup -f /var/tmp/left", r"has loops: /dev/loop"),
    "domain": ("virsh -q dumpxml --inactive bystander | "
               "sed -e 's/bystander/left/' -e /uuid/d > /tmp/left.xml; virsh -q define /tmp/left.xml",
               r"b has domains: left"),
}


def add_orphan(kind, command, expected):
    @breaks("I4", f"orphan-{kind}")
    def orphan(case):
        lh.on("b", command)
        case.home, case.orphan_seconds = "a", 2
        return expected
    return orphan


for orphan_kind, (orphan_command, orphan_expected) in ORPHANS.items():
    add_orphan(orphan_kind, orphan_command, orphan_expected)


def ask_qemu(case, text):
    lh.on("a", f"virsh -q qemu-monitor-command {case.guest.name} '{text}'")


@breaks("I4", "block-export")
def block_export(case):
    ask_qemu(case, '{"execute":"nbd-server-start","arguments":{"addr":{"type":"unix","data":'
                   '{"path":"/var/lib/libvirt/qemu/left.sock"}}}}')
    ask_qemu(case, '{"execute":"block-export-add","arguments":{"type":"nbd","id":"left",'
                   '"node-name":"libvirt-1-format"}}')
    case.home = "a"
    case.orphan_seconds = 1
    return "query-block-exports at a"


@breaks("I4", "block-node")
def block_node(case):
    ask_qemu(case, '{"execute":"blockdev-add","arguments":{"driver":"null-co",'
                   '"node-name":"migration-vda-storage"}}')
    case.home = "a"
    return "block node migration-vda-storage is left"


# --- I5 ---------------------------------------------------------------------------------------

DAMAGES = {
    "content": f"echo x >> {w.FOREIGN}/disk.raw",
    "removed": f"rm {w.FOREIGN}/disk.raw",
    "owner": f"chown libvirt-qemu {w.FOREIGN}/disk.raw",
    "domain": "virsh -q undefine bystander",
}


def add_damage(kind, command):
    @breaks("I5", f"foreign-{kind}")
    def damage(case):
        lh.on("b", command)
        return "b: foreign things were"
    return damage


for damage_kind, damage_command in DAMAGES.items():
    add_damage(damage_kind, damage_command)


# --- I6 ---------------------------------------------------------------------------------------


@breaks("I6", "job-not-ended")
def job_not_ended(case):
    case.strikes.order("run", "step:copy#1:before", "kill-both")
    case.end(case.begin(case.migrate_words()), allowed=(4,))
    case.home = "a"
    return "has not ended"


@breaks("I6", "journal-and-hosts-differ")
def journal_and_hosts_differ(case):
    moved(case)
    case.home = "a"
    return "is done, and the guest is at a"


@breaks("I6", "recovery-changes-something")
def recovery_changes(case):
    """A debt that nobody has is a reason to recover."""
    moved(case)
    lh.on("a", "sqlite3 /var/lib/godwit/journal.db \"UPDATE jobs SET debts = 1; UPDATE steps "
               "SET state = 'owed' WHERE name = 'finish-targets'\"")
    return "a second recovery changed the journal"


# --- I7 ---------------------------------------------------------------------------------------


@breaks("I7", "not-again")
def not_again(case):
    lh.on("b", f"mkdir -p {case.guest.directory}; echo foreign > {case.guest.image}")
    case.home = "a"
    return "exit 3"


# --- I8 ---------------------------------------------------------------------------------------


@breaks("I8", "never-ends")
def never_ends(case):
    case.strikes.order("run", "step:prepare-disks#1:before", "wait")
    command = case.begin(case.migrate_words())
    case.strikes.wait(0, 60, command)
    if command.wait(2):
        raise w.Trouble("it was to wait")
    case.strikes.release(0)
    return "at most 120 s are allowed"


@breaks("I8", "takes-too-long")
def takes_too_long(case):
    moved(case)
    case.bound = 0.1
    return "at most 0.1 s are allowed"


# --- I9 ---------------------------------------------------------------------------------------


class Told:
    """What godwit printed, with something changed in it."""

    def __init__(self, command, pattern, text):
        self.words, self.code = command.words, command.code
        self.output = re.sub(pattern, text, command.output)
        if self.output == command.output:
            raise w.Trouble(f"'{pattern}' is not in {command.output}")


def add_lie(name, pattern, text, expected):
    @breaks("I9", name)
    def lie(case):
        case.strikes.order("run", "step:copy#1:before", "kill")
        command = case.end(case.begin(case.migrate_words()), allowed=(1,))
        case.endings = [(Told(command, pattern, text), "a")]
        return expected
    return lie


add_lie("wrong-place", "blk is at localhost", "blk is at b", "and the guest is at a")
add_lie("no-step", "step 'copy'", "something", "names no step")
add_lie("nothing-left-unsaid", "nothing of the job is left", "well", "what is left")
add_lie("no-next-command", r"(?m)^ *next: .*$", "", "no next command")
add_lie("two-next-commands", r"(?m)^( *next:) (.*)$", r"\1 \2\n\1 godwit something", "more than one")
