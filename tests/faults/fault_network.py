# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links that are cut, lose one way, are reset or slow."""

import labhosts as lh
from catalogue import LIVE, fault, struck

# Long outages are noticed by what godwit and libvirt wait for, not by us.
SLOW_TO_NOTICE = 280


def cut(case, _variant):
    case.bound = SLOW_TO_NOTICE
    case.orphan_seconds = 90
    lh.lab("link", "b", "down")


def mend(case, _variant):
    lh.lab("link", "b", "up")


SOME = ("prepared", "mirror", "memory", "frozen", "committed", "retiring")
fault("link cut", phases=SOME)(struck(cut, mend, late=True))


def drop(case, variant):
    case.bound = SLOW_TO_NOTICE
    case.orphan_seconds = 90
    chain = "INPUT -i eth0" if variant == "to the destination" else "OUTPUT -o eth0"
    lh.on("b", f"iptables -w -I {chain} -j DROP")


def reset(case, _variant):
    lh.on("b", "iptables -w -I INPUT -i eth0 -p tcp -j REJECT --reject-with tcp-reset; "
               "ss -K dst 10.77.0.1 >/dev/null 2>&1 || true")


def allow(case, _variant):
    lh.on("b", "iptables -w -F")


fault("packets lost one way", phases=("memory", "committed"),
      variants=("to the destination", "to the source"))(struck(drop, allow, late=True))
fault("connections reset", phases=SOME)(struck(reset, allow, late=True))


@fault("slow link", phases=("prepared",), strategies=("cold",) + LIVE)
def slow_link(case, moment, _variant):
    moment.begin()
    lh.lab("rate", "b", "40")
    try:
        moment.go_on()
        moment.end()
    finally:
        lh.lab("rate", "b", "none")
    return {"moved"}
