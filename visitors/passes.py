"""Passes: how a frame that polls is let in again without a new ticket. Good for two minutes, and renewed.

A ticket is good once, and a poll says hello each time. So each answer carries a pass, which says that this
session was let in on a page of this origin. It opens nothing by itself where the session is a cookie: the
cookie has to come along (R-124).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time

from django.conf import settings

from chatlead.errors import TicketRefused
from visitors.tickets import is_current

SECONDS = 120
_form = re.compile(r"(?P<expiry>\d{10,12})\.(?P<kept>[01])\.(?P<session>[0-9a-f]{64})\.(?P<mac>[0-9a-f]{64})")


def _mac(site_key: str, embedder: str, session_key: str, kept: str, expiry: str) -> str:
    key = hashlib.sha256(b"chatlead.pass:" + settings.SECRET_KEY.encode()).digest()
    said = "|".join((site_key, embedder.lower(), session_key, kept, expiry))
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()


def issue(site_key: str, embedder: str, session_key: str, *, in_cookie: bool) -> str:
    """A pass for a session that has just been let in. `in_cookie`: the session's token came as a cookie."""
    expiry, kept = str(int(time.time()) + SECONDS), "01"[in_cookie]
    return f"{expiry}.{kept}.{session_key}.{_mac(site_key, embedder, session_key, kept, expiry)}"


def check(text: str, site_key: str, embedder: str) -> tuple[str, bool]:
    """The session's key, and whether its token has to come as a cookie.

    Raises TicketRefused for a pass that is forged, expired, of another site or of another embedding page.
    """
    found = _form.fullmatch(text)
    if found is None:
        raise TicketRefused
    expected = _mac(site_key, embedder, found["session"], found["kept"], found["expiry"])
    if not hmac.compare_digest(expected, found["mac"]) or not is_current(int(found["expiry"]), SECONDS):
        raise TicketRefused
    return found["session"], found["kept"] == "1"
