"""How much one person may say and ask (D-1), and how much of theirs may be under way at once. Whoever is in a
chat is not held up by what strangers take of their site (D-2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from django.conf import settings

from accounts.selectors import OperatorPrincipal
from chatlead.errors import RateLimited
from chatlead.realtime.capacity import most_newcomers
from chatlead.realtime.crowd import Rate, Standing
from chatlead.realtime.replies import VisitorWelcome
from chats import selectors

if TYPE_CHECKING:
    from collections.abc import Hashable

    from chatlead.realtime.caller import Caller
    from chatlead.realtime.replies import Reply
    from chats.selectors import Handle
    from visitors.sessions import VisitorPrincipal

    Principal = VisitorPrincipal | OperatorPrincipal

IN_FLIGHT = 256  # rows of one person that wait for the journal
KEPT_SEATS = 5  # of one open chat on a site that is full: its tabs, and a socket that is not gone yet
CROWDED = 20  # in an account without limits one log-in may work for so many consoles


class Flight:
    """What one person's sockets here have given to the journal and not heard of yet. Beyond IN_FLIGHT their
    next frames are not read until there is room, so that nobody fills everybody's queue."""

    __slots__ = ("__weakref__", "count", "waiting")

    def __init__(self) -> None:
        self.count = 0
        self.waiting: list[asyncio.Future[None]] = []

    def land(self) -> None:
        """One was settled."""
        self.count -= 1
        if self.waiting and self.count < IN_FLIGHT:
            woken, self.waiting = self.waiting, []
            for each in woken:
                if not each.done():
                    each.set_result(None)

    def is_full(self) -> bool:
        """Whether `room` would wait."""
        return self.count >= IN_FLIGHT

    async def room(self) -> None:
        """Wait until there is some."""
        while self.count >= IN_FLIGHT:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn


# By session or operator, as long as one of their sockets is here and has written something.
_flights: WeakValueDictionary[str | int, Flight] = WeakValueDictionary()


def flight_of(principal: Principal) -> Flight:
    """One for all sockets of a session or an operator here."""
    person = principal.operator_id if isinstance(principal, OperatorPrincipal) else principal.session_key
    return _flights.setdefault(person, Flight())


def standing_of_visitor(principal: VisitorPrincipal) -> Standing:
    """A frame's person is its session; a page has none and may do nothing. A site's visitors share a bound,
    so that they never crowd out its operators. A plan without limits bounds neither words nor deeds."""
    site = ("site", principal.site_id)
    # of all sites together never all that there is, or a crowd on one shuts out the operators of the others
    groups = ((site, settings.SOCKETS_PER_SITE), (("visitors",), most_newcomers()))
    if principal.role == "page":
        return Standing(groups=groups)
    person = ("session", principal.session_key)
    if principal.is_unlimited:
        return Standing(person, {"word": None, "deed": None}, groups=groups)
    return Standing(person, site=site, sockets=settings.SOCKETS_PER_PERSON, groups=groups)


def standing_of_operator(principal: OperatorPrincipal) -> Standing:
    """An operator writes in many chats at once, and is not bound by what visitors do."""
    person = ("operator", principal.operator_id)
    if principal.is_unlimited:
        crowd: dict[str, Rate | None] = {
            kind: (CROWDED * rate, CROWDED * burst) for kind, (rate, burst) in settings.RATES.items()
        }
        return Standing(person, crowd | {"word": None, "deed": None})
    return Standing(person, {"word": settings.RATES["reply"]}, sockets=settings.SOCKETS_PER_PERSON)


def take_of_site(caller: Caller, handle: Handle) -> None:
    """One more word of a visitor. All visitors of a site share a bound, and each open chat has a little that
    strangers cannot use up (RATES["reserve"]). Raises RateLimited where neither is left."""
    person = caller.person()
    seconds = person.wait("site")
    if seconds and (handle.state not in selectors.OPEN or person.wait("reserve")):
        raise RateLimited(retry_after_ms=int(seconds * 1000) + 1)


def stays(principal: VisitorPrincipal) -> tuple[Hashable, int] | None:
    """The seats that a visitor has on a site that is full: those of an open chat. None for newcomers."""
    if not principal.session_key or not selectors.has_open_chat(principal.session_key):
        return None
    return ("kept", principal.session_key), KEPT_SEATS


def is_in_chat(principal: VisitorPrincipal, welcome: Reply | None) -> bool:
    """Whether a visitor was welcomed into an open chat of theirs."""
    chat = welcome.chat if isinstance(welcome, VisitorWelcome) else None
    return chat is not None and chat.state in selectors.OPEN
