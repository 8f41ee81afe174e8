"""How often a thing may be tried: pure arithmetic, one number per key.

The generic cell rate algorithm (ITU-T I.371, annex A) in its virtual scheduling form. `due_at` is when the
next attempt would come at an even pace; attempts may run ahead of it by `burst - 1` paces. One number, one
comparison: a database can take an attempt in a single statement, so that no two browsers share one.
"""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    name: str
    burst: int  # attempts at once
    every_s: float  # and one more each time this has passed


# One row per thing that can be guessed or flooded. Three widths each: whom it is about, where it comes
# from, all. The address rows leave room for a household or an office behind one address. From them come those
# of blocks, below.
LIMITS = {
    limit.name: limit
    for limit in (
        # 10 guesses, then 60 an hour: of ten thousand likely passwords that tries half in three days and a
        # half, while the owner, who knows theirs, waits a minute at most. A browser that has been signed in
        # counts by itself.
        Limit("sign_in.account", 10, 60),
        Limit("sign_in.address", 30, 10),
        Limit("sign_in.all", 2000, 0.05),
        # A code is one of a million, one is valid at a time: 60 an hour finds one in 690 days, the
        # password known.
        Limit("code.account", 10, 60),
        Limit("code.address", 30, 10),
        Limit("code.all", 2000, 0.05),
        # A code that was mailed to whatever e-mail a stranger entered, and is good in that browser alone:
        # here the account is the browser. There is no row for all, which strangers would use up. Each message
        # is good for five tries, and sign_up.all and reset.all bound the messages.
        Limit("mailed_code.account", 10, 60),
        Limit("mailed_code.address", 30, 10),
        Limit("sign_up.account", 5, 600),  # here the account is the e-mail: it bounds what one inbox receives
        Limit("sign_up.address", 20, 60),
        Limit("sign_up.all", 1000, 0.2),
        # Here the account is what was entered: an e-mail or a user name, whether or not it is known.
        Limit("reset.account", 5, 600),
        Limit("reset.address", 20, 60),
        Limit("reset.all", 1000, 0.2),
        # What is sent out: here the account is an account, or one number or address that is to receive it.
        Limit("send.account", 10, 600),
        Limit("send.address", 30, 60),
        Limit("send.all", 2000, 0.1),
        Limit("send_to.account", 10, 900),
        # 80 random bits are not guessed at any rate. These rows keep strangers from ringing at routers.
        Limit("claim.account", 10, 120),
        Limit("claim.address", 30, 60),
        Limit("claim.all", 1000, 0.1),
        Limit("command.account", 20, 10),
        # What somebody has to read: ten in a row, then six an hour.
        Limit("help.account", 10, 600),
        Limit("help.address", 30, 60),
        # A device's code has 34 bits and ten minutes; a client's secret is never guessed, but may be tried.
        Limit("device.account", 10, 60),
        Limit("device.address", 30, 10),
        Limit("device_begin.address", 30, 10),
        Limit("device_begin.all", 1000, 0.1),
        # Each is a row for a minute, and of a public client anybody may push one.
        Limit("push.address", 60, 1),
        Limit("push.all", 1000, 0.1),
        # Each asks another server.
        Limit("outside.address", 30, 10),
        Limit("outside.all", 1000, 0.1),
        Limit("client.account", 20, 10),
        Limit("client.address", 60, 1),
        # Here the account is a personal token. Of wrong ones none is guessed; each costs a look-up.
        Limit("api.account", 60, 1),
        Limit("api_wrong.address", 60, 1),
        # Here the account is the router: it bounds what its owner's inbox receives of it. A busy evening is
        # ten changes of factors; then one an hour.
        Limit("notice.account", 20, 3600),
    )
}

# A household has a /64 of IPv6, but a /48 is there for the asking: 65,536 addresses, who use up what all have
# together. So each block counts as some households; a mobile network's /48 may hold as many at once.
HOUSEHOLDS = 20
ADDRESS, BLOCK = ".address", ".block"
LIMITS |= {
    row.name: row
    for row in [
        Limit(limit.name.replace(ADDRESS, BLOCK), limit.burst * HOUSEHOLDS, limit.every_s / HOUSEHOLDS)
        for limit in LIMITS.values()
        if limit.name.endswith(ADDRESS)
    ]
}


class Verdict(NamedTuple):
    allowed: bool
    due_at: float  # to be stored when allowed
    wait_s: float  # 0 when allowed


def next_attempt(due_at: float | None, limit: Limit, now: float) -> Verdict:
    """Whether one more attempt is allowed now. `due_at` is None for a key without a record."""
    due = max(due_at or 0.0, now) + limit.every_s
    ahead = due - now
    if ahead <= limit.burst * limit.every_s + 1e-6:
        return Verdict(True, due, 0.0)
    return Verdict(False, due_at or 0.0, ahead - limit.burst * limit.every_s)


def given_back(due_at: float, limit: Limit) -> float:
    """The record after an attempt that turned out to be honest: it costs nothing."""
    return due_at - limit.every_s
