# SPDX-License-Identifier: LGPL-2.1-or-later
"""When each QEMU's processors ran, out of what the QEMUs themselves wrote down."""

import os
import re
import time

RUNNING = re.compile(r"@(\d+\.\d+):vm_state_notify running (\d)")
ENDED = re.compile(r"@(\d+\.\d+):ended")


def intervals(run_log, end_log, now):
    """[(began, ended)]; one that goes on ends now."""
    found, began = [], None
    for at, running in RUNNING.findall(run_log):
        if running == "1" and began is None:
            began = float(at)
        elif running == "0" and began is not None:
            found.append((began, float(at)))
            began = None
    if began is not None:
        end = ENDED.search(end_log)
        found.append((began, float(end.group(1)) if end else now))
    return found


def read_file(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def collect(directory, host, guest):
    """{"HOST LOG": intervals} of every QEMU of that guest on a host."""
    found, now = {}, time.time()
    for name in sorted(os.listdir(directory)):
        if name.startswith(guest + ".") and name.endswith(".run"):
            path = os.path.join(directory, name)
            found[f"{host} {name[:-4]}"] = intervals(read_file(path),
                                                     read_file(path[:-4] + ".end"), now)
    return found


def overlaps(found):
    """Every moment at which two QEMUs ran one guest, in words."""
    flat = sorted((began, ended, who) for who, spans in found.items() for began, ended in spans)
    lines = []
    for i, (began, ended, who) in enumerate(flat):
        for other_began, other_ended, other in flat[i + 1:]:
            if other != who and other_began < ended and began < other_ended:
                length = min(ended, other_ended) - other_began
                lines.append(f"{who} and {other} both ran for {length * 1000:.3f} ms")
    return lines
