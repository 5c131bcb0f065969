"""Tickets: how a page on an allowed domain lets its chat frame in. Good for a minute, and once."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.utils import timezone

from visitors.models import UsedTicket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import ConnectionPool

    from accounts.models import Site

logger = logging.getLogger(__name__)
SECONDS = 60
_pools: dict[str, ConnectionPool] = {}  # of this process, by address
SKEW_SECONDS = 30  # by which the clocks of two web servers may differ
_form = re.compile(r"(?P<expiry>\d{10,12})\.(?P<nonce>[A-Za-z0-9_-]{22})\.(?P<mac>[0-9a-f]{64})")


def _mac(site_key: str, origin: str, expiry: str, nonce: str) -> str:
    key = hashlib.sha256(b"chatlead.ticket:" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, "|".join((site_key, origin, expiry, nonce)).encode(), hashlib.sha256).hexdigest()


def issue(site: Site, origin: str) -> str:
    """A ticket for a page of this origin, which the caller has checked to be allowed."""
    expiry, nonce = str(int(time.time()) + SECONDS), secrets.token_urlsafe(16)
    return f"{expiry}.{nonce}.{_mac(site.key, origin.lower(), expiry, nonce)}"


def redeem_all(asked: Sequence[tuple[str, Site, str]]) -> list[bool]:
    """Uses tickets up, in one round trip: whether each was good. Of twins one is.

    One that is forged, expired, used, of another site or of another origin than the embedder's is not.
    """
    nonces = [_nonce(*each) for each in asked]
    good = [(nonce, site) for nonce, (_, site, _) in zip(nonces, asked, strict=True) if nonce]
    if not good:
        return [False] * len(asked)
    try:
        unused = _use([nonce for nonce, _ in good])
    except Exception as error:
        logger.warning("used tickets are noted in the database: %s", type(error).__name__)
        unused = [_note(site, nonce) for nonce, site in good]
    answers = iter(unused)
    return [bool(nonce) and next(answers) for nonce in nonces]


def _nonce(ticket: str, site: Site, embedder: str) -> str:
    """The number of a ticket of ours for this page, "" where it is none or has expired."""
    found = _form.fullmatch(ticket)
    if found is None:
        return ""
    expected = _mac(site.key, embedder.lower(), found["expiry"], found["nonce"])
    if not hmac.compare_digest(expected, found["mac"]) or not is_current(int(found["expiry"]), SECONDS):
        return ""
    return found["nonce"]


def is_current(expiry: int, seconds: float) -> bool:
    """Whether what is good for so many seconds still is. What would be good for longer is of a clock that was
    set back since: nobody remembers for that long that it was used."""
    return 0 <= expiry - time.time() <= seconds + SKEW_SECONDS


def _use(nonces: Sequence[str]) -> list[bool]:
    """Notes them in the cache; whether each was unknown. Django's own `add` takes a round trip for each, and
    a new connection for each context, which a crowd at the door would wait for (docs/performance.md)."""
    store = caches["used"]
    keys = [f"ticket:{nonce}" for nonce in nonces]
    if not isinstance(store, RedisCache):
        return [store.add(key, 1, timeout=2 * SECONDS) for key in keys]
    client: Any = store._cache
    address = client._servers[0]
    if address not in _pools:
        _pools[address] = client._get_connection_pool(True)
    with client._client(connection_pool=_pools[address]).pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.set(store.make_and_validate_key(key), 1, ex=2 * SECONDS, nx=True)
        return [bool(answer) for answer in pipeline.execute()]


def _note(site: Site, nonce: str) -> bool:
    """The same in the database, while the cache is away: chats go on then, so people must get in (V-15). One
    that the cache knows, and that is not expired, could be used once more in the moment after it went."""
    UsedTicket.objects.filter(used_at__lt=timezone.now() - timedelta(seconds=2 * SECONDS)).delete()
    return UsedTicket.objects.get_or_create(nonce=nonce, defaults={"account_id": site.account_id})[1]
