"""Work that a browser does before it may begin something while its site or its network is flooded (D-2).

A second of counting costs a person nothing and a flood its speed. The server keeps nothing: what is asked is
signed, and good for the one thing that it was asked for, whose `ref` makes doing it twice the same as once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time

from django.conf import settings

SECONDS = 300
_form = re.compile(r"(?P<expiry>\d{10,12})\.(?P<bits>\d{1,2})\.(?P<mac>[0-9a-f]{64})\.[0-9]{1,16}")


def _mac(what: str, expiry: str, bits: str) -> str:
    key = hashlib.sha256(b"chatlead.work:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, "|".join((what, expiry, bits)).encode(), hashlib.sha256).hexdigest()


def wanted(what: str, *, more: int = 0) -> str:
    """A task for whoever wants `what`: find a number with which `task.number` has a SHA-256 that begins with
    so many zero bits as the second part of the task says, WORK_BITS and `more`."""
    expiry, bits = str(int(time.time()) + SECONDS), str(settings.WORK_BITS + more)
    return f"{expiry}.{bits}.{_mac(what, expiry, bits)}"


def is_done(answer: str, what: str) -> bool:
    """Whether this is `task.number`, of a task of ours for `what` that is not too old."""
    found = _form.fullmatch(answer)
    if found is None or int(found["expiry"]) < time.time():
        return False
    if not hmac.compare_digest(_mac(what, found["expiry"], found["bits"]), found["mac"]):
        return False
    digest = int.from_bytes(hashlib.sha256(answer.encode()).digest(), "big")
    return digest >> (256 - int(found["bits"])) == 0
