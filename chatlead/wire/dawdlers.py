"""Connections that do not get on, counted by where they come from (D-5).

Each has its patience (chatlead/wire/requests.py), but within it one host could open all that a process may
have. So one place holds a bounded number of them, and the one that has held up longest makes room for the
next: whoever is quick gets through beside a neighbour who is slow on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from chatlead.wire.requests import RequestProtocol


class Dawdlers:
    """All of one process. On the loop only."""

    def __init__(self) -> None:
        self._by_place: defaultdict[str, dict[RequestProtocol, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return sum(map(len, self._by_place.values()))

    def begin(self, place: str, connection: RequestProtocol) -> None:
        """From now on it has to get on. One too many ends the connection that waits for longest."""
        waiting = self._by_place[place]
        waiting.pop(connection, None)  # what it did before is over: it is the youngest again
        waiting[connection] = None
        if len(waiting) > settings.DAWDLERS_PER_ADDRESS:
            oldest = next(iter(waiting))
            del waiting[oldest]
            oldest.transport.abort()

    def end(self, place: str, connection: RequestProtocol) -> None:
        """It got on, or is gone. A second time changes nothing."""
        waiting = self._by_place.get(place)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._by_place[place]


dawdlers = Dawdlers()
