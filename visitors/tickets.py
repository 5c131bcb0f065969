"""Tickets: how a page on an allowed domain lets its chat frame in. Good for a minute, and once."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches

from chatlead.errors import TicketRefused, Unavailable

if TYPE_CHECKING:
    from accounts.models import Site

SECONDS = 60
_form = re.compile(r"(?P<expiry>\d{10,12})\.(?P<nonce>[A-Za-z0-9_-]{22})\.(?P<mac>[0-9a-f]{64})")


def _mac(site_key: str, origin: str, expiry: str, nonce: str) -> str:
    key = hashlib.sha256(b"chatlead.ticket:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, "|".join((site_key, origin, expiry, nonce)).encode(), hashlib.sha256).hexdigest()


def issue(site: Site, origin: str) -> str:
    """A ticket for a page of this origin, which the caller has checked to be allowed."""
    expiry, nonce = str(int(time.time()) + SECONDS), secrets.token_urlsafe(16)
    return f"{expiry}.{nonce}.{_mac(site.key, origin.lower(), expiry, nonce)}"


def redeem(ticket: str, site: Site, embedder: str) -> None:
    """Uses the ticket up.

    Raises TicketRefused when it is forged, expired, used, of another site or of another origin than
    `embedder`; Unavailable when the store of used tickets does not answer.
    """
    found = _form.fullmatch(ticket)
    if found is None:
        raise TicketRefused
    expected = _mac(site.key, embedder.lower(), found["expiry"], found["nonce"])
    if not hmac.compare_digest(expected, found["mac"]) or int(found["expiry"]) < time.time():
        raise TicketRefused
    try:
        unused = caches["used"].add(f"ticket:{found['nonce']}", 1, timeout=2 * SECONDS)
    except Exception as error:
        raise Unavailable from error
    if not unused:
        raise TicketRefused
