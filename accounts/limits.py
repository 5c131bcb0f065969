"""How often a thing may be done in ten minutes, by one person, from one address, on one site (D-2).

Counted in the cache, so by all processes together where there is Redis. Who did it is kept as a keyed hash,
an address cut to its network (R-098). A cache that does not answer counts nothing and stops nobody.
"""

from __future__ import annotations

import logging
import time

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from chatlead.addresses import truncated
from chatlead.errors import RateLimited

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 600


def take(what: str, who: str, most: int) -> None:
    """Counts one more. Raises RateLimited, with the time that is left of the window, above `most`."""
    if count(what, who) > most:
        left = WINDOW_SECONDS - time.time() % WINDOW_SECONDS
        words = "That was too often. Please try again in some minutes."
        raise RateLimited(words, retry_after_ms=int(left * 1000))


def count(what: str, who: str) -> int:
    """Counts one more; how many there are now in this window."""
    key = _key(what, who)
    try:
        cache.add(key, 0, timeout=WINDOW_SECONDS)
        return int(cache.incr(key))
    except ValueError:  # it was forgotten in between
        return 1
    except Exception as error:
        logger.warning("nothing is counted: %s", type(error).__name__)
        return 0


def so_far(what: str, who: str) -> int:
    """How many were counted in this window."""
    try:
        return int(cache.get(_key(what, who), 0))
    except Exception as error:
        logger.warning("nothing is counted: %s", type(error).__name__)
        return 0


def network(ip: str) -> str:
    """Where somebody is, as it is counted: the /24 or /48; "" where the address is not known."""
    return truncated(ip) or ""


def _key(what: str, who: str) -> str:
    window = int(time.time()) // WINDOW_SECONDS
    return f"limit:{window}:{salted_hmac('chatlead.limits', f'{what}|{who}', algorithm='sha256').hexdigest()}"
