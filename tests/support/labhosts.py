# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab as the demo and the benchmarks use it: hosts, guests, figures seen from outside."""

import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LAB = os.path.join(os.path.dirname(HERE), "lab", "lab")
IMAGES = "/var/lib/libvirt/images"
DEADLINE = 300
# What a developer sets to see more of a program, as `lab exec` has it.
WATCHED = ("G_MESSAGES_DEBUG", "G_DEBUG", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")


class Failed(Exception):
    """A command failed; the message has all that it printed."""


def call(argv, check=True, timeout=DEADLINE):
    run = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=timeout, check=False)
    if check and run.returncode != 0:
        raise Failed(f"{' '.join(argv)}: exit {run.returncode}\n{run.stdout}{run.stderr}")
    return run


def lab(*argv, check=True):
    return call([LAB, *argv], check).stdout.strip()


def first_process(host):
    """The pid of a host's first process, if it is still that process."""
    state = f"/run/godwit-lab/{os.environ.get('LAB', 'godwit')}/hosts/{host}/pid"
    try:
        with open(state, encoding="utf-8") as file:
            pid, began = file.read().split()
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            # The command name may hold spaces and brackets: count from its last bracket.
            now = file.read().rsplit(")", 1)[1].split()[19]
    except (OSError, ValueError) as error:
        raise Failed(f"host {host} is not running: {error}") from error
    if now != began:
        raise Failed(f"host {host} is not running: process {pid} is another one")
    return pid


def inside(host, *argv):
    """`lab exec HOST -- ARGV`, without the shell, which costs more than most of what is run."""
    own = [f"{name}={value}" for name, value in os.environ.items()
           if name in WATCHED or name.startswith("GODWIT_") and not name.startswith("GODWIT_LAB_")]
    return ["nsenter", "--target", first_process(host), "--mount", "--uts", "--ipc", "--net", "--pid",
            "--time", "--root", "--wd", "--", "env", "-i", "HOME=/root", "USER=root", "LOGNAME=root",
            "SHELL=/bin/bash", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8", "TERM=dumb", *own, *argv]


def on(host, command, check=True):
    """A shell command on a host; what it printed."""
    return call(inside(host, "bash", "-c", command), check).stdout.strip()


def timed_on(host, command):
    """The seconds that a shell command takes on a host, without entering the host."""
    text = on(host, f"set -e; start=$(date +%s%N); {{ {command}; }} >/dev/null; echo $(($(date +%s%N) - start))")
    return int(text.splitlines()[-1]) / 1e9


def up(instance, hosts):
    os.environ["LAB"] = instance
    lab("down")
    stage = os.environ["GODWIT_STAGE"]
    lab("up", "--hosts", hosts, "--stage", stage)


def down():
    lab("down")


def boot(host, guest):
    lab("guest", "start", host, guest)
    lab("guest", "wait-boot", host, guest)


def now_us():
    """As `lab now`: one clock for all hosts."""
    return time.monotonic_ns() // 1000


def settle(guest, host):
    """Waits until the guest beats on that host, so that a gap has an end."""
    lab("guest", "wait-boot", host, guest)


def beats(guest, since_us):
    return json.loads(lab("heartbeat", guest, "--since", str(since_us)))


def allocated(host, path):
    return 512 * int(on(host, f"sync '{path}'; stat -c %b '{path}'"))


def lost_writes(host, guest, image):
    """Acknowledged records that are not in the image. A running guest is stopped meanwhile."""
    acked = lab("acked", guest)
    running = lab("guest", "state", host, guest) == "running"
    if running:
        on(host, f"virsh -q suspend {guest}")
    try:
        verdict = call([LAB, "guest", "verify", host, image, "--guest", guest, "--acked", acked],
                       check=False)
        found = json.loads(verdict.stdout)
    finally:
        if running:
            on(host, f"virsh -q resume {guest}")
    return max(0, int(acked) - found["last"]) + found["bad"], found


def show(controller, job):
    return json.loads(on(controller, f"godwit show {job} --json").splitlines()[0])


def seconds_between(first, last):
    from datetime import datetime

    parse = lambda text: datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (parse(last) - parse(first)).total_seconds()


def stopwatch():
    start = time.monotonic()
    return lambda: time.monotonic() - start
