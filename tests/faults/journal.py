# SPDX-License-Identifier: LGPL-2.1-or-later
"""The journal of a host, read without godwit."""

import os
import shutil
import sqlite3
import tempfile

# Each worker that takes a job over leaves its own mark in these; they say nothing of the guest.
MARKS = ("epoch", "worker_pid", "worker_start", "worker_boot_id", "control_path")
TERMINAL = ("done", "failed", "cancelled", "reverted")


def read(world, host="a"):
    """All that is known of jobs: {"jobs": [...], "steps": [...], "facts": [...]}."""
    # A copy: a path that leads into another mount namespace is more than the library can follow.
    with tempfile.TemporaryDirectory() as scratch:
        for suffix in ("", "-wal"):
            path = f"{world.root(host)}/var/lib/godwit/journal.db{suffix}"
            if os.path.exists(path):
                shutil.copy(path, f"{scratch}/journal.db{suffix}")
        connection = sqlite3.connect(f"{scratch}/journal.db")
        try:
            connection.row_factory = sqlite3.Row
            return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
                    for table in ("jobs", "steps", "facts")}
        finally:
            connection.close()


def newest(world, host="a"):
    jobs = sorted(read(world, host)["jobs"], key=lambda job: job["created_us"])
    return jobs[-1] if jobs else None


def lasting(world, host="a"):
    """What a second recovery must leave as it is."""
    content = read(world, host)
    for job in content["jobs"]:
        for mark in MARKS:
            job.pop(mark, None)
    for fact in content["facts"]:
        fact.pop("serial", None)
    return content
