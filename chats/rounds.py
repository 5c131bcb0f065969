"""Who is there, written down for all sockets of this process again and again (V-14).

The signs of life are kept where the sockets are; every round writes the latest of each person to the
database, where every process sees them. Who has gone is said by one process at a time. No Redis and no task
queue is needed for it, so an outage of either makes nobody a ghost.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast
from weakref import WeakKeyDictionary

from django.conf import settings
from django.utils import timezone

from accounts.actions import come_back_from_the_future, expire_leases, keep_watch, renew_leases
from accounts.presence import watch_seconds
from accounts.selectors import OperatorPrincipal
from chatlead.realtime import pool
from chatlead.realtime.hub import Hub
from chatlead.realtime.socket import Socket
from chats import actions
from chats.positions import HEARD, LEAVING
from visitors.sessions import VisitorPrincipal

if TYPE_CHECKING:
    from chatlead.realtime.caller import Caller

logger = logging.getLogger(__name__)
K = TypeVar("K")

CLOCK_SECONDS = 2.0  # between two rounds no clock that is only adjusted gains or loses that much


class Listening(NamedTuple):
    """`since` (of time.monotonic()) this process hears signs of life, by a time of day that was then `ahead`
    of the monotonic clock by so many seconds."""

    since: float
    ahead: float


_listening: WeakKeyDictionary[Hub, Listening] = WeakKeyDictionary()


async def keep_presence(hub: Hub) -> None:
    """Writes down who was heard in this process; one process at a time then looks who has gone.

    The signs of life first: nobody is gone by a round that came late.
    """
    began_at = heard_since(hub)
    operators, visitors = _signs_of(hub)
    await pool.run(_note_presence, operators, visitors)
    await pool.run(_look_who_has_gone, began_at)


def heard_since(hub: Hub) -> datetime:
    """Since when this process knows who was heard, by the time of day as it is now: since its first round, or
    since the first one after the clock was set. Silence from before that is no silence."""
    now, tick = timezone.now(), monotonic()
    ahead = now.timestamp() - tick
    known = _listening.get(hub, Listening(tick, ahead))
    was_set = abs(ahead - known.ahead) > CLOCK_SECONDS
    if was_set:
        logger.warning("the clock was set by %+.0f s: nobody counts as gone for now", ahead - known.ahead)
    _listening[hub] = known = Listening(tick if was_set else known.since, ahead)
    return now - timedelta(seconds=tick - known.since)


def _signs_of(hub: Hub) -> tuple[dict[int, list[int]], dict[int, list[str]]]:
    """By how many seconds ago it was: who gave the last sign then. Everybody once, by their latest."""
    now = monotonic()
    operators: dict[int, float] = {}
    visitors: dict[str, float] = {}
    for each in cast("set[Caller]", hub.members):
        principal = each.principal
        if isinstance(principal, OperatorPrincipal):
            operator_id = principal.operator_id
            operators[operator_id] = max(_heard_at(each, now), operators.get(operator_id, 0.0))
        elif isinstance(principal, VisitorPrincipal):
            key = principal.session_key
            if key and LEAVING not in each.memory:  # most are pages, which have none
                visitors[key] = max(_heard_at(each, now), visitors.get(key, 0.0))
    return _by_age(operators, now), _by_age(visitors, now)


def _heard_at(caller: Caller, now: float) -> float:
    """When it gave its last sign of life; being connected is one for a socket that has never given any."""
    at = caller.memory.get(HEARD)
    if at is not None:
        return float(at)
    if not isinstance(caller, Socket):
        # a poll is a sign when it comes, and good until the next one can be there
        caller.memory[HEARD] = now + watch_seconds()
    return now


def _by_age(signs: dict[K, float], now: float) -> dict[int, list[K]]:
    """In whole seconds, rounded up: few groups, because most answer the same position."""
    found: dict[int, list[K]] = defaultdict(list)
    for key, at in signs.items():
        age = max(0, ceil(now - at))
        if age < max(settings.LEASE_SECONDS, settings.VISITOR_SECONDS):
            found[age].append(key)
    return found


def _note_presence(operators: dict[int, list[int]], visitors: dict[int, list[str]]) -> None:
    for age, ids in operators.items():
        renew_leases(sorted(ids), heard_ago=age)
    for age, keys in visitors.items():
        actions.note_visitors(keys, heard_ago=age)


def _look_who_has_gone(began_at: datetime) -> None:
    turn = keep_watch(began_at=began_at)
    if turn is None:
        return
    come_back_from_the_future(turn.at)
    actions.come_back_from_the_future(turn.at)
    if turn.may_judge:
        expire_leases(turn.at)
        actions.return_lost_chats(turn.at)
        actions.lose_visitors(turn.at)
