"""Tickets: how a page on an allowed domain lets its chat frame in. Good for a minute, and once."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from chatlead.errors import TicketRefused
from visitors.models import UsedTicket

if TYPE_CHECKING:
    from accounts.models import Site

logger = logging.getLogger(__name__)
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
    `embedder`.
    """
    found = _form.fullmatch(ticket)
    if found is None:
        raise TicketRefused
    expected = _mac(site.key, embedder.lower(), found["expiry"], found["nonce"])
    if not hmac.compare_digest(expected, found["mac"]) or int(found["expiry"]) < time.time():
        raise TicketRefused
    try:
        is_unused = caches["used"].add(f"ticket:{found['nonce']}", 1, timeout=2 * SECONDS)
    except Exception as error:
        logger.warning("used tickets are noted in the database: %s", type(error).__name__)
        is_unused = _note(site, found["nonce"])
    if not is_unused:
        raise TicketRefused


def _note(site: Site, nonce: str) -> bool:
    """The same in the database, while the cache is away: chats go on then, so people must get in (V-15). One
    that the cache knows, and that is not expired, could be used once more in the moment after it went."""
    UsedTicket.objects.filter(used_at__lt=timezone.now() - timedelta(seconds=2 * SECONDS)).delete()
    return UsedTicket.objects.get_or_create(nonce=nonce, defaults={"account_id": site.account_id})[1]
