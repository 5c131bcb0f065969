"""How often a thing may be done in ten minutes, by one person, from one address, on one site (D-2).

Counted in the cache, so by all processes together where there is Redis. Who did it is kept as a keyed hash,
an address cut to its network (R-098). A cache that does not answer counts nothing and stops nobody.
"""

from __future__ import annotations

import logging
import math
import time

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from chatlead.addresses import truncated
from chatlead.errors import RateLimited

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 600
DAY_SECONDS = 24 * 3600


def take(what: str, who: str, most: int, *, seconds: int = WINDOW_SECONDS) -> None:
    """Counts one more. Raises RateLimited, with the time after which to try again, above `most` in so many
    `seconds`; then it is not counted, so that trying again makes nobody wait longer. What is counted over
    another time has another name in `what`."""
    count(what, who, seconds=seconds)  # first, so that of many at once no more get through
    before, now, passed = _counted(what, who, seconds)
    if _sum(before, now, passed) > most:
        count(what, who, -1, seconds=seconds)
        wait = _wait(before, now - 1, passed, most, seconds)
        words = "That was too often. Please try again in some minutes."
        if seconds >= DAY_SECONDS:
            words = "That was too often today. Please try again tomorrow."
        raise RateLimited(words, retry_after_ms=math.ceil(wait * 1000))


def count(what: str, who: str, number: int = 1, *, seconds: int = WINDOW_SECONDS) -> None:
    """Counts so many more."""
    window, _ = _window(seconds)
    key = _key(what, who, window)
    try:
        cache.add(key, 0, timeout=2 * seconds)
        cache.incr(key, number)
    except ValueError:  # it was forgotten in between
        return
    except Exception as error:
        logger.warning("nothing is counted: %s", type(error).__name__)


def so_far(what: str, who: str) -> int:
    """How many were counted in the last ten minutes, rounded up."""
    return math.ceil(_sum(*_counted(what, who)))


def _window(seconds: int = WINDOW_SECONDS) -> tuple[int, float]:
    """The number of the present window, and the share of it that has passed."""
    window, passed = divmod(time.time(), seconds)
    return int(window), passed / seconds


def _counted(what: str, who: str, seconds: int = WINDOW_SECONDS) -> tuple[int, int, float]:
    """In the window before, in this one, and how much of this one has passed."""
    window, passed = _window(seconds)
    keys = [_key(what, who, window - 1), _key(what, who, window)]
    try:
        found = cache.get_many(keys)
    except Exception as error:
        logger.warning("nothing is counted: %s", type(error).__name__)
        return 0, 0, passed
    return int(found.get(keys[0], 0)), int(found.get(keys[1], 0)), passed


def _sum(before: int, now: int, passed: float) -> float:
    """Of the window before only the part counts that lies within the time that is asked for: no moment comes
    at which twice as much is allowed."""
    return now + before * (1 - passed)


def _wait(before: int, now: int, passed: float, most: int, seconds: int) -> float:
    """Seconds until there is room for one more."""
    if now < most and before:
        share = 1 - (most - 1 - now) / before - passed
    else:  # not in this window, and in the next one only when some of these have faded
        share = 1 - passed + max(0.0, 1 - (most - 1) / max(now, 1))
    return min(max(share, 0.0), 1.0) * seconds


def network(ip: str) -> str:
    """Where somebody is, as it is counted: the /24 or /48; "" where the address is not known."""
    return truncated(ip) or ""


def _key(what: str, who: str, window: int) -> str:
    return f"limit:{window}:{salted_hmac('chatlead.limits', f'{what}|{who}', algorithm='sha256').hexdigest()}"
