# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold after every case. Each function returns what is wrong, as lines; none if all is
well. `case` is a played.Played: the world, the guest, and what was done and seen."""

import json
import re
import shlex

import journal
import labhosts as lh
import runs
import world as w

ORPHAN_SECONDS = 10


def single_writer(case):
    """I1: at no instant do the processors of two QEMUs run the guest."""
    found = {}
    for host in case.world.hosts:
        found.update(runs.collect(case.runs_directory(host), host, case.guest.name))
    wrong = runs.overlaps(found)
    if not any(found.values()):
        wrong.append("no QEMU has written down when it ran: nothing is proven")
    beats = json.loads(lh.lab("heartbeat", case.guest.name, "--since", str(case.since)))
    if beats["repeated"] > 0:
        wrong.append(f"{beats['repeated']} heartbeats came twice or out of turn")
    return wrong


def look(case):
    """{host: (state, persistent, autostart, title, metadata)}, a state of "absent" if unknown."""
    name = case.guest.name
    answers = case.world.on_all(
        f"virsh -q 'domstate {name}; echo ---; dominfo {name}; echo ---; dumpxml {name}' 2>/dev/null")
    found = {}
    for host, answer in answers.items():
        state, facts, xml = (part.strip() for part in answer.split("---", 2))
        facts = dict(re.findall(r"^(Persistent|Autostart): *(\S+)$", facts, re.M))
        texts = sorted(line.strip() for line in xml.splitlines() if re.search("<title>|<owner ", line))
        found[host] = (state or "absent", facts.get("Persistent", "no"),
                       facts.get("Autostart", "disable"), " ".join(texts))
    return found


def one_home(case):
    """I2: one host has the guest as it was, and no other host knows it."""
    found = look(case)
    wrong = []
    homes = [host for host, facts in found.items() if facts[0] not in ("absent", "shut off")]
    if case.end_state == "shut off":
        homes = [host for host, facts in found.items() if facts[0] == "shut off"]
    if len(homes) != 1:
        return [f"the guest has {len(homes)} homes: {found}"]
    case.home = homes[0]
    state, persistent, autostart, texts = found[homes[0]]
    if state != case.end_state:
        wrong.append(f"it is {state} at {homes[0]}, not {case.end_state}")
    if persistent != "yes" or autostart != "enable":
        wrong.append(f"at {homes[0]}: persistent {persistent}, autostart {autostart}")
    if w.TITLE not in texts or "nobody</owner>" not in texts:
        wrong.append(f"title or metadata are lost at {homes[0]}: {texts}")
    wrong += [f"{host} knows the guest too: {facts}" for host, facts in found.items()
              if host != homes[0] and facts[0] != "absent"]
    return wrong


def no_lost_write(case):
    """I3: all that the guest was told is on disk is on the disk that it has now."""
    if case.home is None:
        return ["the guest has no home, so its disk is not known"]
    name, image, host = case.guest.name, case.guest.image, case.home
    running = case.end_state == "running"
    acked = lh.lab("acked", name, "--since", str(case.since))
    if running:
        lh.on(host, f"virsh -q suspend {name}")
    try:
        verdict = lh.call([lh.LAB, "guest", "verify", host, image, "--guest", name,
                           "--acked", acked], check=False)
        check = lh.call(lh.inside(host, "qemu-img", "check", "-q", "-U", image), check=False)
    finally:
        if running:
            lh.on(host, f"virsh -q resume {name}")
    wrong = []
    if verdict.returncode != 0 or int(acked) == 0:
        wrong.append(f"{acked} records acknowledged, and in {image} at {host}: "
                     f"{verdict.stdout.strip()} {verdict.stderr.strip()}")
    if check.returncode != 0:
        wrong.append(f"qemu-img check: {check.stdout.strip()} {check.stderr.strip()}")
    return wrong


def no_orphan(case):
    """I4: both hosts are as before the case, or as after a migration to which nothing happened."""
    expected = case.world.baselines[case.world.picture(
        case.guest, "before" if case.home == "a" else "moved")]
    wrong = case.world.wait_for(expected, case.orphan_seconds, exceptions(case))
    if case.home is not None and case.end_state == "running":
        wrong += inside_qemu(case)
    return wrong


def exceptions(case):
    """What of the pictures does not hold in this case: what it brought along itself, and at the home
    of a guest that does not run what is of a running one."""
    patterns, name = list(case.ignored), case.guest.name
    if case.end_state == "paused":
        patterns.append(rf"^{case.home} (has|lacks) domains: {name} ")
    if case.end_state == "shut off":
        patterns.append(rf"^{case.home} (has|lacks) (domains: {name} |processes: qemu of {name} "
                        rf"|listeners: .*-{name}/)")
        # A shared image is one file, whichever host looks at its owner.
        seen_by = r"\S+" if case.guest.directory.startswith(w.SHARED) else case.home
        patterns.append(rf"^{seen_by} (has|lacks) files: . \S+ \d+ {case.guest.directory}")
    return re.compile("|".join(patterns)) if patterns else None


def inside_qemu(case):
    """What a migration leaves inside of a QEMU is seen by no list of processes."""
    wrong = []
    commands = ({"execute": "query-block-jobs"}, {"execute": "query-block-exports"},
                {"execute": "query-named-block-nodes", "arguments": {"flat": True}})
    asked = "; ".join(f"qemu-monitor-command {case.guest.name} '{json.dumps(command)}'"
                      for command in commands)
    text = lh.on(case.home, f"virsh -q {shlex.quote(asked)}")
    jobs, exports, nodes = (json.loads(line)["return"] for line in text.splitlines() if line)
    wrong += [f"block job is left at {case.home}: {job}" for job in jobs]
    wrong += [f"block export is left at {case.home}: {export}" for export in exports]
    wrong += [f"block node {node['node-name']} is left at {case.home}"
              for node in nodes if node["node-name"].startswith("migration-")]
    return wrong


def nothing_foreign_damaged(case):
    """I5: what was there before and is nobody's business is as it was."""
    now = case.world.foreign()
    return [f"{host}: foreign things were\n{case.foreign[host]}\nand are\n{now[host]}"
            for host in now if now[host] != case.foreign[host]]


