# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where godwit's sources make something durable: as written, and behind an address."""

import collections
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
Place = collections.namedtuple("Place", "file line function")

# What asks for durability, and what of ours stands for it.
ASKS = re.compile(r"""\b(fsync|fdatasync|syncfs|msync|nbd_flush|(?!g_)\w+_sync|(?!g_)\w*_?sync_\w+|
                      \w*write_durably)\ \(|
                      \b(G_FILE_SET_CONTENTS_DURABLE|O_D?SYNC|PRAGMA\ synchronous=(?!NORMAL))""",
                  re.VERBOSE)
# Begins to write out, and promises nothing.
NO_PROMISE = re.compile(r"\bsync_file_range\b")
FUNCTION = re.compile(r"^(\w+) \(")


def list_sources():
    for part in ("core", "plugins", "cli"):
        for folder, _, names in sorted(os.walk(os.path.join(TOP, part))):
            if "tests" not in folder.split(os.sep):
                yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".c"))


def find_in(path):
    function = ""
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            begins = FUNCTION.match(line)
            if begins:
                function = begins.group(1)
            elif ASKS.search(line) and not NO_PROMISE.search(line) and not is_comment(line):
                yield Place(os.path.relpath(path, TOP), number, function)


def is_comment(line):
    return line.lstrip().startswith(("/*", "*"))


def find():
    return [place for path in list_sources() for place in find_in(path)]


def resolve(library, frames):
    """The functions behind return addresses, innermost first, inlined ones too."""
    argv = ["addr2line", "-e", library, "-f", "-i", *(hex(frame - 1) for frame in frames)]
    lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    places = []
    for function, where in zip(lines[0::2], lines[1::2]):
        path, _, line = where.split(" ")[0].rpartition(":")
        places.append(Place(os.path.relpath(os.path.normpath(os.path.join(TOP, "build", path)), TOP),
                            int(line) if line.isdigit() else 0, function))
    return places


def describe(places):
    return " < ".join(f"{place.function}() {os.path.basename(place.file)}:{place.line}"
                      for place in places[:3])