def journal_is_settled(case):
    """I6: the job has ended, and recovering it again changes nothing."""
    job = journal.newest(case.world, case.controller)
    if job is None:
        return ["the journal has no job"]
    if job["state"] not in journal.TERMINAL:
        return [f"job {job['id']} has not ended: it is {job['state']}: {job['error']}"]
    wrong = []
    if job["worker_pid"]:
        wrong.append(f"job {job['id']} has ended and names worker {job['worker_pid']}")
    if (job["state"] == "done") != (case.home != "a"):
        wrong.append(f"job {job['id']} is {job['state']}, and the guest is at {case.home}")
    if job["debts"]:
        wrong.append(f"job {job['id']} owes {job['debts']} clean-ups: {job['error']}")
    before = case.world.inventory(), journal.lasting(case.world, case.controller)
    case.godwit(f"recover {job['id']}", allowed=(0,))
    # Its agents need a moment to be gone.
    wrong += [f"a second recovery: {line}" for line in
              case.world.wait_for(before[0], ORPHAN_SECONDS)]
    if journal.lasting(case.world, case.controller) != before[1]:
        wrong.append(f"a second recovery changed the journal: {before[1]['jobs']} became "
                     f"{journal.lasting(case.world, case.controller)['jobs']}")
    return wrong


def same_again(case):
    """I7: what was asked for succeeds now; from where the guest is then, so does the way back."""
    wrong, at_a = [], case.home == "a"
    if case.end_state == "shut off":
        lh.on(case.home, f"virsh -q start {case.guest.name}")
        lh.settle(case.guest.name, case.home)
        case.end_state = "running"
    if case.end_state == "running":
        # One that has just been started again does not hear that it is to shut down.
        lh.settle(case.guest.name, case.home)
    if not at_a:
        job = journal.newest(case.world, case.controller)
        if job["awaiting_confirm"]:
            case.godwit(f"confirm {job['id']}", allowed=(0,))
    case.godwit(case.migrate_words(case.home), allowed=(0,))
    found = look(case)
    target = "b" if at_a else "a"
    if found[target][0] != case.end_state or found[case.home][0] != "absent":
        wrong.append(f"the same migration again left {found}")
    else:
        case.home = target
        wrong += [f"after the same migration again: {line}"
                  for check in (single_writer, no_lost_write) for line in check(case)]
    return wrong


def every_wait_is_bounded(case):
    """I8: each command ended, and in the time that its steps may take."""
    return [f"godwit {command.words} took {command.seconds:.0f} s, at most {case.bound} s are allowed"
            for command in case.commands
            if command.code is None or command.seconds > case.bound]


def says(case, host):
    """What a message may call a host: the controller's own name for itself is another one."""
    own = ["localhost"] if host == case.controller else []
    return "|".join([host, f"host-{host}", *own])


def last_words(output):
    """How it ended; what it said while it worked is another thing."""
    lines = output.splitlines()
    events = [i for i, line in enumerate(lines) if re.match(r"\d\d:\d\d:\d\d ", line)]
    rest = lines[events[-1] + 1:] if events else lines
    starts = [i for i, line in enumerate(rest)
              if line.startswith("godwit: ") or re.match(r"\S+ moved from ", line)]
    return "\n".join(rest[starts[0]:] if starts else lines[-4:])


def the_message_is_true(case):
    """I9: who failed says which step, where the guest is, what is left, and one next command."""
    wrong = []
    for command, home in case.endings:
        text = last_words(command.output)
        wrong += wrong_claims(case, text, home)
        # A guest that moved and left nothing behind asks for nothing.
        if command.code != 0 and "next:" not in text and "Next:" not in text:
            wrong.append("it names no next command:\n" + text)
        elif len(set(re.findall(r"^ *[Nn]ext: (.*)$", text, re.M))) > 1:
            wrong.append("it names more than one next line:\n" + text)
        if command.code == 1 and not re.search(r"step '[a-z-]+'|while it was planning", text):
            wrong.append("it names no step:\n" + text)
        if command.code == 1 and "is left" not in text:
            wrong.append("it does not say what is left:\n" + text)
    return wrong


def wrong_claims(case, text, home):
    """Where it says that the guest is, the guest has to be."""
    wrong = []
    for line in text.splitlines():
        claim = re.match(rf"^ *{case.guest.name} is at (\S+)$", line)
        if claim and home is not None and not re.fullmatch(says(case, home), claim.group(1)):
            wrong.append(f"it says '{line.strip()}', and the guest is at {home}:\n{text}")
    return wrong


ALL = {
    "I1": single_writer,
    "I2": one_home,
    "I3": no_lost_write,
    "I4": no_orphan,
    "I5": nothing_foreign_damaged,
    "I6": journal_is_settled,
    "I9": the_message_is_true,
    # Behind what looks at the guest's place, for it moves the guest.
    "I7": same_again,
    "I8": every_wait_is_bounded,
}


def check(case, names=tuple(ALL)):
    """{"I1": [], ...}: what is wrong, by invariant."""
    result = {}
    for name in names:
        try:
            result[name] = ALL[name](case)
        except (lh.Failed, w.Trouble, w.Wrong, OSError, ValueError, KeyError) as failure:
            result[name] = [f"it could not be looked at: {type(failure).__name__}: {failure}"]
    return result
